"""Recordings written and read again, by the package and by anndata."""

from datetime import date
from pathlib import Path

import anndata as ad
import h5py
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from phopro_core import PhotometryExperiment
from phopro_core.artifacts.base import artifact_table
from phopro_core.storage import (
    FORMAT_VERSION,
    TRACES,
    read_recording,
    restored,
    storable,
    write_recording,
)


def make_experiment(metadata=None, events=None, dual=True) -> PhotometryExperiment:
    time = 5 + np.arange(400) / 20
    bleaching = 50 + 20 * np.exp(-time / 8)
    signal = 5 + 1.25 * bleaching + 0.1 * np.sin(time)
    return PhotometryExperiment(signal, bleaching if dual else None, time, events, metadata)


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "recording.h5ad"


def again(experiment: PhotometryExperiment, path: Path) -> PhotometryExperiment:
    write_recording(experiment, path)
    return read_recording(path)


@pytest.mark.parametrize("dual", [True, False])
@pytest.mark.parametrize("processed", [True, False])
def test_every_trace_comes_back_bit_for_bit(path, dual, processed):
    experiment = make_experiment(dual=dual)
    if processed:
        experiment.preprocess_signal(correction_method="dF" if dual else "dB")
    reread = again(experiment, path)
    for attribute in [*TRACES.values(), "time"]:
        written, read = getattr(experiment, attribute), getattr(reread, attribute)
        assert (written is None) == (read is None), attribute
        assert written is None or np.array_equal(written, read), attribute
    assert reread.frequency == experiment.frequency
    if processed:
        fit = reread.metadata["reference_fit"]
        assert fit["coeffs"].tolist() == experiment.metadata["reference_fit"]["coeffs"]
        assert fit["r2_val"] == experiment.metadata["reference_fit"]["r2_val"]


@pytest.mark.parametrize("dual", [True, False])
def test_missing_samples_come_back(path, dual):
    experiment = make_experiment(dual=dual)
    experiment.raw_signal[7:9] = np.nan
    assert np.array_equal(again(experiment, path).raw_signal, experiment.raw_signal, equal_nan=True)


@pytest.mark.parametrize("rows", [[(1.0, 2.0, "spike", 11.5), (5.0, 6.0, "jump", 30.0)], []])
def test_artifacts_come_back(path, rows):
    experiment = make_experiment()
    experiment.artifacts = artifact_table(rows)
    pd.testing.assert_frame_equal(again(experiment, path).artifacts, experiment.artifacts)
    table = ad.read_h5ad(path).uns["artifacts"]
    assert table["type"].tolist() == [row[2] for row in rows]


def test_artifacts_not_looked_for_stay_so(path):
    assert again(make_experiment(), path).artifacts is None


@pytest.mark.parametrize(
    "coeffs", [[1.5, 2.0], {"gain": 1.5, "a/b": 2.0}], ids=["a list", "a mapping"]
)
def test_coefficients_come_back_as_numbers(path, coeffs):
    fit = {"type": "isosbestic", "r2_val": 0.5, "coeffs": coeffs}
    found = again(make_experiment({"reference_fit": fit}), path).metadata["reference_fit"]["coeffs"]
    assert (found if isinstance(coeffs, dict) else found.tolist()) == coeffs


@pytest.mark.parametrize("name", ["m3/day 1", None])
def test_the_experiment_s_id_comes_back(path, name):
    experiment = make_experiment()
    experiment.id = name
    assert again(experiment, path).id == name


def test_a_frequency_that_was_given_comes_back(path):
    time = np.arange(100) / 20
    experiment = PhotometryExperiment(time + 1, None, time, frequency=20.345)
    assert again(experiment, path).frequency == 20.345


def test_events_come_back_under_their_labels_and_in_their_order(path):
    events = {"z": [6.0], "a/b": [7.0, 8.5], "100%": [], "%2F": [9.0], "µ cue": [6.5]}
    reread = again(make_experiment(events=events), path).events
    assert list(reread) == list(events)
    assert {label: times.tolist() for label, times in reread.items()} == events


@pytest.mark.parametrize(
    "value",
    [
        None,
        "m3",
        "",
        "μm × 2",
        "null",
        7,
        -2.5,
        True,
        False,
        ["VTA", "NAc"],
        [1, "a", None, [2, {"b": 3}]],
        [True, False],
        [None],
        {"nested": {"deeper": {"deepest": None, "list": ["a"]}}, "n": 1},
        {},
        {"a/b": {"50 %/h": 1}, "%2F": 2},
        "json: see below",
    ],
)
def test_metadata_come_back_as_they_were(path, value):
    reread = again(make_experiment({"key": value, "a/b": value}), path).metadata
    assert reread == {"key": value, "a/b": value}
    assert type(reread["key"]) is type(value)


