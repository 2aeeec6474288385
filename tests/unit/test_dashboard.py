"""Dashboards as files: what stands in them, how large they are, and that they repeat."""

import xml.etree.ElementTree as ET

import numpy as np
import pytest
from matplotlib.collections import PolyCollection

from phopro_core import PhotometryExperiment
from phopro_core.artifacts.base import artifact_table
from phopro_core.simulation import simulate_recording


def experiment(dual: bool = True, processed: bool = True, **settings) -> PhotometryExperiment:
    truth = simulate_recording(0, duration=120.0, single_channel=not dual)
    recording = PhotometryExperiment(
        truth.signal, truth.isosbestic, truth.time, truth.events, {"source": "data/m3 day 1.csv"}
    )
    if processed:
        method = settings.pop("correction_method", "dF/F" if dual else "dB/B")
        recording.preprocess_signal(correction_method=method, **settings)
    return recording


@pytest.fixture
def texts(tmp_path):
    """The texts of a recording's dashboard, in the order of the file."""

    def draw(recording: PhotometryExperiment, **settings) -> list[str]:
        path = tmp_path / "dashboard.svg"
        assert recording.plot_dashboard(path, **settings) is None
        elements = ET.parse(path).getroot().iter("{http://www.w3.org/2000/svg}text")
        return ["".join(element.itertext()).strip() for element in elements]

    return draw


def test_traces_events_and_units_are_written_as_text(texts):
    recording = experiment()
    found = texts(recording)
    for text in (
        "filtered signal",
        "filtered isosbestic",
        "fitted reference",
        "processed signal",
        "time (s)",
        "fluorescence (a.u.)",
        "dF/F",
        "m3 day 1.csv",
        *(f"{label} ({times.size})" for label, times in recording.events.items()),
    ):
        assert found.count(text) == 1, text


@pytest.mark.parametrize(
    ("dual", "method", "unit"),
    [
        (True, "dF", "dF (a.u.)"),
        (False, "dB/B", "dB/B"),
        (False, "dB", "dB (a.u.)"),
        (True, lambda signal, reference: signal / reference, "<lambda>"),
    ],
)
def test_the_unit_is_that_of_the_correction(texts, dual, method, unit):
    assert unit in texts(experiment(dual, correction_method=method))


def test_without_correction_the_processed_signal_is_fluorescence(texts):
    found = texts(experiment(correction_method="none"))
    assert found.count("fluorescence (a.u.)") == 2
    assert "none" not in found


def test_a_single_channel_shows_no_isosbestic(texts):
    assert "filtered isosbestic" not in texts(experiment(dual=False))
    assert "raw isosbestic" not in texts(experiment(dual=False), raw=True)


@pytest.mark.parametrize(("processed", "raw"), [(False, "auto"), (False, True), (True, True)])
def test_the_raw_traces_are_drawn_until_preprocessed_or_when_asked(texts, processed, raw):
    found = texts(experiment(processed=processed), raw=raw)
    assert "raw signal" in found
    assert "raw isosbestic" in found
    assert "processed signal" not in found


def test_processed_traces_can_not_be_drawn_before_preprocessing(tmp_path):
    with pytest.raises(ValueError, match="no processed traces to draw; preprocess"):
        experiment(processed=False).plot_dashboard(tmp_path / "dashboard.svg", raw=False)
    assert list(tmp_path.iterdir()) == []


def test_the_title_is_the_one_given_or_the_id_or_the_source(texts):
    recording = experiment()
    assert "m3 day 1.csv" in texts(recording)
    recording.id = "m3_day_1"
    assert "m3_day_1" in texts(recording)
    found = texts(recording, title="<a & b>")
    assert "<a & b>" in found
    assert "m3_day_1" not in found


@pytest.mark.parametrize(
    "label",
    [
        "a/b",
        "100%",
        "<cue> & more",
        "µ",
        "_cue",
        "$_$",
    ],
)
def test_an_event_may_have_any_label(texts, label):
    recording = experiment()
    recording.events[label] = np.array([30.0, 60.0])
    assert f"{label} (2)" in texts(recording)


def test_the_same_recording_gives_the_same_bytes(tmp_path):
    for name in ("a", "b"):
        experiment().plot_dashboard(tmp_path / f"{name}.svg")
    first = (tmp_path / "a.svg").read_bytes()
    assert first == (tmp_path / "b.svg").read_bytes()
    assert b"<dc:date>" not in first


