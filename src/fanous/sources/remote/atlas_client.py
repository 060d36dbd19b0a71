"""RIPE Atlas' client: lists probes, orders measurements with a key, and waits for their results."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar
from urllib.parse import urlencode

import msgspec

from fanous.config import split_url
from fanous.errors import FanousError, Rejected
from fanous.sources.fetch import Waits
from fanous.sources.remote.atlas_api import (
    API,
    PAGE,
    AtlasHandshake,
    AtlasLookup,
    AtlasReceipt,
    AtlasVantagePoint,
    VantagePointPage,
    decoded,
)
from fanous.sources.remote.client import RemoteClient

T = TypeVar("T", AtlasHandshake, AtlasLookup)

BETWEEN = 20.0
"""Seconds between two requests about one measurement: RIPE asks clients to avoid tight loops."""

LONGEST = 300.0
"""Seconds for the results of an order, as ripe-atlas-tools waits (commit 4dd6cbc3, ``--stream-timeout``)."""

LARGEST = 16 << 20
"""Bytes of an answer: a page of 500 probes is about 1 MB, a hundred chains of certificates about as much."""

MOST_PAGES = 20


class AtlasClient(RemoteClient):
    """A context manager.

    Args:
        mirror: asked instead of the publisher.
        key: a key with the right to schedule measurements; empty = only lists are available.
    """

    def __init__(self, mirror: str = "", key: str = "", waits: Waits | None = None) -> None:
        super().__init__(mirror or API.removesuffix("/api/v2"), key and f"Key {key}", LARGEST, waits)

    def probes(self, **filters: str) -> list[AtlasVantagePoint]:
        """The connected probes.

        Args:
            filters: ``country_code`` or ``is_anchor``.

        Raises:
            FanousError: they cannot be fetched.
            Rejected: the list has another shape, or never ends.
        """
        fields = "id,country_code,asn_v4,is_anchor,tags"
        query = urlencode(filters | {"status": "1", "page_size": str(PAGE), "fields": fields}, safe=",")
        path = f"/api/v2/probes/?{query}"
        found: list[AtlasVantagePoint] = []
        for _ in range(MOST_PAGES):
            page = decoded(self._sent("GET", path), VantagePointPage, "list of probes")
            found += page.results
            if page.next is None:
                return found
            parts = split_url(page.next)
            if parts is None:
                raise Rejected(f"the next page of its list of probes is at no address: {page.next[:60]!r}")
            path = f"{parts.path}?{parts.query}"
        raise Rejected(f"more than {MOST_PAGES} pages of probes")

    def order(self, definitions: Sequence[Mapping[str, Any]], probes: Sequence[int]) -> list[int]:
        """Order one-off measurements from these probes; their ids, in the order of the definitions.

        Raises:
            FanousError: the order was refused.
        """
        order = {
            "definitions": list(definitions),
            "probes": [{"type": "probes", "value": ",".join(map(str, probes)), "requested": len(probes)}],
            "is_oneoff": True,
        }
        body = msgspec.json.encode(order)
        ids = decoded(self._sent("POST", "/api/v2/measurements/", body), AtlasReceipt, "receipt").measurements
        if len(ids) != len(definitions):
            raise Rejected(f"RIPE Atlas made {len(ids)} measurements of {len(definitions)}")
        return ids

    def handshakes(self, measurement: int) -> dict[int, AtlasHandshake]:
        """Results of an ``sslcert``, by probe."""
        return self._results(measurement, AtlasHandshake)

    def lookups(self, measurement: int) -> dict[int, AtlasLookup]:
        """Results of a ``dns``, by probe."""
        return self._results(measurement, AtlasLookup)

    def wait(self, measurements: Sequence[int], probes: int) -> None:
        """Wait until every measurement has a result of each probe, five minutes at most: some probes never answer."""
        ends = self.waits.clock() + LONGEST
        missing = list(measurements)
        while missing and self.waits.clock() < ends:
            self.waits.sleep(BETWEEN)
            missing = [one for one in missing if len(self._raw(one)) < probes]

    def _results(self, measurement: int, kind: type[T]) -> dict[int, T]:
        return {one.prb_id: one for one in (decoded(raw, kind, "results") for raw in self._raw(measurement))}

    def _raw(self, measurement: int) -> list[msgspec.Raw]:
        path = f"/api/v2/measurements/{measurement}/results/?format=json"
        return decoded(self._sent("GET", path), list[msgspec.Raw], "results")

    def _sent(self, method: str, path: str, body: bytes | None = None) -> bytes:
        response = self.response(method, path, body)
        if response.status_code in (200, 201):
            return response.content
        raise _refusal(response.status_code, response.content)


class _AtlasError(msgspec.Struct):
    detail: str = ""
    title: str = ""


class _AtlasRefused(msgspec.Struct):
    error: _AtlasError


def _refusal(code: int, content: bytes) -> FanousError:
    try:
        error = decoded(content, _AtlasRefused, "refusal").error
        words = error.detail or error.title
    except Rejected:
        words = ""
    about_key = "; the key needs the right to schedule measurements" if code in (401, 403) else ""
    return FanousError(
        f"RIPE Atlas says {code}{f': {words}' if words else ''}{about_key}",
        permanent=code < 500 and code != 429,
    )
