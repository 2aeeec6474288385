"""What inspect says of recordings, and that what it suggests loads them."""

import numpy as np
import pytest
import yaml
from pynwb import TimeSeries
from rigs.doric import NEWER, write_export, write_newer
from rigs.neurophotometrics import frames, write_frames
from rigs.nwb import add_fibers, new_file, write
from rigs.pyphotometry import header, ppd_bytes, words
from rigs.tdt import RATE, Stream, on_clock, write_block

from phopro_core import inspect
from phopro_core.loaders.description import guess_pair
from phopro_core.loaders.finding import find_loader

N = 512
TRACES = np.random.default_rng(0).normal(100, 1, (4, N))


def tdt_block(folder):
    names = ["465A", "405A", "465B", "405B"]
    streams = {n: Stream(t.astype("f4")) for n, t in zip(names, TRACES, strict=True)}
    write_block(folder / "m1", streams, {"ACue": on_clock([0.1, 0.2]), "BLev": on_clock([0.3])})
    return folder / "m1"


def neurophotometrics(folder):
    leds = {415: TRACES[1], 470: TRACES[0]}
    table = frames({"G0": leds, "G1": leds})
    table.loc[[10, 11], "LedState"] += 512
    return write_frames(folder / "m1.csv", table)


def doric(folder):
    time = np.arange(N) / 100
    traces = {"LockInAOUT01/AIN01": TRACES[0], "LockInAOUT02/AIN01": TRACES[1]}
    line = np.arange(N) == 100
    return write_newer(
        folder / "m1.doric",
        {f"{NEWER}/{k}": (time, v) for k, v in {**traces, "DigitalIO/DIO01": line}.items()},
    )


def doric_export(folder):
    traces = {"AIn-1 - Dem (AOut-1)": TRACES[0], "AIn-1 - Dem (AOut-2)": TRACES[1]}
    line = {"DI/O-1": (np.arange(N) == 100).astype(float)}
    return write_export(folder / "m1.csv", np.arange(N) / 100, traces | line)


def pyphotometry(folder):
    path = folder / "m1.ppd"
    counts = TRACES[:2].astype(int)
    columns = [words(counts[0], np.arange(N) == 100), words(counts[1])]
    path.write_bytes(ppd_bytes(header("1.0", "2EX_1EM_pulsed", 130), columns))
    return path


def nwb(folder):
    file = new_file()
    file.add_trial(start_time=1.0, stop_time=2.0)
    # Of two places, the second of which has a word in its name that may mean an isosbestic.
    series = {
        "near": ([("NAc", 415.0), ("NAc", 470.0)], TRACES[:2].T),
        "green": ([("refined control area", 470.0)], TRACES[2:3].T),
        "violet": ([("refined control area", 415.0)], TRACES[3:].T),
    }
    add_fibers(file, series, rate=20.0)
    file.add_stimulus(TimeSeries(name="words", data=["a", "b"], unit="n.a.", timestamps=[1.0, 2.0]))
    return write(folder / "m1.nwb", file)


def csv(folder):
    path = folder / "m1.csv"
    rows = (f"{k / 20},{TRACES[0, k]},{TRACES[1, k]},{int(k == 9)}\n" for k in range(N))
    path.write_text("t (s),gcamp,uv,cue\n" + "".join(rows))
    return path


@pytest.mark.parametrize(
    ("write", "loader", "channels", "frequency", "events"),
    [
        (
            tdt_block,
            "TDTLoader",
            ["_405A", "_405B", "_465A", "_465B"],
            RATE,
            {"ACue": 2, "BLev": 1},
        ),
        (
            neurophotometrics,
            "NeurophotometricsLoader",
            ["G0 415 nm", "G0 470 nm", "G1 415 nm", "G1 470 nm"],
            20,
            {"Input0": 1},
        ),
        (
            doric,
            "DoricLoader",
            [f"{NEWER}/LockInAOUT01/AIN01", f"{NEWER}/LockInAOUT02/AIN01"],
            100,
            {f"{NEWER}/DigitalIO/DIO01": 1},
        ),
        (
            doric_export,
            "DoricLoader",
            ["AIn-1 - Dem (AOut-1)", "AIn-1 - Dem (AOut-2)"],
            100,
            {"DI/O-1": 1},
        ),
        (
            pyphotometry,
            "PyPhotometryLoader",
            ["analog_1", "analog_2"],
            130,
            {"digital_1": 1, "digital_2": 0},
        ),
        (
            nwb,
            "NWBLoader",
            [
                "acquisition/green[0] refined control area 470 nm",
                "acquisition/near[0] NAc 415 nm",
                "acquisition/near[1] NAc 470 nm",
                "acquisition/violet[0] refined control area 415 nm",
            ],
            20,
            {"intervals/trials": 1},
        ),
        (csv, "CSVLoader", ["gcamp", "uv"], 20, {"cue": 1}),
    ],
)
def test_a_format_is_recognised_and_what_is_suggested_loads(
    tmp_path, write, loader, channels, frequency, events
):
    path = write(tmp_path)
    found = inspect(path)
    assert found.loader_cls == loader
    assert sorted(one.name for one in found.channels) == sorted(channels)
    assert found.events == events
    for one in found.channels:
        assert one.n_samples == N
        assert one.frequency == pytest.approx(frequency, rel=1e-6)

    suggested = yaml.safe_load(str(found).split("\n\n")[-1])
    assert suggested == {"loader_cls": loader, "loader_kwargs": found.loader_kwargs}
    kwargs = suggested["loader_kwargs"]
    loaded = [
        find_loader(loader)(path, **one).load()
        for one in (kwargs if isinstance(kwargs, list) else [kwargs])
    ]
    assert all(one.raw_isosbestic is not None for one in loaded)
    assert sum(times.size for one in loaded for times in one.events.values()) > 0


