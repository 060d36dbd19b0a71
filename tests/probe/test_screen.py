"""Which targets are worth a download."""

from random import Random
from typing import Any

from fanous.probe.settings import Settings
from fanous.probe.trace import Trace
from fanous.probe.transfer import page_kbps, reason, slow_at
from tests.builders import FakeNetwork
from tests.each import each

URL = "https://site.example/"
NEVER = Settings(transfer_share=0.0)


def trace(
    own: float = 0.1, control: float = 0.1, reads: tuple[float, ...] = (1.1,), until: float = 1.2
) -> Trace:
    """Handshakes that took so long, then a page whose reads came at ``reads``."""
    made = Trace(FakeNetwork())
    for name, seconds in (("example.com", control), ("site.example", own)):
        step: dict[str, Any] = {"failure": None, "t0": 0.0, "t": seconds}
        made.tls_handshakes.append(step | {"server_name": name, "address": "192.0.2.1:443"})
    made.requests.append({"t0": 1.0, "t": until, "transaction_id": 1})
    for at in reads:
        event = {"operation": "read", "t": at, "transaction_id": 1, "num_bytes": 9}
        made.network_events.append(event)
    return made


def starved() -> Trace:
    """A page that began to come, went on all the time, and ran out of it."""
    made = trace(reads=(1.1, 2.0, 2.9))
    made.requests[0] |= {"failure": "generic_timeout_error", "response": {"code": 200}}
    return made


def paced(kbps: float, count: int = 100_000) -> Trace:
    """A page of so many bytes after the first read, which came at a rate."""
    step = count / 10 * 8 / 1000 / kbps
    made = trace(reads=tuple(1.1 + step * number for number in range(11)), until=1.1 + step * 10)
    for event in made.network_events:
        event["num_bytes"] = count // 10
    return made


def test_a_slow_page_asks_for_nothing_where_all_pages_are_slow() -> None:
    def why(fastest: float) -> str:
        return reason(paced(137.0), NEVER, URL, Random(1), fastest)[0]

    assert [why(kbps) for kbps in (0.0, 137.0, 600.0, 700.0)] == ["slow_page", "", "", "slow_page"]
    assert round(page_kbps(paced(137.0))) == 137
    assert page_kbps(trace()) == 0


@each(
    ("seen", "why"),
    [
        (paced(137.0), "slow_page"),
        (paced(500.0), ""),
        (paced(137.0, count=30_000), ""),  # a bucket may have let all of it through
        (trace(), ""),
        (trace(own=3.0), "slow_handshake"),
        (trace(own=3.0, control=1.0), ""),  # a slow line
        (trace(own=0.4, control=0.01), ""),  # one lost packet
        (trace(reads=(1.1, 4.2), until=4.3), "stall"),
        (trace(reads=(1.1,), until=4.2), "stall"),
        (starved(), "starved"),
        (trace(reads=(), until=9.0), ""),  # nothing came at all: no stall, a time-out
    ],
)
def test_what_looks_slowed_down_is_downloaded(seen: Trace, why: str) -> None:
    assert reason(seen, NEVER, URL, Random(1)) == (why, 3 if why else 0)


def test_one_handshake_that_is_not_slow_tells_that_the_name_is_not_slowed_down() -> None:
    seen = trace(own=3.0)
    assert slow_at(seen, "site.example") == "192.0.2.1:443"
    again = seen.tls_handshakes[-1] | {"t": 0.2}
    seen.tls_handshakes.append(again)
    assert slow_at(seen, "site.example") == ""


def test_a_share_of_what_looks_sound_is_sampled_and_a_seed_says_which() -> None:
    settings = Settings(transfer_share=0.2)
    drawn = [reason(trace(), settings, URL, Random(seed)) for seed in range(500)]
    assert 60 < drawn.count(("sample", 1)) < 140
    assert drawn == [reason(trace(), settings, URL, Random(seed)) for seed in range(500)]


def test_nothing_is_downloaded_where_no_page_came() -> None:
    seen = trace()
    seen.requests.clear()
    assert reason(seen, Settings(transfer_pairs=3), URL, Random(1)) == ("", 0)
