"""Variants: which settings each has, and what it may be called."""

from copy import deepcopy

import pytest

from phopro_core.batch.paths import ResultPaths
from phopro_core.batch.variants import RESERVED, with_variants
from phopro_core.errors import ConfigError

CONFIG = {
    "data_directory": "data",
    "preprocess_kwargs": {"fit_using": "IRLS", "order": 4},
    "trial_extraction_kwargs": {"align_to": ["cue", "lev"], "tolerances": {"cue": [0, 2]}},
}
OWN = {key: CONFIG[key] for key in ("preprocess_kwargs", "trial_extraction_kwargs")}
OLS = {"preprocess_kwargs": {"fit_using": "OLS"}}
FLAT = {"preprocess_kwargs": {"fit_using": "none", "order": 2}}
CUE = {"trial_extraction_kwargs": {"align_to": "cue"}}


def settings(variants) -> dict:
    return with_variants(CONFIG | {"variants": variants})


def own_but(preprocess=(), extract=()) -> dict:
    """The config's own settings, with these arguments in their places."""
    first, second = OWN.values()
    return dict(zip(OWN, [first | dict(preprocess), second | dict(extract)], strict=True))


@pytest.mark.parametrize("variants", [{}, [{}]])
def test_without_variants_there_are_the_settings_of_the_config(variants):
    assert settings(variants) == {"": OWN}


def test_those_of_a_mapping_are_taken_one_at_a_time_after_the_config_s_own():
    found = settings({"ols": OLS, "cue": CUE, "same": {}})
    assert list(found) == ["", "ols", "cue", "same"]
    assert found["ols"] == own_but(preprocess={"fit_using": "OLS"})
    assert found["cue"] == own_but(extract={"align_to": "cue"})
    assert found["same"] == found[""] == OWN


def test_those_of_a_list_are_crossed():
    found = settings([{"irls": {}, "ols": OLS}, {"both": {}, "cue": CUE}])
    assert list(found) == ["", "irls-both", "irls-cue", "ols-both", "ols-cue"]
    assert found["irls-both"] == OWN
    assert found["irls-cue"] == own_but(extract={"align_to": "cue"})
    assert found["ols-both"] == own_but(preprocess={"fit_using": "OLS"})
    assert found["ols-cue"] == own_but({"fit_using": "OLS"}, {"align_to": "cue"})


@pytest.mark.parametrize(("first", "second", "fit"), [(OLS, FLAT, "none"), (FLAT, OLS, "OLS")])
def test_of_two_that_are_crossed_the_later_one_decides(first, second, fit):
    found = settings([{"a": first}, {"b": second}])
    assert found["a-b"] == own_but(preprocess={"fit_using": fit, "order": 2})


def test_an_argument_that_the_config_leaves_out_is_added():
    found = settings({"slow": {"preprocess_kwargs": {"cutoff_frequency": 1}}})
    assert found["slow"] == own_but(preprocess={"cutoff_frequency": 1})


def test_an_argument_is_replaced_whole():
    found = settings({"lev": {"trial_extraction_kwargs": {"tolerances": {"lev": None}}}})
    assert found["lev"]["trial_extraction_kwargs"]["tolerances"] == {"lev": None}


def test_the_config_stays_as_it_is():
    config = deepcopy(CONFIG) | {"variants": {"ols": deepcopy(OLS)}}
    for found in with_variants(config).values():
        found["preprocess_kwargs"]["new"] = 1
    assert config == CONFIG | {"variants": {"ols": OLS}}


@pytest.mark.parametrize("name", ["5Hz", "fit_OLS-0.1", "_", "schnell_größer", "Logs2"])
def test_a_variant_may_be_called_what_a_folder_may(name):
    assert list(settings({name: {}})) == ["", name]


@pytest.mark.parametrize(
    "name",
    [
        *RESERVED,
        "Logs",
        "trials.h5ad",
        "settings.json",
        "",
        ".",
        "..",
        ".failed",
        "-a",
        "a b",
        "a/b",
        "a{b}",
        "a\n",
    ],
)
def test_other_names_are_refused_with_what_is_expected(name):
    with pytest.raises(ConfigError, match="can't name a variant, since its results get") as raised:
        settings({name: {}})
    assert str(raised.value).startswith(repr(name))
    assert (
        "take letters, digits, '_', '-' and '.', but no file's suffix, and none of dashboards, "
        in str(raised.value)
    )


def test_the_folders_of_the_config_s_own_results_are_reserved():
    paths = ResultPaths("out")
    files = [f"{folder}/" for folder in paths.folders([""])] + [paths.log("load")]
    taken = {file.removeprefix("out/").split("/")[0] for file in files} - {""}
    assert {"recordings", "logs"} < taken <= set(RESERVED)


def test_two_of_one_name_are_refused():
    with pytest.raises(ConfigError, match="two variants are named 'a-b-c'; rename one"):
        settings([{"a": {}, "a-b": {}}, {"b-c": {}, "c": {}}])
