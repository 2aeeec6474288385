"""Taking the reference out of the signal, and scaling what remains."""

import numpy as np
import pytest

from phopro_core.correction import check_correction, correct, normalize_signal

SIGNAL = np.array([110.0, 90.0, 150.0])
REFERENCE = np.array([100.0, 100.0, 75.0])


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        ("dF/F", [0.1, -0.1, 1.0]),
        ("dB/B", [0.1, -0.1, 1.0]),
        ("dF", [10, -10, 75]),
        ("dB", [10, -10, 75]),
        ("none", [110, 90, 150]),
        (lambda signal, reference: signal / reference, [1.1, 0.9, 2.0]),
    ],
)
def test_each_method_is_its_formula(method, expected):
    np.testing.assert_allclose(correct(SIGNAL, REFERENCE, method), expected)


@pytest.mark.parametrize("method", ["dF/F", "dB/B", "dF", "dB", "none"])
def test_the_arrays_given_stay_as_they_are(method):
    signal, reference = SIGNAL.copy(), REFERENCE.copy()
    correct(signal, reference, method)[0] = -1
    assert np.array_equal(signal, SIGNAL)
    assert np.array_equal(reference, REFERENCE)


@pytest.mark.parametrize("method", ["dF/F", "dB/B"])
@pytest.mark.parametrize("lowest", [0.0, -3.0])
def test_dividing_by_a_reference_at_zero_or_below_is_refused(method, lowest):
    reference = np.array([100.0, lowest, 75.0])
    instead = f"use correction_method '{method[:2]}'"
    with pytest.raises(ValueError, match=f"{method} divides.*falls to {lowest:g}.*{instead}"):
        correct(SIGNAL, reference, method)
    np.testing.assert_allclose(correct(SIGNAL, reference, method[:2]), SIGNAL - reference)


@pytest.mark.parametrize("method", ["dF/F", "dB/B"])
def test_fluorescence_may_be_in_any_units(method):
    volts, counts = (correct(k * SIGNAL, k * REFERENCE, method) for k in (1e-6, 1))
    np.testing.assert_allclose(volts, counts)


def test_a_function_that_changes_the_length_is_refused():
    with pytest.raises(ValueError, match=r"correction_method.*\(2,\).*\(3,\)"):
        correct(SIGNAL, REFERENCE, lambda signal, reference: signal[:2])


@pytest.mark.parametrize(("method", "n_channels"), [("dF/F", 1), ("dF", 1), ("dB/B", 2), ("dB", 2)])
def test_a_method_for_the_other_kind_of_recording_is_refused(method, n_channels):
    kind = {1: "dual-channel recordings.*no isosbestic", 2: "single-channel.*has an isosbestic"}
    with pytest.raises(ValueError, match=f"'{method}' is for {kind[n_channels]}"):
        check_correction(method, n_channels)


@pytest.mark.parametrize(("n_channels", "methods"), [(1, ["dB/B", "dB"]), (2, ["dF/F", "dF"])])
def test_methods_for_this_kind_of_recording_or_for_any_are_taken(n_channels, methods):
    for method in (*methods, "none", np.subtract):
        check_correction(method, n_channels)


def test_an_unknown_method_is_refused_with_those_allowed():
    with pytest.raises(ValueError, match="'dF_F', but must be one of dF/F, dF, dB/B, dB, none"):
        check_correction("dF_F", 2)


class TestWholeSignalNormalization:
    RAW = np.array([1.0, 2.0, 3.0, 6.0])  # mean 3, population variance 3.5

    @pytest.mark.parametrize(
        ("method", "expected"),
        [
            ("zscore", (RAW - 3) / np.sqrt(3.5)),
            ("nullZ", RAW / np.sqrt(3.5)),
            ("none", RAW),
            (lambda signal: signal / signal.max(), RAW / 6),
        ],
    )
    def test_each_method_is_its_formula(self, method, expected):
        np.testing.assert_allclose(normalize_signal(self.RAW, method), expected)

    def test_a_function_that_changes_the_length_is_refused(self):
        with pytest.raises(ValueError, match=r"signal_normalization.*\(1,\).*\(4,\)"):
            normalize_signal(self.RAW, lambda signal: signal[:1])

    def test_an_unknown_method_is_refused_with_those_allowed(self):
        with pytest.raises(ValueError, match="'robust', but must be one of zscore, nullZ, none"):
            normalize_signal(self.RAW, "robust")

    @pytest.mark.parametrize("method", ["zscore", "nullZ"])
    @pytest.mark.parametrize(
        "level",
        [
            0.0,
            0.5,
            0.1,
        ],
    )
    def test_a_constant_signal_is_refused(self, method, level):
        with pytest.raises(ValueError, match="of a constant signal"):
            normalize_signal(np.full(1001, level), method)
