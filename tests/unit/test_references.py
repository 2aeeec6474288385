"""Reference curves against closed forms, simulated truth, and independent fits."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from phopro_core.filtering import lowpass
from phopro_core.references import NEAR, NORMAL_MAD, fit_irls, fit_ols, median_near
from phopro_core.simulation import DEFAULT_RESPONSES, Response, simulate_recording

SEEDS = range(5)
#: Responses so large that they pull a least-squares line towards them.
LARGE = {
    "trial_cue": Response(0.3),
    "lever1": Response(0.6),
    "lever2": Response(0.6),
    "shock": Response(0.4),
}
line_fits = pytest.mark.parametrize("fit", [fit_ols, fit_irls])


@pytest.fixture
def isosbestic() -> np.ndarray:
    t = np.arange(4000) / 20
    return 50 * np.exp(-t / 300) + np.sin(t)


def tukey_by_hand(signal, isosbestic, add_intercept, c, n_iterations):
    """Beaton and Tukey's fit, written down as in the textbook, by a general solver."""
    columns = [isosbestic, np.ones_like(isosbestic)] if add_intercept else [isosbestic]
    design = np.stack(columns, axis=1)
    beta = np.linalg.lstsq(design, signal)[0]
    for _ in range(n_iterations):
        residuals = signal - design @ beta
        u = residuals / (c * np.median(np.abs(residuals)) / NORMAL_MAD)
        root = np.where(np.abs(u) < 1, 1 - u**2, 0)  # of Tukey's weight
        beta = np.linalg.lstsq(design * root[:, np.newaxis], signal * root)[0]
    return beta[::-1]


@line_fits
def test_a_noiseless_line_is_recovered(fit, isosbestic):
    reference, coeffs, r2 = fit(5 + 1.25 * isosbestic, isosbestic)
    np.testing.assert_allclose(coeffs, [5, 1.25])
    np.testing.assert_allclose(reference, 5 + 1.25 * isosbestic)
    assert r2 == pytest.approx(1)


@line_fits
def test_a_line_through_the_origin_has_a_slope_alone(fit, isosbestic):
    reference, coeffs, _ = fit(1.25 * isosbestic, isosbestic, add_intercept=False)
    np.testing.assert_allclose(coeffs, [1.25])
    np.testing.assert_allclose(reference, 1.25 * isosbestic)


@line_fits
def test_without_intercept_the_reference_is_a_multiple_of_the_isosbestic(fit, isosbestic):
    reference, coeffs, _ = fit(5 + 1.25 * isosbestic, isosbestic, add_intercept=False)
    assert coeffs.size == 1
    np.testing.assert_allclose(reference / isosbestic, coeffs[0])


@line_fits
@pytest.mark.parametrize("add_intercept", [True, False])
def test_the_units_of_the_traces_do_not_matter(fit, add_intercept, isosbestic):
    rng = np.random.default_rng(0)
    signal = 5 + 1.25 * isosbestic + rng.standard_t(2, isosbestic.size)
    plain = fit(signal, isosbestic, add_intercept)
    for volts, counts in ((1e-6, 1e6), (1e6, 1e-6)):
        scaled = fit(volts * signal, counts * isosbestic, add_intercept)
        np.testing.assert_allclose(scaled.reference, volts * plain.reference, rtol=1e-8)
        slopes = scaled.coeffs[-1], plain.coeffs[-1] * volts / counts
        assert slopes[0] == pytest.approx(slopes[1], rel=1e-8)
        assert scaled.r2 == pytest.approx(plain.r2)


@line_fits
@pytest.mark.filterwarnings("error")
def test_of_a_constant_signal_there_is_no_variance_to_explain(fit, isosbestic):
    constant = fit(np.full_like(isosbestic, 3.0), isosbestic)
    np.testing.assert_allclose(constant.reference, 3.0)
    assert np.isnan(constant.r2)


@line_fits
def test_a_large_offset_costs_no_precision(fit, isosbestic):
    rng = np.random.default_rng(0)
    signal = 5 + 1.25 * isosbestic + rng.standard_normal(isosbestic.size)
    slope = fit(signal, isosbestic).coeffs[1]
    np.testing.assert_allclose(fit(signal + 1e6, isosbestic + 1e6).coeffs[1], slope, rtol=1e-7)


