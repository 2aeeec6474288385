"""Jobs: which loader call makes which experiment, with which settings for each stage."""

from collections.abc import Callable, Mapping
from contextlib import chdir
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from phopro_core import __version__
from phopro_core.batch.calls import calls_of_loader
from phopro_core.batch.discovery import discover_inputs, name_experiments
from phopro_core.batch.kwargs import in_json_types, resolve_kwargs
from phopro_core.batch.paths import ResultPaths
from phopro_core.batch.variants import with_variants
from phopro_core.errors import ConfigError
from phopro_core.experiment import PhotometryExperiment
from phopro_core.loaders import PhotometryLoader
from phopro_core.loaders.finding import find_loader
from phopro_core.objects import find_class, load_function, located

#: Config keys that name functions to be called with an experiment.
HOOKS = (
    "id_builder",
    "post_load_operation",
    "post_preprocess_operation",
    "post_trial_extraction_operation",
)
#: Config keys that a stage is given as they are, beside what it makes of the recording.
FURTHER = {
    "load": ("loader_cls", "experiment_cls", "post_load_operation"),
    "preprocess": ("experiment_cls", "post_preprocess_operation"),
    "extract": (
        "experiment_cls",
        "post_trial_extraction_operation",
        "id_builder",
        "passdown_metadata",
    ),
    "dashboard": ("experiment_cls",),
}


@dataclass(frozen=True)
class Job:
    """One loader call: an experiment, its input, and the loader's keyword arguments.

    ``files`` are the paths that the loader reads, with their sizes in bytes: the input, or
    all files in it where it is a folder, and its companions; ``absent`` are companions that
    are not there.
    """

    experiment: str
    path: Path
    loader_kwargs: dict[str, Any]
    files: dict[str, int]
    absent: list[str]


@dataclass(frozen=True)
class Variant:
    """One set of settings that every recording is processed with.

    ``folder`` is where its results lie below output_dir: '' for the settings of the config
    itself, else its name and a slash. ``preprocess`` and ``extract`` are what it gives to
    the scripts of those stages. A stage's files are made once for all variants with the
    same settings of it, in the folder of the first: ``processed_in``, ``extracted_in``.
    """

    folder: str
    preprocess: dict[str, Any]
    extract: dict[str, Any]
    processed_in: str
    extracted_in: str


@dataclass(frozen=True)
class Batch:
    """All that a config says of a run, checked: the jobs, and what each stage is given.

    What stages are given holds JSON types only, defaults included, so that it can be
    compared with that of an earlier run. ``addresses`` are those of files in a storage, by
    the paths that they are fetched to.
    """

    config: dict[str, Any]
    jobs: dict[str, Job]
    variants: dict[str, Variant]
    dashboard: dict[str, Any]
    addresses: dict[str, str] = field(default_factory=dict)

    def inputs(self, experiment: str) -> dict[str, int]:
        """The files that an experiment's recording is made of, with their sizes in bytes."""
        folder = Path(self.config["relative_to"] or "")
        return {str(folder / file): size for file, size in self.jobs[experiment].files.items()}

    def load(self, experiment: str) -> dict[str, Any]:
        """What makes a recording out of an experiment's input."""
        job = self.jobs[experiment]
        return {
            "path": str(job.path),
            "loader_kwargs": job.loader_kwargs,
            **_further("load", self.config),
        }

    def settings(self, folder: str) -> dict[str, Any]:
        """All settings behind the merged trials of a variant."""
        variant = self.variants[folder]
        keys = ("data_directory", "loader_cls", "loader_kwargs", "post_load_operation", "obs_join")
        return {
            "phopro_version": __version__,
            "variant": folder.rstrip("/"),
            **{key: in_json_types(self.config[key]) for key in keys},
            **variant.preprocess,
            **variant.extract,
        }

    @property
    def extracted(self) -> list[str]:
        """Folders with the trials of experiments."""
        return list(dict.fromkeys(variant.extracted_in for variant in self.variants.values()))

    @property
    def preprocessed(self) -> list[str]:
        """Folders with processed recordings."""
        return list(dict.fromkeys(variant.processed_in for variant in self.variants.values()))

    @property
    def paths(self) -> ResultPaths:
        return ResultPaths(
            self.config["output_dir"].rstrip("/") or "/",
            self.config["trial_output_file"],
            self.config["log_file"],
        )


def plan_batch(config: Mapping[str, Any], note: Callable[[str], None] = lambda step: None) -> Batch:
    """Discover the inputs and resolve the settings of a complete config.

    Parameters
    ----------
    config : mapping
        See :func:`~phopro_core.batch.configuration.complete_config`.
    note : callable, optional
        Is told each step as it begins.

    Raises
    ------
    ConfigError
        If anything is amiss that can be told before a recording is read.
    """
    if config["relative_to"] is None:
        return _plan(config, note)
    folder = Path(config["relative_to"]).absolute()
    absolute = {
        key: config[key] and str(Path(config[key]).absolute())
        for key in ("relative_to", "output_dir", "log_file")
    }
    with chdir(folder):
        return _plan(located(config, folder) | absolute, note)


