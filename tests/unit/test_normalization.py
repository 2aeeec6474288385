"""Trials in units of their baselines, against the formulas."""

import numpy as np
import pytest

from phopro_core.normalization import normalize_trials

TRIALS = np.array([[1.0, 5.0, -7.0], [10.0, 20.0, 30.0]])
BASELINES = np.array([[1.0, 2.0, 3.0, 6.0], [0.0, 0.0, 4.0, 4.0]])


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        # mean 3, population variance 3.5; mean 2, variance 4
        ("zscore", [np.array([-2, 2, -10]) / np.sqrt(3.5), [4, 9, 14]]),
        ("zero", [[-2, 2, -10], [8, 18, 28]]),
        # median 2.5, absolute deviations 1.5, 0.5, 0.5, 3.5; median 2, all deviations 2
        ("mad", [np.array([-1.5, 2.5, -9.5]) / 1.4826, np.array([8, 18, 28]) / (1.4826 * 2)]),
        ("amp", [[-0.2, 0.2, -1], [8 / 28, 18 / 28, 1]]),
        ("none", TRIALS),
        (lambda trials, baselines: trials - baselines[:, :1], [[0, 4, -8], [10, 20, 30]]),
    ],
)
def test_each_method_is_its_formula(method, expected):
    np.testing.assert_allclose(normalize_trials(TRIALS, BASELINES, method), expected)


@pytest.mark.parametrize("method", ["zscore", "zero", "mad", "amp", "none"])
def test_trials_are_normalized_one_by_one(method):
    alone = [normalize_trials(TRIALS[[k]], BASELINES[[k]], method)[0] for k in (0, 1)]
    np.testing.assert_allclose(normalize_trials(TRIALS, BASELINES, method), alone)


def test_mad_of_normal_noise_is_its_standard_deviation():
    noise = np.random.default_rng(0).standard_normal((5, 20_000))
    by_mad, by_sd = (normalize_trials(noise, noise, method) for method in ("mad", "zscore"))
    np.testing.assert_allclose(by_mad.std(axis=1), by_sd.std(axis=1), rtol=0.02)


@pytest.mark.parametrize(
    ("method", "level", "height"),
    [
        ("zscore", 0.5, 1.0),
        ("zscore", 0.1, 1.0),
        ("mad", 0.1, 1e-5),
        pytest.param("zscore", 0.1, 1e-5),
    ],
)
def test_a_baseline_that_does_not_vary_gives_nan(method, level, height):
    baselines = np.full((1, 61), level)
    trials = level + height * np.arange(61.0)[np.newaxis]
    assert np.isnan(normalize_trials(trials, baselines, method)).all()


def test_a_baseline_that_does_not_vary_spoils_its_own_trial_only():
    baselines = np.array([[2.0, 2.0, 2.0, 2.0], BASELINES[1]])
    normalized = normalize_trials(TRIALS, baselines, "zscore")
    assert np.isnan(normalized[0]).all()
    assert normalized[1].tolist() == [4, 9, 14]


@pytest.mark.parametrize("method", ["zscore", "zero", "mad", "amp"])
def test_without_baselines_a_method_says_what_it_needs(method):
    with pytest.raises(ValueError, match=f"'{method}' needs baseline_bounds"):
        normalize_trials(TRIALS, None, method)


def test_an_unknown_method_is_refused_with_those_allowed():
    with pytest.raises(ValueError, match="'z', but must be one of zscore, zero, mad, amp, none"):
        normalize_trials(TRIALS, BASELINES, "z")


def test_a_function_that_changes_the_shape_is_refused():
    with pytest.raises(ValueError, match=r"trial_normalization.*\(2,\).*\(2, 3\)"):
        normalize_trials(TRIALS, BASELINES, lambda trials, baselines: trials.mean(axis=1))
