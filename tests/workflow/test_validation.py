"""Mistakes in the config, told before any job."""

import pytest


def refused(study, *expected):
    run = study.run()
    run.assert_failed_saying(*expected)
    assert run.jobs == {}
    assert not study.results.exists()


@pytest.fixture
def one(study):
    study.add("m1")
    return study


def test_an_unknown_key_with_the_one_that_was_meant(one):
    one.config["patern"] = one.config.pop("pattern")
    refused(one, "config: unknown key 'patern' (did you mean 'pattern'? allowed: data_directory,")


def test_a_missing_key(one):
    del one.config["trial_extraction_kwargs"]
    refused(one, "config: key 'trial_extraction_kwargs' is missing")


def test_all_mistakes_at_once(one):
    one.config |= {"target_type": "files", "recursive": "perhaps"}
    refused(
        one,
        "config key 'target_type': 'files' is not one of: file, folder",
        "config key 'recursive': 'perhaps' is not true or false",
    )


def test_a_misspelled_loader_kwarg(one):
    one.config["loader_kwargs"]["not_a_loader_argument"] = True
    refused(
        one,
        "config key 'loader_kwargs': "
        "Unexpected kwargs for CSVLoader.__init__(): ['not_a_loader_argument']",
        "allowed: time_col, signal_col, isosbestic_col, event_cols,",
    )


@pytest.mark.parametrize(
    ("key", "function"),
    [
        ("preprocess_kwargs", "PhotometryExperiment.preprocess_signal()"),
        ("trial_extraction_kwargs", "PhotometryExperiment.extract_trial_data()"),
        ("dashboard_kwargs", "PhotometryExperiment.plot_dashboard()"),
    ],
)
def test_a_misspelled_kwarg_of_a_stage(one, key, function):
    one.config.setdefault(key, {})["speling"] = 1
    refused(one, f"config key {key!r}: Unexpected kwargs for {function}: ['speling']")


def test_a_value_that_is_none_of_the_choices(one):
    one.config["preprocess_kwargs"]["fit_using"] = "OLSS"
    refused(
        one,
        "fit_using is 'OLSS', but must be 'OLS', 'IRLS', 'detrend_retrend', "
        "'detrend_fit_retrend' or path/to/file.py:function",
    )


@pytest.mark.parametrize(
    ("key", "setting", "message"),
    [
        ("fit_using", "fits.py:fit", "fit_using: 'fits.py:fit': no Python file 'fits.py'"),
        (
            "artifact_detector",
            "Detector",
            "artifact_detector: 'Detector' names no ArtifactDetector",
        ),
        (
            "artifact_detector",
            {"name": "DerivativeDetector", "threshhold": 8},
            "DerivativeDetector: DerivativeDetector.__init__() got an unexpected keyword argument "
            "'threshhold' (allowed: threshold, jump_threshold,",
        ),
    ],
)
def test_what_names_no_object(one, key, setting, message):
    one.config["preprocess_kwargs"][key] = setting
    refused(one, "config key 'preprocess_kwargs': ", message)


def test_a_missing_kwarg(one):
    del one.config["trial_extraction_kwargs"]["trial_bounds"]
    refused(one, "Missing kwargs for PhotometryExperiment.extract_trial_data(): ['trial_bounds']")


def test_a_kwarg_of_a_loader_of_ones_own(one):
    (one.folder / "mine.py").write_text(
        "from phopro_core import CSVLoader\n"
        "class Mine(CSVLoader):\n"
        "    def __init__(self, csv, gain: float): super().__init__(csv)\n"
    )
    one.config |= {"loader_cls": "mine.py:Mine", "loader_kwargs": {"gian": 2.0}}
    refused(one, "Unexpected kwargs for Mine.__init__(): ['gian']", "allowed: gain")


@pytest.mark.parametrize(
    ("loader", "message"),
    [
        (
            "TVSLoader",
            "config key 'loader_cls': 'TVSLoader' names no PhotometryLoader (built in: TDTLoader",
        ),
        ("mine.py:Mine", "no Python file 'mine.py'"),
        ("config.yaml:Mine", "no Python file 'config.yaml'"),
    ],
)
def test_a_loader_that_is_not_there(one, loader, message):
    one.config["loader_cls"] = loader
    refused(one, message)


def test_a_pattern_that_matches_nothing(one):
    one.config["pattern"] = "*.txt"
    refused(one, "pattern '*.txt' matches no file in 'recordings' (recursive: false; there: m1.csv")


def test_a_folder_that_is_not_there(one):
    one.config["data_directory"] = "recodings"
    refused(one, "data_directory: no folder 'recodings'")


def test_two_inputs_that_would_be_the_same_experiment(one):
    one.add("day 1")
    one.add("day_1")
    refused(
        one,
        "two inputs would both be experiment 'day_1'",
        "'recordings/day 1.csv' and 'recordings/day_1.csv'",
    )


def test_a_template_that_can_not_be_filled(one):
    one.config["loader_kwargs"]["annotation_file"] = "{paht.stem}.json"
    refused(one, "config key 'loader_kwargs': can't fill the template '{paht.stem}.json'")


def test_an_annotation_file_that_no_recording_has(one):
    one.add("m2")
    one.config["loader_kwargs"]["annotation_file"] = "{path.parent}/{stem}.json"
    refused(
        one,
        "'recordings/m1.csv' is to be read together with 'recordings/m1.json', which is not "
        "there; nor are such files of the 1 others",
    )
