"""Withdrawal: deletes measurements of withdrawn probes that wait or were set aside in an inbox.

For whoever has the store open: nobody else takes files from its inbox meanwhile.
"""

from collections.abc import Collection
from pathlib import Path

import msgspec

from fanous.collector.journal import SEALED
from fanous.store.disk import disk_errors, sync_folder, write_durably

NEW = ".new"
"""Ends the name of a file that is written in place of another; neither a collector nor a store heeds it."""


class _Reported(msgspec.Struct):
    report_id: str = ""


_reported = msgspec.json.Decoder(_Reported)


def withdraw(inbox: Path, reports: Collection[str]) -> int:
    """Take the measurements of these reports out of all sealed files, those in ``apart`` too.

    A run that was killed is completed by running it again: each file is as it was, or without them.

    Returns:
        How many there were.
    """
    gone = 0
    with disk_errors(f"take measurements out of the inbox {inbox}"):
        for left in inbox.rglob(f"*{SEALED}{NEW}"):  # by a run that was killed
            left.unlink()
        for path in sorted(inbox.rglob(f"*{SEALED}")):
            gone += _withdraw_from(path, reports)
    return gone


def _withdraw_from(path: Path, reports: Collection[str]) -> int:
    lines = path.read_bytes().splitlines(keepends=True)
    kept = [line for line in lines if _report(line) not in reports]
    if not kept:
        path.unlink()
        sync_folder(path.parent)
    elif len(kept) < len(lines):
        write_durably(path, b"".join(kept), NEW, path.stat().st_mtime)
    return len(lines) - len(kept)


def _report(line: bytes) -> str:
    """Empty = it is nothing of ours, and stays."""
    try:
        return _reported.decode(line).report_id
    except msgspec.MsgspecError:
        return ""
