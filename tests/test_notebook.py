"""The example notebook, executed as Jupyter does."""

import shutil
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

pytestmark = pytest.mark.slow
EXAMPLE = Path(__file__).parents[1] / "config" / "example"


def texts(cell) -> str:
    """What a cell has printed, and its value as text."""
    outputs = [out.get("data", {}).get("text/plain", out.get("text", "")) for out in cell.outputs]
    return "\n".join(outputs)


def test_every_cell_runs_and_shows_what_it_says(tmp_path, monkeypatch):
    folder = tmp_path / "a study"
    shutil.copytree(EXAMPLE, folder)
    monkeypatch.setenv("PHOPRO_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PYTHONPATH", str(EXAMPLE.parents[1] / "workflow"))
    notebook = nbformat.read(folder / "batch_processing.ipynb", as_version=4)
    client = NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(folder)}})
    client.execute()
    shown = [texts(cell) for cell in notebook.cells if cell.cell_type == "code"]
    assert not any("Traceback" in text for text in shown)
    everything = "\n".join(shown)
    for expected in (
        "PosixPath('recordings/experiment_6.csv')",
        "Photometry dataset with 84 trials, 320 timepoints, and 9 observations.",
        "mouse_1_experiment_1",
        "Photometry dataset with 84 trials, 160 timepoints, and 8 observations.",
        "dashboards/mouse_6_experiment_6.svg",
        "Iterating over 6 jobs...",
    ):
        assert expected in everything
    pictures = [out for cell in notebook.cells for out in cell.get("outputs", []) if "data" in out]
    kinds = {kind for out in pictures for kind in out["data"]}
    assert {"image/png", "image/svg+xml", "text/html"} <= kinds


def test_it_is_kept_without_outputs():
    notebook = nbformat.read(EXAMPLE / "batch_processing.ipynb", as_version=4)
    assert not any(cell.get("outputs") for cell in notebook.cells)
