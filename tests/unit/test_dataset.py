"""The trial dataset: made, read, written, filtered and joined."""

import logging
from functools import partial

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from phopro_core import PhotometryData
from phopro_core.extraction import extract_trials

T = np.array([-0.2, -0.1, 0.0, 0.1])


def make(n_trials: int = 3, first: float = 0, **columns) -> PhotometryData:
    """Trials whose samples count up, so that each can be told from the others."""
    obs = pd.DataFrame({"trial_num": np.arange(1, n_trials + 1), **columns})
    return PhotometryData.from_arrays(
        obs, first + np.arange(4.0 * n_trials).reshape(n_trials, 4), T, metadata={"rig": "A"}
    )


def at_20_hz(signals: np.ndarray) -> PhotometryData:
    """Trials of these signals, from -0.5 s on."""
    obs = pd.DataFrame({"trial_num": range(1, len(signals) + 1)})
    return PhotometryData.from_arrays(obs, signals, np.arange(signals.shape[1]) / 20 - 0.5)


def test_a_dataset_tells_its_size_and_grid():
    obs = pd.DataFrame(np.zeros((60, 9)), columns=list("abcdefghi"))
    data = PhotometryData.from_arrays(obs, np.zeros((60, 320)), np.arange(-160, 160) / 20)
    assert repr(data) == "Photometry dataset with 60 trials, 320 timepoints, and 9 observations."
    assert (data.n_trials, data.n_times, len(data)) == (60, 320, 60)
    assert data.freq == pytest.approx(20)
    assert data.dt == pytest.approx(0.05)
    assert data.ts[[0, -1]].tolist() == [-8, 7.95]


def test_arrays_that_do_not_fit_are_refused_with_their_shapes():
    with pytest.raises(ValueError, match=r"\(3, 5\), but obs has 3 rows and there are 4 time"):
        PhotometryData.from_arrays(pd.DataFrame({"a": [1, 2, 3]}), np.zeros((3, 5)), T)


def test_an_anndata_without_time_points_is_refused():
    with pytest.raises(ValueError, match="no var column 't'"):
        PhotometryData(ad.AnnData(np.zeros((2, 3))))


def test_tables_and_signals_can_be_assigned():
    data = make()
    data.obs = data.obs.assign(side="left")
    data.X = data.X * 2
    data.var = data.var.assign(phase="late")
    data.uns = {"rig": "B"}
    assert data.obs["side"].tolist() == ["left"] * 3
    assert data.X[1].tolist() == [8, 10, 12, 14]
    assert data.var["phase"].tolist() == ["late"] * 4
    assert data.uns == {"rig": "B"}


def test_a_copy_is_independent():
    data = make()
    copy = data.copy()
    copy.X[:] = 0
    copy.obs["trial_num"] = 0
    assert data.X[0].tolist() == [0, 1, 2, 3]
    assert data.obs["trial_num"].tolist() == [1, 2, 3]


@pytest.mark.parametrize(
    ("sel", "kept"),
    [
        ([True, False, True], [1, 3]),
        (np.array([False, True, False]), [2]),
        ([2, 0], [3, 1]),
        (1, [2]),
        (-1, [3]),
        (pd.Series([True, False, True]), [1, 3]),
        ([False, False, False], []),
        pytest.param([], []),
    ],
)
def test_rows_are_kept_by_mask_or_index(sel, kept):
    data = make()
    filtered = data.filter_rows(sel)
    assert filtered.obs["trial_num"].tolist() == kept
    assert filtered.X[:, 0].tolist() == [4 * (k - 1) for k in kept]
    assert data.n_trials == 3
    assert data.filter_rows(sel, inplace=True) is None
    assert data.obs["trial_num"].tolist() == kept


class TestObsColumns:
    def test_every_trial_gets_the_value(self):
        data = make()
        data.add_obs_columns({"subject": "m3", "age": 12, "awake": True, "lesion": None})
        assert list(data.obs) == ["trial_num", "subject", "age", "awake", "lesion"]
        assert data.obs["subject"].tolist() == ["m3"] * 3
        assert data.obs["age"].tolist() == [12] * 3
        assert data.obs["awake"].tolist() == [True] * 3
        assert data.obs["lesion"].isna().all()

    def test_keys_choose_and_order_and_an_absent_one_is_missing(self):
        data = make()
        data.add_obs_columns({"subject": "m3", "age": 12, "sex": "F"}, ["sex", "line", "age"])
        assert list(data.obs) == ["trial_num", "sex", "line", "age"]
        assert data.obs["line"].isna().all()

    @pytest.mark.parametrize("value", [[1, 2], {"a": 1}, np.arange(3)])
    def test_more_than_a_single_value_is_refused_by_name(self, value):
        with pytest.raises(ValueError, match=r"'weights' is .*a column takes a single value"):
            make().add_obs_columns({"weights": value})

    def test_a_column_that_is_there_is_not_replaced(self):
        with pytest.raises(ValueError, match="obs has a column 'trial_num' already"):
            make().add_obs_columns({"trial_num": 7})


