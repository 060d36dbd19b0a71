"""A RIPE Atlas on loopback, written from RIPE's public client code and kept answers.

RIPE-NCC/ripe-atlas-cousteau at commit 7e926a73: pages of ``/api/v2/probes/`` with ``next`` (``api_listing.py``) and
fields of a probe (``tests/test_api_meta_data.py``); states of a probe from RIPE-NCC/ripe-atlas-tools at commit 4dd6cbc3
(``commands/probe_search.py``).  Results of measurement 7000 as kept in InternetHealthReport/disco at commit d8ef7a60
(``data/generalJune16_7000_20160616.json``): connects have their ASN as text, disconnects as a number; the parameters
``start``, ``stop`` and ``probe_ids`` as that project and others ask for them.

Measurements of one's own: what an order must hold from RIPE-NCC/ripe-atlas-cousteau (``measurement.py``,
``source.py``, ``request.py``); refusals as cited in RIPE-NCC/ripe-atlas-tools (``commands/measure/base.py``); results
from the firmware and its test suite, RIPE-NCC/ripe-atlas-software-probe at commit 1fe2c6a3
(``probe-busybox/eperd/sslgetcert.c``, ``evtdig.c``, ``testsuite/evsslgetcert-data``, ``testsuite/evtdig-data``), and
RIPE-NCC/ripe-atlas-sagan at commit 30616d3d (``tests/test_ssl.py``, ``tests/test_dns.py``).
"""

import json
from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from tests.sources.publisher import Answer, Publisher, publishing

CONNECTED, DISCONNECTED, ABANDONED = (
    {"id": 1, "name": "Connected"},
    {"id": 2, "name": "Disconnected"},
    {"id": 3, "name": "Abandoned"},
)


def probe(
    number: int,
    asn: int,
    status: dict[str, Any] = CONNECTED,
    since: int = 1_500_000_000,
    *,
    country: str = "PK",
    tags: Sequence[str] = ("home", "system-ipv4-works"),
    is_anchor: bool = False,
) -> Any:
    """An entry of the list."""
    at = datetime.fromtimestamp(since, UTC)
    return {
        "id": number,
        "asn_v4": asn,
        "asn_v6": None,
        "country_code": country,
        "is_anchor": is_anchor,
        "tags": [{"name": tag.replace("-", " "), "slug": tag} for tag in tags],
        "status": {**status, "since": f"{at:%Y-%m-%dT%H:%M:%SZ}"},
    }


def event(number: int, at: int, what: str, *, controller: str = "ctr-ams04", asn: int = 17557) -> Any:
    return {
        "asn": asn if what == "disconnect" else str(asn),
        "controller": controller,
        "event": what,
        "msm_id": 7000,
        "prb_id": number,
        "prefix": "39.32.0.0/11",
        "timestamp": at,
        "type": "connection",
    }


PROBES = tuple(probe(number, 100 + number % 4) for number in range(1, 13))
"""Twelve connected probes on four networks."""


def atlas_document(
    since: int,
    until: int,
    events: Sequence[Any] = (),
    probes: Sequence[Any] = PROBES,
    world: Sequence[Any] = (),
) -> bytes:
    """What ``pipeline.pull`` makes of the answers to one piece."""
    page = {"count": len(probes), "next": None, "previous": None, "results": list(probes)}
    return json.dumps([[since, until], list(events), page, *([list(world)] if world else [])]).encode()


# --- measurements of one's own --------------------------------------------------------------------------

SITE = "104.244.42.1"


def handshake(*chain: str, address: str = SITE) -> dict[str, Any]:
    """A sound answer to an ``sslcert``, as `evsslgetcert-4.out` has it."""
    return {
        "method": "TLS",
        "ver": "1.2",
        "dst_addr": address,
        "af": 4,
        "src_addr": "192.168.1.20",
        "ttc": 20.001,
        "rt": 60.002,
        "server_cipher": "0xc030",
        "cert": list(chain),
    }


