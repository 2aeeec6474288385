"""Jobs: which loader call makes which experiment, with which settings for each stage."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from phopro_core.batch.discovery import discover_inputs, name_experiments
from phopro_core.batch.kwargs import fill_templates, resolve_kwargs
from phopro_core.batch.paths import ResultPaths
from phopro_core.errors import ConfigError
from phopro_core.experiment import PhotometryExperiment
from phopro_core.loaders import PhotometryLoader
from phopro_core.loaders.finding import find_loader
from phopro_core.objects import files_behind


@dataclass(frozen=True)
class Job:
    """One loader call: an experiment, its input, and the loader's keyword arguments.

    ``files`` are the paths that the loader reads: the input, or all files in it where it
    is a folder, and its companions; ``absent`` are companions that are not there.
    """

    experiment: str
    path: Path
    loader_kwargs: dict[str, Any]
    files: list[str]
    absent: list[str]


@dataclass(frozen=True)
class Batch:
    """All that a config says of a run, checked: the jobs, and the settings of each stage.

    Settings hold JSON types only, defaults included, so that they can be compared with
    those of an earlier run.
    """

    config: dict[str, Any]
    jobs: dict[str, Job]
    preprocessing: dict[str, Any]
    extraction: dict[str, Any]
    dashboard: dict[str, Any]

    def loading(self, experiment: str) -> dict[str, Any]:
        """What makes a recording out of an experiment's input."""
        job = self.jobs[experiment]
        return {
            "path": str(job.path),
            "loader": self.config["loader_cls"],
            "loader_kwargs": job.loader_kwargs,
        }

    @property
    def loader_files(self) -> list[str]:
        """The user's own files that loading runs."""
        return files_behind([self.config["loader_cls"], self.config["loader_kwargs"]])

    @property
    def paths(self) -> ResultPaths:
        return ResultPaths(
            self.config["output_dir"].rstrip("/") or "/",
            self.config["trial_output_file"],
            self.config["log_file"],
        )


def plan_batch(config: Mapping[str, Any]) -> Batch:
    """Discover the inputs and resolve the settings of a complete config.

    Raises
    ------
    ConfigError
        If anything is amiss that can be told before a recording is read.
    """
    loader_cls = find_loader(config["loader_cls"])
    inputs = discover_inputs(
        config["data_directory"],
        config["target_type"],
        config["pattern"],
        config["recursive"],
        leave_out=[config["output_dir"], ".snakemake"],
    )
    named = name_experiments(inputs, config["data_directory"], config["target_type"])
    jobs: dict[str, Job] = {}
    for experiment, path in named.items():
        for job in _jobs_of(experiment, path, config["loader_kwargs"], loader_cls):
            if job.experiment in jobs:
                raise ConfigError(
                    f"two jobs would both be experiment {job.experiment!r}: of "
                    f"{str(jobs[job.experiment].path)!r} and of {str(path)!r}; rename one"
                )
            jobs[job.experiment] = job
    _refuse_absent_companions(list(jobs.values()))

    def settings(key: str, method: Callable, n_positional: int = 1) -> dict[str, Any]:
        return _resolve(key, method, config[key], n_positional)

    return Batch(
        config=config,
        jobs=jobs,
        preprocessing=settings("preprocess_kwargs", PhotometryExperiment.preprocess_signal),
        extraction=settings("trial_extraction_kwargs", PhotometryExperiment.extract_trial_data),
        dashboard=settings("dashboard_kwargs", PhotometryExperiment.plot_dashboard, n_positional=2),
    )


def _jobs_of(
    experiment: str,
    path: Path,
    loader_kwargs: Mapping[str, Any] | list[Mapping[str, Any]],
    loader_cls: type[PhotometryLoader],
) -> list[Job]:
    if isinstance(loader_kwargs, Mapping):
        return [_job(experiment, path, "loader_kwargs", loader_kwargs, loader_cls)]
    return [
        _job(f"{experiment}-{k}", path, f"loader_kwargs[{k - 1}]", kwargs, loader_cls)
        for k, kwargs in enumerate(loader_kwargs, 1)
    ]


def _job(
    experiment: str,
    path: Path,
    key: str,
    kwargs: Mapping[str, Any],
    loader_cls: type[PhotometryLoader],
) -> Job:
    try:
        filled = fill_templates(kwargs, path)
    except ConfigError as error:
        raise ConfigError(f"config key {key!r}: {error}") from error
    resolved = _resolve(key, loader_cls.__init__, filled, n_positional=2)
    files = [*_files_in(path), *loader_cls.companion_files(path, resolved)]
    absent = [str(file) for file in files if not file.is_file()]
    present = [str(file) for file in files if file.is_file()]
    return Job(experiment, path, resolved, present, absent)


def _files_in(path: Path) -> list[Path]:
    if path.is_dir():
        return sorted(file for file in path.rglob("*") if file.is_file())
    return [path]


def _refuse_absent_companions(jobs: list[Job]) -> None:
    """Refuse a config by which every recording lacks a file; one that lacks it fails alone."""
    if all(job.absent for job in jobs):
        raise ConfigError(
            f"config key 'loader_kwargs': {str(jobs[0].path)!r} is to be read together with "
            f"{', '.join(map(repr, jobs[0].absent))}, which is not there"
            + (f"; nor are such files of the {len(jobs) - 1} others" if len(jobs) > 1 else "")
        )


def _resolve(
    key: str, function: Callable, kwargs: Mapping[str, Any], n_positional: int = 1
) -> dict[str, Any]:
    """Complete keyword arguments in JSON's types: tuples become lists, paths text."""
    try:
        return json.loads(json.dumps(resolve_kwargs(function, kwargs, n_positional), default=str))
    except ConfigError as error:
        raise type(error)(f"config key {key!r}: {error}") from error
