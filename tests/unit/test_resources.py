"""Memory and time that jobs ask a cluster for, by their raw files."""

import os
from pathlib import Path

import pytest

from phopro_core.batch.resources import BASE, megabytes, minutes, needed

STAGES = ("load", "preprocess", "extract", "dashboard")


@pytest.fixture
def raw(tmp_path):
    """Makes a file of so many MB, which takes no room."""

    def make(name: str, size_mb: float) -> str:
        path = Path(tmp_path, name)
        path.touch()
        os.truncate(path, int(size_mb * 1e6))
        return str(path)

    return make


@pytest.mark.parametrize("stage", STAGES)
def test_more_is_asked_for_larger_recordings_and_something_for_the_smallest(raw, stage):
    small, large = raw("small.csv", 0.1), raw("large.csv", 1000)
    assert BASE <= needed(stage, [small]) < BASE + 5
    assert needed(stage, [large]) > BASE + 1000
    assert minutes([stage], [small]) == 1
    assert 2 <= minutes([stage], 3 * [large]) <= 15


def test_what_is_loaded_of_compressed_or_packed_files_is_larger_than_they_are(raw):
    text, packed = (
        needed("preprocess", [raw("m.csv", 100)]),
        needed("preprocess", [raw("m.ppd", 100)]),
    )
    compressed = needed("preprocess", [raw("m.csv.gz", 100)])
    assert text < compressed < packed
    assert needed("load", [raw("n.csv.gz", 100)]) == megabytes("load", 500)


def test_all_files_of_a_recording_count(raw):
    parts = [raw("a.csv", 300), raw("b.csv", 200)]
    whole = [raw("whole.csv", 500)]
    assert needed("extract", parts) == pytest.approx(needed("extract", whole), abs=1)
    assert minutes(STAGES, parts) == minutes(STAGES, whole)


def test_a_file_that_is_not_there_counts_nothing():
    assert needed("load", ["nowhere.csv"]) == BASE
    assert minutes(["load"], ["nowhere.csv"]) == 1


def test_time_of_stages_is_added_up_before_it_becomes_whole_minutes(raw):
    small, large = [raw("small.csv", 10)], [raw("large.csv", 2000)]
    assert minutes(STAGES, small) == 1
    together = minutes(STAGES, large)
    apart = sum(minutes([stage], large) for stage in STAGES)
    assert apart - 3 <= together <= apart


def test_each_attempt_gets_more_time_if_it_takes_any(raw):
    small, large = [raw("small.csv", 0.1)], [raw("large.csv", 2000)]
    assert minutes(STAGES, small, attempt=3) == 1
    assert minutes(STAGES, large, attempt=3) == pytest.approx(3 * minutes(STAGES, large), abs=3)
