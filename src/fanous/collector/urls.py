"""Urls: what probes are told to measure when they check in.

The default is what most people use, in the categories of Citizen Lab's test lists; larger lists are fetched
by the operator and named with ``--urls``.
"""

import csv
from pathlib import Path

from fanous.collector.checkin import ListedUrl
from fanous.errors import FanousError

DEFAULT_URLS = tuple(
    ListedUrl(f"https://{host}/", category)
    for category, hosts in {
        "GRP": ("x.com", "www.facebook.com", "www.instagram.com", "www.tiktok.com", "www.reddit.com"),
        "MMED": ("www.youtube.com", "vimeo.com", "soundcloud.com"),
        "COMT": ("web.whatsapp.com", "telegram.org", "signal.org", "discord.com", "zoom.us"),
        "CULTR": ("www.wikipedia.org",),
        "SRCH": ("www.google.com",),
    }.items()
    for host in hosts
)


def read_urls(path: Path) -> tuple[ListedUrl, ...]:
    """A test list in Citizen Lab's form: ``url,category_code,...`` with a header, one target a row.

    A column ``country_code`` is optional; without it a list is for every country.

    Raises:
        FanousError: it cannot be read, or has no such columns.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file)
            if not {"url", "category_code"} <= set(rows.fieldnames or ()):
                raise FanousError(f"{path}: a test list has the columns url and category_code")
            return tuple(
                ListedUrl(row["url"], row["category_code"], (row.get("country_code") or "XX").upper())
                for row in rows
                if (row["url"] or "").startswith(("http://", "https://"))
            )
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise FanousError(f"cannot read the test list {path}: {error}") from error