def test_ols_is_the_least_squares_line(isosbestic):
    rng = np.random.default_rng(1)
    signal = 5 + 1.25 * isosbestic + rng.standard_normal(isosbestic.size)
    fit = fit_ols(signal, isosbestic)
    slope, intercept = np.polyfit(isosbestic, signal, 1)
    np.testing.assert_allclose(fit.coeffs, [intercept, slope])
    assert fit.r2 == pytest.approx(np.corrcoef(signal, isosbestic)[0, 1] ** 2)


def test_ols_without_intercept_is_the_ratio_of_moments(isosbestic):
    rng = np.random.default_rng(1)
    signal = 5 + 1.25 * isosbestic + rng.standard_normal(isosbestic.size)
    expected = (signal * isosbestic).sum() / (isosbestic**2).sum()
    assert fit_ols(signal, isosbestic, add_intercept=False).coeffs == pytest.approx([expected])


@pytest.mark.parametrize("add_intercept", [True, False])
@pytest.mark.parametrize("c", [0.8, 1.5, 3.0, 4.685])
@pytest.mark.parametrize(("maxiter", "by_hand"), [(1, 1), (2, 2), (1000, 100)])
def test_irls_is_tukey_s_biweight_from_ols_with_the_scale_anew(
    isosbestic, add_intercept, c, maxiter, by_hand
):
    rng = np.random.default_rng(2)
    signal = 5 + 1.25 * isosbestic + rng.standard_t(2, isosbestic.size)
    signal += 8 * (rng.uniform(size=isosbestic.size) < 0.2)
    fit = fit_irls(signal, isosbestic, add_intercept, c=c, maxiter=maxiter)
    expected = tukey_by_hand(signal, isosbestic, add_intercept, c, by_hand)
    np.testing.assert_allclose(fit.coeffs, expected[-fit.coeffs.size :], rtol=1e-6)


def test_irls_uses_a_tuning_constant_of_3_unless_told(isosbestic):
    rng = np.random.default_rng(2)
    signal = 5 + 1.25 * isosbestic + rng.standard_t(2, isosbestic.size)
    expected = tukey_by_hand(signal, isosbestic, True, 3.0, 100)
    np.testing.assert_allclose(fit_irls(signal, isosbestic).coeffs, expected, rtol=1e-6)


@pytest.mark.parametrize("responses", [DEFAULT_RESPONSES, LARGE], ids=["default", "large"])
@pytest.mark.parametrize("add_intercept", [True, False])
@pytest.mark.parametrize("c", [1.5, 3.0, 4.685])
@pytest.mark.parametrize("seed", SEEDS)
def test_irls_is_the_robust_linear_model_of_statsmodels(seed, c, add_intercept, responses):
    """RLM with Tukey's biweight is the same estimator, written by others.

    Both start from ordinary least squares, take as scale the median of the residuals'
    absolute values over the normal distribution's 0.6745 (scale_est='mad', which RLM centres
    on zero, not on the median), give a residual of u scales the weight (1 − (u/c)²)² within c
    and none beyond, solve the weighted least squares, and do it again, the scale too
    (update_scale), until the coefficients rest. So they climb to the same of the estimator's
    fixed points, if it has several.
    """
    import statsmodels.api as sm

    recording = simulate_recording(seed, responses=responses)
    signal, isosbestic = lowpass(
        np.stack([recording.signal, recording.isosbestic]), recording.frequency, 3.0
    )
    design = sm.add_constant(isosbestic) if add_intercept else isosbestic
    model = sm.RLM(signal, design, M=sm.robust.norms.TukeyBiweight(c=c))
    oracle = model.fit(maxiter=1000, tol=1e-10, scale_est="mad", conv="coefs")
    assert oracle.fit_history["iteration"] < 1000
    assert oracle.scale == pytest.approx(np.median(np.abs(oracle.resid)) / NORMAL_MAD)

    fit = fit_irls(signal, isosbestic, add_intercept, c=c)
    np.testing.assert_allclose(fit.coeffs, oracle.params, rtol=1e-7)
    np.testing.assert_allclose(fit.reference, oracle.fittedvalues, rtol=1e-7)


