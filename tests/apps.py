"""Apps: raw measurements of messengers as OONI's nettests write them (ts-018, ts-019, ts-020); some parts fail."""

import json
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Any

from fanous.model.incident import Incident
from fanous.model.instant import DAY, HOUR, to_iso
from fanous.model.measurement import Record
from fanous.model.verdict import Judged
from fanous.pipeline.detect import detect
from fanous.pipeline.judge import judge_record, known_fingerprints, rules_version
from fanous.store.protocol import Store
from tests.sources.records import connect, document, handshake, query, transaction
from tests.store.cases import NOON

WEEK_BEFORE = tuple(-24.0 * day - hour for day in range(7) for hour in (2, 4))
EVENT = tuple(n / 2 for n in range(24))
"""Twelve hours of measurements, every half hour."""
AFTER = (13.0, 14.0, 15.0, 16.0)

CENTRES = (
    "149.154.175.50",
    "149.154.167.51",
    "149.154.175.100",
    "149.154.167.91",
    "149.154.171.5",
    "95.161.76.100",
)
SILENT = "generic_timeout_error"

Keys = dict[str, list[dict[str, Any]]]


def _page(keys: Keys, url: str, ip: str, *, fails: bool) -> None:
    """A page over TLS, whose handshake gets no answer if it fails."""
    host = url.split("/")[2]
    keys["queries"].append(query(host, ip))
    keys["tcp_connect"].append(connect(ip, 443))
    keys["tls_handshakes"].append(handshake(host, f"{ip}:443", failure=SILENT if fails else None))
    if not fails:
        keys["requests"].append(transaction(url, address=f"{ip}:443"))


def _keys() -> Keys:
    return {"queries": [], "tcp_connect": [], "tls_handshakes": [], "requests": [], "network_events": []}


def telegram(fails: Collection[str], *, centres: int = 12) -> dict[str, Any]:
    """Telegram's access points on two ports each (``api``), and its web client (``client``).

    Args:
        centres: of the twelve endpoints, how many fail if ``api`` does: first those of port 443.
    """
    keys = _keys()
    for number, (port, ip) in enumerate((port, ip) for port in (443, 80) for ip in CENTRES):
        bad = "api" in fails and number < centres
        keys["tcp_connect"].append(connect(ip, port, SILENT if bad else None))
        if not bad:
            keys["requests"].append(
                transaction(f"http://{ip}/" if port == 80 else f"http://{ip}:443/", address=f"{ip}:{port}")
            )
    _page(keys, "https://web.telegram.org/", "149.154.167.99", fails="client" in fails)
    return keys


def whatsapp(fails: Collection[str]) -> dict[str, Any]:
    """WhatsApp's chat servers (``api``), its registration and its web client."""
    keys = _keys()
    for number in range(1, 17):
        ip = f"15.197.206.{number}"
        keys["queries"].append(query(f"e{number}.whatsapp.net", ip))
        keys["tcp_connect"] += [connect(ip, port, SILENT if "api" in fails else None) for port in (443, 5222)]
    _page(keys, "https://v.whatsapp.net/v2/register", "157.240.227.54", fails="registration" in fails)
    _page(keys, "https://web.whatsapp.com/", "157.240.227.60", fails="client" in fails)
    return keys


def messenger(fails: Collection[str]) -> dict[str, Any]:
    """Facebook Messenger's hosts."""
    keys = _keys()
    for number, name in enumerate(("b-api", "b-graph", "edge-mqtt", "star.c10r")):
        ip = f"157.240.227.{number + 10}"
        keys["queries"].append(query(f"{name}.facebook.com", ip))
        keys["tcp_connect"].append(connect(ip, 443, SILENT if "messenger" in fails else None))
    return keys


FIRST, SECOND, THIRD, SPARED = 64500, 64501, 64502, 64503
"""Networks.  On the last one everything works."""

Run = tuple[int, float, Collection[str]]
"""Network, hour, and the roles that failed."""


@dataclass(frozen=True, slots=True)
class Scene:
    """One event of an app in one country.

    Attributes:
        day: on which it is; it lasts twelve hours from noon, and everything worked in the week before.
        fails: roles that do, on all networks.
        later: the same in its second half; None = no change.
        on_first: the same on the first network.
        at_last: the same in the last run on each network.
    """

    country: str
    test_name: str
    keys: Callable[[Collection[str]], dict[str, Any]]
    day: int
    fails: Collection[str]
    later: Collection[str] | None = None
    on_first: Collection[str] | None = None
    at_last: Collection[str] | None = None
    networks: tuple[int, ...] = (FIRST, SECOND, THIRD)

    @property
    def noon(self) -> float:
        return NOON + DAY * self.day

    def runs(self) -> Iterator[Run]:
        """All of its runs of the nettest; a different probe each."""
        for asn in (*self.networks, SPARED):
            yield from ((asn, hour, ()) for hour in (*WEEK_BEFORE, *AFTER))
            yield from ((asn, hour, self._failing(asn, hour)) for hour in EVENT)

    def _failing(self, asn: int, hour: float) -> Collection[str]:
        if asn == SPARED:
            return ()
        changes = (
            (self.later, hour >= EVENT[len(EVENT) // 2]),
            (self.on_first, asn == FIRST),
            (self.at_last, hour == EVENT[-1]),
        )
        return next((roles for roles, holds in changes if roles is not None and holds), self.fails)

    def documents(self) -> Iterator[dict[str, Any]]:
        """The raw records."""
        for asn, hour, fails in self.runs():
            at = to_iso(self.noon + HOUR * hour)[:19].replace("T", " ")
            digits = at.translate(str.maketrans("", "", "-: "))
            made = f"{digits[:8]}T{digits[8:]}Z_{self.test_name}_{self.country}_{asn}_n1"
            yield document(
                self.keys(fails),
                measurement_uid=f"{digits}.000000_{self.country}_{self.test_name.replace('_', '')}_{asn:016x}",
                report_id=f"{made}_abcdefghijklmnop",
                measurement_start_time=at,
                test_start_time=at,
                probe_cc=self.country,
                probe_asn=f"AS{asn}",
                resolver_asn=f"AS{asn}",
                test_name=self.test_name,
                test_version="0.3.1",
                input=None,
            )


def incident_of(store: Store, scene: Scene) -> Incident | None:
    """What the records of an event amount to, as ``fanous ingest ooni`` brings them in; None = nothing."""
    records = (Record("ooni", json.dumps(one).encode()) for one in scene.documents())
    prints = known_fingerprints()
    store.append([Judged(one, *judge_record(one, prints)) for one in records], rules_version=rules_version())
    detect(store, scene.country, scene.noon, scene.noon + 17 * HOUR)
    found = store.ledger.incidents(scene.country)
    assert len(found) < 2, [one.reasons for one in found]
    return found[0] if found else None
