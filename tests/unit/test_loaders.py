"""CSV files and annotations as they come from the lab, good and bad."""

import gzip
import json
import sys
from pathlib import Path

import numpy as np
import pytest

from phopro_core import CSVLoader, PhotometryExperiment, PhotometryLoader
from phopro_core.errors import ConfigError
from phopro_core.loaders.annotations import read_annotation
from phopro_core.loaders.finding import find_loader

DUAL = "time,signal,isosbestic,cue\n0.0,1.5,10,0\n0.1,2.5,20,1\n0.2,3.5,30,0\n0.3,4.5,40,1\n"


@pytest.fixture
def write_csv(tmp_path):
    def write(text: str, name: str = "recording.csv") -> Path:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_columns_become_traces_and_truthy_cells_events(write_csv):
    data = CSVLoader(write_csv(DUAL), event_cols=["cue"]).extract_data()
    assert data["time"].tolist() == [0, 0.1, 0.2, 0.3]
    assert data["raw_signal"].tolist() == [1.5, 2.5, 3.5, 4.5]
    assert data["raw_isosbestic"].tolist() == [10, 20, 30, 40]
    assert data["events"]["cue"].tolist() == [0.1, 0.3]


def test_load_makes_an_experiment_of_the_class_asked_for(write_csv):
    class Session(PhotometryExperiment):
        pass

    experiment = CSVLoader(write_csv(DUAL), event_cols="cue").load(Session)
    assert type(experiment) is Session
    assert experiment.raw_signal.tolist() == [1.5, 2.5, 3.5, 4.5]
    assert experiment.events["cue"].tolist() == [0.1, 0.3]
    assert experiment.frequency == pytest.approx(10)


def test_columns_can_have_any_name_and_order(write_csv):
    path = write_csv("x,470 nm,405 nm,t (s)\n9,1,2,0\n9,3,4,1\n")
    data = CSVLoader(path, "t (s)", "470 nm", "405 nm").extract_data()
    assert data["time"].tolist() == [0, 1]
    assert data["raw_signal"].tolist() == [1, 3]
    assert data["raw_isosbestic"].tolist() == [2, 4]


@pytest.mark.parametrize("isosbestic_col", ["raw_405", None])
def test_without_its_isosbestic_column_a_recording_has_one_channel(write_csv, isosbestic_col):
    data = CSVLoader(write_csv(DUAL), isosbestic_col=isosbestic_col).extract_data()
    assert data["raw_isosbestic"] is None
    assert data["raw_signal"].tolist() == [1.5, 2.5, 3.5, 4.5]


@pytest.mark.filterwarnings("ignore:Downcasting:FutureWarning")
@pytest.mark.parametrize(
    "cells",
    [
        ("0", "1", "0", "1"),
        ("0", "3.5", "", "-1"),
        ("False", "True", "False", "True"),
        ("false", "TRUE", "", " true"),
        ("", "True", "", "1"),
    ],
)
def test_an_event_occurs_where_its_cell_is_truthy(write_csv, cells):
    rows = "".join(f"{k},1,{cell}\n" for k, cell in enumerate(cells))
    data = CSVLoader(write_csv("time,signal,cue\n" + rows), event_cols="cue").extract_data()
    assert data["events"]["cue"].tolist() == [1, 3]


def test_an_event_column_of_empty_cells_is_an_event_that_never_occurs(write_csv):
    path = write_csv("time,signal,cue\n0,1,\n1,2,\n")
    assert CSVLoader(path, event_cols="cue").extract_data()["events"]["cue"].size == 0


def test_events_keep_the_order_of_event_cols(write_csv):
    path = write_csv("b,time,a,signal\n0,0,1,1\n1,1,0,2\n")
    assert list(CSVLoader(path, event_cols=["a", "b"]).extract_data()["events"]) == ["a", "b"]


@pytest.mark.parametrize("prefix", ["", "\ufeff"], ids=["plain", "byte order mark"])
def test_a_byte_order_mark_is_not_part_of_the_first_column(write_csv, prefix):
    assert CSVLoader(write_csv(prefix + DUAL)).extract_data()["time"].size == 4


def test_windows_line_ends_are_read(write_csv):
    data = CSVLoader(write_csv(DUAL.replace("\n", "\r\n")), event_cols="cue").extract_data()
    assert data["events"]["cue"].tolist() == [0.1, 0.3]


def test_a_compressed_file_is_read_like_a_plain_one(tmp_path):
    path = tmp_path / "recording.csv.gz"
    path.write_bytes(gzip.compress(DUAL.encode()))
    assert CSVLoader(path).extract_data()["raw_signal"].tolist() == [1.5, 2.5, 3.5, 4.5]


