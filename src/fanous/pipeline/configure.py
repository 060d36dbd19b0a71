"""Configure: writes the configuration of a new monitor, with a comment for everything a newcomer may want to change.

It contains every source whose terms the operator accepted, with its licence and what may be passed on.  Secrets go
into a separate file that only its owner can read.
"""

import os
import re
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from fanous.base.overwrite import refusal
from fanous.errors import FanousError
from fanous.pipeline.pull_ooni import FIRST_DAYS
from fanous.pipeline.retain import LEAST_KEPT_DAYS
from fanous.refdata.countries import country_name
from fanous.sources.connector import Source, Transport
from fanous.sources.publishers import SOURCES

ADMIN_TOKEN = "FANOUS_ADMIN_TOKEN"
"""Environment variable that holds the administrator's token."""

DESK_PASSPHRASE = "FANOUS_DESK_PASSPHRASE"
"""Environment variable that holds the hash of the desk's passphrase."""

MEASUREMENTS_A_DAY = 20_000
"""Measurements a day of one country with many volunteers; most countries have fewer."""

BYTES_A_MEASUREMENT = 8_000
"""In archive and facts (docs/operate.md, "What a machine needs")."""

MOST_KEPT_DAYS = 3650

KEY = re.compile(r"[!#-&(-\[\]-~]{1,512}")
"""Keys that need no quoting in the file of secrets, for us and for systemd: no spaces, quotes or backslashes."""


@dataclass(frozen=True, slots=True)
class NewMonitor:
    """What the operator chose.

    Attributes:
        sources: names of those whose terms were accepted.
        mirrors: source -> address to ask in place of its publisher.
        days: how far back OONI's measurements go; 0 = as far as usual.
        free: bytes on the disk of the store.
        passphrase_hash: hash of the desk's passphrase; empty = there is none.
        keys: environment variable -> the key of the operator's account at a source.
    """

    countries: tuple[str, ...]
    sources: tuple[str, ...]
    listen: str
    url: str = ""
    days: int = 0
    free: int = 0
    mirrors: Mapping[str, str] | None = None
    passphrase_hash: str = ""
    keys: Mapping[str, str] | None = None

    def __post_init__(self) -> None:
        for name, key in (self.keys or {}).items():
            if not KEY.fullmatch(key):
                raise FanousError(f"{name}: a key has no spaces, quotes or letters other than ASCII")


def offered() -> list[Source]:
    """The sources that ``fanous run`` can pull; measurements first."""
    pulled = [source for source in SOURCES.values() if source.pulled not in (None, Transport.STREAM)]
    return sorted(pulled, key=lambda source: source.pulled is not Transport.BUCKET)


LICENCE, NEEDS_KEY, FOR_OTHERS = (
    "Licence: {licence}.",
    "Needs a key in {token}.",
    "What you accept for others: {what}.",
)
PASSED_ON = {
    True: "Values may be passed on, with credit.",
    False: "Values may be shown with credit, and are left out of the open data that you export.",
}
"""Is a source open -> what may be done with its values."""


def terms_of(source: Source) -> list[tuple[str, dict[str, str]]]:
    """What the operator accepts with a source: sentences, and the values of their placeholders."""
    sentences = [(LICENCE, {"licence": source.licence}), (PASSED_ON[source.is_open], dict[str, str]())]
    if source.token:
        sentences.append((NEEDS_KEY, {"token": source.token}))
    if source.consent:
        sentences.append((FOR_OTHERS, {"what": source.consent}))
    return sentences


def terms(source: Source) -> str:
    """The same in English."""
    return " ".join(text.format(**values) for text, values in terms_of(source))


