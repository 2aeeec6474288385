"""Neurophotometrics files of both generations, with their LEDs taken apart."""

import logging

import numpy as np
import pytest
from rigs.neurophotometrics import BITS, frames, with_first_frame, write_frames

from phopro_core import NeurophotometricsLoader

N = 50


@pytest.fixture
def leds():
    rng = np.random.default_rng(0)
    return {led: rng.uniform(0.01, 0.02, N) for led in (415, 470, 560)}


@pytest.fixture
def table(leds):
    return frames({"G0": leds, "R1": {led: 10 * values for led, values in leds.items()}})


@pytest.fixture
def path(tmp_path, table):
    return write_frames(tmp_path / "m1.csv", table)


def load(path, region="G0", **kwargs):
    return NeurophotometricsLoader(path, region, **kwargs).extract_data()


def test_the_samples_are_the_frames_of_the_led_at_their_own_times(path, table, leds):
    data = load(path)
    assert data["raw_signal"].tolist() == leds[470].tolist()
    assert data["time"].tolist() == table["SystemTimestamp"][1::2].tolist()


def test_the_isosbestic_is_interpolated_to_the_times_of_the_signal(path, leds):
    isosbestic = load(path)["raw_isosbestic"]
    # Frames are even, so that those of the signal lie halfway; the last has none after it.
    halfway = (leds[415][:-1] + leds[415][1:]) / 2
    np.testing.assert_allclose(isosbestic[:-1], halfway, rtol=1e-9)
    assert isosbestic[-1] == leds[415][-1]


def test_each_region_and_each_led_can_be_loaded(tmp_path, leds):
    table = frames({"G0": leds, "R1": leds}, turn=(415, 470, 560))
    path = write_frames(tmp_path / "m1.csv", table)
    data = load(path, "R1", signal_led=560, isosbestic_led=None)
    assert data["raw_signal"].tolist() == leds[560].tolist()
    assert data["raw_isosbestic"] is None
    assert load(path, "G0", isosbestic_region="R1")["raw_signal"].tolist() == leds[470].tolist()


@pytest.mark.parametrize("state", [7, 0, 16])
def test_a_first_frame_of_all_leds_or_none_is_left_out(tmp_path, table, leds, state):
    path = write_frames(tmp_path / "m1.csv", with_first_frame(table, state))
    data = load(path)
    assert data["raw_signal"].tolist() == leds[470].tolist()
    assert data["metadata"]["dropped_frames"] == 0


def test_the_high_bits_of_a_state_do_not_count(tmp_path, table, leds):
    table["LedState"] = [BITS[415] + 16, BITS[470] + 16 + 512] * N
    data = load(write_frames(tmp_path / "m1.csv", table))
    assert data["raw_signal"].tolist() == leds[470].tolist()


class TestOneLightForAllFrames:
    """Where LEDs don't take turns, or the file does not say which was on."""

    @pytest.fixture(params=["all LEDs on", "no state"])
    def same(self, request, tmp_path, table):
        table = table.drop(columns="LedState") if request.param == "no state" else table
        if request.param == "all LEDs on":
            table["LedState"] = 7
        return write_frames(tmp_path / "same.csv", table)

    def test_all_frames_are_samples(self, same, table):
        data = load(same, isosbestic_led=None)
        assert data["raw_signal"].tolist() == table["G0"].tolist()

    def test_the_signal_is_not_taken_for_its_own_isosbestic(self, same):
        with pytest.raises(
            ValueError, match="frames of 470 and 415 nm are the same.*isosbestic_le"
        ):
            load(same)

    def test_another_region_can_be_the_isosbestic(self, same, table):
        assert load(same, isosbestic_region="R1")["raw_isosbestic"].tolist() == table["R1"].tolist()


def test_frames_of_all_leds_or_none_are_left_out_wherever_they_are(tmp_path, table, leds):
    table.loc[[0, 1, 41], "LedState"] = [7, 7, 0]
    data = load(write_frames(tmp_path / "m1.csv", table))
    assert data["raw_signal"].tolist() == np.delete(leds[470], [0, 20]).tolist()


def test_where_the_isosbestic_has_a_gap_it_is_not_bridged(tmp_path, table):
    kept = table.drop(index=np.arange(40, 60, 2))
    data = load(write_frames(tmp_path / "m1.csv", kept))
    assert np.flatnonzero(np.isnan(data["raw_isosbestic"])).tolist() == list(range(20, 29))


