"""Trials cut from a ramp that counts its own samples, against a table worked out by hand."""

import numpy as np
import pandas as pd
import pytest

from phopro_core.extraction import TrialTable, extract_trials

NAN = np.nan
CUE = {"align_to": "cue", "trial_bounds": (-2, 4), "event_tolerances": {"lev": (2, 4)}}


def extract(ramp, **settings) -> TrialTable:
    return extract_trials(ramp.signal, ramp.time, ramp.frequency, ramp.events, **settings)


def test_trials_hold_the_samples_around_each_event(ramp):
    table = extract(ramp, **CUE)
    assert table.signals.shape == (4, 120)
    assert table.signals[0, :3].tolist() == [260, 261, 262]
    assert table.signals[:, 0].tolist() == [260, 460, 660, 860]
    assert table.t[0] == -2
    assert table.t[-1] == 3.95
    assert table.invalid_windows == []


def test_events_are_seconds_from_the_centre_and_nan_where_absent(ramp):
    obs = extract(ramp, **CUE).obs
    assert obs.columns.tolist() == ["trial_num", "cue", "lev", "sh"]
    assert obs["trial_num"].tolist() == [1, 2, 3, 4]
    assert obs["cue"].tolist() == [0, 0, 0, 0]
    np.testing.assert_allclose(obs["lev"], [2, 4, NAN, NAN])
    np.testing.assert_allclose(obs["sh"], [1.0, NAN, NAN, NAN], rtol=1e-12)


@pytest.mark.parametrize(
    ("logic", "lev_of_first_trial"), [("first", 2.0), ("last", 3.0), ("mean", 2.5), ("all", 2.0)]
)
def test_the_conflict_logic_decides_between_occurrences(ramp, logic, lev_of_first_trial):
    obs = extract(ramp, **CUE, event_conflict_logic=logic).obs
    np.testing.assert_allclose(obs["lev"], [lev_of_first_trial, 4, NAN, NAN])


def test_all_occurrences_get_columns_of_their_own(ramp):
    obs = extract(ramp, **CUE, event_conflict_logic="all").obs
    assert obs.columns.tolist() == ["trial_num", "cue", "lev", "lev_occurrence_2", "sh"]
    np.testing.assert_allclose(obs["lev_occurrence_2"], [3, NAN, NAN, NAN])


def test_several_align_labels_are_pooled_by_time(ramp):
    table = extract(ramp, **CUE | {"align_to": ["cue", "sh"]})
    obs = table.obs
    assert obs.columns.tolist() == ["trial_num", "ALIGNMENTS", "lev", "cue", "sh", "align_event"]
    assert obs["align_event"].tolist() == ["cue", "sh", "cue", "cue", "cue", "sh"]
    assert table.signals[:, 0].tolist() == [260, 280, 460, 660, 860, 1060]
    assert obs["ALIGNMENTS"].tolist() == [0] * 6
    assert obs["trial_num"].tolist() == [1, 2, 3, 4, 5, 6]


def test_times_can_be_aligned_to(ramp):
    table = extract(ramp, align_to=[50.0, 20.0], trial_bounds=(-2, 4), all_events=False)
    assert table.obs.columns.tolist() == ["trial_num", "ALIGNMENTS"]
    assert table.signals[:, 0].tolist() == [1060, 460]


def test_interp_keeps_centre_and_events_where_they_are(ramp):
    table = extract(ramp, **CUE | {"align_to": 10.03, "window_alignment": "interp"})
    # lev at 12.0 is 1.97 s from 10.03, outside of (2, 4); 13.0 is not.
    np.testing.assert_allclose(table.signals[0, :3], [260.6, 261.6, 262.6])
    np.testing.assert_allclose(table.obs["lev"], [2.97])
    table = extract(ramp, align_to=10.03, trial_bounds=(-2, 4), window_alignment="interp")
    np.testing.assert_allclose(
        table.obs[["ALIGNMENTS", "cue", "lev", "sh"]], [[0, -0.03, 1.97, 0.99]], atol=1e-12
    )


