"""The same recordings in the formats of all rigs: the same trials come out."""

from dataclasses import dataclass
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from rigs.doric import NEWER, write_newer
from rigs.neurophotometrics import frames, with_first_frame, write_frames
from rigs.nwb import add_series, new_file
from rigs.nwb import write as write_nwb
from rigs.pyphotometry import header, ppd_bytes, words
from rigs.tdt import Stream, on_clock, write_block
from study_runs import ROOT, Study

from phopro_core.simulation import simulate_recording
from phopro_core.storage import read_recording

EVENTS = ["trial_cue", "lever1"]
RATE = 20.0
#: Units of a signal in one count of pyPhotometry's converter.
COUNT = 0.004


@dataclass
class Session:
    """A recording whose isosbestic was sampled halfway between samples of its signal.

    ``isosbestic`` is what linear interpolation makes of ``between``, its samples before
    each of the signal's.
    """

    time: np.ndarray
    signal: np.ndarray
    isosbestic: np.ndarray
    between: np.ndarray
    events: dict[str, np.ndarray]

    def line(self, event: str) -> np.ndarray:
        """1 in the samples in which an event occurs, else 0."""
        return np.isin(self.time, self.events[event]).astype(int)


@pytest.fixture(scope="module")
def sessions() -> dict[str, Session]:
    made = {}
    for seed in (1, 2):
        fast = simulate_recording(seed=seed, duration=64.0, frequency=2 * RATE, trial_interval=12.0)
        between = fast.isosbestic[::2]
        isosbestic = np.append((between[:-1] + between[1:]) / 2, between[-1])
        time = np.arange(between.size) / RATE
        events = {label: time[np.rint(fast.events[label] * RATE).astype(int)] for label in EVENTS}
        made[f"m{seed}"] = Session(time, fast.signal[1::2], isosbestic, between, events)
    return made


def as_csv(path: Path, session: Session) -> None:
    columns = {"time": session.time, "signal": session.signal, "isosbestic": session.isosbestic}
    columns |= {event: session.line(event) for event in EVENTS}
    pd.DataFrame(columns).to_csv(path.with_suffix(".csv"), index=False)


def as_tdt(path: Path, session: Session) -> None:
    streams = {"465A": session.signal, "405A": session.isosbestic}
    names = dict(zip(("ACue", "ALev"), EVENTS, strict=True))
    write_block(
        path,
        {name: Stream(one.astype("f4"), RATE, chunk=64) for name, one in streams.items()},
        {store: on_clock(session.events[event]) for store, event in names.items()},
    )


def as_neurophotometrics(path: Path, session: Session) -> None:
    leds = {415: session.between, 470: session.signal}
    table = frames({"Region0G": leds}, frequency=2 * RATE)
    for event in EVENTS:
        table[event] = np.repeat(session.line(event), 2)
    # The frame before the signal's is high already; only that of the signal is to be.
    table.loc[::2, EVENTS] = 0
    write_frames(path.with_suffix(".csv"), with_first_frame(table))


def as_doric(path: Path, session: Session) -> None:
    traces = {
        f"{NEWER}/LockInAOUT01/AIN01": (session.time, session.isosbestic),
        f"{NEWER}/LockInAOUT02/AIN01": (session.time, session.signal),
        f"{NEWER}/DigitalIO/DIO01": (session.time, session.line(EVENTS[0])),
        f"{NEWER}/DigitalIO/DIO02": (session.time, session.line(EVENTS[1])),
    }
    write_newer(path.with_suffix(".doric"), traces)


def as_pyphotometry(path: Path, session: Session) -> None:
    fields = header("1.0.2", "2EX_1EM_pulsed", int(RATE))
    fields["volts_per_division"] = [COUNT, COUNT]
    columns = [
        words(np.rint(trace / COUNT), session.line(event))
        for trace, event in zip((session.signal, session.isosbestic), EVENTS, strict=True)
    ]
    path.with_suffix(".ppd").write_bytes(ppd_bytes(fields, columns))


def as_nwb(path: Path, session: Session) -> None:
    file = new_file()
    add_series(file, "green", session.signal, rate=RATE, starting_time=0.0)
    add_series(file, "violet", session.isosbestic, rate=RATE, starting_time=0.0)
    for event, times in session.events.items():
        add_series(file, event, np.ones(times.size), timestamps=times)
    write_nwb(path.with_suffix(".nwb"), file)


#: A recording of a laser session, 365 s long, and its behaviour as BORIS has it.
REAL = ROOT.parent / "shared" / "recordings" / "neurophotometrics"