@pytest.fixture(params=["h5ad", "zarr"])
def round_trip(request, tmp_path):
    """A function that writes a dataset and reads it again, and one that lets anndata do so."""
    path = tmp_path / f"trials.{request.param}"

    def write_and_read(data):
        getattr(data, f"write_{request.param}")(path)
        plain = getattr(ad, f"read_{request.param}")(path)
        return getattr(PhotometryData, f"read_{request.param}")(path), plain

    return write_and_read


@pytest.mark.filterwarnings("ignore:Writing zarr v2:UserWarning")
class TestFiles:
    def test_signals_grid_and_columns_come_back(self, round_trip):
        columns = {"lever": [0.5, np.nan, 2.0], "µ 100%": [1, 2, 3], "subject": ["b", "a", "b"]}
        data = make(**columns)
        reread, plain = round_trip(data)
        for read in (reread, plain):
            assert np.array_equal(read.X, data.X)
            assert read.var["t"].tolist() == T.tolist()
            assert list(read.obs) == ["trial_num", *columns]
            np.testing.assert_array_equal(read.obs["lever"], columns["lever"])
            assert read.obs["subject"].tolist() == columns["subject"]

    def test_metadata_come_back_whatever_their_keys(self, round_trip):
        metadata = {"a/b": 1, "50%": "x", "none": None, "tags": [1, "a", None], "in": {"c/d": 2.5}}
        data = make()
        data.uns = {"metadata": metadata}
        assert round_trip(data)[0].uns == {"metadata": metadata}

    def test_mixed_values_become_text_and_missing_ones_stay_missing(self, round_trip):
        reread, _ = round_trip(make(code=["x", 7, None]))
        assert reread.obs["code"].tolist()[:2] == ["x", "7"]
        assert pd.isna(reread.obs["code"].iloc[2])

    def test_writing_leaves_the_dataset_as_it_was(self, round_trip):
        data = make(subject=["b", "a", "b"])
        data.uns = {"a/b": [1, "a"]}
        round_trip(data)
        assert not isinstance(data.obs["subject"].dtype, pd.CategoricalDtype)
        assert data.uns == {"a/b": [1, "a"]}

    def test_layers_come_back(self, round_trip):
        data = make()
        data.adata.layers["raw"] = data.X + 100
        assert round_trip(data)[0].adata.layers["raw"][0].tolist() == [100, 101, 102, 103]

    def test_equal_datasets_give_equal_bytes(self, tmp_path):
        for name in ("a", "b"):
            make(subject=["b", "a", "b"]).write_h5ad(tmp_path / f"{name}.h5ad")
        assert (tmp_path / "a.h5ad").read_bytes() == (tmp_path / "b.h5ad").read_bytes()


class TestCombining:
    def test_trials_follow_one_another_with_new_row_names(self):
        data = make(2).combine_obj([make(1, first=100), make(1, first=200)])
        assert data.X[:, 0].tolist() == [0, 4, 100, 200]
        assert data.obs["trial_num"].tolist() == [1, 2, 1, 1]
        assert data.obs.index.tolist() == ["0", "1", "2", "3"]
        assert data.uns == {"rig": "A"}

    def test_it_is_done_in_place_only_if_asked(self):
        data, other = make(2), make(1)
        assert data.combine_obj(other).n_trials == 3
        assert data.n_trials == 2
        assert data.combine_obj(other, inplace=True) is None
        assert data.n_trials == 3

    @pytest.mark.parametrize(("join", "columns"), [("inner", ["trial_num"]), ("outer", None)])
    def test_columns_are_joined_as_asked(self, join, columns):
        data = make(1, lever=[1.0]).combine_obj(make(1, shock=[2.0]), join=join)
        assert list(data.obs) == (columns or ["trial_num", "lever", "shock"])
        if join == "outer":
            np.testing.assert_array_equal(data.obs["lever"], [1, np.nan])

    def test_other_time_grids_are_refused_unless_allowed(self):
        later = make(1)
        later.var = later.var.assign(t=T + 0.05)
        with pytest.raises(ValueError, match=r"dataset 1 to append: .*off by up to 0\.05 s"):
            make().combine_obj(later)
        assert make().combine_obj(later, time_tol=0.06).n_trials == 4
        assert make().combine_obj(later, check_time=False).ts.tolist() == T.tolist()


