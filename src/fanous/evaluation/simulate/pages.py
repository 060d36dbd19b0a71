"""Pages: the web pages that generated probes open - where they stand and what they look like.

Addresses are the platforms' own, so that a reader of the file sees nothing that could not be real.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SimulatedPage:
    """One input of web_connectivity.

    Attributes:
        url: the input, ``https://twitter.com/``.
        host: its host name.
        v4: IPv4 addresses, in the order of the answer.
        v6: IPv6 addresses; empty = the site has none.
        asn: origin of all addresses.
        org: whose network that is.
        title: of the page.
        size: bytes of the whole page; the generated record holds only its beginning.
        server: the ``Server`` header.
        status: what the site answers.
    """

    url: str
    host: str
    v4: tuple[str, ...]
    v6: tuple[str, ...]
    asn: int
    org: str
    title: str
    size: int
    server: str
    status: int = 200

    @property
    def addresses(self) -> tuple[str, ...]:
        return self.v4 + self.v6

    def html(self) -> str:
        """The first bytes of the page."""
        return (
            f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>{self.title}</title>'
            f'<link rel="canonical" href="{self.url}"></head><body>'
        )


X = SimulatedPage(
    "https://twitter.com/", "twitter.com", ("104.244.42.1", "104.244.42.65"), (), 13414, "Twitter Inc.",
    "X. It’s what’s happening / X", 286_204, "tsa_f",
)  # fmt: skip
FACEBOOK = SimulatedPage(
    "https://www.facebook.com/", "www.facebook.com", ("157.240.227.35",),
    ("2a03:2880:f158:81:face:b00c:0:25de",), 32934, "Facebook, Inc.", "Facebook – log in or sign up",
    301_912, "",
)  # fmt: skip
INSTAGRAM = SimulatedPage(
    "https://www.instagram.com/", "www.instagram.com", ("157.240.227.174",),
    ("2a03:2880:f258:e5:face:b00c:0:4420",), 32934, "Facebook, Inc.", "Instagram", 541_870, "",
)  # fmt: skip
YOUTUBE = SimulatedPage(
    "https://www.youtube.com/", "www.youtube.com", ("142.250.181.142", "142.250.181.110"),
    ("2a00:1450:4018:80c::200e",), 15169, "Google LLC", "YouTube", 612_330, "ESF",
)  # fmt: skip
WIKIPEDIA = SimulatedPage(
    "https://www.wikipedia.org/", "www.wikipedia.org", ("185.15.59.224",), ("2a02:ec80:300:ed1a::1",), 14907,
    "Wikimedia Foundation Inc.", "Wikipedia", 73_940, "ATS/9.1.4",
)  # fmt: skip
DOMESTIC = SimulatedPage(
    "https://www.dawn.com/", "www.dawn.com", ("104.18.28.74", "104.18.29.74"), (), 13335, "Cloudflare, Inc.",
    "Home - DAWN.COM", 214_518, "cloudflare",
)  # fmt: skip
SICK = SimulatedPage(
    "https://www.example.org/", "www.example.org", ("93.184.216.34",),
    ("2606:2800:220:1:248:1893:25c8:1946",), 15133, "Edgecast Inc.", "Example Domain", 1_256,
    "ECS (nyb/1D2E)",
)  # fmt: skip
"""Goes down for everybody during the event."""

CHOOSY = SimulatedPage(
    "https://www.example.com/", "www.example.com", ("93.184.216.34",), (), 15133, "Edgecast Inc.",
    "Not available in your region", 912, "ECS (nyb/1D2E)", status=451,
)  # fmt: skip
"""Refuses visitors from the country at all times, by its own choice (RFC 7725)."""

PLATFORMS: dict[str, SimulatedPage] = {
    "x": X,
    "facebook": FACEBOOK,
    "instagram": INSTAGRAM,
    "youtube": YOUTUBE,
}
