"""Every kind of bad recording at once, among good ones, which must not notice.

Each kind is a function that spoils a recording, the stage that should refuse it, and a
part of the message.
"""

import gzip
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

LOADERS = '''
import os, signal

from phopro_core import CSVLoader


class Unlucky(CSVLoader):
    """Meets with a different misfortune in recordings of certain names."""

    def extract_data(self):
        data = super().extract_data()
        match self.csv.stem:
            case "a bug in the loader":
                raise KeyError("raw")
            case "killed":
                os.kill(os.getpid(), signal.SIGKILL)
            case "exits":
                raise SystemExit("enough")
            case "grows":
                with self.csv.open("a") as file:
                    file.write("61,1,1,0,0,0,0\\n")
            case "another length":
                data["raw_signal"] = data["raw_signal"][:-1]
            case "nothing":
                return None
            case "more than asked for":
                data["colour"] = "green"
        return data
'''


HOOKS = """
from pathlib import Path


def name_of(experiment):
    return Path(experiment.metadata["source"]).stem


def after_loading(experiment):
    match name_of(experiment):
        case "a hook that raises":
            raise LookupError("no such mouse")
        case "a hook that returns":
            return experiment
        case "a hook that cuts a trace":
            experiment.raw_signal = experiment.raw_signal[:-5]


def after_preprocessing(experiment):
    if name_of(experiment) == "a hook that exits":
        raise SystemExit(1)


def after_extraction(experiment):
    match name_of(experiment):
        case "a hook that takes the trials":
            experiment.trial_data = None
        case "a hook that drops a column":
            del experiment.trial_data.obs["no such column"]


def build_id(experiment):
    match name_of(experiment):
        case "out of the folder":
            return "../../escape"
        case "no id":
            return None
        case "the id of another":
            return "good_too"
        case name:
            return name.replace(" ", "_")
"""


def text(content: str | bytes):
    def spoil(path: Path) -> None:
        path.write_bytes(content.encode() if isinstance(content, str) else content)

    return spoil


def table(change):
    def spoil(path: Path) -> None:
        changed = change(pd.read_csv(path))
        changed.to_csv(path, index=False)

    return spoil


def cell(column: str, value):
    def change(frame: pd.DataFrame) -> pd.DataFrame:
        frame[column] = frame[column].astype(object)
        frame.loc[7, column] = value
        return frame

    return table(change)


def annotation(content: str | None):
    def spoil(path: Path) -> None:
        beside = path.with_suffix(".json")
        beside.unlink()
        if content is not None:
            beside.write_text(content)

    return spoil


def lines(change):
    def spoil(path: Path) -> None:
        path.write_text("\n".join(change(path.read_text().splitlines())) + "\n")

    return spoil


def annotation_folder(path: Path) -> None:
    path.with_suffix(".json").unlink()
    path.with_suffix(".json").mkdir()


def broken_link(path: Path) -> None:
    path.unlink()
    path.symlink_to("nowhere.csv")


def western(path: Path) -> None:
    path.write_bytes(path.read_text().replace("shock", "Größe").encode("cp1252"))


def nothing(path: Path) -> None:
    pass


def decimal_commas(rows):
    return [rows[0], *(row.replace(".", ",") for row in rows[1:])]


