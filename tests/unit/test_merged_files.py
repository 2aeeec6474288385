"""Merging of files with trials: of experiments, and of merged ones."""

from pathlib import Path

import anndata as ad
import h5py
import numpy as np
import pandas as pd
import pytest

from phopro_core import merged_files
from phopro_core.h5ad import write_h5ad
from phopro_core.merged_files import merge_files
from phopro_core.provenance import of_input

T = np.arange(-40, 80) / 20


def write_trials(folder: Path, name: str, n_trials: int, t: np.ndarray = T, **columns) -> Path:
    """A file as the stage of extraction writes it; its signals are those of its name."""
    raw = folder / f"{name}.csv"
    raw.write_text(name)
    path = folder / f"{name}.h5ad"
    obs = {"trial_num": np.arange(1, n_trials + 1), "source": [name] * n_trials, **columns}
    write_h5ad(
        path,
        X=np.full((n_trials, t.size), float(len(name))),
        obs=pd.DataFrame(obs, index=[str(k) for k in range(n_trials)]),
        var=pd.DataFrame({"t": t}, index=[str(k) for k in range(t.size)]),
        uns={"provenance": of_input(raw, {"downsample": len(name)})},
    )
    return path


@pytest.fixture
def four(tmp_path):
    return {
        name: write_trials(tmp_path, name, n) for n, name in enumerate(["a", "bb", "c", "dd"], 1)
    }


def test_trials_of_merged_files_are_those_of_all_merged_at_once(tmp_path, four):
    at_once, twice = tmp_path / "at_once.h5ad", tmp_path / "twice.h5ad"
    assert merge_files(four, at_once) == (10, 120, 2)
    halves = {half: tmp_path / f"{half}.h5ad" for half in ("first", "second")}
    merge_files({name: four[name] for name in ("a", "bb")}, halves["first"])
    merge_files({name: four[name] for name in ("c", "dd")}, halves["second"])
    merge_files(halves, twice)
    assert twice.read_bytes() == at_once.read_bytes()
    merged = ad.read_h5ad(twice)
    assert merged.X[:, 0].tolist() == [1, 2, 2, 1, 1, 1, 2, 2, 2, 2]
    assert merged.uns["experiments"].tolist() == list(four)


def test_signals_are_read_a_part_at_a_time(tmp_path, four, monkeypatch):
    merge_files(four, tmp_path / "all.h5ad")
    monkeypatch.setattr(merged_files, "N_ROWS", 3)
    parts = list(merged_files._signals([tmp_path / "all.h5ad"]))
    assert [len(part) for part in parts] == [3, 3, 3, 1]
    merge_files({"all": tmp_path / "all.h5ad"}, tmp_path / "again.h5ad")
    assert (tmp_path / "again.h5ad").read_bytes() == (tmp_path / "all.h5ad").read_bytes()


def test_annotations_that_not_all_have_are_kept_if_wanted(tmp_path, four, caplog):
    four["e"] = write_trials(tmp_path, "e", 1, shock=[0.5])
    merge_files(four, tmp_path / "inner.h5ad")
    assert "Left out the column 'shock'" in caplog.text
    merge_files(four, tmp_path / "outer.h5ad", "outer")
    assert list(ad.read_h5ad(tmp_path / "inner.h5ad").obs) == ["trial_num", "source"]
    assert ad.read_h5ad(tmp_path / "outer.h5ad").obs["shock"].tolist()[-1] == 0.5


def test_other_time_points_are_refused_and_what_was_there_stays(tmp_path, four):
    merged = tmp_path / "merged.h5ad"
    merged.write_text("yesterday's")
    four["other"] = write_trials(tmp_path, "other", 1, t=T[:-1])
    with pytest.raises(ValueError, match="other: 119 time points"):
        merge_files(four, merged)
    assert merged.read_text() == "yesterday's"


def test_a_file_that_is_not_of_trials_is_named(tmp_path, four):
    text, empty = tmp_path / "text.h5ad", tmp_path / "empty.h5ad"
    text.write_text("no")
    h5py.File(empty, "w").close()
    with pytest.raises(OSError, match=r"text\.h5ad' can't be read as HDF5"):
        merge_files(four | {"text": text}, tmp_path / "merged.h5ad")
    with pytest.raises(ValueError, match=r"empty\.h5ad' is not a file of trials"):
        merge_files(four | {"empty": empty}, tmp_path / "merged.h5ad")
    assert not (tmp_path / "merged.h5ad").exists()
