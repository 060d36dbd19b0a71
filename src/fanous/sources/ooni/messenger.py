"""Messenger: telegram, whatsapp, facebook_messenger and signal (ts-018, ts-019, ts-020, ts-029).

They have no outside helper: each connects to the app's access points and to its web client.
"""

from collections.abc import Iterator

from fanous.model.observation import Layer, Observation
from fanous.sources.ooni.document import StepKeys
from fanous.sources.ooni.header import clip
from fanous.sources.ooni.steps import Reader

PLATFORMS = {
    "telegram": "telegram",
    "whatsapp": "whatsapp",
    "facebook_messenger": "facebook",
    "signal": "signal",
}
"""Nettest -> target.  Messenger shares Facebook's hosts, so it is one target with them."""

SIGNAL_AUTHORITY = "Signal Messenger"
"""Common name of the authority that Signal moved to in 2022; its certificates are not in public stores."""

SIGNAL_KNOWS_IT = (0, 2, 2)
"""First version of the signal nettest that trusts this authority (ts-029)."""


def role(host: str) -> str:
    """``web.telegram.org`` and ``web.whatsapp.com`` are the web clients; all else the app talks to."""
    return "web" if host.startswith("web.") else "api"


def observe(test_name: str, steps: StepKeys, notes: list[str]) -> Iterator[Observation]:
    return Reader(PLATFORMS[test_name], role, notes).read(steps)


def defect_of(test_name: str, test_version: str | None, observations: tuple[Observation, ...]) -> str:
    """Why the probe itself is at fault; empty = it is not.

    An old version of the signal nettest calls Signal's own certificates forged.
    """
    if test_name != "signal" or _version(clip(test_version)) >= SIGNAL_KNOWS_IT:
        return ""
    for seen in observations:
        if (
            seen.layer is Layer.TLS
            and seen.failure == "ssl_unknown_authority"
            and seen.cert_issuer == SIGNAL_AUTHORITY
        ):
            return "the probe is older than Signal's certificate authority"
    return ""


def _version(text: str) -> tuple[int, ...]:
    return tuple(
        int(part) if part.isascii() and part.isdigit() else 0 for part in text.split("-")[0].split(".")
    )
