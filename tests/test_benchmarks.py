"""Benchmarks: what they write, and what they leave alone."""

import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

ROOT = Path(__file__).parents[1]
PAGE = "# Performance\n\n## One\n\nfirst\n\n## Two\n\nsecond\n\n## Three\n\nthird\n"


@pytest.fixture(autouse=True)
def benchmarks_can_be_imported(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "benchmarks")


@pytest.fixture
def replace_section():
    import measuring

    return measuring.replace_section


def run(script: str, *arguments: str | Path) -> None:
    command = [sys.executable, str(ROOT / "benchmarks" / script), *map(str, arguments)]
    subprocess.run(command, check=True, capture_output=True)


def tables(text: str) -> list[list[list[str]]]:
    """Cells of the rows of each table."""
    return [
        [[cell.strip() for cell in row.split("|")[1:-1]] for row in table.splitlines()]
        for table in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE)
    ]


@pytest.mark.parametrize(("heading", "text"), [("One", "first"), ("Two", "second")])
def test_a_section_is_replaced_and_its_neighbours_stay(replace_section, heading, text):
    assert replace_section(PAGE, heading, "new\n") == PAGE.replace(text, "new")


def test_the_last_section_is_replaced_to_the_end(replace_section):
    assert replace_section(PAGE, "Three", "new") == PAGE.replace("third", "new")


def test_a_section_that_is_not_there_is_added_at_the_end(replace_section):
    assert replace_section(PAGE, "Four", "fourth") == PAGE + "\n## Four\n\nfourth\n"


def test_the_benchmark_of_the_fit_writes_its_own_section_only(tmp_path):
    page = tmp_path / "performance.md"
    page.write_text(PAGE)
    run("robust_fit.py", "--samples", "2000", "--rounds", "2", "--write", page)
    before, section = page.read_text().split("\n## The robust fit\n")
    assert before == PAGE
    ((_, _, measured),) = tables(section)
    assert measured[:3] == ["2,000", "20 Hz", "phopro_core"]
    seconds, megabytes = (float(measured[k].split()[0]) for k in (3, 5))
    assert seconds > 0
    assert 0.02 < megabytes < 10  # at least the residuals and their weights


def test_a_fit_that_takes_too_long_is_reported_and_stopped(tmp_path):
    import robust_fit

    traces = tmp_path / "traces.npy"
    traces.write_bytes(b"")
    found = robust_fit.fit_apart(sys.executable, "phopro_core", traces, limit=0.01)
    assert found == {"failure": "not finished in 0.01 s"}
    assert "| PhoPro | not finished in 0.01 s |" in robust_fit.as_row(20, "PhoPro", [found])


@pytest.fixture
def small_study(tmp_path):
    """Two short recordings, ready to be processed."""
    from studies import Size, Study

    study = Study.make(tmp_path / "study", Size(frequency=20.0, duration=120.0, n_recordings=2))
    study.configure()
    return study


def test_a_run_is_timed_and_its_memory_is_that_of_all_its_processes(small_study):
    taken = small_study.run(with_memory=True)
    assert taken.failure is None
    assert taken.seconds > 0
    assert 50e6 < taken.largest < taken.memory < 5e9
    assert small_study.n_jobs() == 7
    assert (small_study.folder / "results" / "trials.h5ad").exists()
    small_study.clear()
    assert not (small_study.folder / "results").exists()


def test_what_a_run_said_last_is_why_it_failed(small_study):
    (small_study.folder / "config.json").write_text('{"data_directory": "nowhere"}')
    with pytest.raises(RuntimeError, match="study: "):
        small_study.run()


def test_a_peer_that_is_not_there_is_no_slow_one(small_study):
    import batches

    arguments = SimpleNamespace(rounds=1, peer_python=sys.executable, peer_limit=60.0)
    with pytest.raises(RuntimeError, match="No module named 'PhoPro'"):
        batches.compare(small_study, ("S", "OLS", False), 0.8, arguments)


def test_a_peer_that_takes_too_long_is_reported_with_what_it_took(small_study):
    import batches

    arguments = SimpleNamespace(rounds=1, peer_python=sys.executable, peer_limit=0.01)
    row = batches.compare(small_study, ("S", "OLS", False), 0.8, arguments)
    assert "not finished in 0.01 s" in row
    assert "| 0.8 not reached so far |" in row


def test_the_spread_is_the_median_with_its_range(monkeypatch):
    import batches

    assert batches.spread([3.0, 1.0, 2.5]) == "2.50 (1.00 – 3.00)"
    assert batches.spread([2.0]) == "2.00"


def test_parsers_and_stores_are_compared(tmp_path, monkeypatch):
    import choices

    short = choices.SIZES["S"]._replace(duration=60.0)
    monkeypatch.setitem(choices.SIZES, "L", short)
    arguments = SimpleNamespace(sizes=["L"], rounds=1)
    (table,) = tables(choices.stores(arguments))
    assert [row[0] for row in table[2:]] == ["none (used)", "lzf", "gzip"]
    (table,) = tables(choices.parsers(arguments))
    assert table[-1][1] == "pyarrow, block by block (used)"


@pytest.mark.slow
def test_the_page_on_accuracy_has_every_method_in_every_regime(tmp_path):
    import accuracy

    page = tmp_path / "accuracy.md"
    run("accuracy.py", "--seeds", "1", "--write", page)
    described, *results, detections = tables(page.read_text())
    regimes = list(accuracy.REGIMES)
    assert [row[0] for row in described[2:]] == regimes
    assert [row[0] for row in detections[2:]] == regimes
    assert len(results) == len(regimes)
    for table in results:
        assert {row[0] for row in table[2:]} >= set(accuracy.METHODS)
    bleaching = {row[0]: row[1:] for row in results[0][2:]}
    slope, correlation = (float(bleaching["IRLS"][k].split()[0]) for k in (1, 2))
    assert abs(slope) < 1 and correlation > 0.95
    assert bleaching["detrend_retrend"][:2] == ["–", "–"]