def handshake_failed(err: str, address: str = SITE) -> dict[str, Any]:
    """`sslgetcert.c`, ``report`` and ``timeout_callback``."""
    told: dict[str, Any] = {"dst_addr": address, "af": 4, "err": err}
    return told | ({} if err.startswith("connect") else {"src_addr": "192.168.1.20", "ttc": 20.001})


def lookup(*addresses: str, code: str = "NOERROR", name: str = "x.com", resolver: str = "192.168.1.1") -> Any:
    """One answer of a resolver, as `evtdig-resolv.out` has it."""
    from dns import message, rcode, rrset

    answer = message.make_response(message.make_query(name, "A"))
    answer.set_rcode(rcode.from_text(code))
    if addresses:
        answer.answer.append(rrset.from_text(f"{name}.", 60, "IN", "A", *addresses))
    wire = answer.to_wire()
    counts = {"ID": answer.id, "ANCOUNT": len(addresses), "QDCOUNT": 1, "NSCOUNT": 0, "ARCOUNT": 0}
    reply = {"rt": 12.5, "size": len(wire), "abuf": b64encode(wire).decode()} | counts
    return _by(resolver) | {"result": reply}


def lookup_failed(error: dict[str, Any], resolver: str = "192.168.1.1") -> Any:
    """`evtdig.c`, ``noreply_callback``: ``{"timeout": 5000}``."""
    return _by(resolver) | {"error": error}


def _by(resolver: str) -> dict[str, Any]:
    where = {"dst_addr": resolver, "dst_port": "53", "af": 4, "src_addr": "192.168.1.20", "proto": "UDP"}
    return {"time": 1_795_000_000, "lts": 12, "subid": 1, "submax": 1, **where}


World = Callable[[dict[str, Any], str, str], Any]
"""(probe, type, host) -> what ``handshake`` or a list of ``lookup`` gives; ``None`` = no result ever comes."""


