"""Benchmarks: what they write, and what they leave alone."""

import re
import subprocess
import sys
from pathlib import Path

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
