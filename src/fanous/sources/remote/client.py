"""Client: orders measurements from Globalping and from RIPE Atlas, and waits for their results.

Both have answers that are bounded in size and time, and may have a key.  Globalping's keeps to the guidelines in
jsdelivr/globalping ``public/v1/spec.yaml`` (commit 52c0c192): a measurement's status is asked for at most every 500 ms
after the last answer, and an exhausted hourly limit ends the round.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Self, TypeVar
from urllib.parse import urlencode

import msgspec

from fanous import __version__
from fanous.base.exchange import NO_ANSWER, HttpClient, TooLarge, whole
from fanous.config import split_url
from fanous.errors import FanousError, Rejected
from fanous.sources.answer import decoded
from fanous.sources.fetch import Waits, check_encrypted
from fanous.sources.remote import atlas_measurements, globalping
from fanous.sources.remote.atlas_measurements import (
    API,
    PAGE,
    AtlasHandshake,
    AtlasLookup,
    AtlasReceipt,
    AtlasVantagePoint,
    ProbePage,
    probe_pages,
)
from fanous.sources.remote.globalping import (
    Created,
    Limits,
    ListedVantagePoint,
    RemoteAnswer,
    TestLimit,
)


class RemoteRequest(NamedTuple):
    """A request to a service; ``path`` includes the query."""

    method: str
    path: str
    body: bytes | None = None


class RemoteResponse(NamedTuple):
    """A whole answer, whatever its status."""

    status: int
    reason: str
    headers: dict[str, str]
    content: bytes


Exchange = Callable[[RemoteRequest], RemoteResponse]
"""Sends a request and returns the answer, or raises ``FanousError``."""


class RemoteServer:
    """A service over HTTP: the only part that holds the key and reaches the network; a context manager.

    Args:
        source: its name.
        mirror: asked instead of the publisher.
        key: empty = none is sent.
    """

    def __init__(self, source: str, mirror: str = "", key: str = "", waits: Waits | None = None) -> None:
        waits, (root, scheme, self._largest) = waits or Waits(), _SERVICES[source]
        self._root = check_encrypted((mirror or root).rstrip("/"))
        self._deadline = waits.deadline
        headers = {"User-Agent": f"fanous/{__version__} (open monitor of internet disruptions)"}
        authorized = {"Authorization": f"{scheme} {key}"} if key else {}
        self._client = HttpClient(headers | authorized, waits.stall)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._client.close()

    def answer(self, request: RemoteRequest) -> RemoteResponse:
        """The answer of the service.

        Raises:
            FanousError: there is none, or it is too long or too slow.
        """
        method, path, body = request
        headers = {"Content-Type": "application/json"} if body is not None else None
        url, seconds = self._root + path, self._deadline
        try:
            with self._client.asked(method, url, seconds=seconds, content=body, headers=headers) as response:
                content = whole(response, self._largest)
        except TooLarge:
            raise FanousError(f"{path}: the answer is too long", permanent=False) from None
        except NO_ANSWER as error:
            why = str(error) or type(error).__name__
            raise FanousError(f"cannot reach {self._root}: {why}", permanent=False) from error
        return RemoteResponse(
            response.status_code, response.reason_phrase, dict(response.headers.items()), content
        )


T = TypeVar("T")

GLOBALPING_BETWEEN = 0.5
"""Seconds between two requests about one measurement (the guidelines' minimum)."""

GLOBALPING_LONGEST = 45.0
"""Seconds for one measurement: its tests take 30 at most, and callers should allow 10 more (``timeout``)."""

GLOBALPING_LARGEST = 8 << 20
"""Bytes of an answer: 50 results of some 40 kB are 2 MB, and the list of all probes about as much."""


class OverLimit(FanousError):
    """The hour's free tests are used up.

    Attributes:
        seconds: until there are new ones.
    """

    def __init__(self, message: str, seconds: float) -> None:
        super().__init__(message, permanent=False)
        self.seconds = seconds


class NoProbes(FanousError):
    """No probe is online in the requested place."""


class GlobalpingClient:
    """What can be asked of Globalping; a key, if there is one, raises the hourly limit."""

    def __init__(self, exchange: Exchange, waits: Waits | None = None) -> None:
        self._exchange, self._waits = exchange, waits or Waits()

    def limits(self) -> TestLimit:
        """Tests left in this hour."""
        return self._get("/v1/limits", Limits, "limits").rate.measurements.create

    def probes(self) -> list[ListedVantagePoint]:
        """The probes that are online."""
        return self._get("/v1/probes", list[ListedVantagePoint], "list of probes")

    def order(self, request: Mapping[str, Any]) -> str:
        """Order a measurement; its id.

        Raises:
            OverLimit, NoProbes: see there.
            FanousError: the order was refused.
        """
        response = self._sent("POST", "/v1/measurements", msgspec.json.encode(request))
        return decoded(response.content, Created, "Globalping's receipt").id

    def answer(self, measurement: str) -> RemoteAnswer:
        """Wait for a measurement to be finished.

        Raises:
            FanousError: it was not finished in time, or cannot be fetched.
        """
        ends = self._waits.clock() + GLOBALPING_LONGEST
        while True:
            found = self._get(f"/v1/measurements/{measurement}", RemoteAnswer, "measurement")
            if found.status != "in-progress":
                return found
            if self._waits.clock() > ends:
                raise FanousError(
                    f"Globalping did not finish {measurement} in {GLOBALPING_LONGEST:.0f} s", permanent=False
                )
            self._waits.sleep(GLOBALPING_BETWEEN)

    def _get(self, path: str, kind: type[T], what: str) -> T:
        return decoded(self._sent("GET", path).content, kind, f"Globalping's {what}")

    def _sent(self, method: str, path: str, body: bytes | None = None) -> RemoteResponse:
        response = self._exchange(RemoteRequest(method, path, body))
        if response.status in (200, 202):
            return response
        raise _globalping_refusal(response)


class _GlobalpingError(msgspec.Struct):
    type: str
    message: str


class _GlobalpingRefused(msgspec.Struct):
    error: _GlobalpingError


def _globalping_refusal(response: RemoteResponse) -> FanousError:
    try:
        error = decoded(response.content, _GlobalpingRefused, "Globalping's refusal").error
    except Rejected:
        error = _GlobalpingError("", response.reason)
    words = f"Globalping says {response.status}: {error.message}"
    if response.status == 429:
        told = response.headers.get("x-ratelimit-reset") or response.headers.get("retry-after") or "3600"
        return OverLimit(
            words, float(told) if told.isascii() and told.isdigit() and len(told) < 10 else 3600.0
        )
    if error.type == "no_probes_found":
        return NoProbes(words)
    return FanousError(words, permanent=response.status < 500)


A = TypeVar("A", AtlasHandshake, AtlasLookup)

ATLAS_BETWEEN = 20.0
"""Seconds between two requests about one measurement: RIPE asks clients to avoid tight loops."""

ATLAS_LONGEST = 300.0
"""Seconds for the results of an order, as ripe-atlas-tools waits (commit 4dd6cbc3, ``--stream-timeout``)."""

ATLAS_LARGEST = 16 << 20
"""Bytes of an answer: a page of 500 probes is about 1 MB, a hundred chains of certificates about as much."""


class AtlasClient:
    """What can be asked of RIPE Atlas: lists, and with a key that has the right to schedule them, measurements."""

    def __init__(self, exchange: Exchange, waits: Waits | None = None) -> None:
        self._exchange, self._waits = exchange, waits or Waits()

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

        def get(url: str) -> bytes:
            parts = split_url(url)
            if parts is None:
                raise Rejected(f"the next page of its list of probes is at no address: {url[:60]!r}")
            return self._sent("GET", f"{parts.path}?{parts.query}")

        pages = probe_pages(f"{API}/probes/?{query}", get, ProbePage[AtlasVantagePoint])
        return [probe for _, page in pages for probe in page.results]

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
        receipt = self._sent("POST", "/api/v2/measurements/", body)
        ids = decoded(receipt, AtlasReceipt, "RIPE Atlas' receipt").measurements
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
        ends = self._waits.clock() + ATLAS_LONGEST
        missing = list(measurements)
        while missing and self._waits.clock() < ends:
            self._waits.sleep(ATLAS_BETWEEN)
            missing = [one for one in missing if len(self._raw(one)) < probes]

    def _results(self, measurement: int, kind: type[A]) -> dict[int, A]:
        return {
            result.prb_id: result
            for result in (decoded(raw, kind, "RIPE Atlas' result") for raw in self._raw(measurement))
        }

    def _raw(self, measurement: int) -> list[msgspec.Raw]:
        path = f"/api/v2/measurements/{measurement}/results/?format=json"
        return decoded(self._sent("GET", path), list[msgspec.Raw], "RIPE Atlas' list of results")

    def _sent(self, method: str, path: str, body: bytes | None = None) -> bytes:
        response = self._exchange(RemoteRequest(method, path, body))
        if response.status in (200, 201):
            return response.content
        raise _atlas_refusal(response)


class _AtlasError(msgspec.Struct):
    detail: str = ""
    title: str = ""


class _AtlasRefused(msgspec.Struct):
    error: _AtlasError


def _atlas_refusal(response: RemoteResponse) -> FanousError:
    code = response.status
    try:
        error = decoded(response.content, _AtlasRefused, "RIPE Atlas' refusal").error
        words = error.detail or error.title
    except Rejected:
        words = ""
    about_key = "; the key needs the right to schedule measurements" if code in (401, 403) else ""
    return FanousError(
        f"RIPE Atlas says {code}{f': {words}' if words else ''}{about_key}",
        permanent=code < 500 and code != 429,
    )


_SERVICES = {
    globalping.NAME: (globalping.API, "Bearer", GLOBALPING_LARGEST),
    atlas_measurements.NAME: (API.removesuffix("/api/v2"), "Key", ATLAS_LARGEST),
}
"""Name of a source -> address of its service, how its key is sent, and the most bytes of an answer."""
