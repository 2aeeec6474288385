"""TDT blocks, written byte for byte and read as the tdt package reads them."""

import json
import logging

import numpy as np
import pytest
import tdt
from rigs.tdt import RATE, RECORD, Stream, on_clock, write_block, write_settings

from phopro_core import TDTLoader

N = 256 * 12
EPOCS = {"ACue": on_clock([0.5, 1.5, 2.25]), "BCue": on_clock([1.0]), "PC0/": on_clock([0.75])}


@pytest.fixture
def samples():
    return np.random.default_rng(0).normal(100, 10, (4, N)).astype("f4")


@pytest.fixture
def block(tmp_path, samples):
    names = ["465A", "405A", "465B", "405B"]
    streams = {name: Stream(one) for name, one in zip(names, samples, strict=True)}
    write_block(tmp_path / "m1-240501", streams, EPOCS)
    return tmp_path / "m1-240501"


def load(folder, box="A", events=("Cue",), signal="_465", isosbestic="_405", **kwargs):
    return TDTLoader(folder, box, list(events), signal, isosbestic, **kwargs).extract_data()


def test_each_box_has_its_own_streams_and_epocs(block, samples):
    for box, (signal, isosbestic) in {"A": samples[:2], "B": samples[2:]}.items():
        data = load(block, box)
        assert data["raw_signal"].tolist() == signal.astype(float).tolist()
        assert data["raw_isosbestic"].tolist() == isosbestic.astype(float).tolist()
        assert data["events"]["Cue"].tolist() == EPOCS[f"{box}Cue"].tolist()
        assert data["metadata"]["box"] == box


def test_samples_and_events_are_those_that_the_tdt_package_reads(block, capsys):
    data = load(block)
    assert capsys.readouterr().out == ""
    theirs = tdt.read_block(str(block))
    assert data["raw_signal"].tolist() == theirs.streams._465A.data.astype(float).tolist()
    assert data["events"]["Cue"].tolist() == theirs.epocs.ACue.onset.tolist()
    rate = float(np.float32(RATE))
    np.testing.assert_allclose(data["time"], np.arange(N) / rate, rtol=0, atol=1e-12)


@pytest.mark.parametrize("dtype", ["f4", "f8", "i2", "i4"])
def test_samples_of_each_format_are_read(tmp_path, dtype):
    samples = np.arange(512).astype(dtype)
    write_block(tmp_path, {"465A": Stream(samples), "405A": Stream(samples)})
    assert load(tmp_path, events=[])["raw_signal"].tolist() == list(range(512))


def test_stores_are_found_by_the_name_that_synapse_shows_too(block, samples):
    data = load(block, box="", events=["PC0/", "PC0_"], signal="465B", isosbestic=None)
    assert data["raw_signal"].tolist() == samples[2].astype(float).tolist()
    assert data["raw_isosbestic"] is None
    assert data["events"]["PC0/"].tolist() == data["events"]["PC0_"].tolist() == [EPOCS["PC0/"][0]]


def test_an_epoc_without_events_is_empty_and_listed(block):
    data = load(block, events=["Cue", "Shk"])
    assert data["events"]["Shk"].size == 0
    assert data["metadata"]["missing_events"] == ["Shk"]
    assert data["events"]["Cue"].size == 3


def test_a_channel_of_a_store_with_several_can_be_chosen(tmp_path, samples):
    write_block(tmp_path, {"LMag": Stream(samples[:2])})
    data = load(tmp_path, "", [], "LMag", "LMag", isosbestic_channel=2)
    assert data["raw_signal"].tolist() == samples[0].astype(float).tolist()
    assert data["raw_isosbestic"].tolist() == samples[1].astype(float).tolist()
    with pytest.raises(ValueError, match=r"store 'LMag' has no channel 3 \(channels: 1, 2\)"):
        load(tmp_path, "", [], "LMag", None, signal_channel=3)


def test_a_stream_that_starts_late_has_its_own_times(tmp_path, samples):
    late = on_clock([0.5])[0]
    write_block(tmp_path, {"465A": Stream(samples[0], start=late), "405A": Stream(samples[1])})
    data = load(tmp_path, events=[])
    assert data["time"][0] == late
    rate = float(np.float32(RATE))
    own = np.arange(N) / rate
    expected = np.interp(data["time"], own, samples[1].astype(float))
    np.testing.assert_allclose(data["raw_isosbestic"], expected)