def test_a_single_time_point_has_no_rate():
    data = PhotometryData.from_arrays(pd.DataFrame({"a": [1]}), np.ones((1, 1)), np.zeros(1))
    with pytest.raises(ValueError, match="trials of 1 time points have no time between them"):
        _ = data.freq


class TestDownsampling:
    @given(factor=st.integers(1, 12), n_trials=st.integers(1, 4))
    def test_blocks_of_time_points_are_averaged(self, factor, n_trials):
        data = at_20_hz(np.random.default_rng(0).random((n_trials, 24)))
        data.adata.layers["raw"] = 100 - data.X
        fewer = data.downsample(factor)
        blocks = range(0, 24 - factor + 1, factor)
        for kept, full in [
            (fewer.X, data.X),
            (fewer.adata.layers["raw"], data.adata.layers["raw"]),
            (fewer.ts[np.newaxis], data.ts[np.newaxis]),
        ]:
            means = np.stack([full[:, at : at + factor].mean(axis=1) for at in blocks], axis=1)
            np.testing.assert_allclose(kept, means, atol=1e-12)

    def test_resampling_takes_its_settings(self):
        data = at_20_hz(500 - 2 * np.tile(np.arange(40.0), (2, 1)))
        line = data.downsample(4, "resample")
        np.testing.assert_allclose(line.ts, data.ts[::4])
        np.testing.assert_allclose(line.X, data.X[:, ::4], rtol=1e-3)
        to_zero = data.downsample(4, "resample", padtype="constant")
        assert np.abs(to_zero.X - data.X[:, ::4]).max() > 10
        data.X += np.sin(np.arange(40.0))
        soft = data.downsample(4, "resample", window=("kaiser", 14.0))
        assert np.abs(soft.X - data.downsample(4, "resample").X).max() > 0.01

    @pytest.mark.parametrize("factor", [1, 2])
    def test_annotations_and_metadata_stay_and_the_new_dataset_is_independent(self, factor):
        data = make(lever=[0.03, np.nan, -0.1])
        data.uns = {"metadata": {"rig": "A"}}
        data.adata.layers["raw"] = data.X + 100
        fewer = data.downsample(factor)
        assert fewer.obs.equals(data.obs)
        assert fewer.uns == {"metadata": {"rig": "A"}}
        fewer.X[:] = fewer.adata.layers["raw"][:] = -1
        fewer.var["t"] = 0.0
        fewer.obs["lever"] = 7
        fewer.uns["metadata"]["rig"] = "B"
        assert data.X[0].tolist() == [0, 1, 2, 3]
        assert data.adata.layers["raw"][0].tolist() == [100, 101, 102, 103]
        assert data.ts.tolist() == T.tolist()
        assert data.obs["lever"].iloc[0] == 0.03
        assert data.uns == {"metadata": {"rig": "A"}}

    def test_a_layer_of_another_type_changes_nothing_in_the_signals_type(self):
        data = PhotometryData.from_arrays(make().obs, np.ones((3, 4), dtype=np.float32), T)
        data.adata.layers["raw"] = np.ones((3, 4))
        assert data.downsample(2).X.dtype == np.float32


