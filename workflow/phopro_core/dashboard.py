"""Dashboards: one picture per recording, to see at a glance whether to trust it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import matplotlib as mpl
import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.legend import Legend

from phopro_core.downsampling import downsample as keep_means
from phopro_core.replacing import replacing
from phopro_core.thinning import thin

if TYPE_CHECKING:
    import pandas as pd

    from phopro_core.experiment import PhotometryExperiment

SIZE = (11.0, 5.5)  # inches, if the legends fit
#: Room around the axes and between them, inches; to their right there is the legend.
LEFT, BOTTOM, TOP, RIGHT, BETWEEN = 0.95, 0.5, 0.35, 0.15, 0.2
#: From the axes to their label, inches: as much as numbers on the axis need.
LABEL_PAD = 0.75
#: Pixel columns that a trace is thinned to: what a wide screen shows of the figure.
COLUMNS = 1600
#: Colours that readers with any colour vision tell apart (Okabe and Ito, 2008).
SIGNAL, ISOSBESTIC, REFERENCE, PROCESSED = "#009E73", "#56B4E9", "#D55E00", "#000000"
EVENTS = ("#CC79A7", "#E69F00", "#0072B2", "#7F7F7F", "#A6761D", "#66A61E", "#882255", "#44AA99")
ARTIFACTS = ("#CC3311", "#EE7733", "#AA3377")
UNITS = {"dF/F": "dF/F", "dB/B": "dB/B", "dF": "dF (a.u.)", "dB": "dB (a.u.)"}


def draw_dashboard(
    experiment: PhotometryExperiment,
    save: str | Path | None = None,
    raw: bool | Literal["auto"] = "auto",
    downsample: int | None = None,
    title: str | None = None,
) -> Figure | None:
    """Draw a recording; see :meth:`phopro_core.PhotometryExperiment.plot_dashboard`.

    Above, filtered signal, filtered isosbestic and fitted reference; below, the
    processed signal; the events as marks along the top of each, and the artifacts as bands
    behind the traces.
    """
    processed = experiment.signal is not None
    if raw == "auto":
        raw = not processed
    if not raw and not processed:
        raise ValueError("no processed traces to draw; preprocess the signal, or draw it raw")
    figure = Figure(figsize=SIZE)
    FigureCanvasAgg(figure)
    panels = [_raw_traces(experiment)] if raw else _processed_traces(experiment)
    axes = figure.subplots(len(panels), sharex=True, squeeze=False)[:, 0]
    legends = []
    for ax, (label, traces) in zip(axes, panels, strict=True):
        entries = {}
        for name, values, colour in traces:
            t, y = experiment.time, values
            if downsample is not None:
                y, t = keep_means(y, t, downsample)
            (entries[name],) = ax.plot(*thin(t, y, COLUMNS), color=colour, linewidth=0.8)
        ax.set_ylabel(label)
        ax.spines[["top", "right"]].set_visible(False)
        ax.margins(x=0.01)
        bands = {} if raw else _shade_artifacts(ax, experiment.artifacts)
        marks = _mark_events(ax, experiment.events)
        shown = entries | bands | marks if ax is axes[0] else entries
        legends.append(_add_legend(ax, shown))
    axes[-1].set_xlabel("time (s)")
    _arrange(figure, legends)
    figure.suptitle(title or _title(experiment), fontsize="medium", parse_math=False)
    if save is None:
        return figure
    with reproducible_svg(), replacing(save) as unfinished:
        figure.savefig(unfinished, metadata={"Date": None} if unfinished.suffix == ".svg" else None)
    return None


@contextmanager
def reproducible_svg() -> Iterator[None]:
    """Make matplotlib write the same SVG for the same figure, with text as text."""
    with mpl.rc_context({"svg.hashsalt": "phopro", "svg.fonttype": "none"}):
        yield


def _raw_traces(experiment: PhotometryExperiment) -> tuple[str, list]:
    traces = [("raw signal", experiment.raw_signal, SIGNAL)]
    if experiment.raw_isosbestic is not None:
        traces.append(("raw isosbestic", experiment.raw_isosbestic, ISOSBESTIC))
    return "fluorescence (a.u.)", traces


def _processed_traces(experiment: PhotometryExperiment) -> list[tuple[str, list]]:
    traces = [("filtered signal", experiment.filt_sig, SIGNAL)]
    if experiment.filt_iso is not None:
        traces.append(("filtered isosbestic", experiment.filt_iso, ISOSBESTIC))
    traces.append(("fitted reference", experiment.fitted_ref, REFERENCE))
    method = experiment.metadata.get("correction_method", "none")
    unit = UNITS.get(method, "fluorescence (a.u.)" if method == "none" else method)
    return [
        ("fluorescence (a.u.)", traces),
        (unit, [("processed signal", experiment.signal, PROCESSED)]),
    ]


def _mark_events(ax: Axes, events: dict[str, np.ndarray]) -> dict[str, Artist]:
    """Ticks above the traces, a row for each event; returns them with their labels."""
    low, high = ax.get_ylim()
    row = 0.05 * (high - low)
    marks = {}
    for k, (label, times) in enumerate(events.items()):
        bottom = high + (len(events) - 1 - k) * row
        colour = EVENTS[k % len(EVENTS)]
        # One line with gaps: a collection of lines would take longer than the traces.
        ends = np.tile([bottom, bottom + 0.8 * row, np.nan], times.size)
        (ticks,) = ax.plot(np.repeat(times, 3), ends, color=colour, linewidth=1.2)
        marks[f"{label} ({times.size})"] = ticks
    ax.set_ylim(low, high + len(events) * row)
    return marks


def _shade_artifacts(ax: Axes, artifacts: pd.DataFrame | None) -> dict[str, Artist]:
    """Bands over the intervals of artifacts; returns one of each type, with its label."""
    bands: dict[str, Artist] = {}
    if artifacts is None:
        return bands
    for k, (kind, found) in enumerate(artifacts.groupby("type")):
        colour = ARTIFACTS[k % len(ARTIFACTS)]
        intervals = zip(found["start_time"], found["stop_time"] - found["start_time"], strict=True)
        # The edge keeps intervals visible that are narrower than a pixel.
        bands[f"{kind} ({len(found)})"] = ax.broken_barh(
            list(intervals),
            (0, 1),
            transform=ax.get_xaxis_transform(),
            facecolor=colour,
            edgecolor=colour,
            alpha=0.35,
            zorder=0,
        )
    return bands


def _add_legend(ax: Axes, entries: dict[str, Artist]) -> Legend:
    """A legend right of the axes, its labels as they are: _these and $those$ too."""
    legend = ax.legend(
        entries.values(),
        entries.keys(),
        loc="upper left",
        bbox_to_anchor=(1.0, 1.0),
        frameon=False,
        fontsize="small",
    )
    for text in legend.get_texts():
        text.set_parse_math(False)
    return legend


def _arrange(figure: Figure, legends: Sequence[Legend]) -> None:
    """Place the axes such that their labels line up, and each legend fits beside its own.

    For long legends the figure grows. Matplotlib's own layouts draw everything once more to
    find out.
    """
    renderer = figure.canvas.get_renderer()
    boxes = [legend.get_window_extent(renderer) for legend in legends]
    legend = max(box.width for box in boxes) / figure.dpi
    width = max(SIZE[0], LEFT + SIZE[0] / 2 + legend + RIGHT)
    right = width - RIGHT - legend
    panel = (SIZE[1] - TOP - BOTTOM) / len(boxes)
    heights = [max(panel, box.height / figure.dpi + BETWEEN) for box in boxes]
    height = sum(heights) + TOP + BOTTOM
    figure.set_size_inches(width, height)
    figure.axes[0].get_gridspec().set_height_ratios(heights)
    figure.subplots_adjust(
        left=LEFT / width,
        right=right / width,
        bottom=BOTTOM / height,
        top=1 - TOP / height,
        hspace=BETWEEN / panel,
    )
    for ax in figure.axes:
        ax.yaxis.set_label_coords(-LABEL_PAD / (right - LEFT), 0.5)


def _title(experiment: PhotometryExperiment) -> str:
    source = experiment.metadata.get("source")
    return experiment.id or (Path(source).name if source else "recording")
