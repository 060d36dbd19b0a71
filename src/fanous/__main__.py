"""``fanous`` and ``python -m fanous``: the command as a process."""

import atexit
import os
import sys

from fanous.cli.main import main


def start() -> None:
    """Run the command, and exit without the engine's own shutdown: it takes 0.15 s of processor time to give back
    memory, and everything is on disk by then.  Python's shutdown comes first: threads are waited for, and exit
    functions run.
    """
    code = 0

    def leave() -> None:
        if "chdb" in sys.modules and _is_flushed():
            os._exit(code)

    atexit.register(leave)  # exit functions run in reverse order
    try:
        main()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
        raise


def _is_flushed() -> bool:
    """Whether everything printed has arrived; if not, Python says so."""
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except (OSError, ValueError):
        return False
    return True


if __name__ == "__main__":
    start()