@pytest.mark.parametrize(
    ("alignment", "first", "last"), [("nearest", -2.05, 3.9), ("interp", -2.03, 3.92)]
)
def test_bounds_between_samples_are_rounded_or_kept(ramp, alignment, first, last):
    bounds = (-2.03, 3.97)
    t = extract(ramp, align_to="cue", trial_bounds=bounds, window_alignment=alignment).t
    assert t.size == 120
    np.testing.assert_allclose(t[[0, -1]], [first, last])


@pytest.mark.parametrize(
    ("alignment", "first", "last"), [("nearest", -2.05, 3.95), ("interp", -2.03, 3.97)]
)
def test_the_number_of_samples_is_the_rounded_duration(ramp, alignment, first, last):
    bounds = (-2.03, 4)  # 120.6 samples
    t = extract(ramp, align_to="cue", trial_bounds=bounds, window_alignment=alignment).t
    assert t.size == 121
    np.testing.assert_allclose(t[[0, -1]], [first, last])


@pytest.mark.parametrize(("instant", "snapped"), [(12.025, 12.0), (30.075, 30.05), (10.026, 10.05)])
def test_a_tie_snaps_to_the_earlier_sample(ramp, instant, snapped):
    table = extract(ramp, align_to=instant, trial_bounds=(0, 1), all_events=False)
    assert table.signals[0, 0] == 100 + round(snapped * 20)


class TestCentring:
    def test_a_trial_is_centred_on_the_event_in_its_tolerance(self, ramp):
        table = extract(ramp, **CUE, center_on="lev")
        assert table.signals[:, 40].tolist() == [340, 580, 700, 900]  # 12, 24, 30 and 40 s
        np.testing.assert_allclose(table.obs["cue"], [-2, -4, 0, 0])
        np.testing.assert_allclose(table.obs["lev"], [0, 0, NAN, NAN])
        np.testing.assert_allclose(table.obs["sh"], [-1, NAN, NAN, NAN])

    def test_two_events_to_centre_on_in_one_trial_are_an_error_that_names_it(self, ramp):
        with pytest.raises(ValueError, match=r"trial 1, aligned at 10 s, has lev.*sh at 11\.02 s"):
            extract(ramp, **CUE, center_on=["lev", "sh"])

    def test_only_the_crowded_trials_are_named(self, ramp):
        with pytest.raises(ValueError, match="in 1 of 4 trials") as raised:
            extract(ramp, **CUE, center_on=["lev", "sh"])
        assert "trial 2" not in str(raised.value)

    @pytest.mark.parametrize(
        ("labels", "start"), [(["lev", "sh"], 9.0), (["sh", "lev"], 10.0)], ids=["sh", "lev"]
    )
    def test_without_the_check_the_label_named_last_wins(self, ramp, labels, start):
        table = extract(ramp, **CUE, center_on=labels, check_overlap=False)
        assert table.signals[0, 0] == 100 + start * 20

    def test_the_mean_of_several_occurrences_can_be_the_centre(self, ramp):
        table = extract(ramp, **CUE, center_on="lev", event_conflict_logic="mean")
        assert table.signals[0, 40] == 100 + 12.5 * 20

    def test_occurrences_of_one_label_do_not_crowd_a_trial(self, ramp):
        table = extract(ramp, **CUE, center_on="lev")
        assert table.signals[0, 40] == 340


