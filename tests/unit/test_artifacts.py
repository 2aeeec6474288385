"""Artifacts put into traces at known places: found, told apart, and mended."""

import numpy as np
import pandas as pd
import pytest

from phopro_core import ArtifactCorrector, ArtifactDetector, DerivativeDetector, SplineCorrector
from phopro_core.artifacts.base import COLUMNS, artifact_table, checked_table
from phopro_core.artifacts.finding import find_artifact_part
from phopro_core.artifacts.intervals import level_change, merge, outside, span
from phopro_core.errors import ConfigError
from phopro_core.filtering import lowpass
from phopro_core.simulation import Response, simulate_recording

FREQUENCY = 20.0
TIME = 100 + np.arange(12000) / FREQUENCY


def noise(scale: float = 0.1) -> np.ndarray:
    """Smooth noise, as a low-pass leaves it."""
    white = np.random.default_rng(0).standard_normal(TIME.size)
    smooth = lowpass(white, FREQUENCY, 3.0)
    return scale * smooth / smooth.std()


def pulse(at: float, height: float, length: float = 0.1) -> np.ndarray:
    inside = (at <= TIME) & (at + length > TIME)
    return lowpass(np.where(inside, height, 0.0), FREQUENCY, 3.0)


def step(at: float, height: float) -> np.ndarray:
    return lowpass(np.where(at <= TIME, height, 0.0), FREQUENCY, 3.0)


def detect(signal: np.ndarray, time: np.ndarray = TIME, **settings) -> pd.DataFrame:
    return DerivativeDetector(**settings).detect(signal, None, time)


def types_around(found: pd.DataFrame, *instants: float) -> list[list[str]]:
    """The types of what covers each instant."""
    return [
        found["type"][(found["start_time"] <= at) & (found["stop_time"] >= at)].tolist()
        for at in instants
    ]


