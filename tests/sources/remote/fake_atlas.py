"""A RIPE Atlas on loopback, written from RIPE's public client code and kept answers.

RIPE-NCC/ripe-atlas-cousteau at commit 7e926a73: pages of ``/api/v2/probes/`` with ``next`` (``api_listing.py``) and
fields of a probe (``tests/test_api_meta_data.py``); states of a probe from RIPE-NCC/ripe-atlas-tools at commit 4dd6cbc3
(``commands/probe_search.py``).  Results of measurement 7000 as kept in InternetHealthReport/disco at commit d8ef7a60
(``data/generalJune16_7000_20160616.json``): connects have their ASN as text, disconnects as a number; the parameters
``start``, ``stop`` and ``probe_ids`` as that project and others ask for them.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.sources.publisher import Answer, Publisher, publishing

CONNECTED, DISCONNECTED, ABANDONED = (
    {"id": 1, "name": "Connected"},
    {"id": 2, "name": "Disconnected"},
    {"id": 3, "name": "Abandoned"},
)


def probe(number: int, asn: int, status: dict[str, Any] = CONNECTED, since: int = 1_500_000_000) -> Any:
    """An entry of the list."""
    at = datetime.fromtimestamp(since, UTC)
    return {
        "id": number,
        "asn_v4": asn,
        "asn_v6": None,
        "country_code": "PK",
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


@dataclass(slots=True)
class FakeAtlas:
    """Attributes:
    probes: in the country; ``events`` of all probes.
    page: entries of one page of the list.
    """

    probes: list[Any]
    events: list[Any]
    page: int = 5
    address: str = ""
    asked: list[str] = field(default_factory=list)

    def answer(self, path: str, _number: int) -> Answer:
        self.asked.append(path)
        parts = urlsplit(path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        if parts.path == "/api/v2/probes/":
            return self._probes(query)
        if parts.path == "/api/v2/measurements/7000/results/":
            return self._results(query)
        return Answer(b'{"error": {"status": 404, "title": "Not Found"}}', 404)

    def _probes(self, query: dict[str, str]) -> Answer:
        number = int(query.get("page", "1"))
        start = (number - 1) * self.page
        more = start + self.page < len(self.probes)
        # As the publisher's, the address names the publisher, whichever mirror is asked.
        after = f"https://atlas.ripe.net/api/v2/probes/?country_code=PK&page={number + 1}" if more else None
        results = self.probes[start : start + self.page]
        return _told({"count": len(self.probes), "next": after, "previous": None, "results": results})

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


def _told(document: Any) -> Answer:
    return Answer(json.dumps(document).encode())


@contextmanager
def atlas(
    events: Sequence[Any] = (), probes: Sequence[Any] = PROBES
) -> Iterator[tuple[FakeAtlas, Publisher]]:
    fake = FakeAtlas(list(probes), list(events))
    with publishing(fake.answer) as publisher:
        fake.address = publisher.address
        yield fake, publisher
