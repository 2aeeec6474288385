"""Keyword arguments of a config, against the signatures that will receive them."""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest

from phopro_core import CSVLoader, PhotometryExperiment
from phopro_core.batch.kwargs import (
    KwargsError,
    fill_templates,
    in_json_types,
    resolve_kwargs,
    stem,
)
from phopro_core.errors import ConfigError


def receive(
    path,
    required: float,
    mode: Literal["a", "b"] | Callable = "a",
    bounds: tuple[float, float] | None = None,
    *,
    labels: str | Sequence[str] = (),
    tolerances: Mapping[str, tuple[float, float] | None] | None = None,
    switch: bool = True,
    free=None,
):
    """Takes what the tests give."""


def test_defaults_are_filled_in():
    assert resolve_kwargs(receive, {"switch": False, "required": 1.5}) == {
        "required": 1.5,
        "mode": "a",
        "bounds": None,
        "labels": (),
        "tolerances": None,
        "switch": False,
        "free": None,
    }


def test_parameters_stand_in_the_signature_s_order():
    resolved = resolve_kwargs(receive, {"switch": False, "required": 1.5})
    assert list(resolved)[:2] == ["required", "mode"]


@pytest.mark.parametrize(
    ("key", "value", "converted"),
    [
        ("required", 3, 3.0),
        ("bounds", [-2, 4], (-2.0, 4.0)),
        ("bounds", None, None),
        ("mode", "b", "b"),
        ("mode", len, len),
        ("labels", "cue", "cue"),
        ("labels", ["cue", "lever"], ["cue", "lever"]),
        ("tolerances", {"cue": [2, 4], "lever": None}, {"cue": (2.0, 4.0), "lever": None}),
        ("free", [object, 1], [object, 1]),
    ],
)
def test_values_become_what_their_annotation_says(key, value, converted):
    resolved = resolve_kwargs(receive, {"required": 1.0, key: value})
    assert resolved[key] == converted
    assert type(resolved[key]) is type(converted)


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("required", "fast", r"float"),
        ("mode", "c", r"'a', 'b' or path/to/file.py:function"),
        ("bounds", [1, 2, 3], r"tuple\[float, float\]"),
        ("bounds", 4, r"tuple\[float, float\]"),
        ("tolerances", {"cue": [1]}, r"Mapping\[str, tuple\[float, float\]"),
        ("switch", "perhaps", "bool"),
    ],
)
def test_a_value_that_does_not_fit_is_named_with_what_would(key, value, expected):
    with pytest.raises(KwargsError, match=rf"receive\(\): {key} is .*, but must be .*{expected}"):
        resolve_kwargs(receive, {"required": 1.0, key: value})


def test_unexpected_names_are_refused_all_at_once_with_those_allowed():
    with pytest.raises(KwargsError) as raised:
        resolve_kwargs(receive, {"required": 1.0, "bound": 1, "modes": 2})
    error = raised.value
    assert str(error) == "Unexpected kwargs for receive(): ['bound', 'modes']"
    error.key = "loader_kwargs"
    assert error.told == (
        "config key 'loader_kwargs': Unexpected kwargs for receive(): ['bound', 'modes']\n"
        "allowed: required, mode, bounds, labels, tolerances, switch, free"
    )


def test_missing_names_are_refused():
    with pytest.raises(KwargsError, match=r"Missing kwargs for receive\(\): \['required'\]"):
        resolve_kwargs(receive, {})


def test_what_is_given_otherwise_can_not_be_given_here():
    with pytest.raises(KwargsError, match=r"\['path'\]"):
        resolve_kwargs(receive, {"required": 1.0, "path": "a.csv"})


def test_a_function_of_any_keywords_takes_them_but_not_its_path():
    def anything(path, known: int = 1, **others: Any):
        pass

    assert resolve_kwargs(anything, {"new": "x"}) == {"known": 1, "new": "x"}
    with pytest.raises(KwargsError, match=r"\['path'\]"):
        resolve_kwargs(anything, {"path": "x"})


def test_the_error_is_both_of_the_config_and_of_the_type():
    assert issubclass(KwargsError, ConfigError)
    assert issubclass(KwargsError, TypeError)


