"""What a file tells of its making: the input measured, and the settings of each stage."""

import hashlib
import json

import h5py
import numpy as np
import pandas as pd
import pytest

from phopro_core import PhotometryExperiment, __version__
from phopro_core.h5ad import read_mapping, write_h5ad
from phopro_core.provenance import after, measure, of_input, of_merged
from phopro_core.storage import read_provenance, write_recording

#: SHA-256 of the three letters abc, from the standard (FIPS 180-2).
ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


@pytest.fixture
def abc(tmp_path):
    path = tmp_path / "abc.csv"
    path.write_bytes(b"abc")
    return path


class TestMeasure:
    def test_a_file_has_its_size_and_digest(self, abc):
        assert measure(abc) == {"size": 3, "sha256": ABC}

    def test_a_folder_has_those_of_all_its_files(self, tmp_path):
        for name, content in (("b/2", b"12345"), ("a", b"abc"), ("b/1", b"")):
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).write_bytes(content)
        # What sha256sum a b/1 b/2 prints.
        lines = "".join(
            f"{hashlib.sha256(content).hexdigest()}  {name}\n"
            for name, content in (("a", b"abc"), ("b/1", b""), ("b/2", b"12345"))
        )
        found = measure(tmp_path)
        assert found == {"size": 8, "sha256": hashlib.sha256(lines.encode()).hexdigest()}

    @pytest.mark.parametrize("change", ["content", "name", "file"])
    def test_whatever_changes_in_a_folder_changes_its_digest(self, tmp_path, abc, change):
        before = measure(tmp_path)["sha256"]
        match change:
            case "content":
                abc.write_bytes(b"abd")
            case "name":
                abc.rename(tmp_path / "abd.csv")
            case "file":
                (tmp_path / "empty").touch()
        assert measure(tmp_path)["sha256"] != before


class TestStages:
    def test_a_loaded_recording_tells_its_input_and_settings(self, abc):
        found = of_input(abc, {"event_cols": ["lev µ"], "downsample": None})
        assert found["phopro_version"] == __version__
        assert found["input"] == {"path": str(abc), "size": 3, "sha256": ABC}
        assert list(found["settings"]) == ["load"]
        load = found["settings"]["load"]
        assert json.loads(load) == {"event_cols": ["lev µ"], "downsample": None}
        assert "µ" in load

    def test_a_stage_adds_its_settings_to_those_before(self, abc):
        loaded = of_input(abc, {})
        processed = after("preprocess", {"c": 3.0}, loaded)
        extracted = after("extract", {}, processed)
        assert extracted["settings"] == {"load": "{}", "preprocess": '{"c": 3.0}', "extract": "{}"}
        assert extracted["input"] == loaded["input"]
        assert list(loaded["settings"]) == ["load"]

    def test_a_stage_notes_the_version_that_ran_it(self, abc):
        earlier = of_input(abc, {}) | {"phopro_version": "0.0.1"}
        assert after("preprocess", {}, earlier)["phopro_version"] == __version__


class TestMerged:
    @pytest.fixture
    def parts(self, abc):
        loaded = of_input(abc, {})
        return {
            "mouse_1": after("preprocess", {"c": 3.0}, loaded),
            "mouse_2": after("preprocess", {"c": 2.0}, loaded),
        }

    def test_inputs_are_listed_in_the_order_of_the_experiments(self, parts, abc):
        parts["mouse_2"]["input"] = {"path": "other.csv", "size": 5, "sha256": "f00"}
        merged = of_merged(parts, {"obs_join": "inner"})
        assert merged["experiments"] == ["mouse_1", "mouse_2"]
        assert merged["input"]["path"] == [str(abc), "other.csv"]
        assert merged["input"]["size"].tolist() == [3, 5]
        assert merged["input"]["sha256"] == [ABC, "f00"]
        assert merged["phopro_version"] == __version__

    def test_settings_are_listed_where_they_differ_and_told_once_where_not(self, parts):
        settings = of_merged(parts, {"obs_join": "inner"})["settings"]
        assert settings == {
            "load": "{}",
            "preprocess": ['{"c": 3.0}', '{"c": 2.0}'],
            "merge_trials": '{"obs_join": "inner"}',
        }

    def test_a_stage_that_an_experiment_skipped_is_empty_for_it(self, parts, abc):
        parts["mouse_2"] = of_input(abc, {})
        assert of_merged(parts, {})["settings"]["preprocess"] == ['{"c": 3.0}', ""]

    def test_of_merged_ones_it_is_that_of_all_merged_at_once(self, parts, abc):
        others = {"mouse_3": after("preprocess", {"c": 2.0}, of_input(abc, {}))}
        others["mouse_4"] = others["mouse_3"]
        joined = of_merged(
            {"first": of_merged(parts, {}), "second": of_merged(others, {})}, {"obs_join": "outer"}
        )
        np.testing.assert_equal(joined, of_merged(parts | others, {"obs_join": "outer"}))


class TestFiles:
    def test_a_recording_brings_it_back(self, tmp_path, abc):
        experiment = PhotometryExperiment([5, 6], None, [0, 0.1])
        provenance = after("preprocess", {"c": 3.0}, of_input(abc, {}))
        write_recording(experiment, tmp_path / "recording.h5ad", provenance)
        assert read_provenance(tmp_path / "recording.h5ad") == provenance

    def test_a_recording_written_by_hand_has_none(self, tmp_path):
        write_recording(PhotometryExperiment([5, 6], None, [0, 0.1]), tmp_path / "recording.h5ad")
        with h5py.File(tmp_path / "recording.h5ad") as file:
            assert "provenance" not in file["uns"]

    def test_merged_trials_bring_it_back(self, tmp_path, abc):
        merged = of_merged({"a": of_input(abc, {}), "b": of_input(abc, {"downsample": 2})}, {})
        write_h5ad(tmp_path / "trials.h5ad", obs=pd.DataFrame(index=["0"]), uns={"p": merged})
        with h5py.File(tmp_path / "trials.h5ad") as file:
            np.testing.assert_equal(read_mapping(file["uns/p"]), merged)


def test_the_source_of_what_settings_name_is_kept(tmp_path):
    recording, hooks = tmp_path / "m1.csv", tmp_path / "hooks.py"
    recording.write_text("time")
    source = "def trim(experiment):\n    # The first second.\n    pass\n"
    hooks.write_text("import math\n\n\n" + source)
    spec = f"{hooks}:trim"
    provenance = of_input(recording, {"post_load_operation": spec})
    settings = json.loads(provenance["settings"]["load"])
    assert settings == {"post_load_operation": spec, "code": {spec: source}}
