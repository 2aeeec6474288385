"""Memory and time that jobs ask a cluster for, by their raw files."""

import pytest

from phopro_core.batch.resources import BASE, megabytes, minutes, needed

STAGES = ("load", "preprocess", "extract", "dashboard")
MB = 1_000_000


@pytest.mark.parametrize("stage", STAGES)
def test_more_is_asked_for_larger_recordings_and_something_for_the_smallest(stage):
    small, large = {"m.csv": MB // 10}, {"m.csv": 3000 * MB}
    assert BASE <= needed(stage, small) < BASE + 5
    assert needed(stage, large) > BASE + 3000
    assert minutes([stage], small) == 1
    assert 2 <= minutes([stage], large) <= 15


def test_what_is_loaded_of_compressed_or_packed_files_is_larger_than_they_are():
    text, compressed, packed = (
        needed("preprocess", {name: 100 * MB}) for name in ("m.csv", "m.csv.gz", "m.ppd")
    )
    assert text < compressed < packed
    assert needed("load", {"m.csv.gz": 100 * MB}) == megabytes("load", 500)


def test_all_files_of_a_recording_count():
    parts, whole = {"a.csv": 300 * MB, "b.csv": 200 * MB}, {"whole.csv": 500 * MB}
    assert needed("extract", parts) == pytest.approx(needed("extract", whole), abs=1)
    assert minutes(STAGES, parts) == minutes(STAGES, whole)


def test_time_of_stages_is_added_up_before_it_becomes_whole_minutes():
    small, large = {"m.csv": 10 * MB}, {"m.csv": 2000 * MB}
    assert minutes(STAGES, small) == 1
    together = minutes(STAGES, large)
    apart = sum(minutes([stage], large) for stage in STAGES)
    assert apart - 3 <= together <= apart


def test_each_attempt_gets_more_time_if_it_takes_any():
    small, large = {"m.csv": MB // 10}, {"m.csv": 2000 * MB}
    assert minutes(STAGES, small, attempt=3) == 1
    assert minutes(STAGES, large, attempt=3) == pytest.approx(3 * minutes(STAGES, large), abs=3)
