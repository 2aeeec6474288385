"""Objects that a config names by file."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import pytest

from phopro_core import ArtifactDetector, DerivativeDetector, PhotometryExperiment
from phopro_core.errors import ConfigError
from phopro_core.objects import find_class, fingerprints, load_named, load_object, named_in


@pytest.fixture
def hooks(tmp_path):
    def write(text: str, name: str = "hooks.py") -> str:
        path = tmp_path / name
        path.write_text(text)
        return str(path)

    return write


def test_a_name_of_a_file_is_imported(hooks):
    double = load_object(hooks("def double(x):\n    return 2 * x\n") + ":double")
    assert double(21) == 42


def test_a_file_is_executed_once(hooks):
    path = hooks("a, b = object(), object()\n")
    assert load_object(f"{path}:a") is load_object(f"{path}:a")
    assert load_object(f"{path}:a") is not load_object(f"{path}:b")


def test_a_file_that_changed_is_executed_again(hooks):
    path = Path(hooks("x = 1\n"))
    assert load_object(f"{path}:x") == 1
    path.write_text("x = 2\n")
    os.utime(path, ns=(0, path.stat().st_mtime_ns + 1))
    assert load_object(f"{path}:x") == 2


def test_no_bytecode_is_left_beside_it(hooks, tmp_path):
    load_object(hooks("x = 1\n") + ":x")
    assert [path.name for path in tmp_path.iterdir()] == ["hooks.py"]


def test_files_of_one_name_in_two_folders_are_two(hooks, tmp_path):
    (tmp_path / "other").mkdir()
    first, second = hooks("x = 1\n"), hooks("x = 2\n", "other/hooks.py")
    assert [load_object(f"{path}:x") for path in (first, second)] == [1, 2]


def test_a_relative_path_starts_at_the_working_directory(hooks, tmp_path, monkeypatch):
    hooks("x = 7\n")
    monkeypatch.chdir(tmp_path)
    assert load_object("hooks.py:x") == 7


def test_a_file_may_define_dataclasses(hooks):
    text = "from dataclasses import dataclass\n@dataclass\nclass Settings:\n    n: 'int' = 3\n"
    assert load_object(hooks(text) + ":Settings")().n == 3


@pytest.mark.parametrize("spec", ["nowhere.py:x", "CSVLoader", ":x", "x.py", "notes.txt:x"])
def test_a_file_that_is_not_there_is_named_with_what_is_expected(spec):
    with pytest.raises(
        ConfigError, match=r"no Python file .*expected path/to/file.py:name"
    ) as raised:
        load_object(spec)
    assert repr(spec) in str(raised.value)


def test_a_name_that_a_file_does_not_define_is_named(hooks):
    path = hooks("x = 1\n")
    with pytest.raises(ConfigError, match=r"hooks.py: defines no 'y'"):
        load_object(f"{path}:y")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("import nothing_of_this_name\n", "ModuleNotFoundError: .*nothing_of_this_name"),
        ("def f(:\n", "SyntaxError"),
        ("1 / 0\n", "ZeroDivisionError: division by zero"),
    ],
)
def test_a_file_that_can_not_be_imported_says_why(hooks, text, message):
    path = hooks(text)
    with pytest.raises(ConfigError, match=rf"hooks\.py: can't be imported: {message}"):
        load_object(f"{path}:x")


def test_a_file_that_was_mended_can_be_imported(hooks):
    path = hooks("1 / 0\n", "mended.py")
    with pytest.raises(ConfigError):
        load_object(f"{path}:x")
    hooks("x = 'mended'\n", "mended.py")
    assert load_object(f"{path}:x") == "mended"


class TestNamesInSettings:
    @staticmethod
    def stage(
        fit: Literal["OLS"] | Callable = "OLS",
        handler: Literal["json"] | Callable[[str], dict] = "json",
        label: str = "a",
        detector: ArtifactDetector | None = None,
    ): ...

    def test_functions_and_detectors_take_the_places_of_their_names(self, hooks):
        path = hooks("def fit():\n    return 42\n")
        named = {
            "fit": f"{path}:fit",
            "handler": f"{path}:fit",
            "label": f"{path}:fit",
            "detector": {"name": "DerivativeDetector", "threshold": 7},
        }
        loaded = load_named(self.stage, named)
        assert loaded["fit"]() == loaded["handler"]() == 42
        assert loaded["label"] == f"{path}:fit"
        assert isinstance(loaded["detector"], DerivativeDetector)
        assert loaded["detector"].threshold == 7

    def test_all_else_stays_as_it_is(self):
        given = {"fit": "OLS", "handler": "json", "detector": None, "unknown": "a.py:b"}
        assert load_named(self.stage, given) == given

    def test_what_is_no_function_is_refused_by_its_setting(self, hooks):
        path = hooks("fit = 42\n")
        with pytest.raises(ConfigError, match="fit: .*hooks.py:fit is a int, but must be"):
            load_named(self.stage, {"fit": f"{path}:fit"})

    def test_what_settings_name_is_found_at_any_depth_once(self, hooks):
        path = hooks("fit = other = 1\n")
        settings = {
            "fit_using": f"{path}:fit",
            "artifact_detector": {"name": f"{path}:other", "threshold": 3},
            "align_to": [f"{path}:fit", "nowhere.py:fit", "a:b", "c.py"],
            "order": 4,
        }
        assert named_in(settings) == [f"{path}:fit", f"{path}:other"]

    def test_fingerprints_tell_what_is_named_apart(self, hooks):
        path = hooks("def fit(): return 1\n\n\ndef same(): return 1\n\n\ndef other(): return 2\n")
        one, same, other = fingerprints([f"{path}:fit", f"{path}:same", f"{path}:other"])
        assert one == same != other


class TestClasses:
    def test_built_in_ones_go_by_their_names(self):
        assert find_class("DerivativeDetector", ArtifactDetector, [DerivativeDetector]) is (
            DerivativeDetector
        )
        assert find_class("DerivativeDetector", DerivativeDetector) is DerivativeDetector

    def test_the_class_in_common_is_none_where_it_is_abstract(self):
        with pytest.raises(
            ConfigError, match=r"names no ArtifactDetector \(built in: Deriv.*; one of"
        ):
            find_class("ArtifactDetector", ArtifactDetector, [DerivativeDetector])

    def test_others_go_by_their_files(self, hooks):
        text = (
            "from phopro_core import PhotometryExperiment\nclass Mine(PhotometryExperiment): ...\n"
        )
        path = hooks(text)
        found = find_class(f"{path}:Mine", PhotometryExperiment)
        assert issubclass(found, PhotometryExperiment)
        with pytest.raises(ConfigError, match="Mine is not a subclass of ArtifactDetector"):
            find_class(f"{path}:Mine", ArtifactDetector)