def _plan(config: Mapping[str, Any], note: Callable[[str], None]) -> Batch:
    note("Validating static inputs...")
    loader_cls = _at_key("loader_cls", find_loader, config["loader_cls"])
    experiment_cls = _at_key(
        "experiment_cls", find_class, config["experiment_cls"], PhotometryExperiment
    )
    for key in HOOKS:
        if config[key] is not None:
            _at_key(key, load_function, config[key])

    variants = _at_key("variants", _resolve_variants, config, experiment_cls)
    dashboard = _at_key(
        "dashboard_kwargs", _resolve, experiment_cls.plot_dashboard, config["dashboard_kwargs"], 2
    )
    note("Discovering inputs...")
    inputs = discover_inputs(
        config["data_directory"],
        config["target_type"],
        config["pattern"],
        config["recursive"],
        leave_out=[*config["leave_out"], config["output_dir"], ".snakemake"],
    )
    named = name_experiments(inputs, config["data_directory"], config["target_type"])
    note("Building jobs...")
    calls = _at_key("loader_kwargs", calls_of_loader, named, config["loader_kwargs"])
    note("Validating loader_kwargs per-job...")
    jobs = {name: _job(name, path, kwargs, loader_cls) for name, (path, kwargs) in calls.items()}
    _refuse_absent_companions(list(jobs.values()))
    note(f"Iterating over {len(jobs)} jobs...")
    drawing = {"dashboard_kwargs": dashboard, **_further("dashboard", config)}
    return Batch(dict(config), jobs, variants, drawing)


def _resolve_variants(
    config: Mapping[str, Any], experiment_cls: type[PhotometryExperiment]
) -> dict[str, Variant]:
    methods = {
        "preprocess_kwargs": experiment_cls.preprocess_signal,
        "trial_extraction_kwargs": experiment_cls.extract_trial_data,
    }
    variants: dict[str, Variant] = {}
    for name, given in with_variants(config).items():
        folder = f"{name}/" if name else ""
        parent = f"variants.{name}." if name else ""
        preprocess, extract = (
            {key: _at_key(parent + key, _resolve, methods[key], given[key], 1), **further}
            for key, further in (
                ("preprocess_kwargs", _further("preprocess", config)),
                ("trial_extraction_kwargs", _further("extract", config)),
            )
        )
        alike = [one for one in variants.values() if one.preprocess == preprocess]
        processed_in = alike[0].processed_in if alike else folder
        alike = [one for one in alike if one.extract == extract]
        extracted_in = alike[0].extracted_in if alike else folder
        variants[folder] = Variant(folder, preprocess, extract, processed_in, extracted_in)
    return variants


def _further(stage: str, config: Mapping[str, Any]) -> dict[str, Any]:
    return {key: config[key] for key in FURTHER[stage]}


def _job(
    experiment: str, path: Path, kwargs: Mapping[str, Any], loader_cls: type[PhotometryLoader]
) -> Job:
    resolved = _at_key("loader_kwargs", _resolve, loader_cls.__init__, kwargs, 2)
    files = [*loader_cls.files_of(path), *loader_cls.companion_files(path, resolved)]
    absent = [str(file) for file in files if not file.is_file()]
    present = {str(file): file.stat().st_size for file in files if file.is_file()}
    return Job(experiment, path, resolved, present, absent)


def _refuse_absent_companions(jobs: list[Job]) -> None:
    """Refuse a config by which every recording lacks a file; one that lacks it fails alone."""
    if all(job.absent for job in jobs):
        raise ConfigError(
            f"{str(jobs[0].path)!r} is to be read together with "
            f"{', '.join(map(repr, jobs[0].absent))}, which is not there"
            + (f"; nor are such files of the {len(jobs) - 1} others" if len(jobs) > 1 else ""),
            key="loader_kwargs",
        )


def _resolve(function: Callable, kwargs: Mapping[str, Any], n_given: int) -> dict[str, Any]:
    """Complete keyword arguments in JSON's types; defaults of other types are left out."""
    resolved = resolve_kwargs(function, in_json_types(kwargs), n_given)
    for key in [key for key in resolved if key not in kwargs]:
        try:
            in_json_types(resolved[key])
        except ConfigError:
            del resolved[key]
    return in_json_types(resolved)


def _at_key(key: str, function: Callable, *args: Any) -> Any:
    """Call a function; what it finds wrong with the config is wrong with this key of it."""
    try:
        return function(*args)
    except ConfigError as error:
        error.key = error.key or key
        raise
