"""Commands: ``fanous`` as a user types it, in this process or as the program that it is.

A command in this process costs what it does; each start of the program costs a second of processor time more.
Start the program where the process is the point: exit codes, what leaves it on which stream, locks, signals.
"""

import json
import logging
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from io import BytesIO, TextIOWrapper
from pathlib import Path
from typing import Any

import pytest

from fanous.cli.main import main
from tests.children import child_environment


def program(*words: str | Path, code: int = 0) -> subprocess.CompletedProcess[str]:
    """Start the program; its exit code must be ``code``, and never is there a traceback."""
    return _expected(
        subprocess.run(
            [sys.executable, "-m", "fanous", *map(str, words)],
            capture_output=True,
            text=True,
            timeout=120,
            env=child_environment(),
        ),
        code,
    )


def fanous(*words: str | Path, code: int | tuple[int, ...] = 0) -> subprocess.CompletedProcess[str]:
    """Run the command in this process, which must have no other store open; as ``program`` otherwise.

    Args:
        code: of which its exit code must be one.
    """
    texts = ["fanous", *map(str, words)]
    out, err = (TextIOWrapper(BytesIO(), "utf-8", write_through=True) for _ in range(2))
    handlers, ended = logging.getLogger().handlers[:], 0
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        patch.setattr("sys.argv", texts)
        try:
            main()
        except SystemExit as leaving:
            ended = leaving.code if isinstance(leaving.code, int) else int(leaving.code is not None)
        finally:
            logging.getLogger().handlers[:] = handlers
    printed, said = (_read(stream) for stream in (out, err))
    return _expected(subprocess.CompletedProcess(texts, ended, printed, said), code)


def document(*words: str | Path) -> Any:
    """What the command prints with ``--json``, in this process."""
    return json.loads(fanous(*words, "--json").stdout)


def _read(stream: TextIOWrapper) -> str:
    stream.seek(0)
    return stream.read()


def _expected(
    done: subprocess.CompletedProcess[str], code: int | tuple[int, ...]
) -> subprocess.CompletedProcess[str]:
    codes = code if isinstance(code, tuple) else (code,)
    assert done.returncode in codes, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done