FAULTS = {
    "empty": (text(""), "load", "the file is empty"),
    "a heading only": (table(lambda t: t[:0]), "load", "a heading, but no sample below it"),
    "one sample": (table(lambda t: t[:1]), "load", "at least two samples, and this one has 1"),
    "junk": (text(bytes(range(256)) * 40), "load", "not a text file in UTF-8"),
    "zeros": (text(bytes(4096)), "load", "no column 'time'"),
    "utf-16": (text("time,signal\n0,1\n".encode("utf-16")), "load", "not a text file in UTF-8"),
    "windows-1252": (western, "load", "not a text file in UTF-8"),
    "semicolons": (lines(lambda r: [x.replace(",", ";") for x in r]), "load", "no column 'time'"),
    "decimal commas": (lines(decimal_commas), "load", "time repeats at sample 1"),
    "a heading too long": (
        lines(lambda rows: [rows[0] + ",a,b,c", *(",".join(r.split(",")[:2]) for r in rows[1:])]),
        "load",
        "missing",
    ),
    "an unclosed quote": (
        lines(lambda rows: [*rows[:5], '"' + rows[5], *rows[6:]]),
        "load",
        "not a table of comma-separated values",
    ),
    "another heading": (table(lambda t: t.rename(columns=str.upper)), "load", "no column 'time'"),
    "no signal": (table(lambda t: t.drop(columns="signal")), "load", "no column 'signal'"),
    "no event column": (table(lambda t: t.drop(columns="shock")), "load", "no column 'shock'"),
    "text in a cell": (cell("signal", "n.a."), "load", "column 'signal', line 9"),
    "an empty cell": (cell("isosbestic", np.nan), "load", "column 'isosbestic', line 9"),
    "infinity": (cell("signal", np.inf), "load", "column 'signal', line 9: inf"),
    "an event of three values": (cell("shock", "perhaps"), "load", "neither true nor false"),
    "time stands still": (cell("time", 0.3), "load", "time repeats at sample 7"),
    "time goes back": (cell("time", 0.1), "load", "time goes backwards at sample 7"),
    "dropped samples": (table(lambda t: t.drop(index=range(99, 110))), "preprocess", "1 gaps"),
    "too short": (table(lambda t: t[:12]), "preprocess", "12 samples are too few"),
    "dark": (table(lambda t: t.assign(isosbestic=0.0)), "preprocess", "isosbestic is constant"),
    "below zero": (
        table(lambda t: t.assign(signal=t.signal - 100)),
        "preprocess",
        "dF/F divides by the fitted reference, which falls to",
    ),
    "no cue": (table(lambda t: t.assign(trial_cue=0)), "extract", "no event to align to"),
    "a cue at the end": (
        table(lambda t: t.assign(trial_cue=(t.index > len(t) - 3).astype(int))),
        "extract",
        "all 2 trial windows reach outside",
    ),
    "no annotation": (annotation(None), "load", "no such annotation file"),
    "half an annotation": (annotation('{"subject": "m'), "load", "not a valid json file"),
    "an annotation that is a list": (annotation("[1, 2]"), "load", "but this is a list"),
    "an annotation that is a folder": (annotation_folder, "load", "annotation"),
    "a subject that is a list": (
        annotation('{"subject": [1, 2]}'),
        "extract",
        "a column takes a single value",
    ),
    "a link to nowhere": (broken_link, "load", "No such file"),
    "a bug in the loader": (nothing, "load", "'raw'"),
    "killed": (nothing, "load", "the process that worked on it was killed"),
    "exits": (nothing, "load", "enough"),
    "grows": (nothing, "load", "changed while it was being read"),
    "another length": (nothing, "load", "raw_signal has 1199 samples, but time has 1200"),
    "nothing": (nothing, "load", "must be a mapping, not NoneType"),
    "more than asked for": (nothing, "load", "unexpected keyword argument 'colour'"),
    "a hook that raises": (nothing, "load", "no such mouse"),
    "a hook that returns": (nothing, "load", "returned a PhotometryExperiment; it is to change"),
    "a hook that cuts a trace": (nothing, "load", "raw_signal has 1195 samples, but time has 1200"),
    "a hook that exits": (nothing, "preprocess", "1"),
    "a hook that takes the trials": (nothing, "extract", "left a NoneType as trial_data"),
    "a hook that drops a column": (nothing, "extract", "no such column"),
    "out of the folder": (nothing, "extract", "'../../escape', which can't be the name of a file"),
    "no id": (nothing, "extract", "returned a NoneType, None, but an id is a text"),
    "the id of another": (
        nothing,
        "extract",
        "its id is that of good_too (recordings/good too.csv) already",
    ),
}
GOOD = ["a good one", "good too", "zz good"]


def prepare(study, names) -> None:
    (study.folder / "loaders.py").write_text(LOADERS)
    (study.folder / "hooks.py").write_text(HOOKS)
    study.config |= {
        "loader_cls": "loaders.py:Unlucky",
        "pattern": "*.csv*",
        "post_load_operation": "hooks.py:after_loading",
        "post_preprocess_operation": "hooks.py:after_preprocessing",
        "post_trial_extraction_operation": "hooks.py:after_extraction",
        "id_builder": "hooks.py:build_id",
    }
    study.config["passdown_metadata"] = ["source", "subject"]
    study.config["loader_kwargs"]["annotation_file"] = "{path.parent}/{stem}.json"
    study.config["save_dashboards"] = True
    for name in names:
        path = study.add(name, seed=len(name))
        path.with_suffix(".json").write_text('{"subject": "m1"}')


def contents(study, names=GOOD) -> dict[str, bytes]:
    """The results of some recordings, and the merged one."""
    paths = [path for path in study.results.rglob("*") if path.stem in {*names_of(names), "trials"}]
    return {
        path.relative_to(study.results).as_posix(): path.read_bytes()
        for path in paths
        if path.suffix in (".h5ad", ".svg")
    }


def names_of(names):
    return [name.replace(" ", "_") for name in names]


def test_the_good_among_the_bad_come_out_the_same(study, tmp_path_factory):
    alone = type(study)(tmp_path_factory.mktemp("alone"))
    prepare(alone, GOOD)
    alone.run_well()

    prepare(study, [*GOOD, *FAULTS, "half a gzip"])
    for name, (spoil, _, _) in FAULTS.items():
        spoil(study.recordings / f"{name}.csv")
    whole = study.recordings / "half a gzip.csv"
    packed = gzip.compress(whole.read_bytes())
    whole.with_suffix(".csv.gz").write_bytes(packed[: len(packed) // 2])
    whole.unlink()
    study.run_well()

    found = study.failures()
    expected = {name: (stage, part) for name, (_, stage, part) in FAULTS.items()}
    expected["half a gzip"] = ("load", "half a gzip.csv.gz: can't be decompressed")
    assert set(found) == set(names_of(expected))
    told = {name: found[name.replace(" ", "_")] for name in expected}
    wrong = {
        name: told[name]
        for name, (stage, part) in expected.items()
        if told[name][0] != stage or part not in told[name][2]
    }
    assert wrong == {}
    assert contents(study) == contents(alone)
    assert not list(study.results.rglob("*.unfinished*"))
    kept = {path.stem for path in study.results.glob("extracted/*")}
    assert kept == set(names_of(GOOD))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_recording_that_may_not_be_read(study):
    prepare(study, [*GOOD, "secret"])
    (study.recordings / "secret.csv").chmod(0)
    study.run_well()
    assert study.failures()["secret"][:2] == ("load", "PermissionError")
