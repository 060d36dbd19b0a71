"""Site: the table ``[web]`` - how the pages are seen from outside, and who may change what they show."""

import os
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from fanous.config import Table, web_address
from fanous.refdata.world import shapes

LEAST_TOKEN = 24
"""Characters of an administrator's token: what is shorter can be tried out."""


@dataclass(frozen=True, slots=True)
class SiteSettings:
    """Attributes:
    url: public address without a slash at its end; empty = as each request names it.
    map: file of the shapes of countries; ``None`` = the one that ships.
    key: that signs evidence bundles; ``None`` = the user's own.
    token: of an administrator; empty = there is no door for one.
    """

    url: str = ""
    map: Path | None = None
    key: Path | None = None
    token: str = field(default="", repr=False)


def site_settings(table: Table, beside: Path) -> SiteSettings:
    """Read and checked.

    Args:
        beside: folder that relative names stand in.

    Raises:
        FanousError: an address that is none, a map that cannot be read, a token that is missing or short.
    """
    table.allow("url", "map", "key", "admin_token")

    def file(key: str) -> Path | None:
        return (beside / Path(table.text(key)).expanduser()).absolute() if table.has(key) else None

    return SiteSettings(_url(table), _map(table, file("map")), file("key"), _token(table))


def _url(table: Table) -> str:
    url = web_address(table, "url").rstrip("/")
    parts = urlsplit(url)
    if parts.path or parts.query:
        raise table.wrong("url", f"{url!r} is more than a site, such as 'https://fanous.example'")
    return url


def _map(table: Table, file: Path | None) -> Path | None:
    if file is not None:
        with table.about("map"):
            drawn = shapes(file)
        if not drawn:
            raise table.wrong("map", f"{file} has no country: a line is a code, a tab and a path of an SVG")
    return file


def _token(table: Table) -> str:
    """It stands in the environment, so that a configuration may be shown to anybody."""
    if not table.has("admin_token"):
        return ""
    name = table.text("admin_token")
    token = os.environ.get(name, "")
    if len(token) < LEAST_TOKEN:
        lacking = "is not set" if not token else f"has fewer than {LEAST_TOKEN} characters"
        raise table.wrong(
            "admin_token", f"the environment variable {name!r} {lacking}; `openssl rand -hex 32` makes one"
        )
    return token