@pytest.mark.parametrize(
    ("function", "n_positional", "kwargs"),
    [
        (CSVLoader.__init__, 2, {"event_cols": ["cue"], "annotation_file": "a.json"}),
        (PhotometryExperiment.preprocess_signal, 1, {"cutoff_frequency": None, "order": 2}),
        (PhotometryExperiment.preprocess_signal, 1, {"correction_method": abs}),
        (
            PhotometryExperiment.extract_trial_data,
            1,
            {"align_to": ["cue", "lev"], "trial_bounds": (-2.0, 4.0), "center_on": "lev"},
        ),
        (
            PhotometryExperiment.extract_trial_data,
            1,
            {"align_to": 10.5, "trial_bounds": (0.0, 1.0)},
        ),
        (PhotometryExperiment.plot_dashboard, 1, {"raw": "auto", "downsample": 30}),
    ],
)
def test_the_settings_of_the_design_are_taken_as_they_are(function, n_positional, kwargs):
    resolved = resolve_kwargs(function, kwargs, n_positional)
    assert {key: resolved[key] for key in kwargs} == kwargs


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"fit_using": "ridge"}, r"preprocess_signal\(\): fit_using is 'ridge'.*'OLS', 'IRLS'"),
        ({"cutoff": 3}, r"\['cutoff'\]"),
    ],
)
def test_wrong_settings_of_the_preprocessing_are_found_before_it_runs(kwargs, message):
    with pytest.raises(KwargsError, match=message):
        resolve_kwargs(PhotometryExperiment.preprocess_signal, kwargs)


class TestJSONTypes:
    @pytest.mark.parametrize(
        ("value", "expected"),
        [
            ((1, 2.5), [1, 2.5]),
            ({"a": Path("x/y"), 2: None}, {"a": "x/y", "2": None}),
            (np.float64(2.5), 2.5),
            (np.arange(3), [0, 1, 2]),
            ([np.int64(3), {"b": (np.bool_(True),)}], [3, {"b": [True]}]),
            (range(2), [0, 1]),
            ({"b", "c", "a"}, ["a", "b", "c"]),
            (date(2026, 11, 23), "2026-11-23"),
        ],
    )
    def test_what_functions_return_becomes_what_a_file_can_hold(self, value, expected):
        found = in_json_types(value)
        assert found == expected
        assert json.loads(json.dumps(found)) == expected

    @pytest.mark.parametrize("value", [len, {"a": [object()]}])
    def test_the_rest_is_refused(self, value):
        with pytest.raises(ConfigError, match="name a function as path/to/file.py:name"):
            in_json_types(value)


class TestTemplates:
    PATH = Path("data/day 1/m3.box2.csv.gz")

    @pytest.mark.parametrize(
        ("template", "filled"),
        [
            ("{path}", "data/day 1/m3.box2.csv.gz"),
            ("{path.parent}/{path.stem}.json", "data/day 1/m3.box2.csv.json"),
            ("{path.parent}/{stem}.json", "data/day 1/m3.box2.json"),
            ("{path.parent.name}", "day 1"),
            ("{{{path.name}}}", "{m3.box2.csv.gz}"),
            ("no template", "no template"),
            (None, None),
            (3, 3),
            (["{stem}", 1], ["m3.box2", 1]),
            ({"a": {"{b": ("{stem}",)}}, {"a": {"{b": ["m3.box2"]}}),
        ],
    )
    def test_texts_are_filled_at_any_depth_and_the_rest_is_left(self, template, filled):
        assert fill_templates(template, self.PATH) == filled

    @pytest.mark.parametrize("template", ["{name}", "{path.nothing}", "{", "{}", "{0}"])
    def test_a_template_that_can_not_be_filled_is_named(self, template):
        with pytest.raises(ConfigError, match="can't fill the template") as raised:
            fill_templates({"annotation_file": template}, self.PATH)
        assert repr(template) in str(raised.value)

    @pytest.mark.parametrize(
        ("name", "expected"),
        [("a.csv", "a"), ("a.b.csv", "a.b"), ("a.csv.GZ", "a"), ("a.csv.zst", "a"), ("a", "a")],
    )
    def test_the_stem_leaves_out_the_suffix_and_that_of_the_compression(self, name, expected):
        assert stem(Path("x.y") / name) == expected