def test_an_hour_at_1_khz_stays_under_2_mb_and_keeps_its_peak(tmp_path):
    rng = np.random.default_rng(0)
    time = np.arange(3_600_000) / 1000
    noise = rng.standard_normal(time.size)
    noise[2_000_000] = 1000.0
    events = {f"event {k}": rng.uniform(0, 3600, 500) for k in range(4)}
    recording = PhotometryExperiment(100 + noise, 100 + noise[::-1], time, events)
    recording.preprocess_signal(cutoff_frequency=None, correction_method="dF", fit_using="OLS")
    path = tmp_path / "dashboard.svg"
    recording.plot_dashboard(path)
    assert 10_000 < path.stat().st_size < 2_000_000
    lower = recording.plot_dashboard().axes[1].lines[0]
    assert lower.get_ydata().size < 10_000
    assert lower.get_ydata().max() == recording.signal.max()
    assert lower.get_xdata()[lower.get_ydata().argmax()] == 2000.0
    assert lower.get_xdata()[[0, -1]].tolist() == time[[0, -1]].tolist()


def test_without_a_path_the_figure_is_returned_with_the_traces_on_it():
    recording = experiment()
    upper, lower = recording.plot_dashboard().axes
    drawn = [line.get_ydata() for line in upper.lines[:3]]
    traces = (recording.filt_sig, recording.filt_iso, recording.fitted_ref)
    for line, trace in zip(drawn, traces, strict=True):
        assert np.array_equal(line, trace)
    assert np.array_equal(lower.lines[0].get_ydata(), recording.signal)
    assert np.array_equal(lower.lines[0].get_xdata(), recording.time)


def test_events_are_marked_at_their_times():
    recording = experiment()
    marks = recording.plot_dashboard().axes[1].lines[1:]
    for mark, times in zip(marks, recording.events.values(), strict=True):
        x, y = mark.get_xdata().reshape(-1, 3), mark.get_ydata().reshape(-1, 3)
        np.testing.assert_array_equal(x, np.stack([times] * 3, axis=1))
        assert (y[:, 0] < y[:, 1]).all()
        assert np.isnan(y[:, 2]).all()


@pytest.mark.parametrize(
    "labels",
    [["cue"], ["an event with such a long name " * 4], [f"event {k}" for k in range(40)]],
)
def test_labels_lie_inside_the_picture(labels):
    recording = experiment()
    recording.events |= {label: np.array([20.0]) for label in labels}
    recording.signal *= 1e5
    figure = recording.plot_dashboard()
    renderer = figure.canvas.get_renderer()
    for ax in figure.axes:
        box = ax.get_tightbbox(renderer)  # with its legend, labels and numbers
        assert figure.bbox.x0 <= box.x0 and box.x1 <= figure.bbox.x1
        assert figure.bbox.y0 <= box.y0 and box.y1 <= figure.bbox.y1
        numbers = [text.get_window_extent(renderer) for text in ax.get_yticklabels()]
        assert ax.yaxis.label.get_window_extent(renderer).x1 < min(box.x0 for box in numbers)
    upper, lower = (ax.get_legend().get_window_extent(renderer) for ax in figure.axes)
    assert lower.y1 < upper.y0


def test_downsampling_draws_means():
    recording = experiment()
    line = recording.plot_dashboard(downsample=30).axes[1].lines[0]
    np.testing.assert_allclose(line.get_ydata(), recording.signal.reshape(-1, 30).mean(axis=1))
    np.testing.assert_allclose(line.get_xdata(), recording.time.reshape(-1, 30).mean(axis=1))


def test_a_picture_in_the_format_of_its_suffix(tmp_path):
    path = tmp_path / "new folder" / "dashboard.png"
    experiment().plot_dashboard(path)
    assert path.read_bytes().startswith(b"\x89PNG")
    assert list(path.parent.iterdir()) == [path]


def test_artifacts_are_bands_with_their_numbers(texts):
    recording = experiment()
    assert not {"spike (2)", "jump (1)"} & set(texts(recording))
    rows = [(10, 11, "spike", 20), (50, 51, "spike", 20), (70, 71, "jump", 9)]
    recording.artifacts = artifact_table(rows)
    assert {"spike (2)", "jump (1)"} <= set(texts(recording))
    assert "spike (2)" not in texts(recording, raw=True)
    figure = recording.plot_dashboard()
    for ax in figure.axes:
        bands = [one for one in ax.collections if isinstance(one, PolyCollection)]
        edges = [
            (path.vertices[:, 0].min(), path.vertices[:, 0].max())
            for band in bands
            for path in band.get_paths()
        ]
        assert sorted(edges) == [(10, 11), (50, 51), (70, 71)]


def test_gaps_are_drawn_as_gaps(texts):
    recording = experiment()
    recording.signal[500:900] = np.nan
    line = recording.plot_dashboard().axes[1].lines[0]
    assert np.isnan(line.get_ydata()[500:900]).all()
    assert "processed signal" in texts(recording, downsample=10)
