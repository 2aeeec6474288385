"""Objects that a config names by file."""

import pytest

from phopro_core.errors import ConfigError
from phopro_core.objects import load_object


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
