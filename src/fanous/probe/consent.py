"""Consent: asked before the first packet, remembered, and withdrawn at any time."""

import json
from datetime import UTC, datetime
from pathlib import Path

from fanous.errors import FanousError
from fanous.refdata.targets import do_not_run

VERSION = 2
"""Raised when the text (``refdata/consent.toml``) changes in what it asks: then everybody is asked again."""


def consent_file(folder: Path) -> Path:
    return folder / "consent.json"


def is_given(folder: Path) -> bool:
    """Was consent given to the text as it is now?"""
    return bool(_read(consent_file(folder)).get("version") == VERSION)


def give(folder: Path, now: float) -> None:
    """Remember it.

    Raises:
        FanousError: the folder cannot be written.
    """
    given = datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    _write(consent_file(folder), {"version": VERSION, "given": given})


def withdraw(folder: Path) -> bool:
    """Forget it; was there anything to forget?"""
    existed = consent_file(folder).exists()
    consent_file(folder).unlink(missing_ok=True)
    return existed


def check_country(country: str) -> None:
    """Refuse to run where it would endanger people.

    Raises:
        FanousError: the country is on the list.
    """
    why = do_not_run().get(country)
    if why:
        raise FanousError(f"measuring from {country} is switched off, because it may endanger you: {why}")


def _read(path: Path) -> dict[str, object]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}  # not there, or not ours: as if nothing had been said
    return content if isinstance(content, dict) else {}


def _write(path: Path, content: dict[str, object]) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content) + "\n", encoding="utf-8")
    except OSError as error:
        raise FanousError(f"{path} cannot be written: {error.strerror}") from None