class TestWindowsOutsideTheRecording:
    OUTSIDE = CUE | {"trial_bounds": (-25, 4)}

    def test_they_are_dropped_listed_and_the_others_renumbered(self, ramp):
        table = extract(ramp, **self.OUTSIDE)
        assert table.invalid_windows == [0, 1]
        assert table.obs["trial_num"].tolist() == [1, 2]
        assert table.signals[:, 0].tolist() == [200, 400]

    def test_they_are_an_error_where_the_policy_says_so(self, ramp):
        with pytest.raises(ValueError, match=r"outside.*0 to 99\.95 s.*aligned at 10, 20 s"):
            extract(ramp, **self.OUTSIDE, invalid_window_policy="error")

    @pytest.mark.parametrize("policy", ["drop", "error"])
    def test_when_all_are_outside_it_is_an_error_that_says_where(self, ramp, policy):
        with pytest.raises(ValueError, match=r"outside the recording \(0 to 99\.95 s\)"):
            extract(ramp, align_to="cue", trial_bounds=(-50, 60), invalid_window_policy=policy)

    def test_dropping_all_names_how_many_there_were(self, ramp):
        with pytest.raises(ValueError, match=r"all 4 trial windows.*10, 20, 30, 40 s"):
            extract(ramp, align_to="cue", trial_bounds=(-50, 60))

    def test_a_baseline_outside_drops_its_trial(self, ramp):
        table = extract(ramp, **CUE, baseline_bounds=(-15, -12))
        assert table.invalid_windows == [0]
        assert table.signals[:, 0].tolist() == [460, 660, 860]
        assert table.baselines[:, 0].tolist() == [200, 400, 600]

    @pytest.mark.parametrize("alignment", ["nearest", "interp"])
    @pytest.mark.parametrize(
        ("bounds", "inside"),
        [((-2, 2), True), ((-2.05, 2), False), ((-2, 2.05), False)],
        ids=["to the edges", "a sample before", "a sample after"],
    )
    def test_a_window_that_just_touches_both_ends_is_inside(self, ramp, alignment, bounds, inside):
        whole = extract_trials(
            ramp.signal[:80],
            ramp.time[:80],
            20.0,
            {"cue": [2.0, 2.0]},
            align_to="cue",
            trial_bounds=(-2, 2),
            window_alignment=alignment,
        )
        np.testing.assert_allclose(whole.signals[0], ramp.signal[:80])
        if not inside:
            with pytest.raises(ValueError, match="outside the recording"):
                extract_trials(
                    ramp.signal[:80],
                    ramp.time[:80],
                    20.0,
                    {"cue": [2.0]},
                    align_to="cue",
                    trial_bounds=bounds,
                    window_alignment=alignment,
                )


class TestBaselines:
    @pytest.mark.parametrize(
        ("method", "expected"),
        [("zscore", 1.76116294), ("zero", 30.5), ("mad", 1.37146454), ("amp", 0.20401338)],
    )
    def test_trials_are_in_units_of_their_baseline(self, ramp, method, expected):
        table = extract(ramp, **CUE, baseline_bounds=(-5, -2), trial_normalization=method)
        np.testing.assert_allclose(table.signals[:, 0], expected, rtol=1e-7)

    def test_without_normalization_the_samples_stay(self, ramp):
        table = extract(ramp, **CUE, baseline_bounds=(-5, -2))
        assert table.signals[0, 0] == 260
        assert table.baselines.shape == (4, 60)
        assert table.baselines[0, [0, -1]].tolist() == [200, 259]
        np.testing.assert_allclose(table.baseline_t[[0, -1]], [-5, -2.05])

    def test_the_baseline_lies_around_the_alignment_not_the_centre(self, ramp):
        table = extract(ramp, **CUE, center_on="lev", baseline_bounds=(-5, -2))
        assert table.baselines[:, 0].tolist() == [200, 400, 600, 800]

    def test_a_method_that_needs_a_baseline_says_so(self, ramp):
        with pytest.raises(ValueError, match="'zscore' needs baseline_bounds"):
            extract(ramp, **CUE, trial_normalization="zscore")


class TestAnnotatedEvents:
    def test_only_the_named_events_get_columns_without_all_events(self, ramp):
        assert list(extract(ramp, **CUE, all_events=False).obs) == ["trial_num", "cue", "lev"]

    def test_a_tolerance_of_none_stands_for_the_trial_bounds(self, ramp):
        settings = CUE | {"event_tolerances": {"lev": None}, "trial_bounds": (-2, 5)}
        np.testing.assert_allclose(extract(ramp, **settings).obs["lev"], [2, 4, 4, NAN], atol=0.011)

    def test_an_event_without_occurrences_gets_an_empty_column(self, ramp):
        ramp.events["never"] = np.array([])
        assert extract(ramp, **CUE).obs["never"].isna().all()

    def test_the_recording_s_own_tables_are_not_changed(self, ramp):
        before = {label: times.copy() for label, times in ramp.events.items()}
        extract(ramp, **CUE, center_on="lev", baseline_bounds=(-5, -2), trial_normalization="zero")
        assert np.array_equal(ramp.signal, 100.0 + np.arange(2000))
        for label, times in before.items():
            assert np.array_equal(ramp.events[label], times)