#: How each is written and loaded, and by how much its trials may differ, in units of dF/F.
RIGS = {
    "tdt": (
        as_tdt,
        {
            "target_type": "folder",
            "pattern": "m*",
            "loader_cls": "TDTLoader",
            "loader_kwargs": {
                "box": "A",
                "event_labels": ["Cue", "Lev"],
                "signal_label": "_465",
                "isosbestic_label": "_405",
            },
        },
        1e-6,
    ),
    "neurophotometrics": (
        as_neurophotometrics,
        {
            "pattern": "*.csv",
            "loader_cls": "NeurophotometricsLoader",
            "loader_kwargs": {"signal_region": "Region0G", "event_cols": EVENTS},
        },
        1e-9,
    ),
    "doric": (
        as_doric,
        {
            "pattern": "*.doric",
            "loader_cls": "DoricLoader",
            "loader_kwargs": {
                "signal": "LockInAOUT02/AIN01",
                "isosbestic": "LockInAOUT01/AIN01",
                "events": dict(zip(EVENTS, ("DIO01", "DIO02"), strict=True)),
            },
        },
        1e-9,
    ),
    "pyphotometry": (
        as_pyphotometry,
        {
            "pattern": "*.ppd",
            "loader_cls": "PyPhotometryLoader",
            "loader_kwargs": {"events": dict(zip(EVENTS, ("digital_1", "digital_2"), strict=True))},
        },
        COUNT / 40,
    ),
    "nwb": (
        as_nwb,
        {
            "pattern": "*.nwb",
            "loader_cls": "NWBLoader",
            "loader_kwargs": {"signal": "green", "isosbestic": "violet", "events": EVENTS},
        },
        1e-9,
    ),
}


@pytest.fixture(scope="module")
def expected(sessions, tmp_path_factory) -> ad.AnnData:
    """The trials of the recordings as plain tables."""
    study = Study(tmp_path_factory.mktemp("csv"))
    write_all(study, sessions, as_csv)
    study.config["loader_kwargs"] = {"event_cols": EVENTS}
    study.run_well()
    return ad.read_h5ad(study.results / "trials.h5ad")


def write_all(study, sessions, write):
    study.recordings.mkdir()
    for name, session in sessions.items():
        write(study.recordings / name, session)


@pytest.mark.slow
@pytest.mark.parametrize("rig", RIGS)
def test_the_trials_are_those_of_plain_tables(study, sessions, expected, rig):
    write, config, tolerance = RIGS[rig]
    write_all(study, sessions, write)
    study.config |= config
    if rig == "tdt":
        study.config["trial_extraction_kwargs"]["align_to"] = "Cue"
    study.run_well()
    trials = ad.read_h5ad(study.results / "trials.h5ad")
    assert trials.shape == expected.shape
    np.testing.assert_allclose(trials.X, expected.X, rtol=0, atol=tolerance)
    labels = ["Cue", "Lev"] if rig == "tdt" else EVENTS
    for label, event in zip(labels, EVENTS, strict=True):
        np.testing.assert_allclose(trials.obs[label], expected.obs[event], atol=1e-9)


@pytest.mark.slow
def test_boxes_of_a_block_are_experiments_of_their_own(study, sessions):
    one, other = sessions.values()
    streams = {"465A": one.signal, "405A": one.isosbestic}
    streams |= {"465B": other.signal, "405B": other.isosbestic}
    cues = {
        f"{box}Cue": session.events["trial_cue"]
        for box, session in zip("AB", (one, other), strict=True)
    }
    block = study.recordings / "day 1"
    write_block(
        block,
        {name: Stream(trace.astype("f4"), RATE, chunk=64) for name, trace in streams.items()},
        {store: on_clock(times) for store, times in cues.items()},
    )
    (block / "animals.json").write_text('{"A": {"subject": "m1"}, "B": {"subject": "m2"}}')
    call = {
        "event_labels": ["Cue"],
        "signal_label": "_465",
        "isosbestic_label": "_405",
        "annotation_file": "animals.json",
    }
    study.config |= RIGS["tdt"][1] | {
        "pattern": "day*",
        "loader_kwargs": [{"box": box, **call} for box in "AB"],
        "passdown_metadata": ["subject", "box"],
    }
    study.config["trial_extraction_kwargs"]["align_to"] = "Cue"
    assert study.run_well().jobs["load"] == 2
    trials = ad.read_h5ad(study.results / "trials.h5ad")
    counts = trials.obs.groupby(["subject", "box"], observed=True).size()
    assert counts.to_dict() == {("m1", "A"): 3, ("m2", "B"): 3}
    assert {path.stem for path in (study.results / "recordings").iterdir()} == {
        "day_1-1",
        "day_1-2",
    }
    # A box more leaves the others as they are.
    study.config["loader_kwargs"].append({"box": "C", **call})
    run = study.run_well()
    assert run.jobs["load"] == 1
    assert study.failures()["day_1-3"][:2] == ("load", "ValueError")
    assert "no stream store '_465C'" in study.failures()["day_1-3"][2]