class TestDetection:
    def test_nothing_is_found_in_noise(self):
        found = detect(noise())
        assert found.empty
        assert list(found) == list(COLUMNS)

    @pytest.mark.parametrize("height", [20.0, -20.0])
    def test_a_pulse_is_a_spike_where_it_is(self, height):
        found = detect(noise() + pulse(300.0, height))
        assert found["type"].tolist() == ["spike"]
        assert found["start_time"][0] == pytest.approx(299.5, abs=0.4)
        assert found["stop_time"][0] == pytest.approx(300.8, abs=0.4)
        assert found["score"][0] > 10

    @pytest.mark.parametrize("height", [5.0, -5.0])
    def test_a_step_is_a_jump_with_its_height_as_score(self, height):
        signal = noise()
        found = detect(signal + step(300.0, height))
        assert found["type"].tolist() == ["jump"]
        assert types_around(found, 300.0) == [["jump"]]
        assert found["score"][0] == pytest.approx(abs(height) / 0.1, rel=0.3)

    def test_a_sensor_s_response_is_neither(self):
        response = Response(10.0).at(TIME - 300.0) - Response(8.0).at(TIME - 400.0)
        assert detect(noise() + lowpass(response, FREQUENCY, 3.0)).empty

    def test_a_pulse_that_moves_the_level_is_a_jump(self):
        found = detect(noise() + pulse(300.0, 6.0) + step(300.0, 5.0))
        assert found["type"].tolist() == ["jump"]

    def test_a_level_that_moves_little_beside_a_pulse_makes_it_no_jump(self):
        found = detect(noise() + pulse(300.0, 20.0) + step(300.0, 2.0))
        assert found["type"].tolist() == ["spike"]

    def test_a_pulse_that_does_not_lead_back_is_no_spike(self):
        """It comes and goes alike, but a response has begun when it is over."""
        response = Response(8.0, rise=0.6, decay=4.0).at(TIME - 300.0)
        assert detect(noise() + pulse(300.0, 40.0))["type"].tolist() == ["spike"]
        assert detect(noise() + pulse(300.0, 40.0) + lowpass(response, FREQUENCY, 3.0)).empty

    def test_jumps_beside_each_other_are_told_apart_from_a_response_between(self):
        response = lowpass(Response(4.0).at(TIME - 306.0), FREQUENCY, 3.0)
        signal = noise() + step(300.0, 5.0) + response + step(315.0, -7.0)
        found = detect(signal)
        assert types_around(found, 300.0, 306.1, 315.0) == [["jump"], [], ["jump"]]
        assert len(found) == 2

    @pytest.mark.parametrize("seconds", [4.0, 6.0, 8.0, 10.0])
    def test_a_response_that_soon_follows_a_jump_is_none(self, seconds):
        """Most of what precedes it lies at the level before the jump."""
        response = lowpass(Response(4.0).at(TIME - 300.0 - seconds), FREQUENCY, 3.0)
        found = detect(noise() + step(300.0, 5.0) + response)
        assert found["type"].tolist() == ["jump"]
        assert types_around(found, 300.0) == [["jump"]]

    def test_the_scale_is_that_of_the_neighbourhood(self):
        """What stands out where it is quiet may not where it is loud."""
        loud = TIME > 400
        signal = np.where(loud, 20, 1) * noise()
        found = detect(signal + pulse(250.0, 10.0) + pulse(550.0, 10.0))
        assert types_around(found, 250.05, 550.05) == [["spike"], []]

    def test_a_stretch_without_light_is_not_full_of_artifacts(self):
        dark = (TIME > 300) & (TIME < 500)
        signal = np.where(dark, 1e-9, 1) * noise()
        # A flicker far below the noise elsewhere, far above the one there.
        signal[(TIME > 420.0) & (TIME < 420.2)] += 1e-3
        inside = detect(signal)["start_time"].between(310, 490)
        assert not inside.any()

    def test_a_constant_signal_has_none(self):
        assert detect(np.full(TIME.size, 3.0)).empty

    def test_a_gap_in_time_is_no_jump(self):
        drifting = noise() + 0.2 * (TIME - 100)
        kept = (TIME < 300) | (TIME > 310)
        assert detect(drifting[kept], TIME[kept]).empty

    def test_artifacts_close_by_are_one(self):
        signal = noise() + pulse(300.0, 20.0) + pulse(302.0, 20.0)
        settings = {"longest_spike_sec": 5.0}
        assert len(detect(signal, merge_sec=0.05, **settings)) == 2
        assert len(detect(signal, merge_sec=3.0, **settings)) == 1

    def test_expansion_adds_seconds_on_each_side(self):
        signal = noise() + pulse(300.0, 20.0)
        tight, wide = (detect(signal, expand_sec=seconds) for seconds in ((0.1, 0.1), (0.4, 0.8)))
        assert tight["start_time"][0] - wide["start_time"][0] == pytest.approx(0.3)
        assert wide["stop_time"][0] - tight["stop_time"][0] == pytest.approx(0.7)

    def test_an_artifact_does_not_reach_beyond_the_recording(self):
        found = detect(noise() + pulse(TIME[-1] - 0.3, 20.0), expand_sec=(0.2, 5.0))
        assert found["stop_time"].max() == TIME[-1]

    def test_thresholds_decide(self):
        signal = noise() + pulse(300.0, 20.0) + step(400.0, 2.0)
        assert types_around(detect(signal, threshold=1000.0), 300.05, 400.0) == [[], []]
        assert types_around(detect(signal, jump_threshold=5.0), 400.0) == [["jump"]]
        assert types_around(detect(signal, jump_threshold=30.0), 400.0) == [[]]

    def test_symmetry_decides_what_comes_and_goes_alike(self):
        sawtooth = lowpass(Response(20.0, rise=0.02, decay=0.25).at(TIME - 300), FREQUENCY, 3.0)
        signal = noise() + sawtooth
        assert detect(signal, symmetry=0.2)["type"].tolist() == ["spike"]
        assert detect(signal, symmetry=0.9).empty

    def test_what_takes_long_to_come_and_go_is_no_spike(self):
        slow = 20 * np.exp(-(((TIME - 300) / 0.5) ** 2))
        signal = noise() + slow + pulse(400.0, 30.0)
        assert types_around(detect(signal), 300.0, 400.05) == [[], ["spike"]]
        longer = detect(signal, longest_spike_sec=3.0)
        assert types_around(longer, 300.0, 400.05) == [["spike"], ["spike"]]

    @pytest.mark.parametrize(
        "setting",
        [
            {"threshold": 0},
            {"jump_threshold": -1},
            {"chunk_sec": 0},
            {"level_sec": float("nan")},
            {"longest_spike_sec": 0},
            {"symmetry": 1.1},
            {"expand_sec": (-0.1, 0)},
            {"merge_sec": -1},
        ],
    )
    def test_settings_that_make_no_sense_are_refused_by_name(self, setting):
        (name,) = setting
        with pytest.raises(ValueError, match=f"{name} is "):
            DerivativeDetector(**setting)

    @pytest.mark.parametrize(
        ("setting", "types"),
        [
            ({"symmetry": 0}, ["spike"]),
            ({"symmetry": 1}, []),  # in noise, nothing rises and falls exactly alike
            ({"expand_sec": (0, 0)}, ["spike"]),
            ({"merge_sec": 0}, ["spike"]),
        ],
    )
    def test_settings_at_the_ends_of_their_ranges_are_taken(self, setting, types):
        assert detect(noise() + pulse(300.0, 20.0), **setting)["type"].tolist() == types

    @pytest.mark.parametrize("frequency", [20.0, 200.0])
    def test_most_of_what_is_there_is_found_and_hardly_anything_else(self, frequency):
        found = present = false = 0
        for seed in range(4):
            recording = simulate_recording(seed, 1000.0, frequency, spikes=4, jumps=3)
            own = recording.signal - recording.slope * recording.isosbestic
            table = detect(lowpass(own, frequency, 3.0), recording.time)
            around = types_around(table, *(artifact.start_time for artifact in recording.artifacts))
            hits = [
                artifact.type in types
                for artifact, types in zip(recording.artifacts, around, strict=True)
            ]
            present += len(hits)
            found += sum(hits)
            false += len(table) - sum(hits)
        assert found >= 0.6 * present
        assert false <= 2


