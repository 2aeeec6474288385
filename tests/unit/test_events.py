"""Which occurrences of an event belong to which trial."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from phopro_core.events import check_tolerance, occurrence_columns, occurrences_in_trials

NAN = np.nan


@pytest.mark.parametrize(
    ("event_time", "belongs"),
    [(12.0, True), (14.0, True), (11.999, False), (14.001, False)],
    ids=["on the lower edge", "on the upper edge", "below", "above"],
)
def test_an_event_on_the_edge_of_its_tolerance_counts(event_time, belongs):
    found = occurrences_in_trials([event_time], [10.0], (2, 4))
    assert np.array_equal(found, [[event_time if belongs else NAN]], equal_nan=True)


def test_rounding_of_seconds_does_not_push_an_event_off_the_edge():
    # Of sums such as 0.1 + 0.7 < 0.8 and 0.1 + 0.2 > 0.3.
    tenths = np.arange(1, 400) / 10
    for edge in np.arange(-60, 60) / 10:
        on_the_edge = np.round(tenths + edge, 1)
        for tolerance in ((edge, edge + 0.05), (edge - 0.05, edge)):
            found = occurrences_in_trials(on_the_edge, tenths, tolerance)
            assert np.array_equal(found[:, 0], on_the_edge)


@pytest.mark.parametrize(("off", "belongs"), [(5e-10, True), (2e-9, False)])
@pytest.mark.parametrize(("edge", "sign"), [(12.0, -1), (14.0, 1)])
def test_an_event_a_nanosecond_off_the_edge_is_on_it(edge, sign, off, belongs):
    found = occurrences_in_trials([edge + sign * off], [10.0], (2, 4))
    assert np.isfinite(found).all() == belongs


def test_a_tolerance_of_no_width_takes_the_event_at_its_instant():
    assert occurrences_in_trials([12.0, 12.5], [10.0], (2, 2)).tolist() == [[12.0]]


@pytest.mark.parametrize(
    ("logic", "expected"),
    [("first", [[12.0], [NAN]]), ("last", [[13.0], [NAN]]), ("mean", [[12.5], [NAN]])],
)
def test_one_of_several_occurrences_is_given(logic, expected):
    found = occurrences_in_trials([13.0, 12.0], [10.0, 30.0], (2, 4), logic)
    assert np.array_equal(found, expected, equal_nan=True)


def test_all_gives_a_column_for_each_occurrence_of_the_fullest_trial():
    found = occurrences_in_trials([12.0, 13.0, 13.5, 32.0], [10.0, 20.0, 30.0], (2, 4), "all")
    expected = [[12.0, 13.0, 13.5], [NAN, NAN, NAN], [32.0, NAN, NAN]]
    assert np.array_equal(found, expected, equal_nan=True)


@pytest.mark.parametrize("logic", ["first", "last", "mean", "all"])
def test_an_event_that_never_occurs_still_has_a_column(logic):
    found = occurrences_in_trials([], [10.0, 20.0], (2, 4), logic)
    assert found.shape == (2, 1)
    assert np.isnan(found).all()


def test_an_occurrence_can_belong_to_two_trials():
    assert occurrences_in_trials([11.0], [10.0, 10.5], (0, 2)).tolist() == [[11.0], [11.0]]


def test_trials_may_come_in_any_order():
    found = occurrences_in_trials([24.0, 12.0], [20.0, 10.0], (2, 4))
    assert found.tolist() == [[24.0], [12.0]]


def test_an_unknown_logic_is_refused_with_those_allowed():
    with pytest.raises(ValueError, match="'any', but must be one of first, last, mean, all"):
        occurrences_in_trials([1.0], [0.0], (0, 2), "any")


@pytest.mark.parametrize("tolerance", [(4, 2), (1,), (1, 2, 3), None, 3.0, (NAN, 1)])
def test_a_tolerance_that_is_not_low_and_high_is_named(tolerance):
    with pytest.raises(ValueError, match=r"lever is .*low first"):
        check_tolerance(tolerance, "lever")


def test_later_occurrences_are_numbered_from_two():
    assert occurrence_columns("lever", 1) == ["lever"]
    assert occurrence_columns("lever", 3) == [
        "lever",
        "lever_occurrence_2",
        "lever_occurrence_3",
    ]


quarters = st.integers(0, 400).map(lambda quarter: quarter / 4)  # exact in binary


@given(
    events=st.lists(quarters, max_size=30),
    aligns=st.lists(quarters, min_size=1, max_size=10),
    low=st.integers(-20, 20).map(lambda quarter: quarter / 4),
    width=st.integers(0, 20).map(lambda quarter: quarter / 4),
)
def test_all_occurrences_are_those_that_a_search_one_by_one_finds(events, aligns, low, width):
    found = occurrences_in_trials(events, aligns, (low, low + width), "all")
    for row, align in zip(found, aligns, strict=True):
        expected = sorted(x for x in events if low <= x - align <= low + width)
        assert row[~np.isnan(row)].tolist() == expected
