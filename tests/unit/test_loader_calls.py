"""Loader calls: which experiments an input makes, and with which arguments."""

from pathlib import Path

import pytest

from phopro_core.batch.calls import calls_of_loader
from phopro_core.errors import ConfigError

M3, M4 = Path("data/m3.csv.gz"), Path("data/m4.csv")
NAMED = {"m3": M3, "m4": M4}


@pytest.fixture
def function(tmp_path):
    """Write a function of a path, with this body, and give what names it in a config."""

    def write(body: str) -> str:
        file = tmp_path / "calls.py"
        file.write_text(f"def kwargs_of(path):\n    {body}\n")
        return f"{file}:kwargs_of"

    return write


def test_a_mapping_makes_an_experiment_of_each_input_with_its_templates_filled():
    assert calls_of_loader(NAMED, {"annotation_file": "{stem}.json", "order": 3}) == {
        "m3": (M3, {"annotation_file": "m3.json", "order": 3}),
        "m4": (M4, {"annotation_file": "m4.json", "order": 3}),
    }


def test_a_list_makes_an_experiment_of_each_input_and_mapping():
    calls = calls_of_loader(NAMED, [{"box": "{path.name}"}, {"box": 2}])
    assert list(calls.items()) == [
        ("m3-1", (M3, {"box": "m3.csv.gz"})),
        ("m3-2", (M3, {"box": 2})),
        ("m4-1", (M4, {"box": "m4.csv"})),
        ("m4-2", (M4, {"box": 2})),
    ]
    assert list(calls_of_loader(NAMED, [{"box": 1}])) == ["m3-1", "m4-1"]


def test_a_template_that_can_not_be_filled_is_refused():
    with pytest.raises(ConfigError, match="can't fill the template '{day}'"):
        calls_of_loader(NAMED, {"annotation_file": "{day}"})


def test_a_function_gets_the_path_and_gives_a_mapping(function):
    spec = function("return {'annotation_file': path.with_suffix('.json')}")
    assert calls_of_loader(NAMED, spec) == {
        "m3": (M3, {"annotation_file": Path("data/m3.csv.json")}),
        "m4": (M4, {"annotation_file": Path("data/m4.json")}),
    }


@pytest.mark.parametrize("several", ["[{'box': 1}, {'box': 2}]", "({'box': 1}, {'box': 2})"])
def test_a_function_may_give_several_for_some_inputs(function, several):
    calls = calls_of_loader(NAMED, function(f"return {several} if '3' in path.name else {{}}"))
    assert calls == {"m3-1": (M3, {"box": 1}), "m3-2": (M3, {"box": 2}), "m4": (M4, {})}


@pytest.mark.parametrize(
    "returned", ["None", "'box'", "3", "[]", "()", "[{}, None]", "['box']", "{'box'}"]
)
def test_what_else_a_function_returns_is_refused(function, returned):
    spec = function(f"return {returned}")
    with pytest.raises(ConfigError) as raised:
        calls_of_loader(NAMED, spec)
    assert str(raised.value) == (
        f"{spec} returned {returned} for 'data/m3.csv.gz', but must return a mapping of keyword "
        "arguments, or a list of such mappings"
    )


def test_a_function_that_fails_is_named_with_the_input_and_the_error(function):
    spec = function("return {'box': {'m3.csv.gz': 1}[path.name]}")
    with pytest.raises(ConfigError) as raised:
        calls_of_loader(NAMED, spec)
    assert str(raised.value) == f"{spec} failed for 'data/m4.csv': KeyError: 'm4.csv'"
    assert isinstance(raised.value.__cause__, KeyError)


def test_what_a_function_finds_wrong_with_the_config_stands_as_it_is(function):
    body = "from phopro_core.errors import ConfigError; raise ConfigError('no box', hint='1 or 2')"
    with pytest.raises(ConfigError) as raised:
        calls_of_loader(NAMED, function(body))
    assert raised.value.told == "no box\n1 or 2"


def test_a_function_that_is_not_there_is_refused_as_such(function):
    with pytest.raises(ConfigError, match="^'nowhere.py:f': no Python file"):
        calls_of_loader(NAMED, "nowhere.py:f")
    with pytest.raises(ConfigError, match="^.*calls.py: defines no 'f'$"):
        calls_of_loader(NAMED, function("return {}").replace(":kwargs_of", ":f"))


@pytest.mark.parametrize("names", [("m3", "m3-2"), ("m3-2", "m3")])
def test_two_experiments_of_one_name_are_an_error_that_names_both_inputs(function, names):
    named = {name: Path(f"{name}.csv") for name in names}
    spec = function("return {} if '-' in path.stem else [{}, {}]")
    first, second = (f"'{name}.csv'" for name in names)
    with pytest.raises(ConfigError) as raised:
        calls_of_loader(named, spec)
    assert str(raised.value) == (
        f"two jobs would both be experiment 'm3-2': of {first} and of {second}; rename one"
    )
