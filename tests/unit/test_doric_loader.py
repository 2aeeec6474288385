"""Doric files of the newer and the older tree, and their CSV exports."""

import h5py
import numpy as np
import pytest
from rigs.doric import NEWER, write_export, write_newer, write_older

from phopro_core import DoricLoader

TIME = 0.01 + np.arange(300) / 100.0
FAST = np.arange(3000) / 1000.0
ROI = "DataAcquisition/BBC300/ROISignals/Series0001"


@pytest.fixture
def values():
    rng = np.random.default_rng(0)
    line = np.zeros(FAST.size)
    line[500:600] = line[2000:2100] = 1
    return {"signal": rng.normal(2, 0.1, 300), "isosbestic": rng.normal(1, 0.1, 300), "line": line}


@pytest.fixture
def path(tmp_path, values):
    return write_newer(
        tmp_path / "m1.doric",
        {
            f"{NEWER}/LockInAOUT01/AIN01": (TIME, values["isosbestic"]),
            f"{NEWER}/LockInAOUT02/AIN01": (TIME, values["signal"]),
            f"{NEWER}/DigitalIO/DIO01": (FAST, values["line"]),
        },
    )


def load(path, signal="LockInAOUT02/AIN01", isosbestic="LockInAOUT01/AIN01", **kwargs):
    return DoricLoader(path, signal, isosbestic, **kwargs).extract_data()


def test_traces_are_found_by_the_end_of_their_path(path, values):
    data = load(path)
    assert data["raw_signal"].tolist() == values["signal"].tolist()
    assert data["raw_isosbestic"].tolist() == values["isosbestic"].tolist()
    assert data["time"].tolist() == TIME.tolist()
    assert data["metadata"]["date_time"] == "Mon Jun 24 13:58:38 2024"


def test_or_by_all_of_it(path, values):
    data = load(path, f"/{NEWER}/LockInAOUT02/AIN01", None)
    assert data["raw_signal"].tolist() == values["signal"].tolist()
    assert data["raw_isosbestic"] is None


@pytest.mark.parametrize("events", ["DIO01", ["DIO01"], {"DIO01": "DigitalIO/DIO01"}])
def test_a_line_occurs_when_it_goes_up_by_its_own_clock(path, events):
    assert load(path, events=events)["events"]["DIO01"].tolist() == [0.5, 2.0]


def test_a_line_without_a_level_somewhere_occurs_all_the_same(tmp_path, values):
    values["line"][[0, 700]] = np.nan
    path = write_newer(
        tmp_path / "m1.doric",
        {f"{NEWER}/A/AIN01": (TIME, TIME), f"{NEWER}/DigitalIO/DIO01": (FAST, values["line"])},
    )
    assert load(path, "AIN01", None, events="DIO01")["events"]["DIO01"].tolist() == [0.5, 2.0]


def test_the_earlier_of_the_newer_trees_names_the_group_after_the_trace(tmp_path, values):
    path = write_newer(
        tmp_path / "m1.doric",
        {
            f"{NEWER}/AIN01xAOUT01-LockIn/Values": (TIME, values["isosbestic"]),
            f"{NEWER}/AIN01xAOUT02-LockIn/Values": (TIME, values["signal"]),
        },
    )
    data = load(path, "AIN01xAOUT02-LockIn", "AIN01xAOUT01-LockIn")
    assert data["raw_signal"].tolist() == values["signal"].tolist()
    assert data["raw_isosbestic"].tolist() == values["isosbestic"].tolist()


def test_the_older_tree_has_one_clock_for_all(tmp_path, values):
    traces = {
        "AIn-1 - Dem (AOut-1)": values["isosbestic"],
        "AIn-1 - Dem (AOut-2)": values["signal"],
        "DI--O-1": values["line"][::10],
    }
    path = write_older(tmp_path / "m1.doric", TIME, traces)
    data = load(path, "AIn-1 - Dem (AOut-2)", "AIn-1 - Dem (AOut-1)", events={"cue": "DI--O-1"})
    assert data["raw_signal"].tolist() == values["signal"].tolist()
    assert data["raw_isosbestic"].tolist() == values["isosbestic"].tolist()
    assert data["events"]["cue"].tolist() == TIME[[50, 200]].tolist()


def test_cameras_expose_one_light_after_the_other(tmp_path):
    early, late = np.arange(100) / 20.0, np.arange(99) / 20.0 + 0.025
    path = write_newer(
        tmp_path / "m1.doric",
        {
            f"{ROI}/CAM1EXC1/ROI01": (early, 10 * early),
            f"{ROI}/CAM1EXC1/ROI02": (early, 20 * early),
            f"{ROI}/CAM1EXC2/ROI01": (late, 30 * late),
        },
    )
    data = load(path, "CAM1EXC2/ROI01", "CAM1EXC1/ROI01")
    assert data["raw_signal"].tolist() == (30 * late).tolist()
    np.testing.assert_allclose(data["raw_isosbestic"], 10 * late)


def test_samples_without_a_value_at_the_ends_are_left_out(tmp_path, values):
    values["signal"][:5] = values["signal"][-3:] = np.nan
    path = write_older(tmp_path / "m1.doric", TIME, {"a": values["signal"]})
    data = load(path, "a", None)
    assert data["time"].tolist() == TIME[5:-3].tolist()
    assert data["raw_signal"].tolist() == values["signal"][5:-3].tolist()


