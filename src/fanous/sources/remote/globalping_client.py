"""Globalping's client: orders measurements from Globalping and waits for their answers.

It keeps to the guidelines in jsdelivr/globalping ``public/v1/spec.yaml`` (commit 52c0c192): a measurement's status is
asked for at most every 500 ms after the last answer, and an exhausted hourly limit ends the round.
"""

from collections.abc import Mapping
from typing import Any, TypeVar

import httpx
import msgspec

from fanous.errors import FanousError, Rejected
from fanous.sources.fetch import Waits
from fanous.sources.remote.client import RemoteClient
from fanous.sources.remote.globalping_api import (
    API,
    Created,
    Limits,
    ListedVantagePoint,
    RemoteAnswer,
    TestLimit,
    decoded,
)

T = TypeVar("T")

BETWEEN = 0.5
"""Seconds between two requests about one measurement (the guidelines' minimum)."""

LONGEST = 45.0
"""Seconds for one measurement: its tests take 30 at most, and callers should allow 10 more (``timeout``)."""

LARGEST = 8 << 20
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


class GlobalpingClient(RemoteClient):
    """A context manager.

    Args:
        mirror: asked instead of the publisher.
        token: raises the hourly limit; empty = anonymous.
    """

    def __init__(self, mirror: str = "", token: str = "", waits: Waits | None = None) -> None:
        super().__init__(mirror or API, token and f"Bearer {token}", LARGEST, waits)

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
        return decoded(response.content, Created, "receipt").id

    def answer(self, measurement: str) -> RemoteAnswer:
        """Wait for a measurement to be finished.

        Raises:
            FanousError: it was not finished in time, or cannot be fetched.
        """
        ends = self.waits.clock() + LONGEST
        while True:
            found = self._get(f"/v1/measurements/{measurement}", RemoteAnswer, "measurement")
            if found.status != "in-progress":
                return found
            if self.waits.clock() > ends:
                raise FanousError(
                    f"Globalping did not finish {measurement} in {LONGEST:.0f} s", permanent=False
                )
            self.waits.sleep(BETWEEN)

    def _get(self, path: str, kind: type[T], what: str) -> T:
        return decoded(self._sent("GET", path).content, kind, what)

    def _sent(self, method: str, path: str, body: bytes | None = None) -> httpx.Response:
        response = self.response(method, path, body)
        if response.status_code in (200, 202):
            return response
        raise _refusal(response)


class _Error(msgspec.Struct):
    type: str
    message: str


class _Refused(msgspec.Struct):
    error: _Error


def _refusal(response: httpx.Response) -> FanousError:
    try:
        error = decoded(response.content, _Refused, "refusal").error
    except Rejected:
        error = _Error("", response.reason_phrase)
    words = f"Globalping says {response.status_code}: {error.message}"
    if response.status_code == 429:
        told = response.headers.get("x-ratelimit-reset") or response.headers.get("retry-after") or "3600"
        return OverLimit(
            words, float(told) if told.isascii() and told.isdigit() and len(told) < 10 else 3600.0
        )
    if error.type == "no_probes_found":
        return NoProbes(words)
    return FanousError(words, permanent=response.status_code < 500)
