"""A recording as a table: its columns, its events, and the file that a loader reads back."""

import logging
import tarfile
import zipfile

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from phopro_core import CSVLoader, PhotometryExperiment
from phopro_core.tables import long_table, wide_table, write_table

TIME = np.arange(10) / 10


def recording(n_samples: int = 10, **events) -> PhotometryExperiment:
    """At 10 Hz: a signal that counts up from 100, an isosbestic that counts up from 0."""
    samples = np.arange(float(n_samples))
    return PhotometryExperiment(100 + samples, samples, samples / 10, events)


@pytest.fixture
def processed() -> PhotometryExperiment:
    experiment = recording(cue=[0.2, 0.71])
    experiment.filt_sig = np.full(10, 1.0)
    experiment.filt_iso = np.full(10, 2.0)
    experiment.fitted_ref = np.full(10, 3.0)
    experiment.signal = np.full(10, 4.0)
    return experiment


class TestWide:
    def test_time_comes_first_and_then_every_trace_there_is(self, processed):
        table = wide_table(processed)
        values = {
            "time": TIME,
            "raw_signal": 100 + np.arange(10),
            "raw_isosbestic": np.arange(10),
            "filtered_signal": np.full(10, 1),
            "filtered_isosbestic": np.full(10, 2),
            "fitted_reference": np.full(10, 3),
            "processed_signal": np.full(10, 4),
        }
        pd.testing.assert_frame_equal(table, pd.DataFrame(values, dtype=float))

    def test_traces_that_there_are_not_have_no_column(self):
        assert list(wide_table(recording())) == ["time", "raw_signal", "raw_isosbestic"]
        single = PhotometryExperiment([5, 6], None, [0, 1])
        assert list(wide_table(single)) == ["time", "raw_signal"]

    def test_the_filtered_traces_can_be_left_out(self, processed):
        assert list(wide_table(processed, include_filtered_traces=False)) == [
            "time",
            "raw_signal",
            "raw_isosbestic",
            "fitted_reference",
            "processed_signal",
        ]

    def test_changing_the_table_leaves_the_recording_as_it_was(self):
        experiment = recording()
        table = wide_table(experiment)
        table.loc[:] = -1
        assert experiment.raw_signal[0] == 100
        assert experiment.time[0] == 0

    def test_a_gap_stays_a_gap(self, processed):
        processed.signal[3:5] = np.nan
        assert np.flatnonzero(wide_table(processed)["processed_signal"].isna()).tolist() == [3, 4]
        fewer = wide_table(processed, downsample=2)
        assert np.flatnonzero(fewer["processed_signal"].isna()).tolist() == [1, 2]
        assert fewer["raw_signal"].notna().all()

    def test_time_and_traces_are_downsampled_in_the_way_chosen(self):
        means = wide_table(recording(), downsample=4)
        np.testing.assert_allclose(means["time"], [0.15, 0.55])
        assert means["raw_signal"].tolist() == [101.5, 105.5]
        assert means["raw_isosbestic"].tolist() == [1.5, 5.5]
        resampled = wide_table(recording(), 4, {"method": "resample"})
        assert resampled["time"].tolist() == [0, 0.4, 0.8]

    def test_downsampling_to_nothing_is_refused(self):
        with pytest.raises(
            ValueError, match="downsample is 11, which leaves nothing of 10 samples"
        ):
            wide_table(recording(), downsample=11)


