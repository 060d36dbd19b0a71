"""Consent: asked before the first packet, remembered, and withdrawn at any time.

A person is asked in their own language where there is a translation, else in English.
"""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from textwrap import fill

from fanous.errors import FanousError
from fanous.overwrite import replace_file
from fanous.refdata.files import toml_table
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
        replace_file(path, f"{json.dumps(content)}\n".encode())
    except OSError as error:
        raise FanousError(f"{path} cannot be written: {error.strerror}") from None


FALLBACK = "en"
WIDTH = 100

_RLM, _LRI, _PDI = "\u200f", "\u2066", "\u2069"
"""Unicode TR 9: a mark that runs from right to left, and the isolation of what runs from left to right."""


def languages() -> tuple[str, ...]:
    """Codes (ISO 639-1) of the languages that there are, English first."""
    return tuple(toml_table("consent.toml"))


def language_of(environment: Mapping[str, str]) -> str:
    """The person's language by POSIX's variables; English where there is no text in it."""
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        code = re.split(r"[_.@-]", environment.get(name, ""))[0].lower()
        if code:
            return code if code in languages() else FALLBACK
    return FALLBACK


def consent_text(language: str, cap_mb: float) -> str:
    """What is asked before measuring."""
    return _shown("text", language, cap_mb)


def localise_text(language: str) -> str:
    """What is asked before localising."""
    return _shown("localise", language, 0)


def question(language: str) -> str:
    """The last line, which is answered with yes or no."""
    return _directed(str(_entry("ask", language)["ask"]), _is_right_to_left("ask", language))


def _entry(key: str, language: str) -> Mapping[str, object]:
    table = toml_table("consent.toml")
    return dict(table[language] if key in table.get(language, {}) else table[FALLBACK])


def _is_right_to_left(key: str, language: str) -> bool:
    return _entry(key, language).get("direction") == "rtl"


def _shown(key: str, language: str, cap_mb: float) -> str:
    text = str(_entry(key, language)[key]).strip().replace("{cap}", f"{cap_mb:.0f}")
    rtl = _is_right_to_left(key, language)
    lines = (
        line
        for paragraph in text.splitlines()
        for line in fill(paragraph, WIDTH, subsequent_indent="  " if paragraph[0] == "-" else "").splitlines()
    )
    return "\n".join(_directed(line, rtl) for line in lines) + "\n"


def _directed(line: str, rtl: bool) -> str:
    """The line as a terminal that knows bidirectional text shows it right; others show the same letters."""
    plain = re.sub(r"`([^`]*)`", rf"{_LRI}\1{_PDI}" if rtl else r"\1", line)
    return _RLM + plain if rtl else plain