def test_downsampling_thins_the_traces_but_not_the_events(write_csv):
    data = CSVLoader(write_csv(DUAL), event_cols="cue", downsample=2).extract_data()
    np.testing.assert_allclose(data["time"], [0.05, 0.25])
    np.testing.assert_allclose(data["raw_signal"], [2, 4])
    np.testing.assert_allclose(data["raw_isosbestic"], [15, 35])
    assert data["events"]["cue"].tolist() == [0.1, 0.3]


def test_the_way_of_downsampling_can_be_chosen(write_csv):
    loader = CSVLoader(write_csv(DUAL), downsample=2, downsample_kwargs={"method": "resample"})
    assert loader.extract_data()["time"].tolist() == [0, 0.2]


def test_the_source_is_the_path_as_it_was_given(write_csv, monkeypatch, tmp_path):
    write_csv(DUAL)
    monkeypatch.chdir(tmp_path)
    assert CSVLoader("recording.csv").extract_data()["metadata"] == {"source": "recording.csv"}


def test_the_annotation_goes_into_the_metadata(write_csv, tmp_path):
    annotation = tmp_path / "recording.json"
    annotation.write_text('{"subject": "m3", "weights": [21.5, 22], "source": "elsewhere"}')
    path = write_csv(DUAL)
    metadata = CSVLoader(path, annotation_file=annotation).extract_data()["metadata"]
    assert metadata == {"subject": "m3", "weights": [21.5, 22], "source": str(path)}


def test_the_annotation_file_is_a_companion_of_the_recording():
    companions = CSVLoader.companion_files(Path("a.csv"), {"annotation_file": "a.json"})
    assert companions == [Path("a.json")]
    assert CSVLoader.companion_files(Path("a.csv"), {"annotation_file": None}) == []


def test_a_loader_without_extract_data_can_not_be_made():
    with pytest.raises(TypeError, match="extract_data"):
        PhotometryLoader()


class TestFinding:
    OWN = (
        "from phopro_core import PhotometryLoader\n"
        "class Own(PhotometryLoader):\n    def extract_data(self): return {}\n"
        "class Other: pass\n"
    )

    def test_a_built_in_loader_is_found_by_its_name(self):
        assert find_loader("CSVLoader") is CSVLoader

    def test_a_loader_of_one_s_own_is_found_by_its_file(self, tmp_path):
        (tmp_path / "own.py").write_text(self.OWN)
        loader_cls = find_loader(f"{tmp_path}/own.py:Own")
        assert loader_cls.__name__ == "Own"
        assert issubclass(loader_cls, PhotometryLoader)

    @pytest.mark.parametrize(("name", "library"), [("TDTLoader", "tdt"), ("NWBLoader", "pynwb")])
    def test_a_loader_whose_library_is_not_installed_is_told_with_the_cure(
        self, monkeypatch, name, library
    ):
        assert find_loader(name).__name__ == name
        monkeypatch.setitem(sys.modules, library, None)
        with pytest.raises(ConfigError, match=rf"'{library}'.*pip install 'phopro-workflow\["):
            find_loader(name)

    @pytest.mark.parametrize(
        ("name", "message"),
        [
            (
                "TSVLoader",
                r"'TSVLoader' names no PhotometryLoader \(built in: .*CSVLoader; .*file.py:Class",
            ),
            ("{}/own.py:Other", "own.py:Other is not a subclass of PhotometryLoader"),
            ("{}/own.py:TestFinding", "own.py: defines no 'TestFinding'"),
        ],
    )
    def test_what_is_no_loader_is_named(self, tmp_path, name, message):
        (tmp_path / "own.py").write_text(self.OWN)
        with pytest.raises(ConfigError, match=message):
            find_loader(name.format(tmp_path))