class TestCorrection:
    def table(self, *rows):
        return artifact_table((*row, 1.0) for row in rows)

    def correct(self, signal, *rows, **settings):
        return SplineCorrector(**settings).correct(signal, TIME, self.table(*rows))

    def test_a_spike_is_replaced_by_what_a_cubic_would_do(self):
        # Bent so that a parabola, or a cubic through other anchors, would miss it.
        cubic = ((TIME - 300) / 2) ** 3 + TIME / 100
        tainted = cubic + pulse(300.0, 20.0, 0.3)
        mended = self.correct(tainted, (299.0, 301.5, "spike"), anchor_sec=0.4)
        np.testing.assert_allclose(mended, cubic, atol=0.01)

    def test_nothing_farther_away_than_the_anchors_has_a_part_in_it(self):
        near, far = noise() + pulse(300.0, 20.0), noise() + pulse(300.0, 20.0)
        far[(TIME < 299.0 - 0.4) | (TIME > 301.5 + 0.4)] += 50
        rows = (299.0, 301.5, "spike")
        inside = span(TIME, rows[:2])
        mended = [self.correct(signal, rows, anchor_sec=0.4)[inside] for signal in (near, far)]
        np.testing.assert_allclose(*mended)

    def test_only_the_interval_changes(self):
        tainted = noise() + pulse(300.0, 20.0)
        mended = self.correct(tainted, (299.2, 301.0, "spike"))
        outside_of_it = (TIME < 299.2) | (TIME > 301.0)
        assert np.array_equal(mended[outside_of_it], tainted[outside_of_it])
        assert np.abs(mended[~outside_of_it]).max() < 0.5
        assert tainted.max() > 3

    def test_what_follows_a_jump_is_shifted_to_the_level_before(self):
        clean = noise()
        tainted = clean + step(300.0, 5.0) + step(450.0, -2.0)
        mended = self.correct(tainted, (299.5, 300.7, "jump"), (449.5, 450.7, "jump"))
        undisturbed = outside(TIME, [(299.5, 300.7), (449.5, 450.7)])
        np.testing.assert_allclose(mended[undisturbed], clean[undisturbed], atol=0.06)
        assert np.abs(mended - clean).max() < 0.5

    def test_the_level_between_two_jumps_is_that_of_neither_s_other_side(self):
        clean = noise()
        tainted = clean + step(300.0, 5.0) + step(304.0, -9.0)
        mended = self.correct(tainted, (299.5, 300.7, "jump"), (303.5, 304.7, "jump"))
        assert np.abs(mended - clean).max() < 0.5

    def test_the_level_is_told_without_other_artifacts(self):
        clean = noise()
        tainted = clean + step(300.0, 5.0)
        tainted[(TIME > 301) & (TIME < 318)] += 50
        mended = self.correct(tainted, (299.5, 300.7, "jump"), (300.9, 318.1, "spike"))
        assert np.abs(mended - clean)[TIME > 319].max() < 0.1

    def test_each_kind_can_be_left(self):
        tainted = noise() + pulse(200.0, 20.0) + step(300.0, 5.0)
        rows = [(199.0, 201.0, "spike"), (299.5, 300.7, "jump")]
        no_spikes = self.correct(tainted, *rows, correct_spikes=False)
        no_jumps = self.correct(tainted, *rows, correct_jumps=False)
        assert np.array_equal(no_spikes[TIME < 299], tainted[TIME < 299])
        assert abs(np.median(no_spikes[TIME > 301])) < 0.1
        assert np.array_equal(no_jumps[TIME > 202], tainted[TIME > 202])
        assert np.abs(no_jumps[TIME < 202]).max() < 0.5

    def test_other_types_are_left(self):
        tainted = noise() + pulse(200.0, 20.0)
        assert np.array_equal(self.correct(tainted, (199.0, 201.0, "saturation")), tainted)

    def test_at_an_end_the_level_beside_it_goes_on(self):
        tainted = noise()
        tainted[TIME[-1] - 1 <= TIME] += 30
        mended = self.correct(tainted, (TIME[-1] - 1, TIME[-1], "spike"))
        last = mended[TIME[-1] - 1 <= TIME]
        assert np.ptp(last) == 0
        assert abs(last[0]) < 0.5

    def test_a_recording_that_is_all_artifact_is_left(self):
        signal = noise()
        rows = [(TIME[0], TIME[-1], "spike"), (TIME[0], TIME[-1], "jump")]
        assert np.array_equal(self.correct(signal, *rows), signal)

    @pytest.mark.parametrize("setting", [{"anchor_sec": 0}, {"level_sec": -1}])
    def test_lengths_must_be_positive(self, setting):
        with pytest.raises(ValueError, match=f"{next(iter(setting))} is .*positive"):
            SplineCorrector(**setting)


