"""Batches from a notebook or a script: the same workflow behind one call."""

import fcntl
import hashlib
import json
import os
import shutil
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from phopro_core.batch.calls import ask
from phopro_core.batch.configuration import complete_config
from phopro_core.batch.discovery import TargetType, discover_inputs
from phopro_core.batch.failures import FailedStage, read_table
from phopro_core.batch.jobs import Batch, Job, plan_batch
from phopro_core.batch.journal import Journal, summary
from phopro_core.batch.kwargs import in_json_types
from phopro_core.batch.snakemake import run_snakemake
from phopro_core.batch.stages import SCHEMA
from phopro_core.dataset import PhotometryData
from phopro_core.errors import ConfigError
from phopro_core.experiment import PhotometryExperiment
from phopro_core.live import Answers, name_object
from phopro_core.loaders import PhotometryLoader
from phopro_core.loaders.finding import BUILT_IN
from phopro_core.replacing import replacing

#: What is written to an output_dir.
TRIALS, FAILURES, DASHBOARDS = "trials.h5ad", "failures.tsv", "dashboards"
#: Failures that an error quotes.
N_TOLD = 5
#: Environment variable with the folder to keep working folders in.
CACHE = "PHOPRO_CACHE"

Kwargs = Mapping[str, Any]
LoaderKwargs = Kwargs | Sequence[Kwargs] | Callable[[Path], Kwargs | Sequence[Kwargs]]
Hook = Callable[[PhotometryExperiment], None]


