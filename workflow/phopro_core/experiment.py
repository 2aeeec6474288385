"""One continuous recording: its traces, events and metadata, and what is made of them.

This module is imported wherever a Snakefile is parsed, to check settings against the
signatures below; so the numeric libraries are imported by the methods that need them.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from phopro_core.artifacts.base import ArtifactCorrector, ArtifactDetector
from phopro_core.checking import checked_event, checked_time, checked_trace

if TYPE_CHECKING:
    from datetime import datetime

    import pandas as pd
    from matplotlib.figure import Figure

    from phopro_core.dataset import PhotometryData


class PhotometryExperiment:
    """One continuous session of one fiber: time, signal, optional isosbestic, events.

    Parameters
    ----------
    raw_signal : array, shape (n_samples,)
        Fluorescence at the sensor's wavelength, in the units of the acquisition system;
        NaN where a sample is missing.
    raw_isosbestic : array, shape (n_samples,), or None
        Fluorescence at the sensor-independent wavelength; None for a single-channel
        recording.
    time : array, shape (n_samples,)
        Seconds, strictly increasing.
    events : mapping of label to array, optional
        Times of each event, seconds on the same clock.
    metadata : mapping, optional
        Whatever is known of the recording: subject, sex, source …
    frequency : float, optional
        Sampling rate, Hz. By default the mean rate, (n − 1) / (last − first time).

    Attributes
    ----------
    id : str or None
        Name of the experiment, where it was given one.
    filt_sig, filt_iso, fitted_ref, signal : array, shape (n_samples,), or None
        Filtered signal (without artifacts that were mended), filtered isosbestic, fitted
        reference and processed signal; NaN in gaps; None before :meth:`preprocess_signal`.
    artifacts : DataFrame or None
        Start and stop (seconds), type and score of each artifact found; None where none
        were looked for.
    trial_data, baseline_data : PhotometryData or None
        Trials and their baseline windows; None before :meth:`extract_trial_data`, and
        the baselines also where no baseline bounds were given.
    trial_windows : array, shape (n_trials, 2), or None
        First and last sample of each trial as it was extracted, seconds.

    Raises
    ------
    ValueError
        If the arrays differ in length, are not one-dimensional, hold fewer than two
        samples or an infinite value, or time does not increase.

    Examples
    --------
    >>> time = np.arange(0, 60, 0.05)
    >>> bleaching = np.exp(-time / 100)
    >>> experiment = PhotometryExperiment(
    ...     2 * bleaching, bleaching, time, events={"cue": [10.0, 30.0]}
    ... )
    >>> experiment.preprocess_signal(fit_using="OLS")
    >>> experiment.extract_trial_data(align_to="cue", trial_bounds=(-2, 5))
    >>> print(experiment.trial_data)
    Photometry dataset with 2 trials, 140 timepoints, and 2 observations.
    """

    def __init__(
        self,
        raw_signal: np.ndarray,
        raw_isosbestic: np.ndarray | None,
        time: np.ndarray,
        events: Mapping[str, Sequence[float]] | None = None,
        metadata: Mapping[str, Any] | None = None,
        frequency: float | None = None,
    ) -> None:
        self.time = checked_time(time)
        self.raw_signal = checked_trace("raw_signal", raw_signal, self.time)
        self.raw_isosbestic = (
            None
            if raw_isosbestic is None
            else checked_trace("raw_isosbestic", raw_isosbestic, self.time)
        )
        self.events = {
            str(label): checked_event(label, times) for label, times in (events or {}).items()
        }
        self.metadata = dict(metadata or {})
        self.frequency = (
            (self.time.size - 1) / (self.time[-1] - self.time[0])
            if frequency is None
            else float(frequency)
        )
        self.id: str | None = None
        self._forget_processing()

    def __repr__(self) -> str:
        kind = "single" if self.raw_isosbestic is None else "dual"
        return (
            f"{kind}-channel recording of {self.time.size} samples at {self.frequency:g} Hz, "
            f"with {len(self.events)} events"
        )

    def preprocess_signal(
        self,
        cutoff_frequency: float | None = 3.0,
        order: int = 4,
        signal_normalization: Literal["zscore", "nullZ", "none"] | Callable = "none",
        correction_method: Literal["dF/F", "dF", "dB/B", "dB", "none"] | Callable = "dF/F",
        fit_using: Literal["OLS", "IRLS", "detrend_retrend", "detrend_fit_retrend"]
        | Callable = "IRLS",
        add_intercept: bool = True,
        maxiter: int = 1000,
        c: float = 3.0,
        window_dur_sec: float = 5.0,
        channel_mode: Literal["auto", "dual", "single"] = "auto",
        resample_gaps: float | None = None,
        artifact_detector: ArtifactDetector | None = None,
        artifact_corrector: ArtifactCorrector | None = None,
        frequency: float | None = None,
    ) -> None:
        """Filter the traces, fit the reference, and correct the signal with it.

        Sets ``filt_sig``, ``filt_iso``, ``fitted_ref`` and ``signal``, ``artifacts``,
        and in the metadata reference_fit (type, r2_val, coeffs), correction_method, gaps
        and artifacts (how many of each type); discards trials extracted before.

        Parameters
        ----------
        cutoff_frequency : float or None
            Low-pass cutoff, Hz; None switches the filter off.
        order : int
            Order of the Butterworth low-pass.
        signal_normalization : {'none', 'zscore', 'nullZ'} or callable
            Of the whole processed signal: to zero mean and unit standard deviation, to
            unit standard deviation only, or by a function of the signal.
        correction_method : {'dF/F', 'dF', 'dB/B', 'dB', 'none'} or callable
            How the reference is taken out: 'dF/F' and 'dF' with two channels, 'dB/B' and
            'dB' with one, or a function of signal and reference.
        fit_using : {'IRLS', 'OLS', 'detrend_retrend', 'detrend_fit_retrend'} or callable
            How the isosbestic is fitted to the signal: robustly (Tukey's biweight), by
            ordinary least squares, by swapping its photobleaching curve for the signal's,
            the same with a robust fit in between, or by a function of signal and
            isosbestic that returns the reference and its parameters.
        add_intercept : bool
            Whether a fitted line may miss the origin.
        maxiter, c : int, float
            Of the robust fit: iterations at most, and tuning constant.
        window_dur_sec : float
            Of photobleaching fits: length of the median windows, seconds.
        channel_mode : {'auto', 'dual', 'single'}
            'single' leaves an isosbestic unused; 'dual' insists on one.
        resample_gaps : float or None
            Bring the raw traces to an even clock first, bridging gaps of up to so many
            seconds. Longer ones become NaN, and trials that touch them invalid. None
            refuses a recording with missing samples or an uneven clock.
        artifact_detector : ArtifactDetector, optional
            Finds artifacts in the processed signal.
        artifact_corrector : ArtifactCorrector, optional
            Mends what the detector finds.
        frequency : float or None
            Sampling rate, Hz, to take instead of the one that was measured, within a
            hundredth of it: so recordings whose clocks differ a little have trials of the
            same time points.

        Raises
        ------
        ValueError
            If a setting is not one of those above, does not fit the recording's
            channels, length or sampling rate, sampling is uneven, or the isosbestic is
            constant.
        """
        from phopro_core.preprocessing import preprocess

        self._even_out(resample_gaps, frequency)
        processed = preprocess(
            self.raw_signal,
            self.raw_isosbestic,
            self.time,
            self.frequency,
            cutoff_frequency=cutoff_frequency,
            order=order,
            signal_normalization=signal_normalization,
            correction_method=correction_method,
            fit_using=fit_using,
            add_intercept=add_intercept,
            maxiter=maxiter,
            c=c,
            window_dur_sec=window_dur_sec,
            channel_mode=channel_mode,
            artifact_detector=artifact_detector,
            artifact_corrector=artifact_corrector,
        )
        self._forget_processing()
        self.filt_sig = processed.filtered_signal
        self.filt_iso = processed.filtered_isosbestic
        self.fitted_ref = processed.fit.reference
        self.signal = processed.processed_signal
        self.artifacts = processed.artifacts
        coeffs = processed.fit.coeffs
        self.metadata["reference_fit"] = {
            "type": processed.reference_type,
            "r2_val": processed.fit.r2,
            "coeffs": dict(coeffs) if isinstance(coeffs, Mapping) else coeffs.tolist(),
        }
        self.metadata["correction_method"] = (
            correction_method.__name__ if callable(correction_method) else correction_method
        )
        self.metadata.pop("artifacts", None)
        if self.artifacts is not None:
            self.metadata["artifacts"] = self.artifacts["type"].value_counts().to_dict()

    def _even_out(self, longest_gap: float | None, frequency: float | None) -> None:
        """Bring the raw traces to an even clock, or, by None, refuse an uneven one."""
        from phopro_core.sampling import check_frequency, check_sampling, resample_evenly

        if frequency is not None:
            check_frequency(self.time, frequency)
            self.frequency = float(frequency)
        channels = [self.raw_signal, self.raw_isosbestic]
        traces = [trace for trace in channels if trace is not None]
        if longest_gap is None:
            check_sampling(self.time, traces)
            return
        even = resample_evenly(self.time, np.stack(traces), longest_gap, frequency)
        if even.time is self.time:
            return
        bridged_before = self.metadata.get("gaps", {}).get("bridged", 0)
        self.time, self.frequency = even.time, even.frequency
        self.raw_signal = even.traces[0]
        if self.raw_isosbestic is not None:
            self.raw_isosbestic = even.traces[1]
        self._forget_processing()
        self.metadata["gaps"] = {
            "bridged": bridged_before + len(even.bridged),
            "left_open": len(even.left_open),
        }

    def extract_trial_data(
        self,
        align_to: str | Sequence[str] | float | Sequence[float],
        trial_bounds: tuple[float, float],
        center_on: str | Sequence[str] | None = None,
        baseline_bounds: tuple[float, float] | None = None,
        event_tolerances: Mapping[str, tuple[float, float] | None] | None = None,
        trial_normalization: Literal["zscore", "zero", "mad", "amp", "none"] | Callable = "none",
        check_overlap: bool = True,
        all_events: bool = True,
        window_alignment: Literal["nearest", "interp"] = "nearest",
        invalid_window_policy: Literal["drop", "error"] = "drop",
        event_conflict_logic: Literal["first", "last", "mean", "all"] = "first",
        window_times: bool = False,
        downsample: int | None = None,
        downsample_kwargs: Mapping[str, Any] | None = None,
        event_tolerences: Mapping[str, tuple[float, float] | None] | None = None,
    ) -> None:
        """Cut the processed signal into trials around events.

        Sets ``trial_data``, one row per trial, with the columns trial_num, the align
        label, the events (seconds from the trial's centre, NaN where absent); and
        ``baseline_data`` where baseline bounds are given, all of whose times are seconds
        from the align time. ``metadata["invalid_windows"]`` are the indices of the trials
        that were dropped, ``metadata["windows_in_gaps"]`` those of them in a gap.

        Parameters
        ----------
        align_to : str, list of str, float or list of float
            The event that makes a trial; several events, pooled by time (their names in
            the column align_event); or times in seconds. Align times that are not of a
            single event stand in the column ALIGNMENTS.
        trial_bounds : (low, high)
            Seconds from the trial's centre.
        center_on : str or list of str, optional
            Events to centre trials on: the one that falls in its tolerance becomes the
            trial's centre; without one it stays at its align time.
        baseline_bounds : (low, high), optional
            Seconds from the align time.
        event_tolerances : mapping of label to (low, high) or None, optional
            Seconds from the align time in which an event belongs to the trial; None
            stands for the trial bounds. Also accepted as `event_tolerences`.
        trial_normalization : {'none', 'zscore', 'zero', 'mad', 'amp'} or callable
            Against the baseline window; see
            :func:`phopro_core.normalization.normalize_trials`.
        check_overlap : bool
            Whether several `center_on` events in one trial are an error; if not, the one
            named last wins.
        all_events : bool
            Whether to annotate every other event too, with the trial bounds.
        window_alignment : {'nearest', 'interp'}
            Whether centres and events snap to the nearest sample, or the signal is
            interpolated linearly around the exact centre.
        invalid_window_policy : {'drop', 'error'}
            What becomes of windows that reach outside the recording, or touch a gap.
        event_conflict_logic : {'first', 'last', 'mean', 'all'}
            Which of several occurrences in one tolerance counts; 'all' keeps them in
            columns <label>, <label>_occurrence_2, …
        window_times : bool
            Whether to tell the place of each window in the recording: columns start_time
            and stop_time, seconds, of its first and its last sample.
        downsample : int, optional
            Keep one sample in so many, of the normalized trials.
        downsample_kwargs : mapping, optional
            Of :func:`phopro_core.downsampling.downsample`, such as the method.

        Raises
        ------
        ValueError
            If the signal was not preprocessed, an event is not in the recording, nothing
            can be aligned, no window is valid, several `center_on` events fall in one
            trial, or a setting is not one of those above.
        """
        from phopro_core.dataset import PhotometryData
        from phopro_core.extraction import extract_trials

        if self.signal is None:
            raise ValueError("no processed signal to extract trials from; preprocess it first")
        if event_tolerences is not None:
            if event_tolerances is not None:
                raise ValueError("give either event_tolerances or event_tolerences, not both")
            event_tolerances = event_tolerences
        table = extract_trials(
            self.signal,
            self.time,
            self.frequency,
            self.events,
            align_to=align_to,
            trial_bounds=trial_bounds,
            center_on=center_on,
            baseline_bounds=baseline_bounds,
            event_tolerances=event_tolerances,
            trial_normalization=trial_normalization,
            check_overlap=check_overlap,
            all_events=all_events,
            window_alignment=window_alignment,
            invalid_window_policy=invalid_window_policy,
            event_conflict_logic=event_conflict_logic,
            window_times=window_times,
            downsample=downsample,
            downsample_kwargs=downsample_kwargs,
        )
        self.metadata["invalid_windows"] = table.invalid_windows
        self.metadata["windows_in_gaps"] = table.windows_in_gaps
        about = {"metadata": dict(self.metadata)}
        self.trial_data = PhotometryData.from_arrays(
            table.obs, table.signals, table.t, metadata=about
        )
        self.trial_windows = table.windows
        self.baseline_data = (
            None
            if table.baselines is None
            else PhotometryData.from_arrays(
                table.baseline_obs, table.baselines, table.baseline_t, metadata=about
            )
        )

    def trim_times_by_values(self, lower: float | None = None, upper: float | None = None) -> None:
        """Keep the samples with lower ≤ time ≤ upper (seconds), and the events among them.

        Processed traces and trials are discarded: they were made of the whole.
        """
        start = 0 if lower is None else int(np.searchsorted(self.time, lower, side="left"))
        stop = None if upper is None else int(np.searchsorted(self.time, upper, side="right"))
        self.trim_times_by_index(start, stop)

    def trim_times_by_index(
        self, start_idx: int | None = None, stop_idx: int | None = None
    ) -> None:
        """Keep the samples start_idx … stop_idx − 1, and the events among them.

        Processed traces and trials are discarded: they were made of the whole.
        """
        kept = slice(start_idx, stop_idx)
        time = self.time[kept]
        if time.size < 2:
            raise ValueError(
                f"trimming to samples {start_idx} … {stop_idx} leaves {time.size} of "
                f"{self.time.size} samples ({self.time[0]:g} to {self.time[-1]:g} s)"
            )
        self.time = time
        self.raw_signal = self.raw_signal[kept]
        if self.raw_isosbestic is not None:
            self.raw_isosbestic = self.raw_isosbestic[kept]
        self.events = {
            label: times[(times >= time[0]) & (times <= time[-1])]
            for label, times in self.events.items()
        }
        self._forget_processing()

    def merge_events(
        self, to_merge: Sequence[str], new_label: str, drop_merged: bool = True
    ) -> None:
        """Pool events under a new label, ordered by time; drop their own labels or not."""
        missing = [label for label in to_merge if label not in self.events]
        if missing:
            raise ValueError(f"no events {missing} to merge (has: {', '.join(self.events)})")
        merged = np.sort(np.concatenate([self.events[label] for label in to_merge]))
        if drop_merged:
            for label in to_merge:
                del self.events[label]
        self.events[new_label] = merged

    def to_wide_dataframe(
        self,
        downsample: int | None = None,
        export_events: bool = False,
        downsample_kwargs: Mapping[str, Any] | None = None,
    ) -> "pd.DataFrame":
        """One row per sample: time (seconds), the traces there are, and events if asked for.

        Parameters
        ----------
        downsample : int, optional
            Keep one sample in so many.
        export_events : bool
            Whether to add a column per event: how many of its occurrences are nearer to
            this sample than to any other of the table.
        downsample_kwargs : mapping, optional
            Of :func:`phopro_core.downsampling.downsample`, such as the method.

        Raises
        ------
        ValueError
            If downsampling leaves no sample, or an event has the name of another column.
        """
        from phopro_core.tables import wide_table

        return wide_table(self, downsample, downsample_kwargs, export_events)

    def to_long_dataframe(
        self,
        downsample: int | None = None,
        downsample_kwargs: Mapping[str, Any] | None = None,
    ) -> "pd.DataFrame":
        """One row per sample and trace: time (seconds), source (the trace's name), value.

        Takes the parameters of :meth:`to_wide_dataframe`, and raises what that does.
        """
        from phopro_core.tables import long_table

        return long_table(self, downsample, downsample_kwargs)

    def write_csv(
        self,
        file: str | Path,
        downsample: int | None = None,
        export_events: bool = True,
        include_filtered_traces: bool = False,
        format: Literal["wide", "long"] = "wide",
        downsample_kwargs: Mapping[str, Any] | None = None,
    ) -> None:
        """Write the recording as comma-separated values, which CSVLoader reads if wide.

        Parameters
        ----------
        file : path
            Compressed as its suffix says (.gz, .bz2, .xz, .zst, .zip). A file that is
            there is replaced only once the new one is complete.
        downsample, downsample_kwargs, export_events
            As of :meth:`to_wide_dataframe`. In the long format events are further sources.
        include_filtered_traces : bool
            Whether to write filtered_signal and filtered_isosbestic too.
        format : {'wide', 'long'}
            One row per sample, or one per sample and trace.

        Raises
        ------
        ValueError
            If the format is another one, downsampling leaves no sample, or an event has
            the name of another column.
        """
        from phopro_core.tables import write_table

        write_table(
            self,
            file,
            downsample,
            downsample_kwargs,
            export_events=export_events,
            include_filtered_traces=include_filtered_traces,
            format=format,
        )

    def write_nwb(
        self,
        path: str | Path,
        session_start_time: "datetime | None" = None,
        session_description: str = "fiber photometry",
    ) -> None:
        """Write traces, events and trials to a file of Neurodata Without Borders (NWB).

        Raw traces go into acquisition, processed ones into the processing module
        ``ophys``, each event into a table of events, and the trials into the table
        ``trials``: start and stop (seconds), their columns, and in ``signal`` the trials
        themselves, whose times from the centre are ``trial_times`` in ``ophys``.
        Metadata that NWB has fields for (subject, sex, age, session_id …) go there, and
        all of them into the notes, as JSON. What was not yet made of the recording is left
        out.

        Parameters
        ----------
        path : path
            Ends in ``.nwb``. A file that is there is replaced only once the new one is
            complete.
        session_start_time : datetime, optional
            By default the metadata's session_start_time or date_time, and without these
            1970-01-01, which stands for not known. Without a time zone it is taken for UTC.
        session_description : str

        Raises
        ------
        ConfigError
            If pynwb is not installed: ``pip install 'phopro-workflow[nwb]'``.
        ValueError
            If the path ends otherwise, or the trials are not those that were extracted.
        """
        from phopro_core.nwb_export import write_nwb

        write_nwb(self, path, session_start_time, session_description)

    def plot_dashboard(
        self,
        save: str | Path | None = None,
        raw: bool | Literal["auto"] = "auto",
        downsample: int | None = None,
        title: str | None = None,
    ) -> "Figure | None":
        """Draw the recording: traces and reference above, processed signal below.

        Parameters
        ----------
        save : path, optional
            Where to write the picture, in the format of its suffix; without it the
            figure is returned.
        raw : bool or 'auto'
            Whether to draw the raw traces alone; 'auto' does so until the signal is
            preprocessed.
        downsample : int, optional
            Draw the mean of every so many samples. Long recordings are thinned to the
            width of the figure in any case, keeping their peaks.
        title : str, optional
            By default the experiment's id, or the name of its source.

        Raises
        ------
        ValueError
            If processed traces are asked for before the signal is preprocessed.
        """
        from phopro_core.dashboard import draw_dashboard

        return draw_dashboard(self, save=save, raw=raw, downsample=downsample, title=title)

    def _forget_processing(self) -> None:
        self.filt_sig: np.ndarray | None = None
        self.filt_iso: np.ndarray | None = None
        self.fitted_ref: np.ndarray | None = None
        self.signal: np.ndarray | None = None
        self.artifacts: pd.DataFrame | None = None
        self.trial_data: PhotometryData | None = None
        self.baseline_data: PhotometryData | None = None
        self.trial_windows: np.ndarray | None = None