def test_what_is_left_out_for_want_of_an_isosbestic_is_told(tmp_path, table, caplog):
    kept = table.drop(index=np.arange(60, 100, 2))
    with caplog.at_level(logging.WARNING):
        assert load(write_frames(tmp_path / "m1.csv", kept))["time"].size == 30
    assert "left out 20 of 50 samples" in caplog.text


def test_headings_of_the_older_program_are_known(tmp_path, table, leds):
    old = {"SystemTimestamp": "Timestamp", "LedState": "Flags", "G0": "Region0G", "R1": "Region1R"}
    table = table.rename(columns=old).drop(columns="ComputerTimestamp")
    data = load(write_frames(tmp_path / "m1.csv", table), "Region0G")
    assert data["raw_signal"].tolist() == leds[470].tolist()
    assert data["time"].tolist() == table["Timestamp"][1::2].tolist()


def test_columns_without_a_heading_are_no_regions(tmp_path, leds):
    """As in files that were worked on: a nameless counter, the camera's timer, older states."""
    table = frames({"Region0R": leds, "Region1G": leds}, turn=(560, 415, 470))
    table = with_first_frame(table, state=0)
    rows = [",Timestamp,msTimestamp,,Region0R,Region1G,,,LedState"]
    for k, frame in table.iterrows():
        cells = [k - 1 if k else "", frame["SystemTimestamp"], frame["SystemTimestamp"] * 1000]
        cells += [182798927 + k, frame["Region0R"], frame["Region1G"], 2, 0, int(frame["LedState"])]
        rows.append(",".join(map(str, cells)))
    path = tmp_path / "m1.csv"
    path.write_text("\n".join(rows) + "\n")
    data = load(path, "Region1G")
    assert data["raw_signal"].tolist() == leds[470].tolist()
    assert data["time"].tolist() == table["SystemTimestamp"][3::3].tolist()
    assert data["metadata"]["dropped_frames"] == 0
    with pytest.raises(ValueError, match=r"no region 'G' \(regions: Region0R, Region1G\)"):
        load(path, "G")


def test_the_clock_of_the_computer_counts_milliseconds(path, table):
    time = load(path, time_col="ComputerTimestamp")["time"]
    assert time.tolist() == (table["ComputerTimestamp"][1::2] * 1e-3).tolist()


def test_leds_can_be_in_files_of_their_own(tmp_path, table, leds):
    first = with_first_frame(table)
    for led, bit in ((415, 1), (470, 2)):
        write_frames(tmp_path / f"{led}.csv", first[(first["LedState"] & bit) != 0])
    data = load(tmp_path / "470.csv", isosbestic_file=tmp_path / "415.csv")
    assert data["raw_signal"].tolist() == leds[470].tolist()
    assert data["metadata"]["dropped_frames"] == 0
    together = load(write_frames(tmp_path / "both.csv", table))
    np.testing.assert_allclose(data["raw_isosbestic"], together["raw_isosbestic"])


class TestDroppedFrames:
    def test_they_are_counted_by_the_counter_and_leave_a_gap(self, tmp_path, table, caplog):
        kept = table.drop(index=[20, 21, 22, 23])
        with caplog.at_level(logging.WARNING):
            data = load(write_frames(tmp_path / "m1.csv", kept))
        assert data["metadata"]["dropped_frames"] == 4
        assert "4 frames were dropped" in caplog.text
        assert np.diff(data["time"]).max() == pytest.approx(0.15)
        assert data["raw_signal"].size == N - 2

    def test_without_a_counter_they_are_counted_by_the_clock(self, tmp_path, table):
        kept = table.drop(index=[20, 40, 41]).drop(columns="FrameCounter")
        data = load(write_frames(tmp_path / "m1.csv", kept))
        assert data["metadata"]["dropped_frames"] == 3


