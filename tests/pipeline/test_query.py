"""What a person waits for imports nothing that concludes."""

import subprocess
import sys

import pytest

from tests.children import child_environment


def loaded_with(module: str) -> set[str]:
    """Parts of Fanous that a new process has loaded with a module."""
    code = f"import sys, {module}; print(*(n for n in sys.modules if n.startswith('fanous.')))"
    ran = subprocess.run(
        [sys.executable, "-c", code], env=child_environment(), capture_output=True, text=True, check=True
    )
    return {name.split(".")[1] for name in ran.stdout.split()}


@pytest.mark.parametrize("module", ["fanous.pipeline.query", "fanous.cli.main"])
def test_the_answer_starts_without_the_stages_that_conclude(module: str) -> None:
    loaded = loaded_with(module)
    assert loaded & {"connecting", "connectors", "detectors", "interfering", "pipeline", "rules"} == set()
