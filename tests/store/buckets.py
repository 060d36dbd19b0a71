"""Buckets: a real S3 server (``rclone serve s3``) on loopback, with the bucket ``raw``."""

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

KEYS = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret"}
RCLONE = Path(sys.executable).with_name("rclone")


@contextmanager
def s3(folder: Path) -> Iterator[tuple[str, Path]]:
    """Its address, and the folder of the bucket."""
    (folder / "raw").mkdir()
    words = ["serve", "s3", str(folder), "--addr", "127.0.0.1:0", "--auth-key", "key,secret"]
    words += ["--config", "/dev/null", "--vfs-cache-mode", "off"]
    server = subprocess.Popen([RCLONE, *words], stderr=subprocess.PIPE, text=True)
    assert server.stderr is not None
    found = next((m for line in server.stderr if (m := re.search(r"http://[\d.:]+", line))), None)
    assert found, "the server did not start"
    try:
        yield found[0], folder / "raw"
    finally:
        server.terminate()
        server.communicate(timeout=30)
