"""Settings: the table ``[web]`` - public address, limits and administration of the pages."""

import os
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from msgspec import Meta, field
from msgspec.structs import force_setattr

from fanous.collector.origin import trusted_proxies
from fanous.config import Section, Some, Text, WrongKey, about, check_web_address
from fanous.passphrase import is_hash
from fanous.refdata.countries import shapes

LEAST_TOKEN = 24
"""Least characters of an administrator's token; a shorter one can be guessed."""


class Token(str):
    """A secret, given by the name of an environment variable, so that the configuration file can be shared."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'...'"

    @classmethod
    def from_toml(cls, name: str) -> "Token":
        token = os.environ.get(name, "")
        if len(token) < LEAST_TOKEN:
            lacking = f"has fewer than {LEAST_TOKEN} characters" if token else "is not set"
            raise ValueError(
                f"the environment variable {name!r} {lacking}; `openssl rand -hex 32` makes a token"
            )
        return cls(token)


class PassphraseHash(str):
    """What ``fanous init`` keeps of a passphrase, given by the name of an environment variable."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'...'"

    @classmethod
    def from_toml(cls, name: str) -> "PassphraseHash":
        kept = os.environ.get(name, "")
        if not is_hash(kept):
            lacking = "is not set" if not kept else "does not hold the hash of a passphrase"
            raise ValueError(
                f"the environment variable {name!r} {lacking}; `fanous init --passphrase` makes one"
            )
        return cls(kept)


class SiteSettings(Section, frozen=True):
    """The table ``[web]``.

    Attributes:
        url: public address without a slash at its end; empty = as each request names it.
        map: file with the shapes of countries; ``None`` = the one included.
        key: signs evidence bundles; ``None`` = the user's own.
        hosts: further names of the site, besides that of ``url``.
        trust_proxy: networks of our own proxies, whose ``X-Forwarded-For`` gives the reader's address.
        connections: most open connections in total.
        per_address: most open connections from one address.
        token: for administrators and the desk; empty = it opens neither.
        passphrase: opens the desk too; empty = none does.
        channels: addresses at which the owner publishes, for readers to follow.
    """

    url: str = ""
    map: Path | None = None
    key: Path | None = None
    token: Token = field(default=Token(), name="admin_token")
    passphrase: PassphraseHash = field(default=PassphraseHash(), name="desk_passphrase")
    hosts: Some[Text] = ()
    channels: Some[Text] = ()
    trust_proxy: Some[Text] = ()
    connections: Annotated[int, Meta(ge=16, le=100_000)] = 2000
    per_address: Annotated[int, Meta(ge=6)] = 128

    def __post_init__(self) -> None:
        check_web_address("url", self.url)
        for address in self.channels:
            check_web_address("channels", address)
        with about("trust_proxy"):
            trusted_proxies(self.trust_proxy)
        force_setattr(self, "url", self.url.rstrip("/"))
        if urlsplit(self.url).path or urlsplit(self.url).query:
            raise WrongKey(
                "url",
                f"{self.url!r} must be a site's address without a path, such as 'https://fanous.example'",
            )
        if self.map is not None:
            with about("map"):
                drawn = shapes(self.map)
            if not drawn:
                why = "has no country: a line is a code, a tab and the path of an SVG"
                raise WrongKey("map", f"{self.map} {why}")
