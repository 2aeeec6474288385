"""Trials with their annotations, as a thin layer over AnnData."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from phopro_core.replacing import replacing
from phopro_core.storage import restored, storable

if TYPE_CHECKING:
    import anndata as ad


@dataclass(frozen=True)
class _Parts:
    """What will be an AnnData once somebody asks for one, under the names that it has there.

    Trials are made and written in less time than it takes to import anndata.
    """

    X: np.ndarray
    obs: pd.DataFrame
    var: pd.DataFrame
    uns: dict[str, Any]
    layers: dict[str, np.ndarray]

    def as_adata(self) -> ad.AnnData:
        import anndata as ad

        return ad.AnnData(**vars(self))

    def __post_init__(self) -> None:
        if self.X.shape != (len(self.obs), len(self.var)):
            raise ValueError(
                f"data has shape {self.X.shape}, but obs has {len(self.obs)} rows and there are "
                f"{len(self.var)} time points"
            )


class PhotometryData:
    """A set of trials on one time grid.

    Parameters
    ----------
    adata : anndata.AnnData
        ``X``, shape (n_trials, n_timepoints); ``obs``, one row per trial; ``var["t"]``,
        seconds from the trial's centre.

    Examples
    --------
    >>> obs = pd.DataFrame({"trial_num": [1, 2]})
    >>> data = PhotometryData.from_arrays(obs, np.zeros((2, 5)), np.arange(-2, 3) / 10)
    >>> data
    Photometry dataset with 2 trials, 5 timepoints, and 1 observations.
    >>> data.freq
    10.0
    """

    def __init__(self, adata: ad.AnnData) -> None:
        if "t" not in adata.var:
            raise ValueError("no var column 't' with the time points of the trials")
        self._held: ad.AnnData | _Parts = adata

    @property
    def adata(self) -> ad.AnnData:
        """The AnnData that this is a layer over; its tables are copies of those seen before."""
        self._held = self._as_adata()
        return self._held

    @adata.setter
    def adata(self, adata: ad.AnnData) -> None:
        self._held = adata

    def _as_adata(self) -> ad.AnnData:
        return self._held.as_adata() if isinstance(self._held, _Parts) else self._held

    def _assign(self, name: str, value: Any) -> None:
        if isinstance(self._held, _Parts):
            self._held = replace(self._held, **{name: value})
        else:
            setattr(self._held, name, value)

    @classmethod
    def from_arrays(
        cls,
        obs: pd.DataFrame,
        data: np.ndarray,
        time_points: np.ndarray,
        layers: Mapping[str, np.ndarray] | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> PhotometryData:
        """Make a dataset of arrays.

        Parameters
        ----------
        obs : DataFrame, n_trials rows
        data : array, shape (n_trials, n_timepoints)
        time_points : array, shape (n_timepoints,)
            Seconds from the trial's centre.
        layers : mapping of name to array, optional
            Further values per trial and time point, each of the shape of `data`.
        metadata : mapping, optional
            Becomes ``uns``.
        """
        data, time_points = np.asarray(data), np.asarray(time_points, dtype=float)
        layers = {name: np.asarray(values) for name, values in (layers or {}).items()}
        for name, values in layers.items():
            if values.shape != data.shape:
                raise ValueError(
                    f"layer {name!r} has shape {values.shape}, but data has {data.shape}"
                )
        obs = obs.set_axis(obs.index.astype(str), axis="index")
        names = [str(i) for i in range(time_points.size)]
        var = pd.DataFrame({"t": time_points}, index=names)
        parts = _Parts(data, obs, var, dict(metadata or {}), layers)
        # A constructor of a subclass may ask of an AnnData what else it has.
        is_own = cls.__init__ is PhotometryData.__init__
        return cls(parts if is_own else parts.as_adata())

    @classmethod
    def read_h5ad(cls, path: str | Path, backed: bool = False) -> PhotometryData:
        """Read trials from an h5ad file; backed ones are left there until they are needed."""
        import anndata as ad

        return cls._restored(ad.read_h5ad(path, backed="r" if backed else None))

    @classmethod
    def read_zarr(cls, path: str | Path) -> PhotometryData:
        """Read trials from a zarr store."""
        import anndata as ad

        return cls._restored(ad.read_zarr(path))

    def write_h5ad(self, path: str | Path, **kwargs: Any) -> None:
        """Write an h5ad file, replacing one that is there only once it is complete."""
        with replacing(path) as unfinished:
            self._storable().write_h5ad(unfinished, **kwargs)

    def write_zarr(self, path: str | Path) -> None:
        """Write a zarr store (a folder)."""
        self._storable().write_zarr(path)

    @classmethod
    def _restored(cls, adata: ad.AnnData) -> PhotometryData:
        adata.uns = restored(adata.uns)
        return cls(adata)

    def _storable(self) -> ad.AnnData:
        import anndata as ad

        # anndata turns strings into categories in place, and says so on the terminal.
        return ad.AnnData(
            X=self.X,
            obs=with_categories(self.obs),
            var=self.var,
            uns=storable(self.uns),
            layers=self._held.layers,
        )

    @property
    def X(self) -> np.ndarray:  # noqa: N802 - AnnData's name
        """Signals, shape (n_trials, n_timepoints)."""
        return self._held.X

    @X.setter
    def X(self, values: np.ndarray) -> None:  # noqa: N802
        self._assign("X", np.asarray(values))

    @property
    def obs(self) -> pd.DataFrame:
        """Annotations, one row per trial."""
        return self._held.obs

    @obs.setter
    def obs(self, frame: pd.DataFrame) -> None:
        self._assign("obs", frame.set_axis(frame.index.astype(str), axis="index"))

    @property
    def var(self) -> pd.DataFrame:
        """Time points: column t, seconds from the trial's centre."""
        return self._held.var

    @var.setter
    def var(self, frame: pd.DataFrame) -> None:
        self._assign("var", frame.set_axis(frame.index.astype(str), axis="index"))

    @property
    def uns(self) -> dict[str, Any]:
        """What holds for all trials: metadata and provenance."""
        return self._held.uns

    @uns.setter
    def uns(self, mapping: Mapping[str, Any]) -> None:
        self._assign("uns", dict(mapping))

    @property
    def ts(self) -> np.ndarray:
        """Time points, seconds from the trial's centre, shape (n_timepoints,)."""
        return self.var["t"].to_numpy()

    @property
    def dt(self) -> float:
        """Seconds between time points; ValueError if there are fewer than two."""
        if self.n_times < 2:
            raise ValueError(f"trials of {self.n_times} time points have no time between them")
        return float((self.ts[-1] - self.ts[0]) / (self.n_times - 1))

    @property
    def freq(self) -> float:
        """Time points per second, Hz."""
        return 1 / self.dt

    @property
    def n_trials(self) -> int:
        return len(self.obs)

    @property
    def n_times(self) -> int:
        return len(self.var)

    def __repr__(self) -> str:
        return (
            f"Photometry dataset with {self.n_trials} trials, {self.n_times} timepoints, "
            f"and {self.obs.shape[1]} observations."
        )

    def __len__(self) -> int:
        return self.n_trials

    def copy(self) -> PhotometryData:
        return type(self)(self._as_adata().copy())

    def add_obs_columns(
        self, add_from: Mapping[str, Any], keys: Sequence[str] | None = None
    ) -> None:
        """Give every trial the same values, one column per key.

        Parameters
        ----------
        add_from : mapping
            For instance an experiment's metadata.
        keys : list of str, optional
            Which of them, and in which order; by default all. A key that is absent gives
            a column of missing values.

        Raises
        ------
        ValueError
            If a value is not a single one, or would replace a column that is there.
        """
        for key in add_from if keys is None else keys:
            value = add_from.get(key)
            if not (value is None or np.ndim(value) == 0) or isinstance(value, Mapping):
                raise ValueError(f"{key!r} is {value!r}, but a column takes a single value")
            if key in self.obs:
                raise ValueError(f"obs has a column {key!r} already")
            self.obs[key] = np.nan if value is None else value

    def filter_rows(
        self, sel: np.ndarray | Sequence | int, inplace: bool = False
    ) -> PhotometryData | None:
        """Keep some trials: by a mask, indices, or a single index."""
        rows = np.atleast_1d(np.asarray(sel))
        if rows.size == 0:
            rows = rows.astype(int)
        kept = self._as_adata()[rows].copy()
        if not inplace:
            return type(self)(kept)
        self.adata = kept
        return None

    def combine_obj(
        self,
        to_append: PhotometryData | Sequence[PhotometryData],
        inplace: bool = False,
        join: Literal["inner", "outer"] = "inner",
        check_time: bool = True,
        time_tol: float = 1e-6,
    ) -> PhotometryData | None:
        """Append the trials of other datasets.

        Parameters
        ----------
        to_append : PhotometryData or list of them
        inplace : bool
            Whether to change this dataset, or to return a new one.
        join : {'inner', 'outer'}
            Whether to keep the columns that all have, or all columns, with missing
            values where a dataset has none.
        check_time : bool
            Whether to insist on equal time grids; without it only their lengths count.
        time_tol : float
            Seconds by which time points may differ.

        Raises
        ------
        ValueError
            If the time grids differ; the message says which and by how much.
        """
        from phopro_core.merging import Trials, merge_trials

        others = [to_append] if isinstance(to_append, PhotometryData) else list(to_append)
        datasets = {"this dataset": self}
        datasets |= {f"dataset {i} to append": other for i, other in enumerate(others, 1)}
        parts = {name: Trials(data.X, data.obs, data.ts) for name, data in datasets.items()}
        signals, obs, t = merge_trials(parts, join, time_tol if check_time else np.inf)
        merged = type(self).from_arrays(obs, signals, t, metadata=self.uns)
        if not inplace:
            return merged
        self.adata = merged.adata
        return None

    def downsample(
        self,
        factor: int,
        method: Literal["mean", "resample"] = "mean",
        window: str | tuple = ("kaiser", 5.0),
        padtype: str = "line",
    ) -> PhotometryData:
        """Keep one time point in `factor`, of ``X``, the layers and ``var["t"]``.

        See :func:`phopro_core.downsampling.downsample` for the parameters, and what it raises.
        """
        from phopro_core.downsampling import downsample

        # Copies, since a factor of one gives back the very arrays it was given.
        arrays = [np.array(values) for values in (self.X, *self._held.layers.values())]
        kept = [downsample(a, self.ts, factor, method, window, padtype) for a in arrays]
        return self._with(self.obs, [values for values, _ in kept], kept[0][1])

    def collapse(
        self,
        group_on: str | Sequence[str] | None = None,
        method: Callable[..., np.ndarray] = np.nanmean,
        metrics: Mapping[str, Callable[..., np.ndarray]] = MappingProxyType({"std": np.nanstd}),
        data_cols: str | Sequence[str] = (),
        count_col: str | None = "n",
    ) -> PhotometryData:
        """Summarise the trials of each group as one.

        Parameters
        ----------
        group_on : str or list of str, optional
            Columns that make the groups, which come in the order of the sorted values, a
            missing one last; by default all trials are one group.
        method : callable
            What becomes ``X``: a function of the group's trials, shape (n, n_timepoints),
            called with ``axis=0``.
        metrics : mapping of name to callable
            Further such functions; each becomes a layer, in the place of those there were.
        data_cols : str or list of str
            Columns of numbers to summarise too, as ``<column>`` and ``<column>_<metric>``.
        count_col : str or None
            Column for the number of trials; None leaves it out.

        Raises
        ------
        ValueError
            If there is no trial or no such column, a data column is not of numbers,
            columns would share a name, or a function does not remove axis 0.

        Examples
        --------
        >>> obs = pd.DataFrame({"sex": ["M", "F", "M"]})
        >>> data = PhotometryData.from_arrays(obs, np.eye(3), np.arange(3) / 10)
        >>> data.collapse("sex").X
        array([[0. , 1. , 0. ],
               [0.5, 0. , 0.5]])
        """
        from phopro_core.collapsing import collapse_trials
        from phopro_core.columns import columns_named, numeric_columns

        keys = self.obs[columns_named(self.obs, group_on, "group_on")]
        data = numeric_columns(self.obs, data_cols, "data_cols")
        signals, layers, obs = collapse_trials(self.X, keys, data, method, metrics, count_col)
        return type(self).from_arrays(obs, signals, self.ts, layers, deepcopy(self.uns))

    def window(
        self,
        centers: str | float | Sequence[float] | np.ndarray,
        bounds: tuple[float, float],
        event_cols: str | Sequence[str] | None = None,
        strategy: Literal["nearest", "interp"] = "nearest",
        invalid_window_policy: Literal["error", "drop"] = "error",
    ) -> PhotometryData:
        """Cut every trial anew, ``X`` and layers, around a new centre.

        Parameters
        ----------
        centers : str, float or array, shape (n_trials,)
            Seconds from the old centre: of each trial, the same for all, or the column
            that holds them.
        bounds : (low, high)
            Seconds from the new centre.
        event_cols : str or list of str, optional
            Columns of event times, to be made relative to the new centre; no other is.
            The places of the old windows, start_time and stop_time, are left out.
        strategy : {'nearest', 'interp'}
            Whether centres snap to the nearest time point (a tie to the earlier), or
            trials are interpolated linearly around the exact centre.
        invalid_window_policy : {'error', 'drop'}
            What becomes of trials whose window reaches outside, or without a centre.

        Raises
        ------
        ValueError
            If there are such trials (with 'drop': no others), a column is missing or not
            of numbers, or a setting is not one of those above.

        Examples
        --------
        >>> obs, ramps = pd.DataFrame({"lever": [0.1, 0.3]}), np.tile(np.arange(6.0), (2, 1))
        >>> data = PhotometryData.from_arrays(obs, ramps, np.arange(6) / 10)
        >>> data.window("lever", (-0.1, 0.2)).X
        array([[0., 1., 2.],
               [2., 3., 4.]])
        """
        from phopro_core.columns import number_per_trial, numeric_columns
        from phopro_core.recentring import check_inside, recentre_trials

        centres = number_per_trial(self.obs, centers, "centers")
        events = numeric_columns(self.obs, event_cols, "event_cols")
        # Whether half a sample rounds up or down must not hang on the last digit of t.
        frequency = float(f"{self.freq:.12g}")
        arrays = [self.X, *self._held.layers.values()]
        cut = recentre_trials(arrays, self.ts, frequency, centres, bounds, strategy)
        check_inside(cut.inside, centres, self.ts, invalid_window_policy)
        shifted = {name: times[cut.inside] - cut.centres for name, times in events.items()}
        obs = self.obs.loc[cut.inside].drop(columns=["start_time", "stop_time"], errors="ignore")
        return self._with(obs.assign(**shifted), cut.arrays, cut.t)

    def _with(self, obs: pd.DataFrame, arrays: list[np.ndarray], t: np.ndarray) -> PhotometryData:
        """These annotations, X and layers (in this order), and time points, with this uns."""
        layers = dict(zip(self._held.layers, arrays[1:], strict=True))
        return type(self).from_arrays(obs, arrays[0], t, layers, deepcopy(self.uns))


def with_categories(obs: pd.DataFrame) -> pd.DataFrame:
    """Text columns as categories in sorted order: how AnnData stores them.

    Values of mixed types become text too; missing ones stay missing.
    """
    text = {
        name: column.where(column.isna(), column.astype(str)).astype("category")
        for name, column in obs.items()
        if pd.api.types.is_object_dtype(column) or isinstance(column.dtype, pd.StringDtype)
    }
    return obs.assign(**text)
