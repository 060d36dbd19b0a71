"""Settings: how a probe measures - time-outs, resolvers, controls, limits - with safe defaults.

A TOML file, such as a lab's or an organisation's, may change any of them by name.
"""

from pathlib import Path
from typing import Annotated

from msgspec import Meta
from msgspec.structs import replace

from fanous.config import Count, Seconds, Section, Share, Text, convert, data_folder, text_of, toml

AtLeastOne = Annotated[int, Meta(ge=1)]
"""Smallest cap: with less, a probe measures nothing."""


class Settings(Section, frozen=True, kw_only=True):
    """The table ``[probe]``.  Times are seconds.

    Attributes:
        lookup_timeout: getaddrinfo asks three times with 5 s by default; an answer that takes longer than
            this is of no use to a user either.
        answers_window: how long answers over UDP are collected: an injector's arrives first, the true one
            later (Anonymous, The collateral damage of internet censorship by DNS injection, 2012).
        most_addresses: tried for one name, of each IP version.
        most_body: bytes of a page; at least 64 KB, since some freezes come after 16-20 KB.
        resolver: a public one over UDP, ``address`` or ``address:port``.
        doh_url, doh_ip: DNS over HTTPS and its address; the same for DoT.
        control_sni: an innocuous name for handshakes at the target's own address, before the trigger.
        allow_private: connect to loopback and private addresses that a resolver returned (in a lab).
        ca_file: PEM file of authorities; empty = certifi's.
        signal_ca_file: PEM file of Signal's own authority; empty = its certificates are only recorded.
        controls: known-good sites on different networks, for the health check.
        anchors: addresses that answer on port 443 without a look-up.
        portal_urls: pages whose text is known, as ``URL -> text``; a login page changes them.
        transfer_pairs: alternating downloads of the target's page and the control, for every target; 0 = only
            if the screen asks for it (then ``transfer_screened_pairs``: three show a factor of ten) and in a
            share of each target's rounds (one pair), since a pair costs 0.8 MB.
        transfer_bytes: at least 256 KB, otherwise the first burst hides a policer.
        transfer_until: seconds of a run after which no pair is begun, unless pairs were asked for.
        localise: if a name is cut, send it once more for each hop on the path, to see where it is cut.  Only if the
            user asks for it in this very run, because it draws attention.
        stream_seconds: how long a stream is fetched; a policer's bucket is empty by then.
        seed: for the random choice of samples; 0 = different each time.
        domestic: a site inside the country; empty = none known.
        spared: sites outside that allow-lists are known to spare, tried only if nothing else outside answers: they tell
            an allow-list from a line that is cut.
        at_once: endpoints measured in parallel; two batches hold the list ``social`` with its apps.
        cap_mb: a day, sent and received; 10 on mobile lines.
        endpoint_seconds: after which an endpoint is ended as it stands: two batches of ``at_once`` and the
            health check end within a minute even if everything times out.
        retries: retry a step that may have failed by chance, at once and after ``retry_delay``.
        helper: base URL of an OONI test helper; empty = none.
    """

    lookup_timeout: Seconds = 4.0
    answers_window: Seconds = 2.0
    connect_timeout: Seconds = 5.0
    handshake_timeout: Seconds = 6.0
    quic_timeout: Seconds = 2.0
    page_timeout: Seconds = 10.0
    endpoint_seconds: Seconds = 22.0
    retries: bool = True
    retry_delay: Seconds = 2.0
    most_addresses: AtLeastOne = 2
    most_redirects: Count = 4
    most_body: AtLeastOne = 131_072
    resolver: str = "8.8.8.8"
    doh_url: str = "https://cloudflare-dns.com/dns-query"
    doh_ip: str = "1.1.1.1"
    dot_name: str = "dns.quad9.net"
    dot_ip: str = "9.9.9.9"
    control_sni: str = "example.com"
    allow_private: bool = False
    ca_file: str = ""
    signal_ca_file: str = ""
    controls: tuple[Text, ...] = ("https://www.example.com/", "https://www.wikipedia.org/")
    anchors: tuple[Text, ...] = ("1.1.1.1", "8.8.8.8", "9.9.9.9")
    portal_urls: tuple[Text, ...] = (
        "http://detectportal.firefox.com/success.txt success",
        "http://captive.apple.com/hotspot-detect.html Success",
    )
    transfer_pairs: Count = 0
    transfer_screened_pairs: Count = 3
    transfer_share: Share = 0.05
    transfer_until: Seconds = 40.0
    localise: bool = False
    hop_timeout: Seconds = 1.0
    stream_seconds: Seconds = 10.0
    seed: Count = 0
    transfer_bytes: Count = 393_216
    transfer_timeout: Seconds = 30.0
    transfer_control: str = "https://speed.cloudflare.com/__down?bytes=393216"
    domestic: str = ""
    spared: tuple[Text, ...] = ("https://www.google.com/", "https://www.bing.com/", "https://github.com/")
    at_once: AtLeastOne = 24
    cap_mb: Annotated[float, Meta(ge=0)] = 50.0
    helper: str = ""


def probe_folder() -> Path:
    """Where this user's probe keeps its consent, today's data usage, and what waits to be sent."""
    return data_folder() / "probe"


def load_settings(path: Path | None) -> Settings:
    """The defaults, overridden by the TOML file.

    Raises:
        FanousError: the file cannot be read, or has an unknown key.
    """
    if path is None:
        return Settings()
    values = toml(text_of(path), path)
    return convert(values.get("probe", values), Settings, path, "probe" if "probe" in values else "")


MOBILE_CAP_MB = 10.0
"""Mobile data are paid for by the megabyte."""

MOBILE_SHARE = 0.01
"""Share of rounds sampled by a download: sampling one of some 40 targets each round would use a tenth of the
cap.
"""


def adjusted(
    settings: Settings,
    *,
    mobile: bool = False,
    cap_mb: float | None = None,
    helper: str | None = None,
    ca_file: Path | None = None,
) -> Settings:
    """The settings, overridden by what the command line gives."""
    cap = min(settings.cap_mb, MOBILE_CAP_MB) if mobile else settings.cap_mb
    return replace(
        settings,
        cap_mb=cap if cap_mb is None else cap_mb,
        transfer_share=min(settings.transfer_share, MOBILE_SHARE) if mobile else settings.transfer_share,
        helper=helper or settings.helper,
        ca_file=str(ca_file) if ca_file else settings.ca_file,
    )