@pytest.mark.slow
def test_fibers_of_a_file_are_experiments_of_their_own(study, sessions):
    one, other = sessions.values()
    table = frames(
        {
            "Region0G": {415: one.between, 470: one.signal},
            "Region1G": {415: other.between, 470: other.signal},
        },
        frequency=2 * RATE,
    )
    study.recordings.mkdir()
    write_frames(study.recordings / "m1.csv", with_first_frame(table))
    keys = "".join(f"{1800.525 + time!r},trial_cue\n" for time in one.events["trial_cue"].tolist())
    (study.folder / "keys_m1.csv").write_text(keys)
    study.config |= {
        "loader_cls": "NeurophotometricsLoader",
        "loader_kwargs": [
            {"signal_region": region, "events_file": "keys_{path.stem}.csv"}
            for region in ("Region0G", "Region1G")
        ],
    }
    assert study.run_well().jobs["load"] == 2
    trials = ad.read_h5ad(study.results / "trials.h5ad")
    assert trials.n_obs == 6
    assert {path.stem for path in (study.results / "recordings").iterdir()} == {"m1-1", "m1-2"}
    # Events that change are loaded anew.
    (study.folder / "keys_m1.csv").write_text(keys[: keys.rindex("\n", 0, -1) + 1])
    assert study.run_well().jobs["load"] == 2
    assert ad.read_h5ad(study.results / "trials.h5ad").n_obs == 4


@pytest.mark.slow
def test_sessions_whose_clocks_differ_a_little_are_merged(study, sessions):
    study.recordings.mkdir()
    for (name, session), rate in zip(sessions.items(), (20.0, 20.003), strict=True):
        columns = {"time": session.time * 20 / rate, "signal": session.signal}
        columns |= {"isosbestic": session.isosbestic, "trial_cue": session.line("trial_cue")}
        pd.DataFrame(columns).to_csv(study.recordings / f"{name}.csv", index=False)
    study.config["loader_kwargs"] = {"event_cols": "trial_cue"}
    study.run_well()
    assert ad.read_h5ad(study.results / "trials.h5ad").shape == (6, 140)
    # Over a minute the difference comes to more than a tenth of a sample.
    study.config["trial_extraction_kwargs"] |= {"trial_bounds": [-9, 40], "align_to": 12.0}
    study.run().assert_failed_saying("another time grid", "preprocess_kwargs: frequency")
    study.config["preprocess_kwargs"]["frequency"] = 20
    study.run_well()
    assert ad.read_h5ad(study.results / "trials.h5ad").shape == (2, 980)


@pytest.mark.slow
@pytest.mark.skipif(not REAL.is_dir(), reason=f"the recording is not at {REAL}")
def test_a_real_recording_of_two_fibers(study):
    study.config |= {
        "data_directory": str(REAL),
        "pattern": "*NPM*.csv",
        "loader_cls": "NeurophotometricsLoader",
        "loader_kwargs": [
            {
                "signal_region": region,
                "signal_led": led,
                "events_file": "{path.parent}/Sample2_beh_BORIS.csv",
            }
            for region, led in (("Region1G", 470), ("Region0R", 560))
        ],
        "trial_extraction_kwargs": {"align_to": "Laser START", "trial_bounds": [-5, 10]},
    }
    study.run_well()
    trials = ad.read_h5ad(study.results / "trials.h5ad")
    assert trials.shape == (20, 200)
    table = pd.read_csv(next(REAL.glob("*NPM*.csv")))
    behaviour = pd.read_csv(next(REAL.glob("*BORIS*.csv")))
    starts = behaviour.loc[behaviour["Status"] == "START", "ogtime"] / 1000
    for k, (region, state) in enumerate((("Region1G", 2), ("Region0R", 4)), 1):
        path = study.results / "recordings" / f"Sample2_NPM_1fiber-{k}.h5ad"
        recording = read_recording(path)
        lit = table[table["LedState"] == state]
        assert recording.time.tolist() == lit["Timestamp"].tolist()
        assert recording.raw_signal.tolist() == lit[region].tolist()
        other = table[table["LedState"] == 1]
        expected = np.interp(lit["Timestamp"], other["Timestamp"], other[region])
        np.testing.assert_allclose(recording.raw_isosbestic, expected)
        np.testing.assert_allclose(recording.events["Laser START"], starts)
        assert recording.events["Laser START"].size == 10
