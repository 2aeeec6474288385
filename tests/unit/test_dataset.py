"""The trial dataset: made, read, written, filtered and joined."""

import anndata as ad
import numpy as np
import pandas as pd
import pytest

from phopro_core import PhotometryData

T = np.array([-0.2, -0.1, 0.0, 0.1])


def make(n_trials: int = 3, first: float = 0, **columns) -> PhotometryData:
    """Trials whose samples count up, so that each can be told from the others."""
    obs = pd.DataFrame({"trial_num": np.arange(1, n_trials + 1), **columns})
    return PhotometryData.from_arrays(
        obs, first + np.arange(4.0 * n_trials).reshape(n_trials, 4), T, metadata={"rig": "A"}
    )


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