def kept_days(free: int, countries: int) -> int:
    """Days for which observations fit on the disk: a third of what is free, as one part of the store."""
    a_day = MEASUREMENTS_A_DAY * BYTES_A_MEASUREMENT * max(1, countries)
    return max(LEAST_KEPT_DAYS, min(MOST_KEPT_DAYS, free // 3 // a_day))


def configuration(chosen: NewMonitor) -> str:
    """The file, as TOML."""
    return "\n".join([*_head(chosen), *_web(chosen), *_sources(chosen), *_retention(chosen)]) + "\n"


def _head(chosen: NewMonitor) -> Iterable[str]:
    names = ", ".join(country_name(code) for code in chosen.countries)
    yield f"# Fanous: a monitor of {names}.  Every key is explained in docs/formats.md."
    yield "# `fanous run` in this folder reads this file, and the secrets in fanous.env next to it."
    yield ""
    yield "[run]"
    yield f'listen = "{chosen.listen}"          # where the pages are served; put a proxy with TLS in front of it'
    yield ""
    yield "[rounds]"
    yield "# This machine's own measurements.  Read `fanous probe consent` before you turn them on."
    yield "on = false"
    yield f'country = "{chosen.countries[0]}"' if len(chosen.countries) == 1 else '# country = "PK"'
    yield "# asn = 17557                     # without country and network, nothing is concluded from them"
    yield ""
    yield "[collector]"
    yield "# Receives what probes of others send.  Turn it on once it can be reached (docs/operate.md)."
    yield "on = false"
    yield ""


def _web(chosen: NewMonitor) -> Iterable[str]:
    yield "[web]"
    yield (
        f'url = "{chosen.url}"'
        if chosen.url
        else '# url = "https://fanous.example"   # once the pages are public'
    )
    yield f'admin_token = "{ADMIN_TOKEN}"   # opens the desk (/desk); its value is in fanous.env'
    if chosen.passphrase_hash:
        yield f'desk_passphrase = "{DESK_PASSPHRASE}"   # the hash of the passphrase that opens it too'
    yield ""
    yield "[review]"
    yield "# Claims about a whole country wait until a person approves them (/desk, or `fanous incidents approve`)."
    yield "national = false"
    yield "# public = false          # readers do not see what waits; otherwise they see it as suspected"
    yield ""


def _sources(chosen: NewMonitor) -> Iterable[str]:
    listed = ", ".join(f'"{code}"' for code in chosen.countries)
    mirrors = chosen.mirrors or {}
    for source in offered():
        is_wanted = source.name in chosen.sources
        yield f"# {source.title}{f' ({source.page})' if source.page else ''}."
        yield f"# {terms(source)}"
        mark = "" if is_wanted else "# "
        yield f"{mark}[sources.{source.name}]"
        yield f"{mark}countries = [{listed}]"
        if source.pulled is Transport.BUCKET:
            yield f"{mark}days = {chosen.days or FIRST_DAYS}                       # how far back the first pull goes"
        if source.consent:
            yield f"{mark}consent = true"
        if source.name in mirrors:
            yield f'{mark}mirror = "{mirrors[source.name]}"'
        yield ""


def _retention(chosen: NewMonitor) -> Iterable[str]:
    days = kept_days(chosen.free, len(chosen.countries))
    gigabytes = MEASUREMENTS_A_DAY * BYTES_A_MEASUREMENT * len(chosen.countries) / 1e9
    yield "[retention]"
    yield "# Days for which single observations are kept."
    yield f"# Calculated from {chosen.free / 1e9:,.0f} GB of free space and at most {gigabytes:.1f} GB a day."
    yield "# Raw records stay; to move old ones to a bucket, set archive_days and bucket."
    yield f"observations_days = {days}"


def check_free(path: Path) -> Path:
    """The path for the secrets of a configuration.

    Raises:
        FanousError: one of the two files already exists.
    """
    beside = path.with_name(f"{path.stem}.env")
    for one in (path, beside):
        if one.exists() or one.is_symlink():
            raise refusal(one, "a file")
    return beside


def write(chosen: NewMonitor, path: Path) -> Path:
    """Write both files; returns the path of the secrets.

    Raises:
        FanousError: one of them already exists, or cannot be written; nothing was changed.
    """
    beside, made = check_free(path), list[Path]()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            made.append(beside)
            file.write(secrets_text(chosen))
        with path.open("x", encoding="utf-8") as file:
            made.append(path)
            file.write(configuration(chosen))
    except OSError as error:
        for one in made:
            one.unlink(missing_ok=True)
        raise FanousError(f"cannot write {path}: {error.strerror}") from error
    return beside


def secrets_text(chosen: NewMonitor) -> str:
    """Names and values, as systemd's ``EnvironmentFile`` reads them."""
    lines = ["# Secrets of this monitor: keep them to yourself.", f"{ADMIN_TOKEN}={secrets.token_hex(32)}"]
    if chosen.passphrase_hash:
        lines.append(f"{DESK_PASSPHRASE}={chosen.passphrase_hash}")
    known = chosen.keys or {}
    names = dict.fromkeys(SOURCES[one].token for one in chosen.sources if SOURCES[one].token)
    lines += [
        f"{name}={known[name]}" if name in known else f"# {name}=           # the key of your account there"
        for name in names
    ]
    return "\n".join(lines) + "\n"
