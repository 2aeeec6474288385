"""AnnData's file format, written and read straight with HDF5.

anndata's own writer spends most of a millisecond on every key, however small; with some
thirty keys in a file and three files for each recording that would be half of the time of
a batch. This module covers the types that the intermediate files of the workflow hold, and nothing
else. ``anndata.read_h5ad`` opens what it writes.

Format: https://anndata.readthedocs.io/en/stable/fileformat-prose.html
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import numpy as np
import pandas as pd

from phopro_core.replacing import check_room, replacing

_TEXT = h5py.string_dtype()
_TEXT_TYPE = h5py.h5t.py_create(_TEXT, logical=True)
_TEXT_IN_MEMORY = h5py.h5t.py_create(_TEXT)
_SCALAR = h5py.h5s.create(h5py.h5s.SCALAR)
#: Names are UTF-8, and equal contents give equal bytes whenever they are written.
_NAMED = h5py.h5p.create(h5py.h5p.LINK_CREATE)
_NAMED.set_char_encoding(h5py.h5t.CSET_UTF8)
_NAMED.set_create_intermediate_group(True)
_PLAIN = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
_PLAIN.set_obj_track_times(False)
#: What a file takes beside its arrays, at most, bytes.
ROOM = 200_000
_NO_ROWS = pd.DataFrame(index=pd.Index([], dtype=object))


class Rows(NamedTuple):
    """An array of floats that need not be whole in memory: parts of it, one below the other."""

    shape: tuple[int, int]
    parts: Iterable[np.ndarray]


def write_h5ad(
    path: str | Path,
    *,
    obs: pd.DataFrame,
    var: pd.DataFrame | None = None,
    X: np.ndarray | Rows | None = None,  # noqa: N803 - AnnData's name
    obsm: Mapping[str, np.ndarray | Rows] | None = None,
    uns: Mapping[str, Any] | None = None,
) -> None:
    """Write an AnnData file, replacing one that is there only once it is complete.

    Parameters
    ----------
    path : path
    obs, var : DataFrame
        With text as index, and columns of numbers, text or categories.
    X : array, shape (len(obs), len(var)), or Rows of that shape, optional
    obsm : mapping of name to array, or Rows, of len(obs) rows, optional
    uns : mapping, optional
        Of text to mappings, tables, arrays of numbers, lists of text, text, numbers and
        None.

    Raises
    ------
    TypeError
        If a value is of another type.
    OSError
        If the disk has no room for the file.
    """
    with replacing(path) as unfinished:
        check_room(unfinished, ROOM + _size([X, obsm, uns]))
        _write_file(unfinished, obs, var, X, obsm, uns)


def _write_file(
    path: Path,
    obs: pd.DataFrame,
    var: pd.DataFrame | None,
    X: np.ndarray | Rows | None,  # noqa: N803
    obsm: Mapping[str, np.ndarray | Rows] | None,
    uns: Mapping[str, Any] | None,
) -> None:
    with h5py.File(path, "w") as file:
        _describe(file.id, "anndata", "0.1.0")
        if X is not None:
            _write(file, "X", X)
        _write(file, "obs", obs)
        _write(file, "var", _NO_ROWS if var is None else var)
        _write(file, "obsm", obsm or {})
        _write(file, "uns", uns or {})
        for unused in ("layers", "obsp", "varm", "varp"):
            _write(file, unused, {})


def _size(value: Any) -> int:
    """Bytes of the arrays in nested mappings and lists."""
    match value:
        case np.ndarray():
            return value.nbytes
        case Rows():
            return 8 * value.shape[0] * value.shape[1]
        case Mapping():
            return sum(map(_size, value.values()))
        case list():
            return sum(map(_size, value))
        case _:
            return 0


def _write(parent: h5py.Group, key: str, value: Any) -> None:
    match value:
        case Mapping():
            group = parent.create_group(key)
            _describe(group.id, "dict", "0.1.0")
            for name, item in value.items():
                _write(group, name, item)
        case Rows():
            _write_rows(parent, key, value)
        case pd.DataFrame():
            _write_frame(parent, key, value)
        case pd.Categorical():
            group = parent.create_group(key)
            _describe(group.id, "categorical", "0.2.0")
            group.attrs["ordered"] = bool(value.ordered)
            _write(group, "codes", value.codes)
            _write(group, "categories", value.categories.to_numpy())
        case str():
            _write_array(parent, key, np.array(value, dtype=object), "string")
        case None:
            _describe(parent.create_dataset(key, data=h5py.Empty("f")).id, "null", "0.1.0")
        case bool() | int() | float() | np.generic() if np.asarray(value).dtype != object:
            _write_array(parent, key, np.asarray(value), "numeric-scalar")
        case np.ndarray() if value.dtype.kind in "biuf":
            _write_array(parent, key, np.asarray(value, order="C"), "array")
        case list() | np.ndarray() if all(isinstance(item, str) for item in value):
            _write_array(parent, key, np.array(value, dtype=object), "string-array")
        case _:
            raise TypeError(
                f"{_path(parent, key)}: can't store a {type(value).__name__}: {value!r}"
            )


def _write_array(parent: h5py.Group, key: str, values: np.ndarray, encoding: str) -> None:
    """Write an array, or a single value as one of no dimensions, of numbers or text."""
    in_memory = _TEXT_IN_MEMORY if values.dtype == object else h5py.h5t.py_create(values.dtype)
    in_file = _TEXT_TYPE if values.dtype == object else in_memory
    item = _create(parent, key, in_file, values.shape)
    item.write(h5py.h5s.ALL, h5py.h5s.ALL, values, in_memory)
    _describe(item, encoding, "0.2.0")


def _write_rows(parent: h5py.Group, key: str, rows: Rows) -> None:
    item = _create(parent, key, h5py.h5t.py_create(np.dtype(float)), rows.shape)
    whole = h5py.Dataset(item)
    written = 0
    for part in rows.parts:
        whole[written : written + len(part)] = part
        written += len(part)
    if written != rows.shape[0]:
        raise ValueError(f"{_path(parent, key)}: {written} rows were given for {rows.shape[0]}")
    _describe(item, "array", "0.2.0")


def _path(parent: h5py.Group, key: str) -> str:
    return f"{parent.name.rstrip('/')}/{key}"


def _create(
    parent: h5py.Group, key: str, kind: h5py.h5t.TypeID, shape: tuple[int, ...]
) -> h5py.h5d.DatasetID:
    # h5py's high-level interface would take twice the time that HDF5 does, for small values.
    space = h5py.h5s.create_simple(shape) if shape else _SCALAR
    return h5py.h5d.create(parent.id, key.encode(), kind, space, _PLAIN, _NAMED)


def _write_frame(parent: h5py.Group, key: str, frame: pd.DataFrame) -> None:
    inside = [name for name in frame if any(name.startswith(f"{other}/") for other in frame)]
    if inside:
        # To HDF5 a slash makes a folder, and a column can't be one and a file at once.
        raise ValueError(f"the columns {inside} lie inside of others by their names; rename them")
    group = parent.create_group(key)
    _describe(group.id, "dataframe", "0.2.0")
    group.attrs["_index"] = "_index"
    group.attrs["column-order"] = np.asarray(list(frame.columns), dtype=_TEXT)
    _write(group, "_index", list(frame.index))
    for name in frame:
        _write(
            group,
            name,
            frame[name].array if _is_categorical(frame[name]) else frame[name].to_numpy(),
        )


def _is_categorical(column: pd.Series) -> bool:
    return isinstance(column.dtype, pd.CategoricalDtype)


def _describe(item: h5py.h5g.GroupID | h5py.h5d.DatasetID, encoding: str, version: str) -> None:
    # Two attributes to every key: h5py's high-level interface would take half of the time.
    for name, text in ((b"encoding-type", encoding), (b"encoding-version", version)):
        attribute = h5py.h5a.create(item, name, _TEXT_TYPE, _SCALAR)
        attribute.write(np.array(text, dtype=object), _TEXT_IN_MEMORY)


def read_frame(group: h5py.Group) -> pd.DataFrame:
    """Read a table such as ``obs``, with the columns that :func:`write_h5ad` takes."""
    return pd.DataFrame(read_columns(group), index=group[group.attrs["_index"]].asstr()[()])


def read_columns(group: h5py.Group) -> dict[str, Any]:
    """The columns of a table alone: an array, a list of text, or a Categorical each."""
    return {name: _read_column(group[name]) for name in group.attrs["column-order"]}


def _read_column(item: h5py.Group | h5py.Dataset) -> Any:
    if isinstance(item, h5py.Group):
        categories, ordered = _read(item["categories"]), bool(item.attrs["ordered"])
        return pd.Categorical.from_codes(item["codes"][()], categories, ordered=ordered)
    return _read(item)


def read_mapping(group: h5py.Group) -> dict[str, Any]:
    """Read a mapping such as ``uns``, of the types that :func:`write_h5ad` takes."""
    return {key: _read(item) for key, item in group.items()}


def _read(item: h5py.Group | h5py.Dataset) -> Any:
    if isinstance(item, h5py.Group):
        is_table = item.attrs.get("encoding-type") == "dataframe"
        return read_frame(item) if is_table else read_mapping(item)
    if item.shape is None:
        return None
    if h5py.check_string_dtype(item.dtype):
        texts = item.asstr()[()]
        return texts if isinstance(texts, str) else texts.tolist()
    return item[()] if item.shape else item[()].item()