class TestEvents:
    def test_events_are_left_out_unless_asked_for(self):
        assert "cue" not in wide_table(recording(cue=[0.2]))

    def test_each_event_is_counted_in_the_sample_nearest_to_it(self):
        times = [0.21, 0.649, 0.65, 0.651, 0.2]  # 0.65 lies between two samples
        table = wide_table(recording(lev=times, cue=[0.9], none=[]), export_events=True)
        assert list(table)[3:] == ["lev", "cue", "none"]
        assert table["lev"].tolist() == [0, 0, 2, 0, 0, 0, 2, 1, 0, 0]
        assert table["cue"].tolist() == [0] * 9 + [1]
        assert table["none"].tolist() == [0] * 10
        assert all(table[label].dtype == np.int64 for label in ("lev", "cue", "none"))

    def test_no_event_is_lost_between_the_samples_kept_or_beyond_them(self):
        # Kept are 0.15 and 0.55 s; the last, incomplete block has no sample of its own.
        experiment = recording(cue=[0.0, 0.34, 0.36, 0.5, 0.9])
        assert wide_table(experiment, 4, export_events=True)["cue"].tolist() == [2, 3]

    def test_a_single_kept_sample_has_all_events(self):
        experiment = recording(cue=[0.0, 0.5, 0.9], none=[])
        table = wide_table(experiment, downsample=7, export_events=True)
        assert table["cue"].tolist() == [3]
        assert table["none"].tolist() == [0]

    @given(
        times=st.lists(st.floats(0, 3.9), max_size=30),
        factor=st.integers(1, 40),
        method=st.sampled_from(["mean", "resample"]),
    )
    def test_every_event_is_counted_once_and_where_no_other_row_is_nearer(
        self, times, factor, method
    ):
        experiment = recording(40, cue=times)
        table = wide_table(experiment, factor, {"method": method}, export_events=True)
        assert table["cue"].sum() == len(times)
        gaps = np.abs(np.subtract.outer(times, table["time"].to_numpy())).reshape(-1, len(table))
        for row in np.flatnonzero(table["cue"]):
            claimed = (gaps[:, row] <= gaps.min(axis=1) + 1e-6).sum()
            assert table["cue"][row] <= claimed

    @pytest.mark.parametrize("factor", [None, 3])
    def test_events_outside_the_recording_are_left_out_and_said_to_be(self, caplog, factor):
        # Half a sample beyond its ends, a sample of the recording is still the nearest.
        experiment = recording(cue=[-5.0, -0.06, -0.04, 0.94, 0.96, 7.0], lev=[0.5])
        with caplog.at_level(logging.WARNING):
            cue = wide_table(experiment, factor, export_events=True)["cue"]
        assert (cue.iloc[0], cue.iloc[-1], cue.sum()) == (1, 1, 2)
        assert [record.getMessage() for record in caplog.records] == [
            "Left 4 of 6 occurrences of cue out of the table: they lie outside the recording "
            "(0 to 0.9 s)"
        ]

    @pytest.mark.parametrize("label", ["time", "raw_signal", "processed_signal"])
    def test_an_event_named_like_another_column_is_refused_where_events_are_exported(self, label):
        experiment = recording(**{label: [0.1], "cue": [0.2]})
        with pytest.raises(ValueError, match=rf"events can't be named \['{label}'\]"):
            wide_table(experiment, export_events=True)
        assert list(wide_table(experiment)) == ["time", "raw_signal", "raw_isosbestic"]


class TestLong:
    def test_the_samples_of_each_trace_follow_one_another(self):
        table = long_table(PhotometryExperiment([5, 6], [1, 2], [0, 0.1]))
        assert list(table) == ["time", "source", "value"]
        assert table.to_numpy().tolist() == [
            [0, "raw_signal", 5],
            [0.1, "raw_signal", 6],
            [0, "raw_isosbestic", 1],
            [0.1, "raw_isosbestic", 2],
        ]

    @pytest.mark.parametrize(
        "settings",
        [
            {},
            {"downsample": 3},
            {"downsample": 3, "downsample_kwargs": {"method": "resample"}},
            {"export_events": True},
            {"include_filtered_traces": False},
        ],
    )
    def test_it_holds_what_the_wide_table_holds(self, processed, settings):
        wide = wide_table(processed, **settings).set_index("time")
        long = long_table(processed, **settings)
        assert long["source"].unique().tolist() == list(wide)
        for source, rows in long.groupby("source"):
            assert rows["time"].tolist() == wide.index.tolist()
            assert rows["value"].tolist() == wide[source].tolist()

    def test_events_may_be_named_like_its_columns(self):
        table = long_table(recording(value=[0.2], source=[0.3]), export_events=True)
        assert table["source"].unique().tolist()[2:] == ["value", "source"]
        assert table.groupby("source")["value"].sum()["value"] == 1


