"""Consent: asked before the first packet, remembered, and withdrawable at any time.

People are asked in their own language if there is a translation, otherwise in English.
"""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from textwrap import fill

from fanous.base.files import make_folder
from fanous.base.overwrite import replace_file
from fanous.errors import FanousError
from fanous.model.instant import to_iso
from fanous.refdata import toml_table
from fanous.refdata.targets import do_not_run

VERSION = 2
"""Increased when the meaning of the text (``refdata/consent.toml``) changes: then everyone is asked again."""


def consent_file(folder: Path) -> Path:
    return folder / "consent.json"


def is_given(folder: Path) -> bool:
    """Was consent given to the current text?"""
    return bool(_read(consent_file(folder)).get("version") == VERSION)


def give(folder: Path, now: float) -> None:
    """Record consent.

    Raises:
        FanousError: the folder cannot be written.
    """
    path = consent_file(folder)
    try:
        make_folder(path.parent)
        replace_file(path, f"{json.dumps({'version': VERSION, 'given': to_iso(now)})}\n".encode())
    except OSError as error:
        raise FanousError(f"cannot write {path}: {error.strerror}") from None


def withdraw(folder: Path) -> bool:
    """Withdraw consent; returns whether there was any."""
    existed = consent_file(folder).exists()
    consent_file(folder).unlink(missing_ok=True)
    return existed


def check_country(country: str) -> None:
    """Refuse to run where measuring would endanger people.

    Raises:
        FanousError: the country is on the list.
    """
    why = do_not_run().get(country)
    if why:
        raise FanousError(f"measuring from {country} is disabled, because it may endanger you: {why}")


def _read(path: Path) -> dict[str, object]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}  # missing, or not ours: as if no consent had been given
    return content if isinstance(content, dict) else {}


FALLBACK = "en"
WIDTH = 100

_RLM, _LRI, _PDI = "\u200f", "\u2066", "\u2069"
"""Unicode TR 9: the right-to-left mark, and the isolates around left-to-right text."""


def languages() -> tuple[str, ...]:
    """Codes (ISO 639-1) of the available languages, English first."""
    return tuple(toml_table("consent.toml"))


def language_of(environment: Mapping[str, str]) -> str:
    """The person's language from the POSIX variables; English if the text is not available in it."""
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        code = re.split(r"[_.@-]", environment.get(name, ""))[0].lower()
        if code:
            return code if code in languages() else FALLBACK
    return FALLBACK


def consent_text(language: str, cap_mb: float) -> str:
    """The question asked before measuring."""
    return _shown("text", language, cap_mb)


def localise_text(language: str) -> str:
    """The question asked before localising."""
    return _shown("localise", language, 0)


def question(language: str) -> str:
    """The last line, to be answered with yes or no."""
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
    """The line, marked so that a terminal with support for bidirectional text shows it correctly; others show
    the same letters.
    """
    plain = re.sub(r"`([^`]*)`", rf"{_LRI}\1{_PDI}" if rtl else r"\1", line)
    return _RLM + plain if rtl else plain
