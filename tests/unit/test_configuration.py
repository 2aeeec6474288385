"""Configs checked against the workflow's own schema."""

from pathlib import Path

import pytest
import yaml

from phopro_core.batch.configuration import complete_config
from phopro_core.errors import ConfigError

ROOT = Path(__file__).parents[2]
SCHEMA = ROOT / "workflow" / "schemas" / "config.schema.yaml"
SMALLEST = {
    "data_directory": "data",
    "loader_cls": "CSVLoader",
    "trial_extraction_kwargs": {"align_to": "cue", "trial_bounds": [-2, 4]},
}


def test_what_is_left_out_has_its_default():
    complete = complete_config(SMALLEST, SCHEMA)
    assert {key: complete[key] for key in SMALLEST} == SMALLEST
    expected = {
        "target_type": "file",
        "recursive": False,
        "pattern": None,
        "loader_kwargs": {},
        "preprocess_kwargs": {},
        "output_dir": "results",
        "trial_output_file": "trials.h5ad",
        "save_dashboards": True,
    }
    assert {key: complete[key] for key in expected} == expected


def test_what_is_given_stays():
    given = {**SMALLEST, "output_dir": "elsewhere", "recursive": True, "pattern": "*.csv"}
    complete = complete_config(given, SCHEMA)
    assert {key: complete[key] for key in given} == given


def test_the_config_given_is_not_changed():
    given = dict(SMALLEST)
    complete_config(given, SCHEMA)
    assert given == SMALLEST


@pytest.mark.parametrize("path", sorted(ROOT.glob("config/*.yaml")), ids=lambda path: path.name)
def test_the_configs_of_the_repository_are_valid(path):
    config = yaml.safe_load(path.read_text())
    assert complete_config(config, SCHEMA).items() >= config.items()


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"patern": "*.csv"}, r"unknown key 'patern' \(did you mean 'pattern'\? allowed: data_dir"),
        ({"zzz": 1}, r"unknown key 'zzz' \(allowed: data_directory"),
        ({"target_type": "dir"}, "key 'target_type': 'dir' is not one of: file, folder"),
        ({"recursive": "yes"}, "key 'recursive': 'yes' is not true or false"),
        ({"data_directory": ""}, "key 'data_directory': '' is not the path of a folder"),
        ({"loader_kwargs": 3}, "key 'loader_kwargs': 3 is not a mapping, a list of mappings"),
        ({"loader_kwargs": []}, r"key 'loader_kwargs': \[\] is not a mapping, a list"),
        ({"preprocess_kwargs": [1]}, r"key 'preprocess_kwargs': \[1\] is not a mapping"),
        ({"trial_output_file": "a/b.h5ad"}, "'a/b.h5ad' is not a file name ending in .h5ad"),
        ({"trial_output_file": "trials.csv"}, "'trials.csv' is not a file name ending in .h5ad"),
        ({"output_dir": "{x}"}, "key 'output_dir': '{x}' is not the path of a folder"),
        ({"passdown_metadata": [1]}, "key 'passdown_metadata.0': 1 is not a name"),
    ],
)
def test_a_wrong_key_is_named_with_what_is_allowed(changed, message):
    with pytest.raises(ConfigError, match=message):
        complete_config(SMALLEST | changed, SCHEMA)


@pytest.mark.parametrize("key", SMALLEST)
def test_a_key_that_is_needed_is_named(key):
    with pytest.raises(ConfigError, match=f"key '{key}' is missing"):
        complete_config({k: v for k, v in SMALLEST.items() if k != key}, SCHEMA)


def test_one_message_tells_all_that_is_wrong():
    wrong = {"data_directory": "data", "patern": 1, "recursive": 1, "loader_cls": "CSVLoader"}
    with pytest.raises(ConfigError) as raised:
        complete_config(wrong, SCHEMA)
    message = str(raised.value)
    assert len(message.splitlines()) == 3
    for key in ("patern", "recursive", "trial_extraction_kwargs"):
        assert f"'{key}'" in message
