"""Our own writer of AnnData files, read back by anndata and by our own reader."""

import anndata as ad
import h5py
import numpy as np
import pandas as pd
import pytest

from phopro_core.h5ad import Rows, read_frame, read_mapping, write_h5ad

OBS = pd.DataFrame(
    {
        "trial_num": [1, 2, 3],
        "lever/1": [0.5, np.nan, 2.0],
        "100%": [True, False, True],
        "subject": pd.Categorical(["b", "a", None], categories=["a", "b"]),
        "dose": pd.Categorical(["low", "high", "low"], ["low", "high"], ordered=True),
        "note": ["x", "", "é"],
    },
    index=["0", "1", "2"],
)
VAR = pd.DataFrame({"t": [-0.1, 0.0]}, index=["0", "1"])
X = np.arange(6.0).reshape(3, 2)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "trials.h5ad"


def test_anndata_reads_what_was_written(path):
    write_h5ad(path, obs=OBS, var=VAR, X=X, obsm={"trace": X}, uns={"a": {"b": X[0]}})
    adata = ad.read_h5ad(path)
    assert np.array_equal(adata.X, X)
    assert np.array_equal(adata.obsm["trace"], X)
    assert np.array_equal(adata.uns["a"]["b"], X[0])
    pd.testing.assert_frame_equal(adata.var, VAR)
    pd.testing.assert_frame_equal(adata.obs, OBS, check_dtype=False, check_categorical=False)
    assert adata.obs["subject"].cat.categories.tolist() == ["a", "b"]
    assert adata.obs["dose"].cat.ordered
    assert not adata.obs["subject"].cat.ordered


def test_a_table_read_is_the_table_written(path):
    write_h5ad(path, obs=OBS, var=VAR, X=X)
    with h5py.File(path) as file:
        pd.testing.assert_frame_equal(read_frame(file["obs"]), OBS)
        pd.testing.assert_frame_equal(read_frame(file["var"]), VAR)


def test_rows_given_in_parts_are_those_given_at_once(path, tmp_path):
    at_once = tmp_path / "at_once.h5ad"
    write_h5ad(at_once, obs=OBS, var=VAR, X=X)
    write_h5ad(path, obs=OBS, var=VAR, X=Rows(X.shape, iter([X[:1], X[1:1], X[1:]])))
    assert path.read_bytes() == at_once.read_bytes()


def test_too_few_rows_are_refused_and_nothing_is_left(path):
    with pytest.raises(ValueError, match="/X: 2 rows were given for 3"):
        write_h5ad(path, obs=OBS, var=VAR, X=Rows(X.shape, [X[:1], X[1:2]]))
    assert list(path.parent.iterdir()) == []


@pytest.mark.parametrize(
    "value",
    [None, "text", "", 3, 2.5, True, ["a", "é"], [], {}, {"x": {"y": None}}, np.arange(4)],
)
def test_a_value_is_the_same_to_both_readers(path, value):
    write_h5ad(path, obs=pd.DataFrame(index=["0"]), uns={"key": value})
    with h5py.File(path) as file:
        ours = read_mapping(file["uns"])["key"]
    theirs = ad.read_h5ad(path).uns["key"]
    np.testing.assert_equal(ours, value)
    np.testing.assert_equal(list(theirs) if isinstance(value, list) else theirs, value)


def test_a_list_of_numbers_is_not_a_type_of_the_format(path):
    with pytest.raises(TypeError, match="/uns/deep/key: can't store a list"):
        write_h5ad(path, obs=OBS, uns={"deep": {"key": [1, "a"]}})


def test_nothing_is_left_of_a_file_that_could_not_be_written(path):
    with pytest.raises(TypeError):
        write_h5ad(path, obs=OBS, uns={"key": object()})
    assert list(path.parent.iterdir()) == []


def test_equal_contents_give_equal_bytes(path, tmp_path):
    other = tmp_path / "other.h5ad"
    for target in (path, other):
        write_h5ad(target, obs=OBS, var=VAR, X=X, uns={"a": {"b": None}})
    assert path.read_bytes() == other.read_bytes()


def test_a_column_named_like_the_folder_of_another_is_refused(path):
    obs = pd.DataFrame({"lever": [1.0], "lever/1": [2.0]}, index=["0"])
    with pytest.raises(ValueError, match=r"\['lever/1'\] lie inside of others"):
        write_h5ad(path, obs=obs)
    assert not path.exists()


@pytest.mark.parametrize("value", [np.array(3.0), np.array(True), np.float32(0.5), np.int64(-1)])
def test_a_single_value_comes_back_as_one(path, value):
    write_h5ad(path, obs=OBS, uns={"value": value})
    with h5py.File(path) as file:
        found = read_mapping(file["uns"])["value"]
    assert np.ndim(found) == 0
    assert found == value


def test_a_number_too_large_for_the_file_is_named(path):
    with pytest.raises(TypeError, match="/uns/n: can't store a int: 1180591620717411303424"):
        write_h5ad(path, obs=OBS, uns={"n": 2**70})


def test_an_array_whose_rows_are_not_all_given_is_named(path):
    with pytest.raises(ValueError, match=r"^/obsm/trace: 1 rows were given for 2$"):
        write_h5ad(path, obs=OBS, obsm={"trace": Rows((2, 3), [np.zeros((1, 3))])})
