"""The notebook runs from its first cell to its last, in a separate process, as a reader would run it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

NOTEBOOK = Path(__file__).resolve().parents[1] / "docs" / "pakistan-2023.ipynb"


@pytest.mark.matrix
def test_the_notebook_reproduces_the_pakistan_event(tmp_path: Path) -> None:
    cells = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
    program = "\n\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    (tmp_path / "notebook.py").write_text(program, encoding="utf-8")
    ran = subprocess.run(
        [sys.executable, "notebook.py"],
        cwd=tmp_path,
        env={"TMPDIR": str(tmp_path), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert ran.returncode == 0, ran.stderr
    assert "blocking nation" in ran.stdout
    outputs = [output for cell in cells for output in cell.get("outputs", ())]
    printed = ["".join(output["text"]) for output in outputs if output["output_type"] == "stream"]
    assert ran.stdout == "".join(printed), "the outputs that are kept in it are those of today"


def test_the_notebook_shows_the_chart_and_that_it_was_staged() -> None:
    cells = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
    drawn = [
        "".join(output["data"]["image/svg+xml"])
        for cell in cells
        for output in cell.get("outputs", ())
        if "image/svg+xml" in output.get("data", {})
    ]
    assert len(drawn) == 1
    assert "[Synthetic]" in drawn[0]
    assert all(cell["cell_type"] == "markdown" or cell["execution_count"] for cell in cells)
