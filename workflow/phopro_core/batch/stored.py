"""Recordings in a storage of Snakemake's, such as a bucket: planned without being fetched."""

import asyncio
import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any

from snakemake.io import glob_wildcards

from phopro_core.batch.jobs import Batch, Job, plan_batch
from phopro_core.errors import ConfigError

#: What a data_directory in a storage begins with; the rest is the storage's address of it.
PREFIX = "storage:"


def plan_stored_batch(
    config: Mapping[str, Any], storage: Callable, note: Callable[[str], None] = lambda step: None
) -> Batch:
    """Like :func:`~phopro_core.batch.jobs.plan_batch`, of a data_directory in a storage.

    The jobs' paths are those that Snakemake fetches the files to.

    Parameters
    ----------
    config : mapping
    storage : callable
        Snakemake's ``storage``: makes of an address the path that it is fetched to.
    note : callable, optional

    Raises
    ------
    ConfigError
        As `plan_batch`, and if the storage can't be listed.
    """
    if config["relative_to"] is not None:
        raise ConfigError("a data_directory in a storage can't be relative to a folder")
    address = config["data_directory"].removeprefix(PREFIX).rstrip("/")
    local = _stored(storage, f"{address}/_").local_path().parent
    files = _listed(storage, address)
    with TemporaryDirectory() as folder:
        # Found and told apart as if they were here: by files of the same sizes, without content.
        for name, size in files.items():
            stand_in = Path(folder, name)
            stand_in.parent.mkdir(parents=True, exist_ok=True)
            stand_in.touch()
            os.truncate(stand_in, size)
        try:
            batch = plan_batch({**config, "data_directory": folder}, note)
        except ConfigError as error:
            raise ConfigError(str(error).replace(folder, address), error.key, error.hint) from None

    jobs = {
        name: Job(
            job.experiment,
            Path(_moved(str(job.path), folder, local)),
            _moved(job.loader_kwargs, folder, local),
            _moved(job.files, folder, local),
            _moved(job.absent, folder, local),
        )
        for name, job in batch.jobs.items()
    }
    addresses = {str(local / name): f"{address}/{name}" for name in files}
    return replace(batch, config=dict(config), jobs=jobs, addresses=addresses)


def _moved(value: Any, folder: str, local: Path) -> Any:
    """Nested settings in which paths in a folder are those in another one."""
    match value:
        case str():
            return value.replace(folder, str(local))
        case Mapping():
            return {
                _moved(key, folder, local): _moved(item, folder, local)
                for key, item in value.items()
            }
        case list():
            return [_moved(item, folder, local) for item in value]
        case _:
            return value


def _listed(storage: Callable, address: str) -> dict[str, int]:
    """Files below an address, by their paths below it, with their sizes in bytes."""
    some = _stored(storage, f"{address}/_")
    # As Snakemake itself asks for what there is; most storages tell of all at once.
    inventory = SimpleNamespace(exists_in_storage={}, mtime={}, size={})
    try:
        asyncio.run(some.inventory(inventory))
        if not inventory.size:
            for name in glob_wildcards(storage(f"{address}/{{file}}")).file:
                asyncio.run(_stored(storage, f"{address}/{name}").inventory(inventory))
    except Exception as error:
        raise ConfigError(
            f"nothing can be found below {address!r}",
            key="data_directory",
            hint="Is the address right, with a folder in the bucket, and are the storage's "
            f"endpoint and credentials? It says: {error}",
        ) from error
    local = some.local_path().parent
    sizes = {
        Path(path).relative_to(local): size
        for path, size in inventory.size.items()
        if Path(path).is_relative_to(local) and Path(path) != local
    }
    folders = {folder for name in sizes for folder in name.parents}
    files = {name.as_posix(): size for name, size in sizes.items() if name not in folders}
    for name in files:
        # Some storages cut addresses off at a '#' or '?'.
        if _stored(storage, f"{address}/{name}").local_path() != local / name:
            raise ConfigError(f"{name!r} below {address!r} can't be fetched by its name; rename it")
    return files


def _stored(storage: Callable, address: str) -> Any:
    """The storage's object of an address."""
    return storage(address).flags["storage_object"]
