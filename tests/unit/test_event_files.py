"""Event files of BORIS, of Bonsai, and of no program at all."""

import logging

import numpy as np
import pytest

from phopro_core.loaders.event_files import read_events

SPAN = (0.0, 20.0)
#: What each of the files below says, in the layouts that versions of BORIS have written.
OBSERVED = {
    "separate START": [1.3],
    "lever": [4.0],
    "separate STOP": [6.25],
    "rear START": [10.0],
    "rear STOP": [12.5],
}
BLOCK = """Observation id,trial 1,,,,,,,
,,,,,,,,
Media file(s),,,,,,,,
,,,,,,,,
Player #1,/videos/a b.avi,,,,,,,
,,,,,,,,
Observation date,2024-01-20 15:43:05,,,,,,,
,,,,,,,,
Description,"of two
lines",,,,,,,
,,,,,,,,
Time offset (s),0.0,,,,,,,
,,,,,,,,
independent variables,,,,,,,,
variable,value,,,,,,,
,,,,,,,,
Time,Media file path,Total length,FPS,Subject,Behavior,Behavioral category,Comment,Status
1.300,/videos/a b.avi,3726.370,30.0,,separate,,,START
4.000,/videos/a b.avi,3726.370,30.0,,lever,,"a, comma",POINT
6.250,/videos/a b.avi,3726.370,30.0,,separate,,,STOP
10.000,/videos/a b.avi,3726.370,30.0,mouse 1,rear,posture,,START
12.500,/videos/a b.avi,3726.370,30.0,mouse 1,rear,posture,end,STOP
"""
ONE_TABLE = """Observation id,Observation duration,Time offset (s),FPS,Subject,Behavior,\
Behavioral category,Modifier #1,Behavior type,Time,Media file name,Image index,Comment
trial 1,3726.37,0.0,30.000,,separate,,,START,1.300,/videos/a b.avi,39,
trial 1,3726.37,0.0,30.000,,lever,,,POINT,4.000,/videos/a b.avi,120,"a, comma"
trial 1,3726.37,0.0,30.000,,separate,,,STOP,6.250,/videos/a b.avi,187,
trial 1,3726.37,0.0,30.000,mouse 1,rear,posture,,START,10.000,/videos/a b.avi,300,
trial 1,3726.37,0.0,30.000,mouse 1,rear,posture,,STOP,12.500,/videos/a b.avi,375,end
"""
AGGREGATED = """Observation id,Total length,FPS,Subject,Behavior,Behavior type,Start (s),Stop (s),\
Duration (s),Comment start,Comment stop
trial 1,3726.370,30.0,No focal subject,separate,STATE,1.300,6.250,4.950,,
trial 1,3726.370,30.0,No focal subject,lever,POINT,4.000,4.000,NA,,
trial 1,3726.370,30.0,mouse 1,rear,STATE,10.000,12.500,2.500,,end
"""


@pytest.fixture
def write(tmp_path):
    def write(text, name="events.csv"):
        path = tmp_path / name
        path.write_bytes(text.encode())
        return path

    return write


def read(path, span=SPAN, **kwargs):
    return {label: times.tolist() for label, times in read_events(path, span, **kwargs).items()}


class TestBORIS:
    @pytest.mark.parametrize("text", [BLOCK, ONE_TABLE, AGGREGATED])
    @pytest.mark.parametrize("line_end", ["\n", "\r\n"])
    def test_states_are_two_events_and_points_one(self, write, text, line_end):
        assert read(write(text.replace("\n", line_end))) == OBSERVED

    @pytest.mark.parametrize("text", [ONE_TABLE, AGGREGATED])
    def test_tabs_separate_columns_as_well(self, write, text):
        text = text.replace('"a, comma"', "a comma").replace(",", "\t")
        assert read(write(text, "events.tsv")) == OBSERVED

    def test_the_column_is_taken_whose_times_lie_in_the_recording(self, write, caplog):
        path = write(
            "Time,milliseconds,ogtime,Behavior,Status\n"
            "61.29,61290,57994023.9,Laser,START\n62.29,62290,57995023.9,Laser,STOP\n"
        )
        with caplog.at_level(logging.INFO):
            found = read(path, (57932.7, 58297.8))
        assert found == {"Laser START": [57994.0239], "Laser STOP": [57995.0239]}
        assert "are those of column 'ogtime', in ms" in caplog.text
        assert read(path, (0.0, 365.0))["Laser START"] == [61.29]

    def test_a_clock_that_starts_elsewhere_is_set_by_an_offset(self, write):
        assert read(write(BLOCK), (100.0, 120.0), offset=100.0)["lever"] == [104.0]


