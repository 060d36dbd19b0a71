"""Buckets: OONI's bucket on a real S3 server (``rclone serve s3``) on loopback, laid out as OONI lays it out.

Names and contents as ooni/backend writes them (api/ooni_api_uploader.py, ``fill_postcan``, ``fill_jsonl`` and ``main``,
commit 98f0025a): the bodies of an hour in a ``.tar.gz`` whose members are named by their UIDs, and the same written
anew as lines without them.  Days before October 2020 as ooni/data reads them (oonidata/dataclient.py, commit 40ecc64c).
"""

import gzip
import json
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from tests.sources.ooni.test_tarball import tar_of

RCLONE = Path(sys.executable).with_name("rclone")
NAME = "ooni-data-eu-fra"


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The address of a publicly readable S3 server, with the bucket in ``folder``."""
    (folder / NAME).mkdir(parents=True, exist_ok=True)
    words = [
        "serve",
        "s3",
        str(folder),
        "--addr",
        "127.0.0.1:0",
        "--config",
        "/dev/null",
        "--vfs-cache-mode",
        "off",
    ]
    server = subprocess.Popen([RCLONE, *words, "--dir-cache-time", "0s"], stderr=subprocess.PIPE, text=True)
    assert server.stderr is not None
    found = next((m for line in server.stderr if (m := re.search(r"http://[\d.:]+", line))), None)
    assert found, "the server did not start"
    try:
        yield found[0].rstrip("/")
    finally:
        server.terminate()
        server.communicate(timeout=30)


def uid_of(record: dict[str, Any], uploaded: datetime) -> str:
    """As OONI's server makes it: when it came, from where, which test, and a digest."""
    digest = sha256(json.dumps(record, sort_keys=True).encode()).hexdigest()[:16]
    test = record["test_name"].replace("_", "")
    return f"{uploaded:%Y%m%d%H%M%S.%f}_{record['probe_cc']}_{test}_{digest}"


def upload(
    folder: Path,
    records: Sequence[dict[str, Any]],
    uploaded: datetime,
    *,
    number: int = 0,
    kinds: Sequence[str] = ("jsonl", "tar"),
) -> list[Path]:
    """Records of one country and test, as they are in the bucket when the hour is over."""
    country, test = records[0]["probe_cc"], records[0]["test_name"].replace("_", "")
    hour = uploaded.astimezone(UTC)
    place = folder / NAME / f"raw/{hour:%Y%m%d/%H}/{country}/{test}"
    stem = f"{hour:%Y%m%d%H}_{country}_{test}.n1.{number}"
    contents = {
        "jsonl": b"".join(json.dumps(one, separators=(",", ":")).encode() + b"\n" for one in records),
        "tar": tar_of(
            *(
                (f"srv/{uid_of(one, uploaded)}.post", json.dumps({"format": "json", "content": one}).encode())
                for one in records
            )
        ),
    }
    return [_written(place / f"{stem}.{kind}.gz", gzip.compress(contents[kind])) for kind in kinds]


def upload_day(folder: Path, records: Sequence[dict[str, Any]], day: datetime) -> Path:
    """The same before uploads stood by the hour."""
    country, test = records[0]["probe_cc"], records[0]["test_name"].replace("_", "")
    content = b"".join(json.dumps(one).encode() + b"\n" for one in records)
    place = folder / NAME / f"jsonl/{test}/{country}/{day:%Y%m%d}/00"
    return _written(place / f"{day:%Y%m%d}_{country}_{test}.l.0.jsonl.gz", gzip.compress(content))


def _written(path: Path, content: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path
