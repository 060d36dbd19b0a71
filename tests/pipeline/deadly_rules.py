"""Rules that kill their process as soon as they judge the measurement whose uid is in ``PYTHON_DEADLY``.

The server of the readers installs them before the first of these is made, as ``deadly_child`` asks.
"""

import os
import signal
from typing import Any

from fanous.analysis.rules import judge
from fanous.pipeline import ingest
from fanous.pipeline import judge as judging

deadly = os.environ["PYTHON_DEADLY"]


def killing(parsed: Any, fingerprints: Any) -> Any:
    if parsed.measurement.uid == deadly:
        os.kill(os.getpid(), signal.SIGKILL)
    return judge(parsed, fingerprints)


def install() -> None:
    for module in (ingest, judging):
        vars(module)["judge"] = killing
    judging.known_fingerprints()
