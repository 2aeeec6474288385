"""Recordings that can't be processed: the message, and what is left behind."""

import numpy as np
import pytest

WELL = {"recordings/well.h5ad", "processed/well.h5ad", "extracted/well.h5ad"}


def fails(study, *expected, left=()):
    """Run a study with a bad recording beside a good one, which must not suffer."""
    study.add("well")
    run = study.run()
    assert run.status == 0
    run.assert_said(*expected, "1 errors, 1 successes, 2 jobs")
    # The good recording is done, and of the bad one there is nothing half-written.
    assert study.files() == WELL | {"trials.h5ad"} | set(left)
    assert list(study.results.rglob(".*")) == []
    assert list(study.failures()) == ["bad"]
    return run


def test_an_empty_file(study):
    study.add("bad").write_text("")
    fails(study, "recordings/bad.csv: the file is empty")


def test_a_heading_without_samples(study):
    study.add("bad")
    study.edit("bad", lambda table: table[:0])
    fails(study, "recordings/bad.csv: there is a heading, but no sample below it")


def test_a_missing_column(study):
    study.add("bad")
    study.edit("bad", lambda table: table.rename(columns={"signal": "sig"}))
    fails(study, "recordings/bad.csv: no column 'signal' (has: time, sig, isosbestic,")


def test_a_text_where_a_number_should_be(study):
    study.add("bad")
    study.edit(
        "bad", lambda table: table.assign(signal=[*table.signal[:7], "x7", *table.signal[8:]])
    )
    fails(study, "recordings/bad.csv: column 'signal', line 9: 'x7' is not a number")


def test_a_missing_value_in_a_channel(study):
    study.add("bad")
    study.edit("bad", lambda table: table.replace({"isosbestic": {table.isosbestic[4]: np.nan}}))
    fails(study, "recordings/bad.csv: column 'isosbestic', line 6: nan is a missing")


@pytest.mark.parametrize(
    ("times", "message"),
    [([0.5, 0.5], "time repeats at sample 11"), ([0.5, 0.4], "time goes backwards at sample 11")],
)
def test_time_that_does_not_increase(study, times, message):
    study.add("bad")

    def disorder(table):
        table.loc[[10, 11], "time"] = times
        return table

    study.edit("bad", disorder)
    fails(study, message, "load of bad (recordings/bad.csv)")


def test_a_recording_too_short_for_the_filter(study):
    study.add("bad")
    study.edit("bad", lambda table: table[:12])
    fails(
        study,
        "preprocess of bad (recordings/bad.csv)",
        "12 samples are too few for a low-pass filter of order 4",
        left=["recordings/bad.h5ad"],
    )


def test_a_cutoff_above_the_nyquist_frequency(study):
    study.add("bad", frequency=5.0)
    fails(
        study,
        "preprocess of bad (recordings/bad.csv)",
        "cutoff_frequency is 3 Hz, but must lie between 0 and 2.5 Hz",
        left=["recordings/bad.h5ad"],
    )


LOADED = ["recordings/bad.h5ad", "processed/bad.h5ad"]


def test_no_event_to_align_to(study):
    study.add("bad")
    study.edit("bad", lambda table: table.assign(trial_cue=0))
    fails(
        study,
        "extract of bad (recordings/bad.csv)",
        "no event to align to: 'trial_cue' does not occur",
        left=LOADED,
    )


def test_all_windows_outside_the_recording(study):
    study.add("bad")

    def early(table):
        return table.assign(trial_cue=(np.arange(len(table)) < 2).astype(int))

    study.edit("bad", early)
    fails(
        study,
        "extract of bad (recordings/bad.csv)",
        "all 2 trial windows reach outside the recording (0 to 59.95 s)",
        left=LOADED,
    )


def test_a_broken_annotation(study):
    for name, text in [("bad", "{"), ("well", "{}")]:
        study.add(name).with_suffix(".json").write_text(text)
    study.config["loader_kwargs"]["annotation_file"] = "{path.parent}/{stem}.json"
    fails(study, "recordings/bad.json: not a valid json file")


def test_an_annotation_that_one_recording_lacks(study):
    study.add("bad")
    study.add("well").with_suffix(".json").write_text("{}")
    study.config["loader_kwargs"]["annotation_file"] = "{path.parent}/{stem}.json"
    fails(study, "load of bad", "recordings/bad.json: no such annotation file")


def test_recordings_of_different_sampling_rates(study):
    study.add("well")
    study.add("slow", frequency=10.0)
    study.config["preprocess_kwargs"]["cutoff_frequency"] = 2
    study.run().assert_failed_saying(
        "merge_trials of recordings",
        "1 of 2 experiments lie on another time grid than those of slow",
        "well: 140 time points from -2 to 4.95 s, 20 Hz",
    )
    assert study.files() == WELL | {name.replace("well", "slow") for name in WELL}


def test_a_failed_merge_leaves_the_old_result(study):
    study.add("well")
    study.run_well()
    before = (study.results / "trials.h5ad").read_bytes()
    study.add("slow", frequency=10.0)
    study.config["preprocess_kwargs"]["cutoff_frequency"] = 2
    study.run()
    left = study.results / "trials.h5ad"
    assert not left.exists() or left.read_bytes() == before


def test_the_traceback_is_in_the_log(study):
    study.add("bad").write_text("")
    fails(study, "More in results/logs/load/bad.log")
    log = (study.results / "logs" / "load" / "bad.log").read_text()
    assert "ERROR   load failed\nTraceback (most recent call last):" in log
    assert log in (study.results / "pipeline.log").read_text()