def test_lost_samples_are_a_gap_in_time(tmp_path, samples):
    write_block(tmp_path, {"465A": Stream(samples[0], lost=[5, 6]), "405A": Stream(samples[1])})
    data = load(tmp_path, events=[], isosbestic=None)
    steps = np.diff(data["time"]) * RATE
    assert np.flatnonzero(steps > 1.5).tolist() == [5 * 256 - 1]
    assert steps.max() == pytest.approx(2 * 256 + 1, abs=0.02)
    kept = np.delete(samples[0].reshape(-1, 256), [5, 6], axis=0).ravel()
    assert data["raw_signal"].tolist() == kept.astype(float).tolist()


def test_the_annotation_is_looked_up_in_the_folder_under_the_box(block):
    boxes = {"A": {"subject": "m1"}, "B": {"subject": "m2"}}
    (block / "animals.json").write_text(json.dumps(boxes))
    assert load(block, annotation_file="animals.json")["metadata"]["subject"] == "m1"
    assert load(block, "B", annotation_file="animals.json")["metadata"]["subject"] == "m2"
    (block / "animals.json").write_text(json.dumps({"C": {}}))
    with pytest.raises(ValueError, match=r"no mapping under the key 'A', the box \(keys: 'C'\)"):
        load(block, annotation_file="animals.json")


def test_the_annotation_is_a_companion_inside_of_the_folder(block):
    companions = TDTLoader.companion_files(block, {"annotation_file": "animals.json"})
    assert companions == [block / "animals.json"]


def test_of_the_samples_only_those_of_the_wanted_stores_are_read_and_once(block, monkeypatch):
    read = []
    opened = type(block).open

    def counting(path, *args, **kwargs):
        file = opened(path, *args, **kwargs)
        if path.suffix == ".tev":
            reads, seeks = file.read, file.seek
            place = 0

            def seek(to):
                nonlocal place
                place = seeks(to)

            def count(n):
                read.append((place, n))
                return reads(n)

            file = type(
                "File",
                (),
                {
                    "seek": staticmethod(seek),
                    "read": staticmethod(count),
                    "__enter__": lambda self: self,
                    "__exit__": lambda self, *_: None,
                },
            )()
        return file

    monkeypatch.setattr(type(block), "open", counting)
    load(block)
    assert sum(n for _, n in read) == 2 * N * 4
    assert len({start for start, _ in read}) == len(read)


def test_a_block_is_made_of_its_index_and_samples_of_which_only_the_index_is_digested(block):
    (block / "video.avi").write_bytes(b"")
    assert [file.suffix for file in TDTLoader.files_of(block)] == [".tsq", ".tev"]
    assert [file.suffix for file in TDTLoader.files_to_digest(block)] == [".tsq"]


def test_a_line_that_is_up_from_the_start_has_no_onset_there(tmp_path, samples):
    streams = {"465A": Stream(samples[0]), "405A": Stream(samples[1])}
    ends = {"ACue": on_clock([0.2, 0.6, 1.6])}
    write_block(tmp_path, streams, {"ACue": on_clock([0.5, 1.5])}, ends)
    assert tdt.read_block(str(tmp_path)).epocs.ACue.onset[0] == 0
    assert load(tmp_path)["events"]["Cue"].tolist() == on_clock([0.5, 1.5]).tolist()


def test_an_epoc_whose_values_are_3_and_4_is_as_any_other(tmp_path, samples):
    index = write_block(
        tmp_path,
        {"465A": Stream(samples[0]), "405A": Stream(samples[1])},
        {"ACue": on_clock([0.5, 0.75, 1.0, 1.5])},
    )
    records = np.fromfile(index, RECORD)
    records["place"][records["name"] == b"ACue"] = np.array([3.0, 4.0, 3.0, 4.0]).view("<u8")
    records.tofile(index)
    assert load(tmp_path)["events"]["Cue"].size == 4


