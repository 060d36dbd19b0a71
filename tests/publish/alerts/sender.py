"""A process that sends what is due, so that a test can kill it: ``python -m tests.publish.alerts.sender FOLDER``."""

import sys
from pathlib import Path

from fanous.publish.alerts.settings import read_alerting
from tests.publish.alerts.outbox import Told

if __name__ == "__main__":
    folder = Path(sys.argv[1])
    Told(folder).look(read_alerting(folder / "fanous.toml"))