def test_boxes_and_fibers_are_calls_of_their_own(tmp_path):
    boxes = inspect(tdt_block(tmp_path)).loader_kwargs
    assert [one["box"] for one in boxes] == ["A", "B"]
    assert [one["event_labels"] for one in boxes] == [["Cue"], ["Lev"]]
    fibers = inspect(neurophotometrics(tmp_path)).loader_kwargs
    assert [one["signal_region"] for one in fibers] == ["G0", "G1"]


def test_each_series_of_a_doric_file_is_a_call_of_its_own(tmp_path):
    time, two = np.arange(N) / 100, NEWER.replace("0001", "0002")
    traces = {
        f"{one}/LockInAOUT0{k}/AIN01": (time, TRACES[k]) for one in (NEWER, two) for k in (1, 2)
    }
    lines = {f"{one}/DigitalIO/DIO01": (time, time > 1) for one in (NEWER, two)}
    calls = inspect(write_newer(tmp_path / "m1.doric", traces | lines)).loader_kwargs
    assert [one["events"] for one in calls] == [[name] for name in lines]
    assert all(
        f"/{part}/" in one["signal"]
        for one, part in zip(calls, ("Series0001", "Series0002"), strict=True)
    )


def test_fibers_of_an_nwb_file_are_told_by_place_and_light(tmp_path):
    calls = inspect(nwb(tmp_path)).loader_kwargs
    assert [(one["signal"], one["isosbestic"]) for one in calls] == [
        ("acquisition/green[0]", "acquisition/violet[0]"),
        ("acquisition/near[1]", "acquisition/near[0]"),
    ]


@pytest.mark.parametrize(
    ("streams", "epocs", "signal"),
    [
        (["465A", "405A"], ["PC0/"], "_465A"),
        (["Dv1A", "Dv2A"], ["PrtN"], "Dv1A"),
        (["GCa1", "Iso1"], [], "GCa1"),
    ],
)
def test_stores_without_a_box_in_their_names_stand_for_themselves(tmp_path, streams, epocs, signal):
    stored = {n: Stream(t.astype("f4")) for n, t in zip(streams, TRACES[:2], strict=True)}
    write_block(tmp_path / "m1", stored, {name: on_clock([0.1]) for name in epocs})
    kwargs = inspect(tmp_path / "m1").loader_kwargs
    data = find_loader("TDTLoader")(tmp_path / "m1", **kwargs).extract_data()
    assert kwargs["signal_label"] + kwargs["box"] == signal
    assert data["raw_signal"].tolist() == TRACES[0].astype("f4").tolist()
    assert data["raw_isosbestic"].tolist() == TRACES[1].astype("f4").tolist()
    assert sum(times.size for times in data["events"].values()) == len(epocs)


def test_regions_of_cameras_are_fibers(tmp_path):
    root = "DataAcquisition/BBC300/ROISignals/Series0001"
    names = [f"{root}/CAM1EXC{light}/ROI0{roi}" for light in (1, 2) for roi in (1, 2)]
    time = np.arange(N) / 20
    path = write_newer(
        tmp_path / "m1.doric", {n: (time, t) for n, t in zip(names, TRACES, strict=True)}
    )
    calls = inspect(path).loader_kwargs
    assert [(one["signal"], one["isosbestic"]) for one in calls] == [
        (names[0], names[2]),
        (names[1], names[3]),
    ]


@pytest.mark.parametrize(
    ("names", "pair"),
    [
        (["_405A", "_465A"], ("_465A", "_405A")),
        (["G_0", "Iso_0"], ("G_0", "Iso_0")),
        (["uv", "other"], ("other", "uv")),
        (["prefrontal_470", "prefrontal_415"], ("prefrontal_470", "prefrontal_415")),
        (["a", "b", "c"], ("a", "b")),
        (["a"], ("a", None)),
        (["iso"], ("iso", None)),
        ([], None),
    ],
)
def test_a_pair_is_told_by_names_or_else_by_their_order(names, pair):
    assert guess_pair(names) == pair


class TestWhatIsNoRecording:
    def test_a_folder_is_told_by_what_is_in_it(self, tmp_path):
        (tmp_path / "video.avi").write_bytes(b"")
        with pytest.raises(ValueError, match="no format that is known .* in the folder: video.avi"):
            inspect(tmp_path)

    @pytest.mark.parametrize(
        ("name", "text"),
        [
            ("m1.avi", "x"),
            ("m1.csv", ""),
            ("m1.csv", "just a line\n"),
            ("m1.csv", "name,age\nm1,3\nm2,2\n"),
            ("m1.csv", "1800.7,0.1,0.2\n1800.8,0.1,0.2\n"),
            ("events.csv", "Time,Behavior,Status\n3.0,lever,POINT\n3.0,rear,START\n"),
        ],
    )
    def test_a_file_is_told_with_the_formats_that_are_known(self, tmp_path, name, text):
        (tmp_path / name).write_text(text)
        with pytest.raises(ValueError, match=r"no format that is known \(there are .*TDT, NWB"):
            inspect(tmp_path / name)

    @pytest.mark.parametrize("name", ["m1.nwb", "m1.doric", "m1.ppd"])
    def test_a_broken_file_is_told_as_what_it_was(self, tmp_path, name):
        (tmp_path / name).write_bytes(b"\x89HDF\r\n\x1a\n broken")
        with pytest.raises(ValueError, match=r"cut short|can't be read as an NWB file"):
            inspect(tmp_path / name)

    def test_a_path_that_is_not_there_is_named(self, tmp_path):
        with pytest.raises(FileNotFoundError, match="nowhere: no such file or folder"):
            inspect(tmp_path / "nowhere")