def test_files_of_a_block_that_are_not_needed_are_not_warned_of(block, caplog):
    next(block.glob("*.tnt")).unlink()
    (block / "tank_m1-240501.Tbk").write_text("of another kind")
    with caplog.at_level(logging.WARNING):
        load(block)
    assert caplog.records == []


def test_what_the_tdt_package_warns_of_is_logged(block, caplog):
    write_settings(next(block.glob("*.tsq")), ["465A", "405A"], disabled=["405A"])
    with caplog.at_level(logging.WARNING), pytest.raises(ValueError, match="no stream .*_405A"):
        load(block)
    assert "405A store DISABLED" in caplog.text


class TestBadBlocks:
    def cut(self, block, suffix, n_bytes):
        file = next(block.glob(f"*{suffix}"))
        file.write_bytes(file.read_bytes()[:n_bytes])
        return file

    def test_a_store_that_is_not_there_is_named_with_those_that_are(self, block):
        with pytest.raises(ValueError, match=r"no stream store '_465C' \(streams: .*_465A.*ACue"):
            load(block, "C")

    def test_a_folder_that_is_not_there_is_named(self, tmp_path):
        with pytest.raises(FileNotFoundError, match="nowhere: no such folder"):
            load(tmp_path / "nowhere")

    def test_a_folder_that_is_no_block_is_named(self, tmp_path):
        with pytest.raises(ValueError, match="not a TDT block: there are 0 .tsq files"):
            load(tmp_path)

    def test_a_folder_of_two_blocks_is_not_guessed_about(self, block):
        index = next(block.glob("*.tsq"))
        index.with_name("other.tsq").write_bytes(index.read_bytes())
        with pytest.raises(ValueError, match="there are 2 .tsq files"):
            load(block)

    @pytest.mark.parametrize("n_bytes", [0, 40, 79])
    def test_an_index_without_an_entry_is_named(self, block, n_bytes):
        self.cut(block, ".tsq", n_bytes)
        with pytest.raises(ValueError, match=r"\.tsq: the index of the block is cut short"):
            load(block)

    def test_an_index_cut_within_a_word_is_named(self, block):
        self.cut(block, ".tsq", 40 * 20 + 7)
        with pytest.raises(ValueError, match=r"\.tsq: the block can't be read"):
            load(block)

    def test_an_index_without_its_start_is_named(self, block):
        index = next(block.glob("*.tsq"))
        records = np.fromfile(index, RECORD)
        records["type"][1] = 0
        records["name"][1] = b"xxxx"
        records.tofile(index)
        with pytest.raises(ValueError, match=r"\.tsq: the block can't be read"):
            load(block)

    @pytest.mark.parametrize("missing", [1, 4, 1024])
    def test_samples_that_end_early_are_counted(self, block, missing):
        file = next(block.glob("*.tev"))
        self.cut(block, ".tev", file.stat().st_size - missing)
        with pytest.raises(ValueError, match=r"\.tev: ends before 1 of the 12 chunks of store"):
            load(block, "B")

    def test_a_block_without_its_samples_is_named(self, block):
        next(block.glob("*.tev")).unlink()
        with pytest.raises(ValueError, match=r"\.tev: the file with the samples .* is not there"):
            load(block)

    def test_streams_of_different_times_are_refused(self, tmp_path, samples):
        late = Stream(samples[0], start=float(on_clock([100.0])[0]))
        write_block(tmp_path, {"465A": late, "405A": Stream(samples[1])})
        with pytest.raises(ValueError, match="were not recorded at the same time"):
            load(tmp_path, events=[])

    def test_samples_in_files_of_their_own_are_refused(self, block):
        index = next(block.glob("*.tsq"))
        records = np.fromfile(index, RECORD)
        records["type"][records["name"] == b"465A"] = 0x8111
        records.tofile(index)
        with pytest.raises(ValueError, match=r"store '_465A' are in .sev files"):
            load(block)

    def test_a_recording_that_was_not_ended_is_read_with_a_warning(self, block, caplog):
        self.cut(block, ".tsq", next(block.glob("*.tsq")).stat().st_size - 40)
        with caplog.at_level(logging.WARNING):
            assert load(block)["time"].size == N
        assert "end marker" in caplog.text
