"""Failures that don't stop a batch: noted, passed on, told in the end, and tried again.

A stage that fails leaves a *mark* in the place of its output, so that for Snakemake the
job is done and the others go on; the stages after it pass the mark on, and the merge
leaves the experiment out. When the run ends all marks are taken away: the outputs are
missing then, and the next run makes them. A notebook of the marks, one small file each,
lies in a folder of its own, so that those of a run that was killed are found and taken
away by the next.
"""

import csv
import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from phopro_core.replacing import replacing

#: First bytes of a mark, which no file has that a stage makes.
MAGIC = b"phopro: this failed\n"


@dataclass(frozen=True)
class FailedStage:
    """One failure: a row of failures.tsv."""

    experiment: str
    stage: str
    input: str
    error: str
    message: str
    variant: str = ""

    @property
    def what(self) -> str:
        """Which job it was."""
        variant = f" in variant {self.variant}" if self.variant else ""
        return f"{self.stage} of {self.experiment} ({self.input}){variant}"

    def __str__(self) -> str:
        return f"{self.what}: {self.error}: {self.message}"


class Failures:
    """The marks of a run.

    Parameters
    ----------
    folder : path
        For the notebook.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)

    def mark(self, output: str | Path, stage: str, failed: FailedStage) -> None:
        """Put a mark in the place of a stage's output: that stage, or one before, failed."""
        mark = MAGIC + json.dumps(asdict(failed)).encode()
        # First the note: a mark without one would be taken for a result.
        note = self.folder / f"{hashlib.sha256(str(output).encode()).hexdigest()[:16]}.json"
        with replacing(note) as unfinished:
            unfinished.write_text(json.dumps({"output": str(output), "stage": stage}))
        with replacing(output) as unfinished:
            unfinished.write_bytes(mark)

    def found(self) -> list[FailedStage]:
        """All failures that are marked, each once."""
        failed = []
        for _, output, stage in self._notes():
            mark = read_mark(output)
            if mark is not None and mark.stage == stage:
                failed.append(mark)
        return failed

    def clear(self) -> None:
        """Take all marks away, and the notebook with them."""
        for note, output, _ in self._notes():
            if read_mark(output) is not None:
                output.unlink()
            note.unlink()
        if self.folder.is_dir():
            self.folder.rmdir()

    def _notes(self) -> list[tuple[Path, Path, str]]:
        found = []
        for note in sorted(self.folder.glob("[!.]*.json")):
            content = json.loads(note.read_text())
            found.append((note, Path(content["output"]), content["stage"]))
        return found


def read_mark(path: str | Path) -> FailedStage | None:
    """The failure that a file is a mark of; None for any other file, or none."""
    try:
        with Path(path).open("rb") as file:
            if file.read(len(MAGIC)) != MAGIC:
                return None
            return FailedStage(**json.loads(file.read()))
    except FileNotFoundError:
        return None


def write_table(
    path: str | Path, failed: Iterable[FailedStage], with_variants: bool = False
) -> None:
    """Write failures.tsv: a heading, and a row for each failure."""
    columns = [field.name for field in fields(FailedStage)][: None if with_variants else -1]
    with replacing(path) as unfinished, unfinished.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, dialect="excel-tab", lineterminator="\n")
        table.writerow(columns)
        for row in failed:
            # A message of several lines would make several rows for most readers.
            table.writerow(" ".join(getattr(row, column).split()) for column in columns)


def read_table(path: str | Path) -> list[FailedStage]:
    """Read what :func:`write_table` wrote; no failures where there is no such file."""
    if not Path(path).is_file():
        return []
    with Path(path).open(newline="", encoding="utf-8") as file:
        return [FailedStage(**row) for row in csv.DictReader(file, dialect="excel-tab")]


def in_order(
    failed: Iterable[FailedStage], experiments: Sequence[str], stages: Sequence[str]
) -> list[FailedStage]:
    """Failures in the order of the jobs, and of the variants and stages of each."""
    places = {name: k for k, name in enumerate(experiments)}

    def place(one: FailedStage) -> tuple[int, str, int]:
        return places.get(one.experiment, len(places)), one.variant, stages.index(one.stage)

    return sorted(failed, key=place)
