"""What a person waits for imports nothing that concludes."""

import subprocess
import sys

import pytest

from tests.children import child_environment


def loaded_with(module: str) -> set[str]:
    """Modules of Fanous that a new process has loaded with a module."""
    code = f"import sys, {module}; print(*(n for n in sys.modules if n.startswith('fanous.')))"
    ran = subprocess.run(
        [sys.executable, "-c", code], env=child_environment(), capture_output=True, text=True, check=True
    )
    return set(ran.stdout.split())


CONCLUDING = (
    "fanous.analysis.detectors",
    "fanous.analysis.rules",
    "fanous.pipeline.interference",
    "fanous.pipeline.outages",
    "fanous.pipeline.detect",
    "fanous.pipeline.ingest",
    "fanous.pipeline.judge",
    "fanous.sources",
)


@pytest.mark.parametrize("module", ["fanous.pipeline.query", "fanous.cli.main", "fanous.cli.confirm"])
def test_the_answer_starts_without_the_stages_that_conclude(module: str) -> None:
    loaded = loaded_with(module)
    assert {name for name in loaded if name.startswith(CONCLUDING)} == set()