@dataclass(slots=True)
class FakeAtlas:
    """Attributes:
    probes: of every country; ``events`` of all probes.
    page: entries of one page of the list.
    world: what measurements meet; ``key`` = the one that may order them.
    now: Unix seconds of the next results.
    orders: accepted orders, in turn; ``slow`` = questions to a measurement before it has results.
    """

    probes: list[Any]
    events: list[Any]
    page: int = 5
    address: str = ""
    asked: list[str] = field(default_factory=list)
    world: World | None = None
    key: str = "secret"
    now: int = 1_795_000_000
    slow: int = 1
    orders: list[Any] = field(default_factory=list)
    _made: dict[int, list[Any]] = field(default_factory=dict)

    def answer(self, path: str, _number: int) -> Answer:
        self.asked.append(path)
        parts = urlsplit(path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        if parts.path == "/api/v2/probes/":
            return self._probes(query)
        if parts.path == "/api/v2/measurements/7000/results/":
            return self._results(query)
        if parts.path.startswith("/api/v2/measurements/"):
            return self._made_results(int(parts.path.split("/")[4]))
        return Answer(b'{"error": {"status": 404, "title": "Not Found"}}', 404)

    def _probes(self, query: dict[str, str]) -> Answer:
        number = int(query.pop("page", "1"))
        listed = [one for one in self.probes if _is_wanted(one, query)]
        start = (number - 1) * self.page
        more = start + self.page < len(listed)
        # As the publisher's, the address names the publisher, whichever mirror is asked.
        again = urlencode(query | {"page": str(number + 1)}, safe=",")
        after = f"https://atlas.ripe.net/api/v2/probes/?{again}" if more else None
        results = listed[start : start + self.page]
        return _told({"count": len(listed), "next": after, "previous": None, "results": results})

    def take(self, path: str, body: bytes, headers: dict[str, str]) -> Answer:
        """An order."""
        if path != "/api/v2/measurements/":
            return _refused(404, "Not found.")
        if headers.get("authorization") != f"Key {self.key}":
            return _refused(403, "The provided API key does not exist")
        order = json.loads(body)
        if fault := _fault(order):
            return _refused(400, fault)
        ids = [1000 + len(self._made) + n for n in range(len(order["definitions"]))]
        by_number = {str(one["id"]): one for one in self.probes}
        asked = [by_number[one] for one in order["probes"][0]["value"].split(",") if one in by_number]
        for number, definition in zip(ids, order["definitions"], strict=True):
            self._made[number] = [definition, asked, self.slow]
        self.orders.append(order)
        return Answer(json.dumps({"measurements": ids}).encode(), 201)

    def _made_results(self, number: int) -> Answer:
        if number not in self._made:
            return _refused(404, "Not found.")
        definition, asked, left = self._made[number]
        self._made[number][2] -= 1
        if left > 0:
            return _told([])
        return _told([told for one in asked if (told := self._result(number, definition, one)) is not None])

    def _result(self, number: int, definition: Any, one: Any) -> Any:
        kind = definition["type"]
        host = definition.get("target") or definition["query_argument"]
        assert self.world is not None
        found = self.world(one, kind, host)
        if found is None:
            return None
        told = {
            "fw": 5090,
            "mver": "2.6.4",
            "lts": 12,
            "msm_id": number,
            "group_id": number,
            "prb_id": one["id"],
            "timestamp": self.now,
            "from": "39.40.1.2",
            "type": kind,
        }
        if kind == "dns":
            return told | {"msm_name": "Tdig", "resultset": found}
        return told | {"msm_name": "SSLCert", "dst_name": host, "dst_port": "443", "ttr": 10.1} | found

    def _results(self, query: dict[str, str]) -> Answer:
        ids = {int(one) for one in query["probe_ids"].split(",")} if "probe_ids" in query else None
        start, stop = int(query["start"]), int(query["stop"])
        return _told(
            [
                one
                for one in self.events
                if start <= one["timestamp"] <= stop and (ids is None or one["prb_id"] in ids)
            ]
        )


def _is_wanted(one: Any, query: dict[str, str]) -> bool:
    return (
        query.get("country_code", one["country_code"]) == one["country_code"]
        and query.get("status", str(one["status"]["id"])) == str(one["status"]["id"])
        and query.get("is_anchor", str(one["is_anchor"]).lower()) == str(one["is_anchor"]).lower()
    )


NEEDED = {
    "sslcert": {"description", "af", "target"},
    "dns": {"description", "af", "query_class", "query_type", "query_argument"},
}
"""``measurement.py``, ``required_options``."""

MAY_HAVE = {"type", "hostname", "port", "resolve_on_probe", "use_probe_resolver", "set_rd_bit"}


def _fault(order: Any) -> str:
    for one in order.get("definitions") or [{}]:
        needed = NEEDED.get(one.get("type", ""))
        if needed is None or needed - one.keys() or one.keys() - needed - MAY_HAVE:
            return "definitions: a field is missing or not known"
    for one in order.get("probes") or [{}]:
        if one.keys() != {"type", "value", "requested"} or one["type"] != "probes" or not one["value"]:
            return "probes: a field is missing or not known"
    return "" if order.get("is_oneoff") is True else "a measurement that is repeated"


def _refused(code: int, detail: str) -> Answer:
    error = {"detail": detail, "status": code, "title": "Refused", "code": 104}
    return Answer(json.dumps({"error": error}).encode(), code)


def _told(document: Any) -> Answer:
    return Answer(json.dumps(document).encode())


@contextmanager
def atlas(
    events: Sequence[Any] = (), probes: Sequence[Any] = PROBES, world: World | None = None
) -> Iterator[tuple[FakeAtlas, Publisher]]:
    fake = FakeAtlas(list(probes), list(events), world=world)
    with publishing(fake.answer, fake.take) as publisher:
        fake.address = publisher.address
        yield fake, publisher
