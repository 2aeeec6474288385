"""Warm workers: processes that have most imports behind them, and take job after job.

Each worker is a process pool of one. So a worker that dies takes just its own job with
it, where a pool of many would give up all that were under way.
"""

import errno
import gc
import importlib.machinery
import io
import logging
import multiprocessing
import os
import queue
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import chdir, contextmanager, redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass
from datetime import datetime
from multiprocessing import forkserver
from pathlib import Path
from typing import Any, NamedTuple

from phopro_core.objects import load_object

logger = logging.getLogger(__name__)

#: What the first jobs need, imported once and inherited by each worker, and no more: what is on
#: this list, the first job waits for. A stage's own libraries come with its first job in a
#: worker. The package itself is not among it: which copy of it is meant is known only to the
#: process that starts them.
PRELOADED = ("h5py", "numpy", "pandas", "pyarrow.csv")
#: Seconds that a job has to end after Ctrl-C, and between looks at whether that was pressed.
PATIENCE, LOOK = 5.0, 0.5


@dataclass(frozen=True)
class Failure:
    """Why a script failed: the class of the error, and its message."""

    error: str
    message: str

    def __str__(self) -> str:
        return f"{self.error}: {self.message}"

    @property
    def spares_the_recording(self) -> bool:
        """Whether it is not the recording that failed, but all that would follow."""
        return self.error == "Interrupted" or os.strerror(errno.ENOSPC) in self.message

    @property
    def asks_for_memory(self) -> bool:
        """Whether it may have failed for want of memory."""
        return self.error in ("WorkerDied", "MemoryError")


class WorkerPool:
    """Runs functions in worker processes, as many as are asked of it at once.

    Their imports begin when the pool is made, in the background.

    Parameters
    ----------
    preload : list of str
        Modules to import once, and to inherit to each worker.
    """

    def __init__(self, preload: Sequence[str] = PRELOADED) -> None:
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(list(preload))
        self._idle: queue.LifoQueue[_Worker] = queue.LifoQueue()
        main = sys.modules["__main__"]
        if main.__spec__ is None:
            # Else every worker would import anew the program that this process was
            # started with, here Snakemake, which takes longer than most jobs.
            main.__spec__ = importlib.machinery.ModuleSpec("__main__", None)
        forkserver.ensure_running()
        self._interrupted = threading.Event()
        self._hear_interrupts()

    def _hear_interrupts(self) -> None:
        """Note Ctrl-C: a worker that is being started cannot hear it."""
        usual = signal.getsignal(signal.SIGINT)
        is_main = threading.current_thread() is threading.main_thread()
        if not is_main or not callable(usual):
            return

        def interrupt(*about: Any) -> None:
            self._interrupted.set()
            usual(*about)

        signal.signal(signal.SIGINT, interrupt)

    def run(self, function: Callable[..., Any], *args: Any) -> Any:
        """Call a function in an idle worker, wait for it, and return its result.

        Raises
        ------
        BrokenProcessPool
            If the worker died; the next call gets another one.
        KeyboardInterrupt
            If it was interrupted, or this process was while the worker was being started.
        """
        try:
            return self._run_in(self._idle_worker(), function, *args)
        except BrokenProcessPool:
            if self._interrupted.is_set():
                raise KeyboardInterrupt from None
            raise

    def _run_in(self, worker: "_Worker", function: Callable[..., Any], *args: Any) -> Any:
        alive = True
        try:
            return self._result(worker, worker.executor.submit(_interruptible, function, *args))
        except BrokenProcessPool:
            alive = False
            worker.executor.shutdown(wait=False)
            raise
        finally:
            if alive:
                self._idle.put(worker)

    def _result(self, worker: "_Worker", future: Future) -> Any:
        """What a job returns. One that Ctrl-C does not end is killed with its worker.

        A process that is about to wait for something can miss that it was interrupted, and
        what users write may not heed it.
        """
        patience = PATIENCE
        while not wait([future], LOOK).done:
            if self._interrupted.is_set():
                patience -= LOOK
            if patience <= 0:
                with suppress(ProcessLookupError):
                    os.kill(worker.pid, signal.SIGKILL)
        return future.result()

    def _idle_worker(self) -> "_Worker":
        try:
            return self._idle.get_nowait()
        except queue.Empty:
            executor = ProcessPoolExecutor(1, mp_context=self._context, initializer=_begin_worker)
            # Once it has answered, it hears Ctrl-C itself.
            worker = _Worker(executor, executor.submit(os.getpid).result())
            if self._interrupted.is_set():
                raise KeyboardInterrupt from None
            return worker


class _Worker(NamedTuple):
    """A pool of one process, and the number of that."""

    executor: ProcessPoolExecutor
    pid: int