class PhotometryPipeline:
    """Processes all recordings of a folder alike, and merges their trials.

    :meth:`run` runs the Snakemake workflow in processes of its own, in a working folder
    that is kept between calls, so that what has been made is not made again: a second run
    with other trial bounds costs the extraction only.

    Parameters
    ----------
    data_directory : path
        Folder to search for recordings.
    target_type : {'file', 'folder'}
        Whether a recording is a file or a folder.
    loader_cls : subclass of PhotometryLoader
    experiment_cls : subclass of PhotometryExperiment
        Its constructor takes the arguments of PhotometryExperiment's.
    data_cls : subclass of PhotometryData
        What :meth:`run` returns.
    recursive : bool
        Whether to search the folders below too.
    pattern : str, optional
        Glob pattern of the recordings' names; by default all.

    Examples
    --------
    >>> from phopro_core import CSVLoader
    >>> folder = "config/example/recordings"
    >>> pipeline = PhotometryPipeline(folder, "file", CSVLoader, pattern="*.csv")
    >>> pipeline.discover_inputs()[0].name
    'experiment_1.csv'
    """

    def __init__(
        self,
        data_directory: str | Path,
        target_type: TargetType,
        loader_cls: type[PhotometryLoader],
        experiment_cls: type[PhotometryExperiment] = PhotometryExperiment,
        data_cls: type[PhotometryData] = PhotometryData,
        recursive: bool = False,
        pattern: str | None = None,
    ) -> None:
        if target_type not in ("file", "folder"):
            raise ValueError(f"target_type is {target_type!r}, but must be 'file' or 'folder'")
        for cls, base in (
            (loader_cls, PhotometryLoader),
            (experiment_cls, PhotometryExperiment),
            (data_cls, PhotometryData),
        ):
            if not (isinstance(cls, type) and issubclass(cls, base)):
                raise TypeError(f"{cls!r} is not a subclass of {base.__name__}")
        self.data_directory = Path(data_directory)
        self.target_type = target_type
        self.loader_cls = loader_cls
        self.experiment_cls = experiment_cls
        self.data_cls = data_cls
        self.recursive = recursive
        self.pattern = pattern

    def __repr__(self) -> str:
        return (
            f"PhotometryPipeline({str(self.data_directory)!r}, {self.target_type!r}, "
            f"{self.loader_cls.__name__}, pattern={self.pattern!r}, recursive={self.recursive})"
        )

    @property
    def working_folder(self) -> Path:
        """Where intermediate files are kept: below the user's cache, or below $PHOPRO_CACHE.

        Pipelines with the same recordings and loader share it.
        """
        import platformdirs

        cache = os.environ.get(CACHE) or platformdirs.user_cache_dir("phopro", appauthor=False)
        which = [
            str(self.data_directory.resolve()),
            self.target_type,
            str(self.pattern),
            str(self.recursive),
            self.loader_cls.__qualname__,
            self.experiment_cls.__qualname__,
        ]
        digest = hashlib.sha256("\n".join(which).encode()).hexdigest()[:12]
        return Path(cache).absolute() / f"{self.data_directory.resolve().name}-{digest}"

    def discover_inputs(self) -> list[Path]:
        """The files or folders that are recordings, in natural order.

        Raises
        ------
        ValueError
            If there are none.
        """
        return discover_inputs(self.data_directory, self.target_type, self.pattern, self.recursive)

    def _discover(self, leave_out: Sequence[str | Path] = ()) -> list[Path]:
        return discover_inputs(
            self.data_directory, self.target_type, self.pattern, self.recursive, leave_out
        )

    def clear(self) -> None:
        """Delete the working folder; the next run does everything anew."""
        with self._alone():
            shutil.rmtree(self.working_folder, ignore_errors=True)

    def run(
        self,
        loader_kwargs: LoaderKwargs,
        preprocess_kwargs: Kwargs,
        trial_extraction_kwargs: Kwargs,
        output_dir: str | Path | None = None,
        log_file: str | Path | None = None,
        trial_output_file: str | None = "trials.h5ad",
        low_memory_mode: bool = False,
        passdown_metadata: Sequence[str] | None = ("source",),
        save_dashboards: bool = False,
        dashboard_kwargs: Kwargs | None = None,
        id_builder: Callable[[PhotometryExperiment], str] | None = None,
        post_load_operation: Hook | None = None,
        post_preprocess_operation: Hook | None = None,
        post_trial_extraction_operation: Hook | None = None,
        cores: int | None = None,
        progress: bool = True,
    ) -> PhotometryData:
        """Process the recordings, and merge their trials.

        A recording that fails is left out, and told in a warning. Functions are called in
        other processes: what they change of the experiment's traces, events, metadata and
        trials goes on to the next stage, and all else stays there; what they print is in
        the log.

        Parameters
        ----------
        loader_kwargs : mapping, list of mappings, or callable
            Arguments of the loader; a list makes an experiment of each recording for each
            of its mappings; a function of a recording's path returns either.
        preprocess_kwargs : mapping
            Of :meth:`PhotometryExperiment.preprocess_signal`.
        trial_extraction_kwargs : mapping
            Of :meth:`PhotometryExperiment.extract_trial_data`.
        output_dir : path, optional
            Folder for the merged trials, the dashboards and the table of failures;
            without it the result is only returned.
        log_file : path, optional
            Receives the story of the run.
        trial_output_file : str or None
            Name of the merged dataset in `output_dir`; None stands for trials.h5ad.
        low_memory_mode : bool
            Return a dataset that stays in its file, which must not be there before.
        passdown_metadata : list of str or None
            Metadata that become columns of the trials.
        save_dashboards : bool
            Whether to draw every recording, into ``output_dir / 'dashboards'``.
        dashboard_kwargs : mapping, optional
            Of :meth:`PhotometryExperiment.plot_dashboard`.
        id_builder : callable, optional
            Function of an experiment with its trials that returns its id: column
            experiment_id of its trials, and name of its dashboard.
        post_load_operation, post_preprocess_operation, post_trial_extraction_operation : callable
            Functions that change an experiment in place, once it is loaded, preprocessed,
            and its trials extracted.
        cores : int, optional
            Recordings to process at once; by default as many as there are processors.
        progress : bool
            Whether to show a bar.

        Raises
        ------
        TypeError
            If an argument has no such argument to go to, is of the wrong type, or can't be
            sent to other processes.
        ValueError
            If a setting can't be, or every recording failed.
        RuntimeError
            If the run as a whole failed: for instance, for want of disk space.
        """
        destination = (
            None if output_dir is None else Path(output_dir) / (trial_output_file or TRIALS)
        )
        if save_dashboards and output_dir is None:
            raise ValueError("save_dashboards needs an output_dir to save the dashboards in")
        if low_memory_mode and destination is not None and destination.exists():
            raise ValueError(
                f"low_memory_mode needs a fresh output file, and {destination} is there already: "
                "take another output_dir or trial_output_file, or move it away"
            )
        settings = {
            "preprocess_kwargs": preprocess_kwargs,
            "trial_extraction_kwargs": trial_extraction_kwargs,
            "dashboard_kwargs": dashboard_kwargs or {},
            "passdown_metadata": passdown_metadata,
            "leave_out": [self.working_folder, *_written(destination, log_file)],
            "save_dashboards": save_dashboards,
            "low_memory_mode": low_memory_mode,
            "trial_output_file": trial_output_file or TRIALS,
            "id_builder": id_builder,
            "post_load_operation": post_load_operation,
            "post_preprocess_operation": post_preprocess_operation,
            "post_trial_extraction_operation": post_trial_extraction_operation,
        }
        with self._alone() as lock, _story(log_file) as story:
            config = self._config(loader_kwargs, settings)
            story.batch = batch = plan_batch(complete_config(config, SCHEMA), story.journal.note)
            words = self._run_workflow(config, cores or _n_processors(), progress, lock)
            story.failed = failed = read_table(batch.paths.failures)
            story.well = words is None
            merged = Path(batch.paths.trials.format(variant=""))
            if destination is not None:
                _deliver(batch, failed, merged if story.well else None, destination)
            if words is not None:
                raise _error(batch, failed, words)
            _warn(batch, failed)
            return self.data_cls.read_h5ad(destination or merged, backed=low_memory_mode)

    def _build_jobs(
        self,
        inputs: Sequence[Path],
        loader_kwargs: LoaderKwargs,
        preprocess_kwargs: Kwargs,
        trial_extraction_kwargs: Kwargs,
    ) -> list[Job]:
        """The jobs that :meth:`run` would process, of the inputs that are named."""
        settings = {
            "preprocess_kwargs": preprocess_kwargs,
            "trial_extraction_kwargs": trial_extraction_kwargs,
        }
        batch = plan_batch(complete_config(self._config(loader_kwargs, settings), SCHEMA))
        return [job for job in batch.jobs.values() if job.path in set(map(Path, inputs))]

    @property
    def _lock_file(self) -> Path:
        return self.working_folder.with_name(f"{self.working_folder.name}.lock")

    @property
    def _objects(self) -> Path:
        return self.working_folder / "objects"

    def _config(self, loader_kwargs: LoaderKwargs, settings: Kwargs) -> dict[str, Any]:
        """The workflow's config of a run; what is live goes by names."""
        if callable(loader_kwargs):
            name = getattr(loader_kwargs, "__qualname__", "loader_kwargs")
            inputs = self._discover(settings.get("leave_out", ()))
            answers = {path: self._encoded(ask(loader_kwargs, name, path)) for path in inputs}
            loader_kwargs = Answers({str(path): answer for path, answer in answers.items()})
        return self._encoded(
            {
                "data_directory": self.data_directory,
                "relative_to": Path.cwd(),
                "target_type": self.target_type,
                "recursive": self.recursive,
                "pattern": self.pattern,
                "loader_cls": self.loader_cls,
                "experiment_cls": self.experiment_cls,
                "loader_kwargs": loader_kwargs,
                "output_dir": self.working_folder / "results",
                **settings,
            }
        )

    def _encoded(self, value: Any) -> Any:
        """A value in JSON's types, with names in the places of functions, classes and objects."""
        match value:
            case Mapping():
                return {str(key): self._encoded(item) for key, item in value.items()}
            case list() | tuple():
                return [self._encoded(item) for item in value]
            case type() if value in (PhotometryExperiment, *BUILT_IN):
                return value.__name__
        try:
            return in_json_types(value)
        except ConfigError:
            return name_object(value, self._objects)

    def _run_workflow(
        self, config: Mapping[str, Any], cores: int, progress: bool, lock: int
    ) -> str | None:
        """Run the workflow in the working folder; returns why it failed, if it did."""
        path = self.working_folder / "config.json"
        text = json.dumps(config, indent=2)
        path.write_text(text, encoding="utf-8")
        for pickled in self._objects.glob("*.pkl"):
            if pickled.name not in text:
                pickled.unlink()
        # What is left of the last run's would be taken for this one's, should it not get far.
        Path(config["output_dir"], FAILURES).unlink(missing_ok=True)
        with _bar(desc="PhoPro", unit="step", disable=not progress) as bar:

            def on_progress(n_done: int, n_steps: int) -> None:
                bar.total = n_steps
                bar.update(n_done - bar.n)

            return run_snakemake(
                self.working_folder, path, cores, self._objects, on_progress, pass_fds=[lock]
            )

    @contextmanager
    def _alone(self) -> Iterator[int]:
        """Wait until no other run uses the working folder, and keep others out meanwhile.

        Gives a file that holds the lock for as long as any process has it open.
        """
        self.working_folder.mkdir(parents=True, exist_ok=True)
        with self._lock_file.open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                print(
                    "Another run of this pipeline is under way; waiting for its end …", flush=True
                )
                fcntl.flock(file, fcntl.LOCK_EX)
            self.working_folder.mkdir(parents=True, exist_ok=True)
            yield file.fileno()