class TestExports:
    @pytest.fixture
    def export(self, tmp_path, values):
        values["signal"][:3] = np.nan
        traces = {
            "AIn-1 - Dem (AOut-1)": values["isosbestic"],
            "AIn-1 - Dem (AOut-2)": values["signal"],
            "DI/O-1": values["line"][::10],
        }
        return write_export(tmp_path / "m1.csv", TIME, traces)

    def test_columns_are_traces_and_lines(self, export, values):
        data = load(export, "AIn-1 - Dem (AOut-2)", "AIn-1 - Dem (AOut-1)", events="DI/O-1")
        assert data["time"].tolist() == TIME[3:].tolist()
        assert data["raw_signal"].tolist() == values["signal"][3:].tolist()
        assert data["raw_isosbestic"].tolist() == values["isosbestic"][3:].tolist()
        assert data["events"]["DI/O-1"].tolist() == TIME[[50, 200]].tolist()

    def test_one_line_of_heading_will_do(self, tmp_path):
        path = tmp_path / "m1.csv"
        path.write_text("Time(s),sig,ref\n0,1,4\n0.1,2,5\n0.2,3,6\n")
        data = load(path, "sig", "ref")
        assert data["raw_signal"].tolist() == [1, 2, 3]
        assert data["raw_isosbestic"].tolist() == [4, 5, 6]

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("", "the file is empty"),
            ("a,b\n1,2\n", r"not a Doric CSV file: no column 'Time\(s\)' in the first two lines"),
            ("Time(s),sig\n", "there is a heading, but no sample"),
            ("Time(s),sig\n0,1\n1,x\n", "column 'sig', line 3: 'x' is not a number"),
            ("Time(s),sig\n0,\n1,\n2,x\n", "column 'sig', line 4: 'x' is not a number"),
            ("---,g\nTime(s),sig\n0,1\n,2\n", r"column 'Time\(s\)', line 4: nan is a missing"),
            ("Time(s),other\n0,1\n1,2\n", r"no trace 'sig' \(there: other\)"),
        ],
    )
    def test_what_is_wrong_is_named(self, tmp_path, text, message):
        path = tmp_path / "m1.csv"
        path.write_text(text)
        with pytest.raises(ValueError, match=f"m1.csv: {message}"):
            load(path, "sig", None)


class TestBadFiles:
    def test_a_trace_that_is_not_there_is_named_with_those_that_are(self, path):
        with pytest.raises(ValueError, match=r"no trace 'AIN09' \(there: .*LockInAOUT01/AIN01, "):
            load(path, "AIN09")

    def test_a_name_that_may_be_several_is_not_guessed_about(self, path):
        with pytest.raises(ValueError, match=r"trace 'AIN01' may be any of .*AOUT01.*AOUT02"):
            load(path, "AIN01")

    @pytest.mark.parametrize("n_bytes", [0, 100, 5000])
    def test_a_file_that_was_cut_short_is_named(self, path, n_bytes):
        path.write_bytes(path.read_bytes()[:n_bytes])
        with pytest.raises(ValueError, match=r"m1.doric: not an HDF5 file, or cut short"):
            load(path)

    def test_a_file_of_another_program_is_named(self, tmp_path):
        with h5py.File(tmp_path / "m1.doric", "w") as file:
            file["data"] = [1.0]
        with pytest.raises(ValueError, match=r"not a Doric file: .* \(has: data\)"):
            load(tmp_path / "m1.doric")

    def test_samples_that_are_damaged_are_told_with_the_file(self, tmp_path):
        path = tmp_path / "m1.doric"
        with h5py.File(path, "w") as file:
            noise = np.random.default_rng(0).normal(size=300)
            file.create_dataset(f"{NEWER}/A/AIN01", data=noise, compression="gzip")
            file[f"{NEWER}/A/Time"] = TIME
            chunk = file[f"{NEWER}/A/AIN01"].id.get_chunk_info(0)
        content = bytearray(path.read_bytes())
        content[chunk.byte_offset + 20 : chunk.byte_offset + 60] = bytes(40)
        path.write_bytes(content)
        with pytest.raises(ValueError, match=r"m1.doric: not an HDF5 file, or cut short: .*filter"):
            load(path, "AIN01", None)

    def test_what_is_no_row_of_numbers_is_no_trace(self, tmp_path):
        path = write_newer(tmp_path / "m1.doric", {f"{NEWER}/A/AIN01": (TIME, TIME)})
        with h5py.File(path, "r+") as file:
            file[f"{NEWER}/A/note"] = ["text"]
            file[f"{NEWER}/A/image"] = np.zeros((2, 2))
            file.create_group(f"{NEWER}/B/Time")
        with pytest.raises(ValueError, match=r"no trace 'note' \(there: \S*/A/AIN01\)"):
            load(path, "note", None)

    def test_a_trace_with_fewer_values_than_times_is_named(self, tmp_path):
        path = write_newer(
            tmp_path / "m1.doric",
            {f"{NEWER}/A/AIN01": (TIME, TIME), f"{NEWER}/A/AIN02": (TIME, TIME[:-1])},
        )
        with pytest.raises(ValueError, match="AIN02 has 299 values, but 300 times"):
            load(path, "AIN01", "AIN02")

    def test_a_trace_without_a_single_value_is_no_recording(self, tmp_path):
        path = write_older(tmp_path / "m1.doric", TIME, {"a": np.full(300, np.nan)})
        with pytest.raises(ValueError, match="0 samples of the signal are no recording"):
            load(path, "a", None)

    def test_a_file_that_is_not_there_is_named(self, tmp_path):
        with pytest.raises(FileNotFoundError, match="nowhere.doric: no such file"):
            load(tmp_path / "nowhere.doric")