class TestBonsai:
    LINES = (
        "Input0,0,True,1801.0,57782000.0\nInput0,0,False,1801.2,57782200.0\n"
        "Input1,1,True,1802.0,57783000.0\n"
    )
    HEADING = "DigitalIOName,DigitalIOFlag,DigitalIOState,SystemTimestamp,ComputerTimestamp\n"

    @pytest.mark.parametrize("heading", [HEADING, ""])
    def test_a_digital_line_occurs_when_it_goes_up(self, write, heading):
        path = write(heading + self.LINES)
        assert read(path, (1800.0, 1810.0)) == {"Input0": [1801.0], "Input1": [1802.0]}
        assert read(path, (57780.0, 57790.0)) == {"Input0": [57782.0], "Input1": [57783.0]}

    def test_keys_are_labels_of_times(self, write):
        path = write("1.5,A\n2.5,B\n1.0,A\n", "keydown.csv")
        assert read(path) == {"A": [1.0, 1.5], "B": [2.5]}

    def test_times_alone_are_named_after_their_file(self, write):
        assert read(write("1.5\n2.5\n", "stimulus.csv")) == {"stimulus": [1.5, 2.5]}
        assert read(write("Timestamp\n1.5\n2.5\n", "reward.csv")) == {"reward": [1.5, 2.5]}

    @pytest.mark.parametrize(
        "values", [("True", "False", "True"), ("1", "0", "1"), ("1.0", "", "1")]
    )
    def test_levels_are_times_at_which_they_are_high(self, write, values):
        rows = "".join(f"{k},{value}\n" for k, value in enumerate(values, 1))
        assert read(write("Timestamp,Value\n" + rows, "shock.csv")) == {"shock": [1.0, 3.0]}

    def test_numbers_are_labels_too(self, write):
        assert read(write("Timestamp,Value\n1.0,37\n2.0,39\n")) == {"37": [1.0], "39": [2.0]}

    def test_the_unit_is_that_by_which_events_lie_in_the_recording(self, write):
        assert read(write("1500,A\n2500,B\n")) == {"A": [1.5], "B": [2.5]}

    def test_the_unit_and_the_column_can_be_told(self, write):
        path = write("Timestamp,ms,key\n1,1500,A\n2,2500,B\n")
        assert read(path, time_unit="ms") == {"A": [0.001], "B": [0.002]}
        assert read(path, time_col="Timestamp") == {"A": [1.0], "B": [2.0]}

    def test_a_column_of_any_name_can_be_told(self, write):
        path = write("Time,frame,Behavior,Status\n1,1500,A,POINT\n2,2500,A,POINT\n")
        assert read(path, time_col="frame", time_unit="ms") == {"A": [1.5, 2.5]}


def test_events_outside_of_the_recording_are_told_of(write, caplog):
    with caplog.at_level(logging.WARNING):
        assert read(write("1.0,A\n300.0,A\n")) == {"A": [1.0, 300.0]}
    assert "1 of 2 events" in caplog.text


@pytest.mark.parametrize("text", ["Timestamp,Value\n", ""])
def test_a_file_without_events_gives_none(write, text):
    assert read(write(text)) == {}


def test_a_time_without_a_label_is_no_event(write):
    assert read(write("1.0,A\n2.0,\n3.0,A\n")) == {"A": [1.0, 3.0]}


def test_events_of_several_subjects_are_told_of(write, caplog):
    with caplog.at_level(logging.WARNING):
        read(write(ONE_TABLE.replace(",,separate", ",mouse 2,separate")))
    assert "all subjects are taken: mouse 2, mouse 1" in caplog.text


@pytest.mark.parametrize(
    ("text", "kwargs", "message"),
    [
        ("\n\n", {}, "events.csv: the file is empty"),
        ("12,5;lick\n13,75;lick\n", {}, "separated by semicolons"),
        ("t,Value.Seconds,Value\n1,5.5,1\n2,6.5,1\n", {}, "which of the columns .* is not clear"),
        ("start,stop\n1.0,1.5\n2.0,2.5\n", {}, "which of the columns 'stop' has the labels"),
        ("Time,key\n1.0,A\n118,B\n119,B\n120,A\n", {}, "most events lie outside"),
        (ONE_TABLE.replace("trial 1", "trial 2", 1), {}, r"of 2 observations \(trial 2, trial 1\)"),
        (BLOCK.replace("4.000", ""), {}, "no column of times that has one for each event"),
        (
            "Time,key\n100,A\n",
            {},
            r"most events lie outside of the recording, 0 to 20 s, by 'Time' in s \(100",
        ),
        ("a,b,c\nx,y,1\n", {}, r"not an event file: .* \(columns: a, b, c\)"),
        (BLOCK, {"time_col": "When"}, r"no column of times 'When' \(columns that may be: Time\)"),
        (BLOCK.replace("4.000", "soon"), {}, "column 'Time', line 19: 'soon' is not a number"),
        (
            AGGREGATED.replace("1.300,6", ",6"),
            {},
            r"column 'Start \(s\)', line 2: nan is a missing",
        ),
    ],
)
def test_what_is_wrong_is_named(write, text, kwargs, message):
    with pytest.raises(ValueError, match=message):
        read(write(text), **kwargs)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere.csv: no such event file"):
        read_events(tmp_path / "nowhere.csv", SPAN)


def test_the_order_of_labels_is_that_of_their_first_events(write):
    assert list(read(write("1,B\n2,A\n3,B\n"))) == ["B", "A"]
    assert isinstance(read_events(write("1,B\n"), SPAN)["B"], np.ndarray)
