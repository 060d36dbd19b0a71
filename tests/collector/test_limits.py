"""One address, and one network, may call so often; and so many bytes may be in memory."""

import pytest

from fanous.collector.limits import Limiter, RateLimit, RateLimits, Room, submissions_at, volume_of
from fanous.collector.request import MOST_BYTES, Refused

RATES = RateLimits(address=RateLimit(1, 3), network=RateLimit(2, 5))


def admitted(limiter: Limiter, *addresses: str, now: float = 0) -> list[bool]:
    answers = []
    for address in addresses:
        try:
            limiter.admit(address, now)
            answers.append(True)
        except Refused as refusal:
            assert refusal.status == 429 and refusal.retry_after
            answers.append(False)
    return answers


def test_an_address_may_burst_and_then_waits() -> None:
    limiter = Limiter(RATES)
    assert admitted(limiter, *["192.0.2.1"] * 4) == [True, True, True, False]
    assert admitted(limiter, *["192.0.2.1"] * 2, now=1) == [True, False]
    assert admitted(limiter, *["192.0.2.1"] * 4, now=100) == [True, True, True, False]


def test_a_network_may_not_get_more_by_many_addresses() -> None:
    limiter = Limiter(RATES)
    assert admitted(limiter, *(f"192.0.2.{n}" for n in range(7))) == [True] * 5 + [False] * 2
    assert admitted(limiter, "192.0.3.1", "2001:db8::1") == [True, True]


def test_the_addresses_of_one_subscriber_count_as_one() -> None:
    limiter = Limiter(RATES)
    assert admitted(limiter, *(f"2001:db8::{n}" for n in range(1, 5))) == [True, True, True, False]
    assert admitted(limiter, *(f"2001:db8:0:{n}::1" for n in range(1, 5))) == [True, True, False, False]
    assert admitted(limiter, "192.0.2.1", *["::ffff:192.0.2.1"] * 3) == [True, True, True, False]


def test_a_refused_client_is_told_when_to_try_again() -> None:
    limiter = Limiter(RateLimits(RateLimit(0.1, 1), RateLimit(10, 100)))
    limiter.admit("192.0.2.1", 0)
    with pytest.raises(Refused) as refusal:
        limiter.admit("192.0.2.1", 2)
    assert refusal.value.retry_after == pytest.approx(8)


def test_memory_is_bounded_and_the_one_unheard_for_longest_is_forgotten() -> None:
    limiter = Limiter(RATES, remembered=4)
    admitted(limiter, *["192.0.2.1"] * 3)
    admitted(limiter, "198.51.100.1", "203.0.113.1")
    assert admitted(limiter, "192.0.2.1") == [True]


def test_rates_grow_in_proportion() -> None:
    rates = submissions_at(1000)
    assert rates.address == RateLimit(1000, 60_000)
    assert rates.network == RateLimit(10_000, 600_000)


def test_what_a_request_holds_is_given_back() -> None:
    room = Room(100)
    with room.holding() as held:
        held.take(80)
        with pytest.raises(Refused) as refusal, room.holding() as other:
            other.take(21)
        assert refusal.value.status == 503
        with room.holding() as other:
            other.take(20)
    with room.holding() as held:
        held.take(100)


def test_bytes_are_counted_as_calls_are_and_what_is_refused_does_not_count() -> None:
    limiter = Limiter(volume_of(100 << 20, 150 << 20))
    limiter.admit("192.0.2.1", 0, 60 << 20)
    with pytest.raises(Refused) as refusal:
        limiter.admit("192.0.2.1", 0, 60 << 20)
    assert refusal.value.retry_after == pytest.approx(20 / 100 * 3600)
    limiter.admit("192.0.2.1", 0, 40 << 20)
    with pytest.raises(Refused):
        limiter.admit("192.0.2.9", 0, 60 << 20)
    limiter.admit("192.0.3.9", 0, 60 << 20)
    limiter.admit("192.0.2.1", 3600, 100 << 20)


def test_a_single_body_always_fits() -> None:
    Limiter(volume_of(1, 1)).admit("192.0.2.1", 0, MOST_BYTES)