class TestBadSettings:
    def test_an_unknown_align_label_names_those_present(self, ramp):
        with pytest.raises(ValueError, match=r"align_to: no event 'tone'.*has: cue, lev, sh"):
            extract(ramp, align_to="tone", trial_bounds=(-2, 4))

    def test_an_align_label_that_never_occurs_is_named(self, ramp):
        ramp.events["tone"] = np.array([])
        with pytest.raises(ValueError, match="'tone' does not occur"):
            extract(ramp, align_to="tone", trial_bounds=(-2, 4))

    def test_align_times_must_be_finite(self, ramp):
        with pytest.raises(ValueError, match="not finite"):
            extract(ramp, align_to=[10.0, NAN], trial_bounds=(-2, 4))

    @pytest.mark.parametrize(
        ("changed", "message"),
        [
            ({"trial_bounds": (4, -2)}, r"trial_bounds is \(4, -2\).*low first"),
            ({"trial_bounds": (1, 1.01)}, "trial_bounds .*holds no sample.*20 Hz"),
            ({"baseline_bounds": (-2, -5)}, r"baseline_bounds is \(-2, -5\)"),
            ({"event_tolerances": {"tone": (0, 1)}}, "event_tolerances: no event 'tone'"),
            ({"event_tolerances": {"lev": (4, 2)}}, r"\(4, 2\).*low first"),
            ({"event_tolerances": {"cue": (0, 1)}}, "'cue' is what the trials are aligned to"),
            ({"center_on": "tone"}, r"center_on: no event 'tone'.*has: cue"),
            ({"center_on": "cue"}, "'cue' is what the trials are aligned to"),
            ({"window_alignment": "exact"}, "'exact', but must be one of nearest, interp"),
            ({"invalid_window_policy": "pad"}, "'pad', but must be one of drop, error"),
            ({"event_conflict_logic": "any"}, "'any', but must be one of first, last, mean, all"),
            ({"trial_normalization": "z"}, "'z', but must be one of zscore"),
        ],
    )
    def test_a_wrong_setting_is_named_with_what_is_allowed(self, ramp, changed, message):
        with pytest.raises(ValueError, match=message):
            extract(ramp, **CUE | changed)


@pytest.mark.parametrize("label", ["trial_num", "align_event", "ALIGNMENTS"])
def test_an_event_named_like_a_column_of_the_trials_is_refused(label):
    time = np.arange(200) / 20
    events = {"cue": [5.0], label: [5.5]}
    with pytest.raises(ValueError, match=f"events can't be named \\['{label}'\\]"):
        extract_trials(time, time, 20.0, events, align_to="cue", trial_bounds=(-1, 1))


@pytest.mark.parametrize("alignment", ["nearest", "interp"])
def test_window_times_are_those_of_the_first_and_last_sample(ramp, alignment):
    settings = CUE | {"center_on": "lev", "window_alignment": alignment, "window_times": True}
    table = extract(ramp, **settings, baseline_bounds=(-3, -1))
    assert table.obs.columns.tolist() == [
        "trial_num",
        "start_time",
        "stop_time",
        "cue",
        "lev",
        "sh",
    ]
    np.testing.assert_allclose(table.obs["start_time"], [10, 22, 28, 38], atol=1e-9)
    np.testing.assert_allclose(table.obs["stop_time"], [15.95, 27.95, 33.95, 43.95], atol=1e-9)
    np.testing.assert_allclose(table.signals[:, 0], 100 + 20 * table.obs["start_time"])
    np.testing.assert_allclose(table.signals[:, -1], 100 + 20 * table.obs["stop_time"])
    np.testing.assert_allclose(table.baseline_obs["start_time"], [7, 17, 27, 37], atol=1e-9)
    np.testing.assert_allclose(table.baselines[:, -1], 100 + 20 * table.baseline_obs["stop_time"])


def test_window_times_are_those_of_the_recording_s_own_clock(ramp):
    ramp.time = 1000 + ramp.time
    ramp.events = {label: 1000 + times for label, times in ramp.events.items()}
    assert extract(ramp, **CUE, window_times=True).obs["start_time"].tolist() == [
        1008,
        1018,
        1028,
        1038,
    ]


