"""Recordings that lie in a storage of Snakemake's: a folder that counts as one, and a bucket."""

import os
import shutil
import socket
from abc import ABC, abstractmethod
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import anndata as ad
import numpy as np
import pytest
from study_runs import Study

FOLDER_LOADER = """
from pathlib import Path

from phopro_core import CSVLoader


class Folder(CSVLoader):
    def __init__(self, path, event_cols=()):
        super().__init__(Path(path, "table.csv"), event_cols=event_cols)
"""


class Storage(ABC):
    """Where recordings are put, and the address and options that a run gets them by."""

    address: str
    options: tuple[str, ...] = ()

    @abstractmethod
    def put(self, name: str, content: bytes) -> None:
        """Put a file there, or replace it."""

    @abstractmethod
    def time(self, name: str) -> float:
        """When a file was put there, seconds."""


class Far(Storage):
    """A folder that does not count as shared."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.address = str(folder)
        folder.mkdir()

    def put(self, name: str, content: bytes) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    def time(self, name: str) -> float:
        return (self.folder / name).stat().st_mtime


class Bucket(Storage):
    """A bucket of an S3 server on this machine, whose buckets outlive it."""

    def __init__(self, name: str, endpoint: str) -> None:
        import boto3

        self.name = name
        self.address = f"s3://{name}/data/recordings"
        self.options = ("--storage-s3-endpoint-url", endpoint)
        self.client = boto3.client("s3", endpoint_url=endpoint)
        self.client.create_bucket(Bucket=self.name)
        # Its name begins like that of the folder, and it is not in it.
        self.client.put_object(Bucket=self.name, Key="data/recordings2/other.csv", Body=b"")

    def put(self, name: str, content: bytes) -> None:
        self.client.put_object(Bucket=self.name, Key=f"data/recordings/{name}", Body=content)

    def time(self, name: str) -> float:
        about = self.client.head_object(Bucket=self.name, Key=f"data/recordings/{name}")
        return about["LastModified"].timestamp()


@pytest.fixture
def far(tmp_path: Path) -> Far:
    if find_spec("snakemake_storage_plugin_fs") is None or shutil.which("rsync") is None:
        pytest.skip("needs snakemake-storage-plugin-fs, and rsync")
    return Far(tmp_path / "far away")


@pytest.fixture
def bucket(monkeypatch) -> Iterator[Bucket]:
    if find_spec("snakemake_storage_plugin_s3") is None or find_spec("moto") is None:
        pytest.skip("needs snakemake-storage-plugin-s3, and moto with its server")
    from moto.server import ThreadedMotoServer

    for name, value in {"ACCESS_KEY": "someone", "SECRET_KEY": "secret"}.items():
        monkeypatch.setenv(f"SNAKEMAKE_STORAGE_S3_{name}", value)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "someone")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = ThreadedMotoServer("127.0.0.1", port)
    server.start()
    yield Bucket(f"lab-{port}", f"http://127.0.0.1:{port}")
    server.stop()


@pytest.fixture(params=["far", "bucket"])
def storage(request) -> Storage:
    return request.getfixturevalue(request.param)


@pytest.fixture
def local(tmp_path: Path) -> Study:
    """Three recordings on this machine."""
    study = Study(tmp_path / "local")
    for seed in range(3):
        study.add(f"m{seed}", seed=seed)
    return study


@pytest.fixture
def study(tmp_path: Path, local: Study, storage: Storage) -> Study:
    """A study whose recordings lie in the storage."""
    for path in local.recordings.iterdir():
        storage.put(path.name, path.read_bytes())
    study = Study(tmp_path / "study")
    study.folder.mkdir()
    study.config["data_directory"] = f"storage:{storage.address}"
    return study


def merged(study: Study) -> ad.AnnData:
    return ad.read_h5ad(study.results / "trials.h5ad")


def fetched(study: Study) -> list[Path]:
    """Copies of stored files that lie in a study."""
    folder = study.folder / ".snakemake" / "storage"
    return [path for path in folder.rglob("*") if path.is_file()]


def test_stored_recordings_give_what_local_ones_do_and_leave_no_copies(study, local, storage):
    local.run_well()
    done = study.run_well(*storage.options)
    assert done.jobs["load"] == 3
    assert np.array_equal(merged(study).X, merged(local).X)
    digests = [merged(one).uns["provenance"]["input"]["sha256"].tolist() for one in (study, local)]
    assert digests[0] == digests[1]
    assert fetched(study) == []
    assert study.run_well(*storage.options).jobs == {}


def test_one_that_is_put_anew_is_loaded_again_alone(study, local, storage):
    study.run_well(*storage.options)
    # A bucket tells whole seconds: what was loaded is to lie between the two of them.
    loaded = storage.time("m1.csv") + 0.5
    os.utime(study.results / "recordings" / "m1.h5ad", (loaded, loaded))
    assert study.run_well(*storage.options).jobs == {}
    storage.put("m1.csv", local.add("m1", seed=7).read_bytes())
    done = study.run_well(*storage.options)
    assert done.jobs == {"load": 1, "preprocess": 1, "extract": 1, "merge_trials": 1}


def test_recordings_may_be_folders(study, local, storage):
    (study.folder / "loaders.py").write_text(FOLDER_LOADER)
    for path in local.recordings.iterdir():
        storage.put(f"sessions/{path.stem}/table.csv", path.read_bytes())
    study.config["data_directory"] += "/sessions"
    study.config |= {
        "target_type": "folder",
        "pattern": None,
        "loader_cls": "loaders.py:Folder",
    }
    local.run_well()
    study.run_well(*storage.options)
    assert np.array_equal(merged(study).X, merged(local).X)


def test_a_file_beside_a_recording_is_fetched_with_it(study, local, storage):
    for path in local.recordings.iterdir():
        storage.put(f"{path.stem}.yaml", f"subject: mouse {path.stem}\n".encode())
    study.config["loader_kwargs"] |= {
        "annotation_file": "{path.parent}/{stem}.yaml",
        "annotation_handler": "yaml",
    }
    study.config["passdown_metadata"] = ["subject"]
    study.run_well(*storage.options)
    subjects = merged(study).obs["subject"].unique().tolist()
    assert subjects == ["mouse m0", "mouse m1", "mouse m2"]
    assert study.run_well(*storage.options).jobs == {}


def test_a_name_that_the_storage_cuts_off_is_told(study, storage):
    storage.put("mouse#3.csv", b"")
    if isinstance(storage, Bucket):
        run = study.run(*storage.options)
        run.assert_failed_saying("'mouse#3.csv'", "can't be fetched by its name")
    else:
        study.run_well(*storage.options)
        assert study.failures().keys() == {"mouse_3"}


def test_a_pattern_that_matches_nothing_is_told_with_what_is_there(study, storage):
    study.config["pattern"] = "*.doric"
    run = study.run(*storage.options)
    run.assert_failed_saying(f"matches no file in '{storage.address}'", "m0.csv")


def test_a_bucket_that_is_not_there_is_told(tmp_path, bucket):
    study = Study(tmp_path)
    study.config["data_directory"] = "storage:s3://nobodys/recordings"
    run = study.run(*bucket.options)
    run.assert_failed_saying("nothing can be found below 's3://nobodys/recordings'")
