"""``fanous demo`` as its user runs it: it prints, serves, and ends on Ctrl-C without a word of complaint."""

import re
import signal
import subprocess
import sys
from pathlib import Path

import httpx

from tests.children import child_environment


def test_the_demonstration_serves_its_pages_until_it_is_interrupted(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "fanous", "demo", "--port", "0", "--no-browser"]
    demo = subprocess.Popen(
        [*command, "--store", str(tmp_path / "demo")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=child_environment(),
    )
    assert demo.stderr is not None
    address = next(found[0] for line in demo.stderr if (found := re.search(r"http://\S+/", line)))
    page = httpx.get(address, trust_env=False, timeout=60).text
    demo.send_signal(signal.SIGINT)
    out, err = demo.communicate(timeout=60)
    assert demo.returncode == 0, err
    assert "1 confirmed (ended)" in out
    assert err == ""
    assert 'href="/PK/PK-2023-0001"' in page
    assert "Every measurement is synthetic." in page