class TestCollapsing:
    #: Three trials of a, one of b, one whose group is not known.
    SIGNALS = np.array([[1.0, 2], [10, 20], [3, 2], [5, 6], [8, np.nan]])

    def dataset(self, **columns) -> PhotometryData:
        obs = pd.DataFrame({"mouse": ["b", "a", "b", None, "b"], **columns})
        return PhotometryData.from_arrays(
            obs, self.SIGNALS, [0, 0.1], {"raw": self.SIGNALS}, {"metadata": {"rig": "A"}}
        )

    @pytest.mark.parametrize("dtype", [object, "category", "string"])
    def test_each_group_becomes_its_mean_with_its_spread_and_size(self, dtype):
        data = self.dataset()
        data.obs["mouse"] = data.obs["mouse"].astype(dtype)
        groups = data.collapse("mouse")
        np.testing.assert_allclose(groups.X, [[10, 20], [4, 2], [5, 6]])
        assert list(groups.adata.layers) == ["std"]
        spread = [[0, 0], [np.sqrt(26 / 3), 0], [0, 0]]
        np.testing.assert_allclose(groups.adata.layers["std"], spread)
        assert list(groups.obs) == ["mouse", "n"]
        assert groups.obs["mouse"].tolist()[:2] == ["a", "b"]
        assert pd.isna(groups.obs["mouse"].iloc[2])
        assert groups.obs["n"].tolist() == [1, 3, 1]
        assert groups.obs.index.tolist() == ["0", "1", "2"]
        assert groups.ts.tolist() == [0, 0.1]

    def test_without_groups_all_trials_become_one(self):
        mean = self.dataset().collapse()
        np.testing.assert_allclose(mean.X, [[5.4, 7.5]])
        assert mean.obs.to_dict("list") == {"n": [5]}
        assert self.dataset().collapse(count_col=None).obs.shape == (1, 0)

    @given(
        keys=st.lists(
            st.tuples(st.sampled_from([2, 0.5, 1, None]), st.sampled_from("yxz")),
            min_size=1,
            max_size=20,
        )
    )
    def test_groups_are_those_of_equal_keys_in_sorted_order(self, keys):
        signals = np.random.default_rng(0).random((len(keys), 3))
        obs = pd.DataFrame({"dose": [dose for dose, _ in keys], "arm": [arm for _, arm in keys]})
        data = PhotometryData.from_arrays(obs, signals, [0, 0.1, 0.2])
        groups = data.collapse(["dose", "arm"])
        in_order = sorted(set(keys), key=lambda key: (np.inf if key[0] is None else key[0], key[1]))
        doses = [None if pd.isna(dose) else dose for dose in groups.obs["dose"]]
        assert list(zip(doses, groups.obs["arm"], strict=True)) == in_order
        for mean, n, wanted in zip(groups.X, groups.obs["n"], in_order, strict=True):
            members = [key == wanted for key in keys]
            np.testing.assert_allclose(mean, signals[members].mean(axis=0))
            assert n == sum(members)

    def test_categories_that_no_trial_has_make_no_group(self):
        data = self.dataset()
        data.obs["mouse"] = pd.Categorical(["b", "a", "b", "a", "b"], categories=["c", "b", "a"])
        groups = data.collapse(["mouse"])
        assert groups.obs["mouse"].tolist() == ["b", "a"]
        assert groups.obs["n"].tolist() == [3, 2]
        data.obs["sex"] = pd.Categorical(["F"] * 5, categories=["M", "F"])
        assert data.collapse(["sex", "mouse"]).obs["n"].tolist() == [3, 2]

    def test_a_function_sees_the_trials_of_a_group_in_their_order(self):
        parity = pd.DataFrame({"even": np.arange(300) % 2 == 0})
        data = PhotometryData.from_arrays(parity, np.arange(600.0).reshape(300, 2), [0, 0.1])
        steps = data.collapse("even", lambda trials, axis: np.diff(trials, axis=axis).min(axis))
        assert steps.X.tolist() == [[4, 4], [4, 4]]

    def test_a_column_named_twice_counts_once(self):
        obs = self.dataset(lever=[1.0] * 5).collapse(["mouse"] * 2, data_cols=["lever"] * 2).obs
        assert list(obs) == ["mouse", "n", "lever", "lever_std"]

    def test_method_and_metrics_can_be_any_functions_along_an_axis(self):
        def middle(trials, axis):
            return np.sort(trials, axis=axis)[len(trials) // 2]

        groups = self.dataset().collapse(
            "mouse", np.nanmax, {"middle": middle, "least": np.nanmin}, count_col="trials"
        )
        assert groups.X.tolist() == [[10, 20], [8, 2], [5, 6]]
        assert groups.adata.layers["middle"][1][0] == 3
        assert groups.adata.layers["least"].tolist() == [[10, 20], [1, 2], [5, 6]]
        assert list(groups.obs) == ["mouse", "trials"]
        assert list(self.dataset().collapse(metrics={}).adata.layers) == []

    @pytest.mark.filterwarnings("error")
    @pytest.mark.parametrize("dtype", ["Int64", object])
    def test_data_columns_are_summarised_like_the_signals(self, dtype):
        lever = pd.Series([1, pd.NA, 4, pd.NA, pd.NA], dtype=dtype)
        data = self.dataset(lever=lever, hit=[True, True, False, True, False])
        obs = data.collapse("mouse", data_cols=["hit", "lever"]).obs
        assert list(obs) == ["mouse", "n", "hit", "hit_std", "lever", "lever_std"]
        np.testing.assert_allclose(obs["hit"], [1, 1 / 3, 1])
        np.testing.assert_allclose(obs["hit_std"], [0, np.sqrt(2) / 3, 0])
        np.testing.assert_allclose(obs["lever"], [np.nan, 2.5, np.nan])
        np.testing.assert_allclose(obs["lever_std"], [np.nan, 1.5, np.nan])
        assert list(data.collapse(data_cols="lever", metrics={}).obs) == ["n", "lever"]

    @pytest.mark.filterwarnings("error")
    @pytest.mark.parametrize("function", [np.nanmean, np.nanmedian, np.nanmax, np.nanstd])
    def test_time_points_without_a_value_are_nan_and_nothing_is_said(self, function):
        data = self.dataset()
        data.X[[0, 2, 4], 1] = np.nan
        groups = data.collapse("mouse", function)
        assert np.isnan(groups.X).tolist() == [[False, False], [False, True], [False, False]]
        assert np.isnan(groups.adata.layers["std"]).sum() == 1

    @pytest.mark.filterwarnings("error")
    def test_the_sample_deviation_of_a_single_trial_is_nan_and_nothing_is_said(self):
        for function in (np.std, np.nanstd):
            sample = {"sd": partial(function, ddof=1)}
            deviations = self.dataset().collapse("mouse", metrics=sample).adata.layers["sd"]
            assert np.isnan(deviations[[0, 2]]).all()
            assert deviations[1, 0] == pytest.approx(np.sqrt(13))

    def test_other_warnings_of_a_function_are_heard(self):
        with pytest.warns(RuntimeWarning, match="overflow"):
            self.dataset().collapse(method=lambda trials, axis: np.exp(1e4 * trials).sum(axis))

    def test_the_metadata_are_kept_and_the_dataset_is_left_alone(self):
        data = self.dataset()
        groups = data.collapse("mouse")
        groups.uns["metadata"]["rig"] = "B"
        groups.X[:] = -1
        assert data.uns == {"metadata": {"rig": "A"}}
        np.testing.assert_array_equal(data.X, self.SIGNALS)
        assert list(data.adata.layers) == ["raw"]

    def test_it_can_be_written_and_read(self, tmp_path):
        self.dataset(sex=["F", "M", "F", "M", "F"]).collapse(["sex", "mouse"]).write_h5ad(
            tmp_path / "groups.h5ad"
        )
        read = PhotometryData.read_h5ad(tmp_path / "groups.h5ad")
        assert read.obs["n"].tolist() == [3, 1, 1]
        assert read.adata.layers["std"].shape == (3, 2)

    @pytest.mark.parametrize(
        ("settings", "message"),
        [
            ({"group_on": "rat"}, r"group_on: no column 'rat' .*\(has: mouse, lever\)"),
            ({"data_cols": ["rat"]}, "data_cols: no column 'rat'"),
            ({"data_cols": ["mouse"]}, "data_cols: column 'mouse' holds something .* not a number"),
            ({"group_on": "mouse", "count_col": "mouse"}, r"more than one column \['mouse'\]"),
            ({"group_on": "lever", "data_cols": "lever"}, r"more than one column \['lever'\]"),
            ({"method": lambda trials, axis: 3.0}, r"made shape \(\) of trials of shape \(2,\)"),
        ],
    )
    def test_what_can_not_be_is_refused_by_name(self, settings, message):
        with pytest.raises(ValueError, match=message):
            self.dataset(lever=[1.0] * 5).collapse(**settings)

    def test_no_trials_can_not_be_collapsed(self):
        with pytest.raises(ValueError, match="there are no trials to collapse"):
            self.dataset().filter_rows([]).collapse("mouse")


class TestWindows:
    """Trials of a ramp, which tells at each sample when it was recorded."""

    #: Seconds from the trials' centres, and the trials' centres on the recording's clock.
    T = np.arange(-80, 80) / 20
    CENTRES = np.array([10.0, 20.0, 30.0])

    def dataset(self, **columns) -> PhotometryData:
        clock = self.CENTRES[:, np.newaxis] + self.T
        obs = pd.DataFrame({"trial_num": [1, 2, 3], **columns})
        return PhotometryData.from_arrays(
            obs, clock, self.T, {"neg": -clock}, {"metadata": {"rig": "A"}}
        )

    @pytest.mark.parametrize("as_column", [False, True])
    def test_the_centre_snaps_to_the_nearest_time_point_and_a_tie_to_the_earlier(self, as_column):
        centres = [1.024, -0.5, 0.025]
        data = self.dataset(lever=centres)
        cut = data.window("lever" if as_column else centres, (-1, 0.5))
        grid = np.arange(-20, 10) / 20
        assert cut.ts.tolist() == grid.tolist()
        snapped = self.CENTRES + np.array([1.0, -0.5, 0.0])
        np.testing.assert_allclose(cut.X, snapped[:, np.newaxis] + grid)
        assert np.isin(cut.X, data.X).all()
        np.testing.assert_array_equal(cut.adata.layers["neg"], -cut.X)

    def test_interpolation_keeps_the_exact_centre(self):
        centres = np.array([1.024, -0.5, 0.025])
        cut = self.dataset().window(centres, (-1.01, 0.5), strategy="interp")
        grid = -1.01 + np.arange(30) / 20
        np.testing.assert_allclose(cut.ts, grid)
        expected = (self.CENTRES + centres)[:, np.newaxis] + grid
        np.testing.assert_allclose(cut.X, expected, rtol=1e-12)
        np.testing.assert_allclose(cut.adata.layers["neg"], -expected, rtol=1e-12)

    def test_interpolation_lies_on_the_line_between_two_time_points(self):
        data = PhotometryData.from_arrays(
            pd.DataFrame({"n": [1, 2]}), np.array([[0.0, 8, 0, 4], [1, 1, 3, 1]]), np.arange(4.0)
        )
        cut = data.window([1.25, 1.5], (-1, 2), strategy="interp")
        np.testing.assert_allclose(cut.X, [[2, 6, 1], [1, 2, 2]])

    @pytest.mark.parametrize("sample", range(-20, 20))
    def test_a_gap_beside_a_time_point_does_not_reach_it(self, sample):
        data = self.dataset()
        data.X[:, 81] = np.nan  # 0.05 s
        low, centre = -0.15 - sample / 20, sample / 20
        on_time_points = data.window(centre, (low, low + 0.35), strategy="interp").X
        assert np.isnan(on_time_points).tolist() == [[False] * 4 + [True] + [False] * 2] * 3
        between = data.window(centre + 0.01, (low, low + 0.35), strategy="interp").X
        assert np.isnan(between).tolist() == [[False] * 3 + [True] * 2 + [False] * 2] * 3

    @pytest.mark.parametrize("strategy", ["nearest", "interp"])
    @pytest.mark.parametrize("sample", range(-15, 15))
    def test_a_window_may_reach_from_end_to_end(self, strategy, sample):
        t, centre = np.arange(-7, 153) / 10, sample / 10
        data = PhotometryData.from_arrays(pd.DataFrame({"n": [1]}), t[np.newaxis], t)
        cut = data.window(centre, (-0.7 - centre, 15.3 - centre), strategy=strategy)
        np.testing.assert_allclose(cut.X, data.X, atol=1e-12)

    @pytest.mark.parametrize(("end", "low"), [(-4.0, 0.0), (3.95, -0.95)])
    def test_a_rounding_error_beyond_the_ends_is_not_yet_outside(self, end, low):
        beyond = np.sign(end) * np.array([1e-7, 1e-5]) / 20  # in samples
        cut = self.dataset().window(
            [0.0, *(end + beyond)], (low, low + 1), strategy="interp", invalid_window_policy="drop"
        )
        assert cut.obs["trial_num"].tolist() == [1, 2]

    def test_the_places_of_the_old_windows_are_left_out(self):
        data = self.dataset(
            start_time=[6.0, 16.0, 26.0], stop_time=[14.0, 24.0, 34.0], lever=[0.5] * 3
        )
        assert list(data.window("lever", (-1, 1)).obs) == ["trial_num", "lever"]

    @pytest.mark.parametrize(("strategy", "moved"), [("nearest", 1.0), ("interp", 1.024)])
    def test_event_columns_named_become_relative_to_the_centre_used(self, strategy, moved):
        columns = {"lever": [1.024] * 3, "cue": [0.0, np.nan, 2.0], "dose": [5, 6, 7]}
        data = self.dataset(**columns)
        cut = data.window("lever", (-1, 1), event_cols=["lever", "cue"], strategy=strategy)
        np.testing.assert_allclose(cut.obs["lever"], [1.024 - moved] * 3, atol=1e-12)
        np.testing.assert_allclose(cut.obs["cue"], [-moved, np.nan, 2 - moved])
        assert cut.obs["dose"].tolist() == [5, 6, 7]
        assert data.window("lever", (-1, 1)).obs.equals(data.obs)
        one = data.window("lever", (-1, 1), event_cols="cue").obs
        assert one["lever"].tolist() == [1.024] * 3
        assert one["cue"].tolist()[0] == -1

    @given(
        centres=st.lists(st.integers(-100, 100), min_size=3, max_size=3),
        low=st.integers(-100, 90),
        length=st.integers(1, 170),
        strategy=st.sampled_from(["nearest", "interp"]),
    )
    def test_exactly_the_windows_within_their_trials_are_kept(self, centres, low, length, strategy):
        first = 80 + np.array(centres) + low
        inside = (first >= 0) & (first + length <= 160)
        bounds = (low / 20, (low + length) / 20)
        data = self.dataset(lever=np.array(centres) / 20)
        if not inside.any():
            with pytest.raises(ValueError, match="no trial is left"):
                data.window("lever", bounds, strategy=strategy, invalid_window_policy="drop")
            return
        cut = data.window(
            "lever", bounds, ["lever"], strategy=strategy, invalid_window_policy="drop"
        )
        rows = np.flatnonzero(inside)
        assert cut.obs["trial_num"].tolist() == (1 + rows).tolist()
        expected = np.stack([data.X[row, first[row] : first[row] + length] for row in rows])
        np.testing.assert_allclose(cut.X, expected, rtol=1e-12)
        np.testing.assert_allclose(cut.adata.layers["neg"], -expected, rtol=1e-12)
        np.testing.assert_allclose(cut.ts, (low + np.arange(length)) / 20, atol=1e-12)
        np.testing.assert_allclose(cut.obs["lever"], 0, atol=1e-12)

    @pytest.mark.parametrize("strategy", ["nearest", "interp"])
    def test_it_makes_the_trials_that_extraction_makes_around_those_centres(self, ramp, strategy):
        events = ramp.events | {"lev": ramp.events["lev"][[0, 2, 3]]}
        settings = {"window_alignment": strategy, "event_tolerances": {"lev": (0, 5)}}
        wide, direct = (
            extract_trials(
                ramp.signal, ramp.time, 20.0, events, align_to="cue", **settings, **where
            )
            for where in (
                {"trial_bounds": (-8, 8)},
                {"trial_bounds": (-2.03, 3.01), "center_on": "lev"},
            )
        )
        cut = PhotometryData.from_arrays(wide.obs, wide.signals, wide.t).window(
            wide.obs["lev"].fillna(0), (-2.03, 3.01), ["cue", "lev"], strategy
        )
        np.testing.assert_allclose(cut.X, direct.signals, rtol=1e-12)
        np.testing.assert_allclose(cut.ts, direct.t, atol=1e-12)
        for column in ("cue", "lev"):
            np.testing.assert_allclose(cut.obs[column], direct.obs[column], atol=1e-12)

    @given(first=st.integers(-400, 0), n_times=st.integers(50, 400))
    def test_rounding_of_seconds_does_not_change_how_many_samples_a_window_has(
        self, first, n_times
    ):
        t = (first + np.arange(n_times)) / 20
        data = PhotometryData.from_arrays(pd.DataFrame({"n": [1]}), t[np.newaxis], t)
        # 2.5 and 3.5 samples, which round to the even number; the low bound to -2 samples.
        assert data.window(t[10], (-0.125, 0)).ts.tolist() == [-0.1, -0.05]
        assert data.window(t[10], (-0.125, 0.05)).n_times == 4

    def test_trials_are_dropped_or_refused_by_their_position(self, caplog):
        data = self.dataset(lever=[0.0, np.nan, 3.5]).filter_rows([0, 2, 1])
        bounds = (0, 1)
        with pytest.raises(ValueError, match=r"trials \[1, 2\], centred at 3\.5, nan s; .*'drop'"):
            data.window("lever", bounds)
        with caplog.at_level(logging.WARNING):
            cut = data.window("lever", bounds, invalid_window_policy="drop")
        assert cut.obs["trial_num"].tolist() == [1]
        assert cut.adata.layers["neg"].shape == (1, 20)
        assert "trials [1, 2], centred at 3.5, nan s" in caplog.text
        assert data.n_trials == 3

    @pytest.mark.parametrize(("centre", "low"), [(-5.01, 2), (5.01, -3)])
    def test_a_window_may_lie_beside_its_centre(self, centre, low):
        cut = self.dataset(cue=[0.0] * 3).window(centre, (low, low + 1), "cue")
        np.testing.assert_allclose(cut.X[:, 0], self.CENTRES + np.sign(centre) * 5 + low)
        np.testing.assert_allclose(cut.obs["cue"], -np.sign(centre) * 5)

    def test_metadata_and_row_names_are_kept_and_the_dataset_is_left_alone(self):
        data = self.dataset(lever=[0.1, 0.2, 0.3])
        data.obs.index = ["x", "y", "z"]
        cut = data.window("lever", (-1, 1), "lever")
        assert cut.obs.index.tolist() == ["x", "y", "z"]
        cut.uns["metadata"]["rig"] = "B"
        cut.X[:] = 0
        assert data.uns == {"metadata": {"rig": "A"}}
        assert data.obs["lever"].tolist() == [0.1, 0.2, 0.3]
        np.testing.assert_array_equal(data.X, self.CENTRES[:, np.newaxis] + self.T)

    @pytest.mark.parametrize(
        ("settings", "message"),
        [
            ({"centers": "lev"}, r"centers: no column 'lev' .*\(has: trial_num, side\)"),
            ({"centers": "side"}, "centers: column 'side' holds something that is not a number"),
            ({"centers": [0.0, 1.0]}, r"centers has shape \(2,\), but there are 3 trials"),
            ({"event_cols": ["lev"]}, "event_cols: no column 'lev'"),
            ({"event_cols": ["side"]}, "event_cols: column 'side' holds"),
            ({"bounds": (1, -1)}, r"bounds is \(1, -1\), but must be \(low, high\)"),
            ({"bounds": (0, 0.01)}, "holds no sample at a sampling rate of 20 Hz"),
            ({"strategy": "linear"}, "strategy is 'linear', but must be one of nearest, interp"),
            ({"invalid_window_policy": "nan"}, "invalid_window_policy is 'nan', but must be one"),
        ],
    )
    def test_what_can_not_be_is_refused_by_name(self, settings, message):
        data = self.dataset(side=["left", "right", "left"])
        with pytest.raises(ValueError, match=message):
            data.window(**{"centers": 0.0, "bounds": (-1, 1)} | settings)


def test_tables_given_out_stay_those_of_the_dataset(tmp_path):
    data = make()
    obs, var = data.obs, data.var
    data.X = data.X * 2
    data.write_h5ad(tmp_path / "trials.h5ad")
    data.copy()
    data.filter_rows([0])
    obs["late"] = 1
    assert data.obs is obs and data.var is var
    assert "late" in data.adata.obs


@pytest.mark.parametrize(
    ("name", "value"),
    [("X", np.zeros((2, 4))), ("obs", pd.DataFrame({"a": [1]})), ("var", pd.DataFrame({"t": [1]}))],
)
def test_what_does_not_fit_the_rest_can_not_be_assigned(name, value):
    data = make()
    with pytest.raises(ValueError, match="rows"):
        setattr(data, name, value)
    assert data.n_trials == 3 and data.n_times == 4


def test_a_subclass_may_ask_its_anndata_for_anything():
    class Own(PhotometryData):
        def __init__(self, adata):
            super().__init__(adata)
            self.names = list(adata.obs_names)

    data = Own.from_arrays(pd.DataFrame({"a": [1, 2]}), np.zeros((2, 3)), np.arange(3.0))
    assert data.names == ["0", "1"]


def test_a_layer_of_another_shape_is_refused():
    with pytest.raises(ValueError, match=r"layer 'raw' has shape \(2, 2\), but data has \(2, 3\)"):
        PhotometryData.from_arrays(
            pd.DataFrame({"a": [1, 2]}), np.zeros((2, 3)), np.arange(3.0), {"raw": np.zeros((2, 2))}
        )
