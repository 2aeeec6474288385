"""Marks of failures: put in place of outputs, told apart from results, taken away again."""

import csv

import pytest

from phopro_core.batch.failures import FailedStage, Failures, in_order, read_mark, write_table

BAD = FailedStage("bad", "load", "rec/bad.csv", "ValueError", "no column\t'x'\nat all")
WORSE = FailedStage("worse", "extract", "rec/worse.csv", "KeyError", "'é'")


@pytest.fixture
def failures(tmp_path):
    return Failures(tmp_path / "results" / ".failed")


def test_a_mark_tells_the_failure_and_other_files_none(failures, tmp_path):
    output, result = tmp_path / "recordings" / "bad.h5ad", tmp_path / "good.h5ad"
    failures.mark(output, "load", BAD)
    result.write_bytes(b"\x89HDF\r\n")
    assert read_mark(output) == BAD
    assert read_mark(result) is None
    assert read_mark(tmp_path / "missing") is None


def test_a_failure_that_was_passed_on_is_found_once(failures, tmp_path):
    for stage in ("load", "preprocess", "extract"):
        failures.mark(tmp_path / f"{stage}.h5ad", stage, BAD)
    failures.mark(tmp_path / "worse.h5ad", "extract", WORSE)
    assert set(failures.found()) == {BAD, WORSE}


def test_clearing_leaves_no_trace_of_marks_and_every_result(failures, tmp_path):
    made_anew, marked = tmp_path / "made_anew.h5ad", tmp_path / "marked.h5ad"
    failures.mark(made_anew, "load", BAD)
    failures.mark(marked, "extract", WORSE)
    made_anew.write_bytes(b"\x89HDF\r\n")
    failures.clear()
    assert made_anew.exists()
    assert not marked.exists()
    assert not failures.folder.exists()
    assert failures.found() == []
    failures.clear()  # nothing to do


def test_a_mark_replaces_what_was_there(failures, tmp_path):
    output = tmp_path / "bad.h5ad"
    output.write_bytes(b"of an earlier run")
    failures.mark(output, "load", BAD)
    assert read_mark(output) == BAD


def test_the_table_has_a_row_of_one_line_for_each(tmp_path):
    path = tmp_path / "failures.tsv"
    write_table(path, [BAD, WORSE])
    heading, *rows = csv.reader(path.open(encoding="utf-8"), dialect="excel-tab")
    assert heading == ["experiment", "stage", "input", "error", "message"]
    assert rows[0] == ["bad", "load", "rec/bad.csv", "ValueError", "no column 'x' at all"]
    assert rows[1][-1] == "'é'"
    assert len(path.read_text(encoding="utf-8").splitlines()) == 3


def test_without_failures_the_table_is_a_heading(tmp_path):
    write_table(tmp_path / "failures.tsv", [])
    assert (tmp_path / "failures.tsv").read_text().count("\n") == 1


def test_failures_come_in_the_order_of_jobs_and_stages():
    drawn = FailedStage("bad", "dashboard", "rec/bad.csv", "ValueError", "")
    assert in_order([drawn, WORSE, BAD], ["worse", "bad"], ["load", "extract", "dashboard"]) == [
        WORSE,
        BAD,
        drawn,
    ]