@dataclass
class _Story:
    """What is known of a run, to be told in its log."""

    journal: Journal
    batch: Batch | None = None
    failed: Sequence[FailedStage] = ()
    well: bool = False


@contextmanager
def _story(log_file: str | Path | None) -> Iterator[_Story]:
    """Write the log of a run when it has ended, however that was."""
    if log_file is not None:
        # Now, rather than after the run, is the time to hear that it can't be written.
        Path(log_file).parent.mkdir(parents=True, exist_ok=True)
        Path(log_file).open("a").close()
    story = _Story(Journal())
    story.journal.note("Beginning pipeline")
    try:
        yield story
    except Exception as error:
        story.journal.note(f"{type(error).__name__}: {error}", level="ERROR")
        raise
    finally:
        if log_file is not None:
            story.journal.write(log_file, story.batch, story.failed, story.well)


def _bar(**kwargs: Any) -> Any:
    """A bar of progress, for the terminal or a notebook."""
    from tqdm import TqdmWarning

    with warnings.catch_warnings():
        # Without ipywidgets a notebook gets a bar made of text, which will do.
        warnings.simplefilter("ignore", TqdmWarning)
        from tqdm.auto import tqdm
    return tqdm(**kwargs)


def _n_processors() -> int:
    """Processors that this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)  # not everywhere
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def _error(batch: Batch, failed: Sequence[FailedStage], said: str) -> Exception:
    """Why a run gave no result."""
    if {one.experiment for one in failed} >= set(batch.jobs):
        told = "\n".join(map(str, failed[:N_TOLD]))
        return ValueError(f"all {len(batch.jobs)} jobs failed, the first of them:\n{told}")
    return RuntimeError(f"the workflow failed; Snakemake's last words were:\n{said}")


def _warn(batch: Batch, failed: Sequence[FailedStage]) -> None:
    """Warn of recordings that failed, and of columns that the merge has dropped."""
    told = summary(batch, failed, well=True)
    if told.count("\n") > 1:
        warnings.warn(told.rpartition("\n")[0], stacklevel=3)


def _written(destination: Path | None, log_file: str | Path | None) -> list[Path]:
    """What runs write where users say, which may be among the recordings."""
    written = [] if log_file is None else [Path(log_file)]
    if destination is not None:
        folder = destination.parent
        written += [folder, destination, folder / FAILURES, folder / DASHBOARDS]
    return written


def _deliver(
    batch: Batch, failed: Sequence[FailedStage], merged: Path | None, destination: Path
) -> None:
    """Copy the results that users want to see to where they want them."""
    folder = destination.parent
    copies = {Path(batch.paths.failures): folder / FAILURES}
    if merged is not None:
        copies[merged] = destination
        if batch.config["save_dashboards"]:
            named = batch.config["id_builder"] is not None
            drawn = Path(batch.paths.dashboards.format(variant="")).glob("*.svg")
            # Without ids, those of recordings that are no more lie there too.
            paths = [path for path in drawn if named or path.stem in batch.jobs]
            copies |= {path: folder / DASHBOARDS / path.name for path in paths}
    for path, copy in copies.items():
        if path.exists():
            with replacing(copy) as unfinished:
                shutil.copyfile(path, unfinished)
    if batch.config["save_dashboards"]:
        for one in failed:  # what an earlier run has drawn of them
            (folder / DASHBOARDS / f"{one.experiment}.svg").unlink(missing_ok=True)