def test_trials_can_be_thinned_after_normalization(ramp):
    settings = CUE | {"baseline_bounds": (-3, -1), "trial_normalization": "amp"}
    full = extract(ramp, **settings)
    thinned = extract(ramp, **settings, downsample=4)
    np.testing.assert_allclose(thinned.signals, full.signals.reshape(4, 30, 4).mean(axis=2))
    np.testing.assert_allclose(thinned.t, full.t.reshape(30, 4).mean(axis=1))
    assert thinned.baselines.shape == (4, 10)
    pd.testing.assert_frame_equal(thinned.obs, full.obs)
    by_filter = extract(ramp, **CUE, downsample=4, downsample_kwargs={"method": "resample"})
    np.testing.assert_allclose(by_filter.t, full.t[::4])


class TestGaps:
    """The ramp without its samples 900 … 949, from 45 to 47.45 s."""

    @pytest.fixture
    def gappy(self, ramp):
        ramp.signal[900:950] = np.nan
        ramp.events["cue"] = np.array([1.0, 40.0, 41.0, 41.05, 46.0, 49.45, 49.5])
        return ramp

    def test_windows_that_touch_one_are_dropped_and_told_from_those_outside(self, gappy, caplog):
        # The last sample of a window lies 3.95 s after its cue, the first 2 s before it.
        table = extract(gappy, align_to="cue", trial_bounds=(-2, 4))
        assert table.invalid_windows == [0, 3, 4, 5]
        assert table.windows_in_gaps == [3, 4, 5]
        assert table.signals[:, 0].tolist() == [860, 880, 1050]
        assert "Dropped 1 of 7 trials whose windows reach outside" in caplog.text
        assert "Dropped 3 of 7 trials whose windows touch a gap that was left open: [3, 4, 5]" in (
            caplog.text
        )

    def test_baselines_in_one_are_dropped_too(self, gappy):
        table = extract(gappy, align_to=50.0, trial_bounds=(0, 4), baseline_bounds=(-2, -1))
        assert table.invalid_windows == []
        with pytest.raises(
            ValueError, match=r"all 1 trial windows touch a gap.*: trials \[0\], al.* 50 s"
        ):
            extract(gappy, align_to=50.0, trial_bounds=(0, 4), baseline_bounds=(-3, -1))

    def test_interpolation_does_not_reach_into_one(self, gappy):
        settings = {"trial_bounds": (-1, 0), "window_alignment": "interp"}
        assert extract(gappy, align_to=[44.99, 30.0], **settings).invalid_windows == []
        assert extract(gappy, align_to=[45.01, 30.0], **settings).windows_in_gaps == [0]

    @pytest.mark.parametrize("origin", [0.0, 3.3, 1000.1])
    def test_a_window_may_end_on_the_last_sample_before_one(self, gappy, origin):
        settings = {"trial_bounds": (-1, 1), "window_alignment": "interp"}
        for last in range(890, 900):
            table = extract_trials(
                gappy.signal,
                origin + gappy.time,
                20.0,
                {},
                align_to=origin + gappy.time[last] - 0.95,
                **settings,
            )
            assert table.windows_in_gaps == []

    def test_they_can_be_an_error(self, gappy):
        with pytest.raises(
            ValueError, match=r"1 of 7 .* outside .* trials \[0\], aligned at 1 s; 3 of 7 .* gap"
        ):
            extract(gappy, align_to="cue", trial_bounds=(-2, 4), invalid_window_policy="error")


def test_occurrences_that_would_take_another_event_s_column_are_refused(ramp):
    ramp.events["lev_occurrence_2"] = np.array([12.5])
    with pytest.raises(ValueError, match=r"occurrences of 'lev' would take .*'lev_occurrence_2'"):
        extract(ramp, **CUE, event_conflict_logic="all")


def test_columns_of_occurrences_stand_for_trials_that_are_there(ramp):
    ramp.events["lev"] = np.array([2.5, 2.6, 12.0])
    ramp.events["cue"] = np.array([0.5, 10.0])
    obs = extract(ramp, **CUE, event_conflict_logic="all").obs
    assert len(obs) == 1
    assert list(obs) == ["trial_num", "cue", "lev", "sh"]