def run_script(
    script: str, log: str, kwargs: Mapping[str, Any], folder: str | None = None
) -> Failure | None:
    """Run a script's main() with its messages, warnings and errors going to a log file.

    What it prints goes there too. Relative paths start from `folder`, by default the
    current one.
    """
    with _logging_to(log), _printing_to_the_log(), chdir(folder or "."):
        if node := os.environ.get("SLURMD_NODENAME"):
            logger.info("On %s", node)
        try:
            load_object(f"{script}:main")(**kwargs)
        except (Exception, SystemExit) as error:
            # A loader that exits must not take the process along that runs it.
            logger.exception("%s failed", Path(script).stem)
            return Failure(type(error).__name__, str(error) or "without a message")
    return None


def run_script_in(
    pool: WorkerPool, script: str, log: str, kwargs: Mapping[str, Any], folder: str | None = None
) -> Failure | None:
    """Like :func:`run_script`, in a worker of a pool; its death is a failure too."""
    try:
        return pool.run(run_script, script, log, kwargs, folder)
    except KeyboardInterrupt:
        # Not passed on: Snakemake takes it for granted that it was interrupted as well, and
        # would wait for ever for this job if only the worker was.
        return Failure("Interrupted", "the run was interrupted")
    except BrokenProcessPool:
        failure = Failure(
            "WorkerDied",
            "the process that worked on it was killed; if not by you, then likely by the system "
            "for want of memory: run fewer jobs at once (--cores)",
        )
        add_to_log(log, "ERROR", f"{Path(script).stem} failed: {failure}")
        return failure


def add_to_log(log: str, level: str, message: str) -> None:
    """Add a line to a log file."""
    Path(log).parent.mkdir(parents=True, exist_ok=True)
    with Path(log).open("a", encoding="utf-8") as file:
        file.write(log_line(datetime.now(), level, message) + "\n")


def log_line(when: datetime, level: str, message: str) -> str:
    """A line of a log file."""
    return f"{when:%Y-%m-%d %H:%M:%S} {level:<7} {message}"


class _Printed(io.TextIOBase):
    """A stream whose lines become messages of the log."""

    def __init__(self) -> None:
        self._begun = ""

    def write(self, text: str) -> int:
        *lines, self._begun = (self._begun + text).split("\n")
        for line in lines:
            logger.info("%s", line)
        return len(text)


@contextmanager
def _printing_to_the_log() -> Iterator[None]:
    printed = _Printed()
    with redirect_stdout(printed), redirect_stderr(printed):
        yield
    if printed._begun:
        printed.write("\n")


class _LineFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        when = datetime.fromtimestamp(record.created)
        line = log_line(when, record.levelname, record.getMessage())
        return line + ("\n" + self.formatException(record.exc_info) if record.exc_info else "")


@contextmanager
def _logging_to(path: str, mode: str = "w") -> Iterator[None]:
    """Send this thread's log records, and all warnings, to a file."""
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    handler = logging.FileHandler(path, mode=mode, encoding="utf-8")
    handler.setFormatter(_LineFormatter())
    thread = threading.get_ident()
    handler.addFilter(lambda record: record.thread == thread)
    root = logging.getLogger()
    root.addHandler(handler)
    logging.getLogger("phopro_core").setLevel(logging.INFO)
    logging.captureWarnings(True)
    logging.raiseExceptions = False  # of a log that can't be written
    try:
        yield
    finally:
        logging.captureWarnings(False)
        root.removeHandler(handler)
        with suppress(OSError):  # on a full disk, which is told otherwise
            handler.close()


class _Interrupts:
    """What Ctrl-C, which reaches the whole process group, does to a worker.

    It ends the job; without one, that which comes next, and may be on its way already.
    """

    def __init__(self) -> None:
        self._working = self._interrupted = False

    def __call__(self, *_: Any) -> None:
        self._interrupted = True
        if self._working:
            raise KeyboardInterrupt

    def run(self, function: Callable[..., Any], *args: Any) -> Any:
        """Call a function unless interrupted before; the caller gets the KeyboardInterrupt."""
        self._working = True
        try:
            if self._interrupted:
                raise KeyboardInterrupt
            return function(*args)
        finally:
            self._working = self._interrupted = False


_interrupts = _Interrupts()


def _begin_worker() -> None:
    signal.signal(signal.SIGINT, _interrupts)
    # What is imported stays: spare the garbage collector from walking through it all, and
    # the kernel from copying the pages that it would touch.
    gc.freeze()
    # Imports and drawing make objects by the ten thousand, few of them garbage.
    gc.set_threshold(50_000, 20, 20)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _interruptible(function: Callable[..., Any], *args: Any) -> Any:
    return _interrupts.run(function, *args)


def _end_with_parent() -> None:
    """Exit when the main process is gone, even by kill -9."""
    multiprocessing.connection.wait([multiprocessing.parent_process().sentinel])
    os._exit(1)