class TestIntervals:
    def test_edges_are_inside(self):
        time = np.arange(10.0)
        assert time[span(time, (2.0, 5.0))].tolist() == [2, 3, 4, 5]
        assert time[outside(time, [(0.0, 2.0), (8.5, 20.0)])].tolist() == [3, 4, 5, 6, 7, 8]

    def test_intervals_as_far_apart_as_the_distance_are_joined(self):
        intervals = np.array([[0.0, 1.0], [1.5, 2.0], [2.75, 3.0]])
        assert merge(intervals, 0.5).tolist() == [[0, 2], [2.75, 3]]
        assert merge(np.empty((0, 2)), 0.5).shape == (0, 2)

    def test_levels_are_medians_of_what_is_usable(self):
        time = np.arange(100.0)
        signal = np.where(time < 50, 1.0, 4.0) + np.where(time % 2, 0.1, -0.1)
        signal[60:66] = 1000.0
        usable = (time < 45) | ((time > 55) & (time < 60)) | (time >= 66)
        change, noise = level_change(signal, time, (45.0, 55.0), usable, 30.0)
        assert change == pytest.approx(3.0, abs=0.2)
        assert noise == pytest.approx(0.1 / 0.6745, rel=0.5)

    @pytest.mark.parametrize(("start", "known"), [(3.0, False), (4.0, True)])
    def test_five_samples_tell_a_level_and_fewer_none(self, start, known):
        time = np.arange(100.0)
        change = level_change(time, time, (start, 50.0), np.ones(100, bool), 30.0)
        assert np.isfinite(change).tolist() == [known, known]