def test_irls_gives_no_weight_to_far_outliers(isosbestic):
    rng = np.random.default_rng(3)
    clean = 5 + 1.25 * isosbestic + 0.1 * rng.standard_normal(isosbestic.size)
    outliers = 40.0 * (rng.uniform(size=clean.size) < 0.2) * (isosbestic > 40)
    robust, plain = (fit(clean + outliers, isosbestic).coeffs for fit in (fit_irls, fit_ols))
    np.testing.assert_allclose(robust, [5, 1.25], rtol=0.01)
    assert np.abs(plain - [5, 1.25]).max() > 1


def test_irls_says_when_it_stopped_before_converging(isosbestic, caplog):
    signal = 5 + 1.25 * isosbestic + np.random.default_rng(4).standard_t(2, isosbestic.size)
    fit_irls(signal, isosbestic)
    assert not caplog.records
    fit_irls(signal, isosbestic, maxiter=2)
    assert "not converged after 2 iterations" in caplog.text


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(("fit", "within"), [(fit_ols, 0.20), (fit_irls, 0.01)])
def test_the_shared_component_s_line_is_recovered(seed, fit, within):
    recording = simulate_recording(seed, photons=1e6)
    intercept, slope = fit(recording.signal, recording.isosbestic).coeffs
    assert slope == pytest.approx(recording.slope, rel=within / 4)
    assert intercept == pytest.approx(recording.intercept, rel=within)


@line_fits
@pytest.mark.parametrize("seed", SEEDS)
def test_without_responses_every_fit_finds_the_line(seed, fit):
    recording = simulate_recording(seed, responses={}, photons=1e10)
    np.testing.assert_allclose(
        fit(recording.signal, recording.isosbestic).coeffs, [5, 1.25], rtol=1e-4
    )


@pytest.mark.parametrize("seed", SEEDS)
def test_irls_comes_closer_than_ols_where_transients_are_large(seed):
    recording = simulate_recording(seed, responses=LARGE)
    robust, plain = (
        np.sqrt(
            np.mean((fit(recording.signal, recording.isosbestic)[0] - recording.reference) ** 2)
        )
        for fit in (fit_irls, fit_ols)
    )
    assert robust < plain / 5


@line_fits
@pytest.mark.parametrize(
    ("level", "add_intercept"),
    [
        (400.0, True),
        (0.0, True),
        (0.0, False),
        pytest.param(0.1, True),
    ],
)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_constant_isosbestic_is_refused(fit, level, add_intercept):
    with pytest.raises(ValueError, match="isosbestic is constant"):
        fit(np.arange(100.0), np.full(100, level), add_intercept)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"c": 0}, "c is 0, but must be a positive number"),
        ({"c": None}, "c is None, but must be a positive number"),
        ({"maxiter": 0}, "maxiter is 0, but must be 1 or more"),
    ],
)
def test_settings_that_no_robust_fit_has_are_refused(isosbestic, setting, message):
    with pytest.raises(ValueError, match=message):
        fit_irls(isosbestic, isosbestic, **setting)


@given(
    values=arrays(float, st.integers(1, 30), elements=st.integers(0, 12).map(lambda k: k / 10)),
    guess=st.floats(-1, 3),
)
def test_the_median_is_the_same_whatever_the_guess(values, guess):
    found = median_near(guess, values)
    assert found == np.median(values)


@pytest.mark.parametrize("n_samples", [1000, 1001])
def test_a_good_guess_spares_putting_all_in_order(n_samples):
    values = np.random.default_rng(0).standard_normal(n_samples)
    expected = np.median(np.abs(values))
    assert median_near(expected * 1.01, np.abs(values)) == expected


def test_a_value_at_the_edge_of_what_is_near_is_counted_once():
    assert median_near(1.0, np.array([1 - NEAR, 1.0, 1.02, 1 + NEAR])) == 1.01
