"""Trials of many experiments in one table."""

import numpy as np
import pandas as pd
import pytest

from phopro_core.merging import Trials, check_time_grids, merge_trials

T = np.arange(-40, 80) / 20


def trials(value: float, n_trials: int = 1, t: np.ndarray = T, **columns) -> Trials:
    obs = pd.DataFrame({"trial_num": np.arange(1, n_trials + 1), **columns})
    return Trials(np.full((n_trials, t.size), value), obs, t)


def test_experiments_are_stacked_in_the_order_given():
    merged = merge_trials({"b": trials(2, 2), "a": trials(1, 1)})
    assert merged.signals[:, 0].tolist() == [2, 2, 1]
    assert merged.signals.shape == (3, 120)
    assert merged.obs["trial_num"].tolist() == [1, 2, 1]
    assert merged.obs.index.tolist() == ["0", "1", "2"]
    assert np.array_equal(merged.t, T)


def test_an_inner_join_keeps_the_common_columns_and_names_the_others(caplog):
    merged = merge_trials({"m1": trials(1, lever=[0.5]), "m2": trials(2, lever=[1.0], shock=[2.0])})
    assert list(merged.obs) == ["trial_num", "lever"]
    assert caplog.messages == [
        "Left out the column 'shock', which 1 of 2 experiments lack: m1 (an outer join would "
        "keep it)"
    ]


def test_of_many_that_lack_a_column_the_first_are_named(caplog):
    lacking = {f"m{k}": trials(1) for k in range(12)}
    merge_trials({"m": trials(1, lever=[0.5]), **lacking})
    assert "which 12 of 13 experiments lack: m0, m1, " in caplog.text
    assert ", m9 … (an outer" in caplog.text


def test_an_outer_join_fills_with_missing_values_and_says_nothing(caplog):
    merged = merge_trials({"m1": trials(1), "m2": trials(2, shock=[2.0])}, join="outer")
    np.testing.assert_array_equal(merged.obs["shock"], [np.nan, 2.0])
    assert not caplog.records


@pytest.mark.parametrize("names", [("m1", "m2"), ("m1", "m1")], ids=["different", "equal"])
def test_text_is_text_again_whatever_its_categories_were(names):
    first, second = (trials(1, subject=pd.Categorical([name])) for name in names)
    subject = merge_trials({"a": first, "b": second}).obs["subject"]
    assert subject.tolist() == list(names)
    assert subject.dtype == object


def test_time_points_may_differ_by_a_rounding_error():
    merged = merge_trials({"a": trials(1), "b": trials(2, t=T + 5e-7)})
    assert np.array_equal(merged.t, T)


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (T + 0.01, r"b: 120 time points from -1\.99 to 3\.96 s, 20 Hz, off by up to 0\.01 s"),
        (np.arange(-80, 160) / 40, r"b: 240 time points from -2 to 3\.975 s, 40 Hz"),
        (T[:1], "b: 1 time points"),
    ],
)
def test_another_time_grid_is_refused_with_which_and_how(other, message):
    with pytest.raises(ValueError, match=message) as raised:
        merge_trials({"a": trials(1), "b": trials(2, t=other), "c": trials(3)})
    first_line = "the trials of 1 of 3 experiments lie on another time grid than those of a (120 "
    assert str(raised.value).startswith(first_line)
    assert "\n  c:" not in str(raised.value)


def test_the_tolerance_of_time_grids_can_be_widened():
    check_time_grids({"a": T, "b": T + 0.01}, time_tol=0.011)
    with pytest.raises(ValueError, match="b: "):
        check_time_grids({"a": T, "b": T + 0.01}, time_tol=0.009)


def test_time_grids_of_measured_rates_may_differ_by_a_tenth_of_a_step():
    check_time_grids({"a": T, "b": T * (1 + 1e-3)})
    with pytest.raises(ValueError, match="(?s)b: .*preprocess_kwargs: frequency"):
        check_time_grids({"a": T, "b": T * (1 + 1.3e-3)})


def test_nothing_to_merge_is_an_error():
    with pytest.raises(ValueError, match="no trials to merge"):
        merge_trials({})