class TestDigitalLines:
    def test_a_column_occurs_in_the_frame_in_which_it_goes_up(self, tmp_path, table):
        table["Input0"] = 0
        table.loc[[10, 11, 12, 60], "Input0"] = 1
        data = load(write_frames(tmp_path / "m1.csv", table), event_cols="Input0")
        assert data["events"]["Input0"].tolist() == table["SystemTimestamp"][[10, 60]].tolist()

    @pytest.mark.parametrize(
        ("line", "bit"), [("Stimulation", 32), ("Output1", 8), ("Input0", 512)]
    )
    def test_a_line_in_the_state_is_told_by_its_bit(self, tmp_path, table, line, bit):
        table.loc[[10, 11, 60], "LedState"] += bit
        data = load(write_frames(tmp_path / "m1.csv", table), event_cols=[line])
        assert data["events"][line].tolist() == table["SystemTimestamp"][[10, 60]].tolist()

    def test_a_line_that_is_none_is_named(self, path):
        with pytest.raises(ValueError, match=r"no digital line 'Input9' \(columns: .*Input1"):
            load(path, event_cols=["Input9"])


def test_events_of_another_program_are_on_the_same_clock(tmp_path, path):
    events = tmp_path / "keys.csv"
    events.write_text("1801.0,lick\n1802.5,press\n1801.5,lick\n")
    data = load(path, events_file=events)
    assert {k: v.tolist() for k, v in data["events"].items()} == {
        "lick": [1801.0, 1801.5],
        "press": [1802.5],
    }


def test_files_beside_the_recording_are_its_companions(tmp_path):
    kwargs = {"events_file": "e.csv", "isosbestic_file": "i.csv", "annotation_file": "a.json"}
    companions = NeurophotometricsLoader.companion_files(tmp_path / "m1.csv", kwargs)
    assert sorted(map(str, companions)) == ["a.json", "e.csv", "i.csv"]
    assert NeurophotometricsLoader.companion_files(tmp_path / "m1.csv", {"events_file": None}) == []


class TestBadFiles:
    @pytest.mark.parametrize(
        ("kwargs", "message"),
        [
            ({"region": "G7"}, r"no region 'G7' \(regions: G0, R1\)"),
            ({"signal_led": 560}, r"no frame of the LED of 560 nm \(LEDs: 415, 470\)"),
            ({"signal_led": 480}, r"no LED of 480 nm \(there are 415, 470, 560\)"),
            ({"time_col": "Clock"}, "no column 'Clock'"),
        ],
    )
    def test_what_is_not_there_is_named_with_what_is(self, path, kwargs, message):
        with pytest.raises(ValueError, match=message):
            load(path, **kwargs)

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("", "m1.csv: the file is empty"),
            ("a,b\n1,2\n", r"m1.csv: none of the columns of a Neurophotometrics file, .*has: a, b"),
            ("SystemTimestamp,LedState,G0\n", "a heading, but no frame below it"),
            ("SystemTimestamp,LedState,G0\n1,1,x\n2,2,1\n", "column 'G0', line 2: 'x' is not a"),
            ("SystemTimestamp,LedState,G0\n1,1,1\n2,2,2\n", "1 samples of the signal are no rec"),
            ("SystemTimestamp,LedState,G0\n1,,1\n2,2,1\n", "column 'LedState', line 2: nan is"),
        ],
    )
    def test_the_file_and_the_part_are_named(self, tmp_path, text, message):
        path = tmp_path / "m1.csv"
        path.write_text(text)
        with pytest.raises(ValueError, match=message):
            load(path)

    def test_a_line_is_told_as_it_is_in_the_file_though_the_first_frame_is_left_out(
        self, tmp_path, table
    ):
        table = with_first_frame(table).astype({"G0": object})
        table.loc[3, "G0"] = "x"
        with pytest.raises(ValueError, match="column 'G0', line 5: 'x'"):
            load(write_frames(tmp_path / "m1.csv", table))

    def test_a_file_that_ends_within_a_frame_is_refused(self, path):
        whole = path.read_bytes()
        path.write_bytes(whole[: whole.rindex(b",")])
        with pytest.raises(ValueError, match="line 101: nan is a missing"):
            load(path, "R1")

    def test_files_of_different_sessions_are_refused(self, tmp_path, table):
        write_frames(tmp_path / "470.csv", table[1::2])
        table["SystemTimestamp"] += 1000
        write_frames(tmp_path / "415.csv", table[::2])
        with pytest.raises(ValueError, match="were not recorded at the same time"):
            load(tmp_path / "470.csv", isosbestic_file=tmp_path / "415.csv")