class TestFile:
    @pytest.mark.parametrize("suffix", [".csv", ".csv.gz", ".csv.bz2", ".csv.xz", ".zip"])
    def test_a_loader_reads_the_wide_form_back(self, tmp_path, suffix):
        rng = np.random.default_rng(0)
        time = 3 + np.arange(200) / 29.97
        events = {"cue": time[[0, 50, 199]], "lev µ, 1": time[[20]], "none": []}
        written = PhotometryExperiment(rng.random(200), rng.random(200) * 1e-9, time, events)
        path = tmp_path / f"day.3{suffix}"
        write_table(written, path)
        read = CSVLoader(
            path, signal_col="raw_signal", isosbestic_col="raw_isosbestic", event_cols=list(events)
        ).load()
        np.testing.assert_allclose(read.time, written.time, rtol=1e-13)
        np.testing.assert_allclose(read.raw_signal, written.raw_signal, rtol=1e-13)
        np.testing.assert_allclose(read.raw_isosbestic, written.raw_isosbestic, rtol=1e-13)
        assert list(read.events) == list(events)
        for label, times in events.items():
            np.testing.assert_allclose(read.events[label], times, rtol=1e-13)

    def test_a_single_channel_comes_back_as_one(self, tmp_path):
        path = tmp_path / "single.csv"
        write_table(PhotometryExperiment([5, 6], None, [0, 1]), path)
        read = CSVLoader(path, signal_col="raw_signal", isosbestic_col="raw_isosbestic").load()
        assert read.raw_isosbestic is None
        assert read.raw_signal.tolist() == [5, 6]

    def test_the_file_is_the_table_without_an_index(self, processed, tmp_path):
        write_table(processed, tmp_path / "table.csv", downsample=5)
        lines = (tmp_path / "table.csv").read_text().splitlines()
        heading = "time,raw_signal,raw_isosbestic,fitted_reference,processed_signal,cue"
        assert lines == [heading, "0.2,102.0,2.0,3.0,4.0,1", "0.7,107.0,7.0,3.0,4.0,1"]

    @pytest.mark.parametrize(("format", "tabulate"), [("wide", wide_table), ("long", long_table)])
    def test_all_settings_reach_the_table(self, processed, tmp_path, format, tabulate):
        settings = {
            "downsample": 3,
            "downsample_kwargs": {"method": "resample"},
            "export_events": False,
            "include_filtered_traces": True,
        }
        write_table(processed, tmp_path / "table.csv", **settings, format=format)
        read = pd.read_csv(tmp_path / "table.csv", float_precision="round_trip")
        pd.testing.assert_frame_equal(read, tabulate(processed, **settings))

    def test_another_format_is_refused(self, tmp_path):
        with pytest.raises(ValueError, match="format is 'tall', but must be one of wide, long"):
            write_table(recording(), tmp_path / "table.csv", format="tall")

    def test_an_archive_holds_the_file_under_its_own_name(self, tmp_path):
        write_table(recording(), tmp_path / "day 3.csv.zip")
        with zipfile.ZipFile(tmp_path / "day 3.csv.zip") as archive:
            assert archive.namelist() == ["day 3.csv"]
        write_table(recording(), tmp_path / "day 3.csv.tar.gz")
        with tarfile.open(tmp_path / "day 3.csv.tar.gz") as archive:
            assert archive.getnames() == ["day 3.csv"]

    def test_when_writing_fails_the_old_file_stays_and_nothing_else(self, tmp_path, monkeypatch):
        path = tmp_path / "table.csv"
        path.write_text("old")

        def fail_half_way(self, file, **kwargs):
            file.write_text("half")
            raise OSError("disk full")

        monkeypatch.setattr(pd.DataFrame, "to_csv", fail_half_way)
        with pytest.raises(OSError, match="disk full"):
            write_table(recording(), path)
        assert path.read_text() == "old"
        assert list(tmp_path.iterdir()) == [path]


class TestMethods:
    """The experiment's own, whose arguments stand in another order."""

    def test_dataframes_are_those_of_the_functions(self, processed):
        fewer = {"downsample": 2, "downsample_kwargs": {"method": "resample"}}
        pd.testing.assert_frame_equal(processed.to_wide_dataframe(), wide_table(processed))
        pd.testing.assert_frame_equal(
            processed.to_wide_dataframe(2, True, {"method": "resample"}),
            wide_table(processed, **fewer, export_events=True),
        )
        pd.testing.assert_frame_equal(processed.to_long_dataframe(), long_table(processed))
        pd.testing.assert_frame_equal(
            processed.to_long_dataframe(2, {"method": "resample"}), long_table(processed, **fewer)
        )

    @pytest.mark.parametrize("format", ["wide", "long"])
    def test_files_are_those_of_the_function(self, processed, tmp_path, format):
        settings = {
            "downsample": 3,
            "downsample_kwargs": {"method": "resample"},
            "export_events": False,
            "include_filtered_traces": True,
            "format": format,
        }
        for name, arguments in (("defaults", {}), ("others", settings)):
            processed.write_csv(tmp_path / f"{name}.csv", **arguments)
            write_table(processed, tmp_path / f"{name}_expected.csv", **arguments)
            written = (tmp_path / f"{name}.csv").read_text()
            assert written == (tmp_path / f"{name}_expected.csv").read_text()