class TestBadFiles:
    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("", "the file is empty"),
            ("\n\n", "the file is empty"),
            ("time,signal,cue\n", "a heading, but no sample"),
            ("time,other\n0,1\n", r"no column 'signal', 'cue' \(has: time, other\)"),
            ("time,signal,Cue\n0,1,0\n", r"no column 'cue' \(has: time, signal, Cue\)"),
            ("time;signal;cue\n0;1;0\n", r"no column 'time', .*\(has: time;signal;cue\)"),
            (
                "time,signal,cue\n0,1,0\n1,saturated,0\n2,3,0\n",
                "column 'signal', line 3: 'saturated' is not a number$",
            ),
            (
                "time,signal,cue\n0,x,0\n1,y,0\n2,3,0\n",
                "line 2: 'x' is not a number, and so are 1 more of its 3 cells",
            ),
            ("time,signal,cue\n0,1,0\n1,,0\n", "'signal', line 3: .*nan.* is a missing"),
            ("time,signal,cue\n0,1,0\n1,inf,0\n", "'signal', line 3: .*inf.* is a missing"),
            ("time,signal,cue\n,1,0\n1,1,0\n", "'time', line 2: .*nan.* is a missing"),
            ("time,signal,cue\n0,1,0\n1,1,maybe\n", "'cue', line 3: 'maybe' is neither true nor"),
            ('time,signal,cue\n0,1,"0\n1,2,0\n', "not a table of comma-separated values.*string"),
        ],
    )
    def test_the_message_names_the_file_and_what_was_found(self, write_csv, text, message):
        path = write_csv(text, "day 3.csv")
        with pytest.raises(ValueError, match=message) as raised:
            CSVLoader(path, event_cols="cue").extract_data()
        assert str(raised.value).startswith(f"{path}: ")

    def test_a_missing_value_in_the_isosbestic_is_found_too(self, write_csv):
        path = write_csv("time,signal,isosbestic\n0,1,1\n1,1,\n")
        with pytest.raises(ValueError, match=r"column 'isosbestic', line 3: .*nan"):
            CSVLoader(path).extract_data()

    def test_a_file_that_is_not_text_is_named(self, tmp_path):
        path = tmp_path / "recording.csv"
        path.write_bytes(DUAL.encode("utf-16"))
        with pytest.raises(ValueError, match=r"recording.csv: not a text file in UTF-8"):
            CSVLoader(path).extract_data()

    def test_a_file_that_is_not_there_is_named(self, tmp_path):
        with pytest.raises(FileNotFoundError, match=r"nowhere.csv"):
            CSVLoader(tmp_path / "nowhere.csv").extract_data()

    @pytest.mark.parametrize(
        ("times", "message"),
        [
            ((0, 1, 1, 2), r"time repeats at sample 2 \(1 s, then 1 s\).*1 of 3 steps"),
            ((0, 1, 0.5, 2), r"time goes backwards at sample 2 \(1 s, then 0.5 s\)"),
        ],
    )
    def test_time_that_does_not_increase_is_refused(self, write_csv, times, message):
        path = write_csv("time,signal\n" + "".join(f"{t},1\n" for t in times))
        with pytest.raises(ValueError, match=message):
            CSVLoader(path).load()

    def test_a_single_sample_is_no_recording(self, write_csv):
        with pytest.raises(ValueError, match="at least two samples, and this one has 1"):
            CSVLoader(write_csv("time,signal\n0,1\n")).load()

    def test_rows_with_a_cell_more_than_the_heading_do_not_shift_the_columns(self, write_csv):
        path = write_csv("time,signal,cue\n0,5,0,\n1,6,1,\n")
        try:
            data = CSVLoader(path, event_cols="cue").extract_data()
        except ValueError as error:
            assert "cells" in str(error) or "fields" in str(error)
        else:
            assert data["time"].tolist() == [0, 1]
            assert data["raw_signal"].tolist() == [5, 6]
            assert data["events"]["cue"].tolist() == [1]


class TestAnnotations:
    def test_no_file_gives_an_empty_annotation(self):
        assert read_annotation(None) == {}

    @pytest.mark.parametrize(
        ("handler", "text"),
        [
            ("json", json.dumps({"subject": "m3", "age": 12, "implants": {"VTA": [1, 2]}})),
            ("yaml", "subject: m3\nage: 12\nimplants: {VTA: [1, 2]}\n"),
            (lambda path: {"subject": "m3", "age": 12, "implants": {"VTA": [1, 2]}}, "anything"),
        ],
    )
    def test_each_handler_reads_its_format(self, tmp_path, handler, text):
        path = tmp_path / "annotation"
        path.write_text(text)
        annotation = read_annotation(path, handler)
        assert annotation == {"subject": "m3", "age": 12, "implants": {"VTA": [1, 2]}}

    def test_a_handler_of_one_s_own_gets_the_path(self, tmp_path):
        path = tmp_path / "m3.txt"
        path.write_text("F")
        assert read_annotation(path, lambda p: {p.stem: p.read_text()}) == {"m3": "F"}

    def test_names_become_text(self, tmp_path):
        path = tmp_path / "a.yaml"
        path.write_text("1: one\n")
        assert read_annotation(path, "yaml") == {"1": "one"}

    @pytest.mark.parametrize(
        ("handler", "text", "message"),
        [
            ("json", "{subject: m3}", "not a valid json file"),
            ("yaml", "subject: [m3", "not a valid yaml file"),
            ("json", "[1, 2]", "maps names to values, but this is a list"),
            ("yaml", "", "maps names to values, but this is a NoneType"),
            ("xml", "<a/>", "'xml', but must be 'json' or 'yaml'"),
        ],
    )
    def test_a_file_that_is_none_is_named(self, tmp_path, handler, text, message):
        path = tmp_path / "m3.ann"
        path.write_text(text)
        with pytest.raises(ValueError, match=rf"m3\.ann: .*{message}"):
            read_annotation(path, handler)

    def test_a_missing_file_is_named(self, tmp_path):
        with pytest.raises(FileNotFoundError, match=r"m3.json: no such annotation file"):
            read_annotation(tmp_path / "m3.json")
