"""One address, and one network, may call so often; and so many bytes may be in memory."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from fanous.collector.limits import (
    SHARE,
    Limiter,
    RateLimit,
    RateLimits,
    Room,
    kept_of,
    submissions_at,
    volume_of,
)
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


def in_a_room(use: Callable[[Room], Coroutine[Any, Any, None]], share: int = 60) -> None:
    """A room of a hundred bytes, of which one network gets a share."""
    asyncio.run(use(Room(100, share)))


async def holding(room: Room, address: str, count: int, *, arrived: bool = False) -> None:
    """A body that takes its place and then stays; ends when it is cancelled, or given up (``Refused``)."""
    async with room.holding(address) as held:
        held.take(count)
        if arrived:
            held.arrived()
        await asyncio.sleep(60)


def test_what_a_request_holds_is_given_back() -> None:
    async def use(room: Room) -> None:
        async with room.holding("192.0.2.1") as held:
            held.take(50)
            held.take(10)
            with pytest.raises(Refused) as refusal:
                held.take(1)
            assert refusal.value.status == 503 and refusal.value.closes
        for _ in range(2):
            async with room.holding("192.0.2.2") as held:
                held.take(60)

    in_a_room(use)


def test_who_uses_up_the_share_of_a_network_makes_room_for_its_neighbours_and_takes_none_of_others() -> None:
    async def use(room: Room) -> None:
        other = asyncio.create_task(holding(room, "198.51.100.1", 30))
        held_back = [asyncio.create_task(holding(room, "192.0.2.1", count)) for count in (20, 40)]
        await asyncio.sleep(0.05)
        async with room.holding("192.0.2.2") as newcomer:
            newcomer.take(25)
            await asyncio.sleep(0.01)
            assert [one.done() for one in held_back] == [False, True], "the one that held the most"
            assert not other.done()
            with pytest.raises(Refused, match="busy"):
                await held_back[1]
        for one in (other, held_back[0]):
            one.cancel()

    in_a_room(use)


def test_a_full_room_gives_up_a_body_of_the_network_that_holds_the_most() -> None:
    async def use(room: Room) -> None:
        lone = asyncio.create_task(holding(room, "198.51.100.1", 40))
        several = [asyncio.create_task(holding(room, f"192.0.2.{count}", count)) for count in (25, 30)]
        await asyncio.sleep(0.05)
        async with room.holding("203.0.113.1") as newcomer:
            newcomer.take(10)
            await asyncio.sleep(0.01)
            assert (lone.done(), [one.done() for one in several]) == (False, [False, True])
            newcomer.take(45)
            await asyncio.sleep(0.01)
            assert (lone.done(), several[0].done()) == (True, False)
            with pytest.raises(Refused):
                newcomer.take(21)  # it holds the most itself now
        several[0].cancel()

    in_a_room(use, share=100)


def test_a_body_that_has_arrived_keeps_its_place() -> None:
    async def use(room: Room) -> None:
        whole = asyncio.create_task(holding(room, "192.0.2.1", 60, arrived=True))
        await asyncio.sleep(0.05)
        async with room.holding("192.0.2.2") as newcomer:
            with pytest.raises(Refused):
                newcomer.take(1)
        assert not whole.done()
        whole.cancel()

    in_a_room(use)


def test_a_time_out_of_something_else_is_not_taken_for_a_lack_of_room() -> None:
    async def use(room: Room) -> None:
        with pytest.raises(TimeoutError):
            async with room.holding("192.0.2.1"):
                raise TimeoutError

    in_a_room(use)


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
    for rates in (volume_of(1, 1), kept_of(1)):
        Limiter(rates).admit("192.0.2.1", 0, MOST_BYTES)
    assert SHARE > MOST_BYTES


def test_a_network_may_add_so_much_a_day_to_the_archive_and_one_address_a_quarter() -> None:
    limiter = Limiter(kept_of(400 << 20))
    for number in range(4):
        limiter.admit(f"192.0.2.{number}", 0, 100 << 20)
        with pytest.raises(Refused):
            limiter.admit(f"192.0.2.{number}", 0, 1 << 20)
    with pytest.raises(Refused) as refusal:
        limiter.admit("192.0.2.9", 0, 100 << 20)
    assert refusal.value.retry_after == pytest.approx(86400 / 4)
    limiter.admit("192.0.2.9", 86400 / 4, 100 << 20)
    limiter.admit("192.0.3.1", 0, 100 << 20)
