"""Runs a command in a process that is killed as soon as it judges a certain measurement.

argv: its uid, and the words of the command.
"""

import os
import signal
import sys
from typing import Any

from fanous.analysis.rules import judge
from fanous.cli.main import main
from fanous.pipeline import ingest
from fanous.pipeline import judge as judging

deadly, sys.argv = sys.argv[1], ["fanous", *sys.argv[2:]]


def killing(parsed: Any, fingerprints: Any) -> Any:
    if parsed.measurement.uid == deadly:
        os.kill(os.getpid(), signal.SIGKILL)
    return judge(parsed, fingerprints)


for module in (ingest, judging):
    vars(module)["judge"] = killing
main()
