"""Profile: how the lab's probes measure - the screening settings, with their reasons, for the output too."""

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from fanous.probe.settings import Settings

TRANSFER_BYTES = 98_304
TRANSFER_SECONDS = 2.5
"""A policer at 140 kbit/s gives some 85 KB in that time, 45 KB of them at once; on a line that slow all the
downloads of a round take a quarter of a minute."""

RATE_SECONDS = 1.5
"""Of the downloads that every other round makes to know what the line gives: on a slow line they end before
the next ones begin.  They have the size of all others: a short one of a far server takes round trips rather
than bandwidth, and its rate says less than half of a longer one's."""

HELD_HANDSHAKE, HELD_ENDPOINT = 4.5, 12.0
"""Where handshakes are held for 3 s: with less patience they are silence.  A round then takes up to 12 s."""

SCREENING = Settings(
    lookup_timeout=1.5,
    answers_window=0.3,
    connect_timeout=2.0,
    handshake_timeout=1.5,
    quic_timeout=0.6,
    page_timeout=2.0,
    endpoint_seconds=4.0,
    most_addresses=1,
    most_redirects=1,
    most_body=65_536,
    controls=("https://www.example.com/",),
    anchors=("1.1.1.1", "8.8.8.8"),
    portal_urls=("http://detectportal.firefox.com/success.txt success",),
    transfer_pairs=0,
    transfer_share=0.0,
    transfer_screened_pairs=1,
    transfer_bytes=TRANSFER_BYTES,
    transfer_timeout=TRANSFER_SECONDS,
    transfer_control="https://speed.cloudflare.com/",
    cap_mb=1e6,
)
"""Time-outs of a second or two: the lab's round trips take 50 ms, and a round must end within a few ticks.
One address a name and 64 KB a page, so that twelve probes fit on two cores; a retransmitted SYN (1 s) still
connects. A starved page is followed by one download and its control, as in earnest by three."""


def lab_settings(ca_file: Path, helper: str, domestic: str) -> Settings:
    """The profile at the places of one lab."""
    return replace(SCREENING, ca_file=str(ca_file), helper=helper, domestic=domestic)


def with_transfers(settings: Settings) -> Settings:
    """The same for a round that measures rates too."""
    return replace(settings, transfer_pairs=1, transfer_timeout=RATE_SECONDS)


def patient(settings: Settings) -> Settings:
    """The same for a country in which handshakes are held up: in earnest a probe outwaits them (6 s)."""
    return replace(settings, handshake_timeout=HELD_HANDSHAKE, endpoint_seconds=HELD_ENDPOINT)


def profile_document(profile: Settings) -> dict[str, Any]:
    """What differs from a probe in earnest."""
    ordinary = asdict(Settings())
    return {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in asdict(profile).items()
        if value != ordinary[name]
    }
