"""What a person waits for loads nothing that concludes."""

import subprocess
import sys
from pathlib import Path

from tests.children import child_environment
from tests.copies import copy_of

CONCLUDING = (
    "fanous.analysis.detectors",
    "fanous.analysis.rules",
    "fanous.pipeline.detect",
    "fanous.pipeline.ingest",
    "fanous.pipeline.interference",
    "fanous.pipeline.judge",
    "fanous.pipeline.outages",
    "fanous.pipeline.questions",
    "fanous.sources.connector",
    "fanous.sources.publishers",
)


def test_confirm_loads_none_of_the_stages_that_conclude(small_rally_folder: Path, tmp_path: Path) -> None:
    code = (
        "import sys; from fanous.cli.main import app\n"
        f"app(['confirm', 'PK', '--store', {str(copy_of(small_rally_folder, tmp_path / 'store'))!r}],"
        " standalone_mode=False)\n"
        "print(*(name for name in sys.modules if name.startswith('fanous.')), file=sys.stderr)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], env=child_environment(), capture_output=True, text=True, check=True
    )
    assert "Pakistan" in ran.stdout
    assert [name for name in ran.stderr.split() if name.startswith(CONCLUDING)] == []
