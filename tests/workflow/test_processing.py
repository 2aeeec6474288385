"""Processing that a config asks for, seen in the files that a run leaves."""

import anndata as ad
import numpy as np
import pytest


def test_a_recording_with_artifacts_and_gaps_comes_out_mended(study):
    study.add("m1", duration=600.0, spikes=3, jumps=1, trial_interval=30.0)
    study.edit("m1", lambda table: table.drop(index=[*range(2000, 2003), *range(8060, 8260)]))
    study.config["preprocess_kwargs"] = {
        "resample_gaps": 0.5,
        "artifact_detector": {"name": "DerivativeDetector", "threshold": 9},
        "artifact_corrector": "SplineCorrector",
    }
    study.config["trial_extraction_kwargs"]["window_times"] = True
    study.config["save_dashboards"] = True
    study.run_well()
    processed = ad.read_h5ad(study.results / "processed" / "m1.h5ad")
    assert processed.uns["metadata"]["gaps"] == {"bridged": 1, "left_open": 1}
    assert processed.uns["metadata"]["artifacts"] == {"spike": 3, "jump": 1}
    assert sorted(processed.uns["artifacts"]["type"]) == ["jump", "spike", "spike", "spike"]
    missing = np.isnan(processed.obsm["trace"]).all(axis=0)
    assert np.flatnonzero(missing).tolist() == list(range(8060, 8260))
    trials = ad.read_h5ad(study.results / "trials.h5ad")
    assert not np.isnan(trials.X).any()
    in_the_gap = (trials.obs["stop_time"] >= 403) & (trials.obs["start_time"] < 413)
    assert not in_the_gap.any()
    assert "spike (3)" in (study.results / "dashboards" / "m1.svg").read_text()
    log = (study.results / "logs" / "extract" / "m1.log").read_text()
    assert "Dropped 1 of 19 trials whose windows touch a gap" in log


def test_a_recording_with_gaps_is_refused_with_the_cure(study):
    study.add("m1")
    study.edit("m1", lambda table: table.drop(index=range(200, 210)))
    study.run().assert_failed_saying(
        "all 1 recordings failed, so that there is nothing to merge",
        "preprocess of m1 (recordings/m1.csv)",
        "the clock has 1 gaps, of 0.55 s in all: 0.55 s after 9.95 s",
        "resample_gaps: 0.5",
    )


FITS = """
def no_fit(signal, isosbestic):
    return isosbestic * {gain}, [{gain}]

def halves(trials, baselines):
    return trials / 2
"""


@pytest.mark.slow
def test_functions_of_a_file_are_used_and_run_again_when_it_changes(study):
    study.add("m1")
    study.config["preprocess_kwargs"] = {
        "fit_using": "lab/fits.py:no_fit",
        "correction_method": "dF",
        "cutoff_frequency": None,
    }
    fits = study.folder / "lab" / "fits.py"
    fits.parent.mkdir()
    fits.write_text(FITS.format(gain=1.5))
    study.run_well()

    def processed():
        found = ad.read_h5ad(study.results / "processed" / "m1.h5ad")
        traces = dict(zip(found.obs_names, found.obsm["trace"], strict=True))
        gain = found.uns["metadata"]["reference_fit"]["coeffs"].item()
        expected = traces["raw_signal"] - gain * traces["raw_isosbestic"]
        np.testing.assert_allclose(traces["processed_signal"], expected)
        return gain

    assert processed() == 1.5
    fits.write_text(FITS.format(gain=1.25))
    assert study.run_well().jobs == {"preprocess": 1, "extract": 1, "merge_trials": 1}
    assert processed() == 1.25
    assert study.run_well().jobs == {}

    whole = ad.read_h5ad(study.results / "trials.h5ad").X
    study.config["trial_extraction_kwargs"]["trial_normalization"] = "lab/fits.py:halves"
    assert study.run_well().jobs == {"extract": 1, "merge_trials": 1}
    np.testing.assert_allclose(ad.read_h5ad(study.results / "trials.h5ad").X, whole / 2)


@pytest.mark.parametrize("fit_using", ["detrend_retrend", "detrend_fit_retrend"])
def test_detrending_fits_run_from_a_config(study, fit_using):
    study.add("m1", isosbestic_bleaching=(0.05, 30.0, 0.3, 500.0))
    study.config["preprocess_kwargs"] = {"fit_using": fit_using}
    study.run_well()
    processed = ad.read_h5ad(study.results / "processed" / "m1.h5ad")
    fit = processed.uns["metadata"]["reference_fit"]
    assert fit["coeffs"].size == (10 if fit_using == "detrend_retrend" else 12)
    assert fit["r2_val"] > 0.7