class TestTables:
    def test_rows_are_in_the_order_of_time(self):
        table = artifact_table([(5.0, 6.0, "spike", 1.0), (1.0, 2.0, "jump", 2.0)])
        assert table["type"].tolist() == ["jump", "spike"]
        assert table.index.tolist() == [0, 1]

    @pytest.mark.parametrize(
        ("result", "message"),
        [
            ([(1, 2)], "Own.detect returned a list, but must return a table"),
            (
                pd.DataFrame({"start_time": [1.0]}),
                r"without \['stop_time', 'type', 'score'\]",
            ),
        ],
    )
    def test_what_is_no_table_of_artifacts_is_refused(self, result, message):
        class Own(ArtifactDetector):
            def detect(self, signal, reference, time):
                return result

        with pytest.raises(ValueError, match=message):
            checked_table(result, Own())

    def test_columns_of_one_s_own_are_left_out(self):
        table = artifact_table([(1.0, 2.0, "jump", 2.0)]).assign(colour="red")
        assert list(checked_table(table, DerivativeDetector())) == list(COLUMNS)


class TestFinding:
    def test_a_name_alone_has_its_defaults(self):
        assert find_artifact_part("SplineCorrector", ArtifactCorrector).anchor_sec == 0.5

    def test_a_class_of_one_s_own_is_named_by_its_file(self, tmp_path):
        path = tmp_path / "own.py"
        path.write_text(
            "from phopro_core import ArtifactCorrector\n"
            "class Nothing(ArtifactCorrector):\n"
            "    def __init__(self, gain=1): self.gain = gain\n"
            "    def correct(self, signal, time, artifacts): return self.gain * signal\n"
        )
        setting = {"name": f"{path}:Nothing", "gain": 3}
        assert find_artifact_part(setting, ArtifactCorrector).gain == 3
        with pytest.raises(ConfigError, match="Nothing is not a subclass of ArtifactDetector"):
            find_artifact_part(setting, ArtifactDetector)

    @pytest.mark.parametrize(
        ("setting", "message"),
        [
            ("SplineCorrector", r"names no ArtifactDetector \(built in: Derivative"),
            ({"threshold": 3}, "None names no ArtifactDetector"),
            ({"name": "DerivativeDetector", "gain": 3}, r"'gain' \(allowed: threshold, jump"),
            ({"name": "DerivativeDetector", "threshold": -3}, "Detector: threshold is -3, but"),
            ({"name": "DerivativeDetector", "threshold": "x"}, "DerivativeDetector: '>' not"),
        ],
    )
    def test_what_makes_none_is_refused(self, setting, message):
        with pytest.raises(ConfigError, match=message):
            find_artifact_part(setting, ArtifactDetector)
