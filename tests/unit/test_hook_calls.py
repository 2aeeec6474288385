"""Hooks: what is called, what it may return, and what an id may be."""

import pytest

from phopro_core import PhotometryExperiment
from phopro_core.errors import ConfigError
from phopro_core.hooks import build_id, run_hook


@pytest.fixture
def experiment() -> PhotometryExperiment:
    return PhotometryExperiment([1, 2, 3], None, [0, 1, 2], metadata={"subject": "m3"})


@pytest.fixture
def hook(tmp_path):
    """Write a function of an experiment, with this body, and give what names it in a config."""

    def write(body: str) -> str:
        file = tmp_path / "hooks.py"
        file.write_text(f"def hook(experiment):\n    {body}\n", encoding="utf-8")
        return f"{file}:hook"

    return write


@pytest.fixture
def told(caplog):
    """What is logged, as far as it is for a user."""
    caplog.set_level("INFO", "phopro_core.hooks")
    return lambda: caplog.messages


class TestOperations:
    @pytest.mark.parametrize(
        ("key", "stage"),
        [
            ("post_load_operation", "post-load"),
            ("post_preprocess_operation", "post-preprocess"),
            ("post_trial_extraction_operation", "post-trial extraction"),
        ],
    )
    def test_an_operation_changes_the_experiment_and_is_told_by_its_stage(
        self, hook, experiment, told, key, stage
    ):
        run_hook(key, hook("experiment.metadata['subject'] += '-left'"), experiment)
        assert experiment.metadata["subject"] == "m3-left"
        assert told() == [f"Running custom {stage} operation..."]

    def test_without_one_nothing_is_done_or_told(self, experiment, told):
        run_hook("post_load_operation", None, experiment)
        assert told() == []

    @pytest.mark.parametrize(
        ("returned", "kind"),
        [("experiment", "PhotometryExperiment"), ("0", "int"), ("False", "bool"), ("{}", "dict")],
    )
    def test_what_it_returns_is_refused_as_it_would_be_lost(self, hook, experiment, returned, kind):
        spec = hook(f"return {returned}")
        with pytest.raises(TypeError) as raised:
            run_hook("post_load_operation", spec, experiment)
        assert str(raised.value) == (
            f"post_load_operation ({spec}) returned a {kind}; it is to change the experiment in "
            "place, and to return nothing"
        )

    def test_its_errors_stay_what_they_are(self, hook, experiment):
        with pytest.raises(KeyError, match="sex"):
            run_hook("post_load_operation", hook("experiment.metadata['sex']"), experiment)

    def test_one_that_is_not_there_is_refused(self, experiment):
        with pytest.raises(ConfigError, match="no Python file 'nowhere.py'"):
            run_hook("post_load_operation", "nowhere.py:hook", experiment)


class TestIds:
    def test_an_id_is_made_of_the_experiment_and_told(self, hook, experiment, told):
        spec = hook("return experiment.metadata['subject'] + '_day-1.left'")
        assert build_id(spec, experiment) == "m3_day-1.left"
        assert told() == ["Assigning experiment ID...", "Experiment ID = m3_day-1.left"]

    @pytest.mark.parametrize("made", ["3", "Maus 3, 'links'", "ネズミ", "x" * 200, "é" * 100])
    def test_what_can_name_a_file_is_an_id(self, hook, experiment, made):
        assert build_id(hook(f"return {made!r}"), experiment) == made

    @pytest.mark.parametrize(
        ("made", "kind"), [(3, "int"), (None, "NoneType"), (b"m3", "bytes"), (("m3",), "tuple")]
    )
    def test_an_id_is_a_text(self, hook, experiment, made, kind):
        spec = hook(f"return {made!r}")
        with pytest.raises(TypeError) as raised:
            build_id(spec, experiment)
        assert str(raised.value) == (
            f"id_builder ({spec}) returned a {kind}, {made!r}, but an id is a text"
        )

    @pytest.mark.parametrize(
        "made",
        [
            *(f"m{character}3" for character in '/\\:*?"<>|{}\0\t\n\x1f\x7f\ud800'),
            *("", " ", " m3", "m3 ", ".m3", "-m3", ".", "m3.", "x" * 201, "é" * 101),
        ],
    )
    def test_what_can_not_name_a_file_is_refused(self, hook, experiment, made):
        spec = hook(f"return {made!r}")
        with pytest.raises(
            ValueError, match="can't be the name of a file: take up to 200"
        ) as raised:
            build_id(spec, experiment)
        assert f"id_builder ({spec}) returned {made!r}, which" in str(raised.value)
