"""Which files are recordings, and what their experiments are called."""

from pathlib import Path

import pytest

from phopro_core.batch.discovery import discover_inputs, name_experiments
from phopro_core.errors import ConfigError


@pytest.fixture
def data(tmp_path):
    """Make files of these names (folders where they end in a slash) below a data folder."""

    def make(*names: str) -> Path:
        root = tmp_path / "data"
        root.mkdir(exist_ok=True)
        for name in names:
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.mkdir(exist_ok=True) if name.endswith("/") else path.touch()
        return root

    return make


def found(root: Path, *args, **kwargs) -> list[str]:
    return [path.relative_to(root).as_posix() for path in discover_inputs(root, *args, **kwargs)]


def test_inputs_are_in_natural_order(data):
    root = data("experiment_10.csv", "experiment_2.csv", "experiment_1.csv")
    expected = ["experiment_1.csv", "experiment_2.csv", "experiment_10.csv"]
    assert found(root, "file") == expected


def test_the_pattern_and_the_kind_decide(data):
    root = data("a.csv", "a.json", "b.csv/", "c/")
    assert found(root, "file", "*.csv") == ["a.csv"]
    assert found(root, "folder", "*.csv") == ["b.csv"]
    assert found(root, "folder") == ["b.csv", "c"]
    assert found(root, "file") == ["a.csv", "a.json"]


def test_folders_below_are_searched_only_if_asked(data):
    root = data("a.csv", "day 2/b.csv", "day 10/deep/c.csv")
    assert found(root, "file", "*.csv") == ["a.csv"]
    below = found(root, "file", "*.csv", recursive=True)
    assert sorted(below) == ["a.csv", "day 10/deep/c.csv", "day 2/b.csv"]
    assert below.index("day 2/b.csv") < below.index("day 10/deep/c.csv")


def test_hidden_names_are_skipped_at_any_depth(data):
    root = data("a.csv", "._a.csv", ".cache/b.csv", "c/.d/e.csv")
    assert found(root, "file", "*.csv", recursive=True) == ["a.csv"]


def test_the_data_folder_itself_may_be_hidden(tmp_path):
    root = tmp_path / ".data"
    root.mkdir()
    (root / "a.csv").touch()
    assert found(root, "file") == ["a.csv"]


def test_folders_left_out_are_not_searched(data):
    root = data("a.csv", "results/b.csv", "results/deep/c.csv", "results 2/d.csv")
    settings = {"recursive": True, "leave_out": [root / "results"]}
    assert found(root, "file", "*.csv", **settings) == ["a.csv", "results 2/d.csv"]
    assert "results" not in found(root, "folder", **settings)


def test_files_are_left_out_and_a_folder_around_them_all_is_not(data):
    root = data("a.csv", "b.csv")
    assert found(root, "file", leave_out=[root / "b.csv", root, root.parent]) == ["a.csv"]


def test_inputs_lie_below_the_folder_as_it_was_given(data, monkeypatch):
    monkeypatch.chdir(data("a.csv").parent)
    assert discover_inputs("data", "file") == [Path("data/a.csv")]


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"data_directory: no folder '.*nowhere'"):
        discover_inputs(tmp_path / "nowhere", "file")


def test_nothing_found_is_an_error_that_says_what_is_there(data):
    root = data("a.txt", "day 1/b.csv")
    with pytest.raises(ConfigError, match=r"'\*\.csv' matches no file in .*recursive: false") as e:
        discover_inputs(root, "file", "*.csv")
    assert "there: a.txt, day 1/" in str(e.value)


def test_an_empty_folder_holds_nothing(data):
    with pytest.raises(ConfigError, match="there: nothing"):
        discover_inputs(data(), "file")


@pytest.mark.parametrize("name", ["a{b}.csv", "{day}/b.csv"])
def test_braces_in_a_path_are_refused(data, name):
    with pytest.raises(ConfigError, match="braces in the path") as raised:
        discover_inputs(data(name), "file", "*.csv", recursive=True)
    assert name in str(raised.value)


@pytest.mark.parametrize(
    ("path", "target_type", "name"),
    [
        ("m3.csv", "file", "m3"),
        ("day 1/m3.csv", "file", "day_1_m3"),
        ("m3.box2.csv.gz", "file", "m3.box2"),
        ("m3.2024-01-05", "folder", "m3.2024-01-05"),
        ("Mäuse/№3.csv", "file", "Mäuse__3"),
        ("ネズミ.csv", "file", "ネズミ"),
        ("a'b;c&d.csv", "file", "a_b_c_d"),
        ("-x.csv", "file", "x"),
    ],
)
def test_an_experiment_is_named_after_its_path_below_the_data(path, target_type, name):
    root = Path("some/where")
    assert name_experiments([root / path], root, target_type) == {name: root / path}


def test_a_name_depends_on_its_own_input_alone():
    root = Path("data")
    alone = name_experiments([root / "b/m3.csv"], root, "file")
    among = name_experiments([root / "a/m3.csv", root / "b/m3.csv", root / "m3.csv"], root, "file")
    assert [name for name, path in among.items() if path in alone.values()] == list(alone)


def test_names_do_not_depend_on_how_the_file_system_composes_letters():
    composed, decomposed = Path("data/M\u00e4use.csv"), Path("data/Ma\u0308use.csv")
    assert list(name_experiments([composed], "data", "file")) == list(
        name_experiments([decomposed], "data", "file")
    )


@pytest.mark.parametrize(
    ("first", "second"), [("a/b.csv", "a_b.csv"), ("a.csv", "a.csv.gz"), ("a b.csv", "a_b.csv")]
)
def test_two_inputs_of_one_name_are_an_error_that_names_both(first, second):
    root = Path("data")
    with pytest.raises(ConfigError, match="both be experiment") as raised:
        name_experiments([root / first, root / second], root, "file")
    assert str(root / first) in str(raised.value)
    assert str(root / second) in str(raised.value)