@pytest.mark.parametrize(
    ("value", "comes_back_as"),
    [
        ([1, 2, 3], [1, 2, 3]),
        ([1, 2.5], [1, 2.5]),
        ((0.5, 1.5), [0.5, 1.5]),
        ([], []),
        (np.arange(3), [0, 1, 2]),
        ([float("nan")], [float("nan")]),
        ([np.int64(1), np.int64(2)], [1, 2]),
    ],
)
def test_lists_of_numbers_come_back_as_arrays(path, value, comes_back_as):
    reread = again(make_experiment({"key": value}), path).metadata["key"]
    np.testing.assert_array_equal(reread, comes_back_as)
    assert np.asarray(reread).dtype.kind in "if"


@pytest.mark.parametrize(
    ("value", "text"), [(Path("a/b.csv"), "a/b.csv"), (date(2024, 2, 29), "2024-02-29")]
)
def test_paths_and_dates_come_back_as_text(path, value, text):
    assert again(make_experiment({"key": value}), path).metadata == {"key": text}


@pytest.mark.parametrize(("value", "listed"), [({"VTA", "NAc"}, ["NAc", "VTA"]), ({2, 1}, [1, 2])])
def test_sets_come_back_in_order(path, value, listed):
    assert list(again(make_experiment({"key": value}), path).metadata["key"]) == listed


def test_a_value_that_can_not_be_stored_is_named(path):
    with pytest.raises(TypeError, match="metadata/key: can't store a object"):
        write_recording(make_experiment({"key": object()}), path)


def test_a_recording_that_could_not_be_written_leaves_the_old_one(path):
    write_recording(make_experiment({"subject": "old"}), path)
    with pytest.raises(TypeError):
        write_recording(make_experiment({"subject": object()}), path)
    assert read_recording(path).metadata == {"subject": "old"}
    assert list(path.parent.iterdir()) == [path]


def test_anndata_opens_a_recording(path):
    experiment = make_experiment(
        {"subject": "m3", "none": None, "tags": ["a", "b"], "x/y": {"z": 1}}, {"a/b": [6.0, 7.0]}
    )
    experiment.preprocess_signal(fit_using="OLS")
    write_recording(experiment, path)
    adata = ad.read_h5ad(path)
    assert adata.obs_names.tolist() == list(TRACES)
    assert adata.obsm["trace"].shape == (6, 400)
    assert np.array_equal(adata["raw_signal"].obsm["trace"][0], experiment.raw_signal)
    assert np.array_equal(adata["fitted_reference"].obsm["trace"][0], experiment.fitted_ref)
    assert np.array_equal(adata.uns["time"], experiment.time)
    assert adata.uns["events"]["a%2Fb"].tolist() == [6, 7]
    metadata = adata.uns["metadata"]
    assert metadata["subject"] == "m3"
    assert metadata["none"] is None
    assert list(metadata["tags"]) == ["a", "b"]
    assert metadata["x%2Fy"] == {"z": 1}
    assert metadata["reference_fit"]["type"] == "isosbestic"


def test_equal_recordings_give_equal_bytes(path, tmp_path):
    experiment = make_experiment({"subject": "m3", "tags": ["a"]}, {"cue": [6.0]})
    write_recording(experiment, path)
    write_recording(experiment, tmp_path / "other.h5ad")
    assert path.read_bytes() == (tmp_path / "other.h5ad").read_bytes()


@pytest.mark.parametrize("found", [FORMAT_VERSION + 1, None])
def test_a_file_of_another_layout_is_refused_by_name(path, found):
    write_recording(make_experiment(), path)
    with h5py.File(path, "a") as file:
        del file["uns/format_version"]
        if found is not None:
            file["uns/format_version"] = found
    with pytest.raises(ValueError, match=rf"recording\.h5ad: .*version 1 \(found: {found}\)"):
        read_recording(path)


keys = st.text(st.sampled_from("ab/%2F5 é."), min_size=1)


@given(st.dictionaries(keys, st.dictionaries(keys, st.integers(), max_size=3), max_size=4))
def test_no_two_keys_are_stored_under_one_name(metadata):
    stored = storable(metadata)
    assert not any("/" in key for key in stored)
    assert restored(stored) == metadata
