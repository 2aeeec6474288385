"""Ids of experiments: whose they are, and what is named after them."""

from pathlib import Path

import pytest

from phopro_core.batch.identities import names_after, read_ids, taken_twice
from phopro_core.batch.jobs import Job

INPUTS = {"a-1": "a.csv", "a-2": "a.csv", "b": "b.csv", "c": "c.csv"}
JOBS = {name: Job(name, Path(path), {}, [path], []) for name, path in INPUTS.items()}


def test_ids_are_read_as_the_texts_they_are(tmp_path):
    table = tmp_path / "experiment_ids.tsv"
    rows = ["experiment\texperiment_id", "m_10\t007", "Mäuse\tMaus 3, 'links'", "b\tNA"]
    table.write_text("\n".join(rows) + "\n", encoding="utf-8")
    assert read_ids(table) == {"m_10": "007", "Mäuse": "Maus 3, 'links'", "b": "NA"}
    assert read_ids(str(table)) == read_ids(table)


def test_a_table_without_experiments_has_no_ids(tmp_path):
    table = tmp_path / "experiment_ids.tsv"
    table.write_text("experiment\texperiment_id\n")
    assert read_ids(table) == {}


@pytest.mark.parametrize(
    ("ids", "taken"),
    [
        pytest.param({"a-1": "m1", "b": "m2", "c": "m3"}, {}, id="all differ"),
        pytest.param({"a-1": "m1", "a-2": "m1", "b": "m2"}, {}, id="one input may share"),
        pytest.param({"b": "m2", "c": "m2"}, {"c": "b"}, id="two inputs may not"),
        pytest.param({"c": "m2", "b": "m2"}, {"c": "b"}, id="earlier means among the jobs"),
        pytest.param(
            {"a-1": "m1", "a-2": "m1", "b": "m1", "c": "m1"},
            {"b": "a-1", "c": "a-1"},
            id="all later ones are of the first",
        ),
        pytest.param(
            {"a-1": "m1", "a-2": "m2", "b": "m2", "c": "m1"},
            {"b": "a-2", "c": "a-1"},
            id="each id has its own owner",
        ),
        pytest.param({}, {}, id="none has an id"),
    ],
)
def test_an_id_is_taken_by_the_first_experiment_that_has_it(ids, taken):
    assert taken_twice(ids, JOBS) == taken


@pytest.mark.parametrize(
    ("ids", "names"),
    [
        pytest.param({"a": "m1", "b": "m2"}, {"b": "m2", "a": "m1"}, id="ids are names"),
        pytest.param(
            {"a": "m1", "b": "m1", "c": "m2"},
            {"a": "m1-a", "b": "m1-b", "c": "m2"},
            id="those who share one are told apart",
        ),
        pytest.param({"a": "m1", "b": "m1"}, {"a": "m1-a"}, id="even where one is not asked for"),
        pytest.param({"a": "m1"}, {"a": "m1", "b": "b"}, id="without an id it keeps its name"),
        pytest.param({"a": "b"}, {"a": "b", "b": "b-b"}, id="unless that is another one's id"),
        pytest.param({"a": "b"}, {"b": "b-b", "a": "b"}, id="which keeps it in any order"),
        pytest.param({"a": "a", "b": "c"}, {"a": "a", "b": "c"}, id="its own name as its id"),
        pytest.param(
            {"a": "m", "b": "m", "c": "m-a_", "d": "m-a"},
            {"a": "m-a", "b": "m-b", "c": "m-a_", "d": "m-a__"},
            id="a name that is made is never one that is there",
        ),
        pytest.param({}, {}, id="nothing to name"),
    ],
)
def test_files_are_named_after_ids_each_by_a_name_of_its_own(ids, names):
    assert list(names_after(ids, list(names)).items()) == list(names.items())
