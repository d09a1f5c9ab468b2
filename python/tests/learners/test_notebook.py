"""The notebook of the examples, cell by cell, with fewer steps."""

import shutil
from pathlib import Path

import pytest

NOTEBOOK = Path(__file__).resolve().parents[3] / "examples" / "notebook.ipynb"


@pytest.mark.filterwarnings("ignore")  # of the kernel's libraries
@pytest.mark.timeout(600)
def test_the_notebook_runs_from_its_first_cell_to_its_plot(tmp_path, monkeypatch):
    nbclient = pytest.importorskip("nbclient")
    nbformat = pytest.importorskip("nbformat")
    pytest.importorskip("matplotlib")
    monkeypatch.setenv("STEPS", "4096")
    notebook = nbformat.read(shutil.copy(NOTEBOOK, tmp_path), as_version=4)
    nbclient.NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(tmp_path)}}).execute()
    said = "".join(output.get("text", "") for cell in notebook.cells for output in cell.get("outputs", []))
    assert "4,096 steps" in said
    assert "onnx:policy" in said
    assert "image/png" in notebook.cells[-1].outputs[-1]["data"]
