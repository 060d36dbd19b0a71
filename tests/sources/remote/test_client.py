"""The client of Globalping: its manners, and what it says where it is refused."""

import pytest

from fanous.errors import FanousError
from fanous.sources.fetch import Waits
from fanous.sources.remote.client import (
    GLOBALPING_BETWEEN,
    GLOBALPING_LONGEST,
    NoProbes,
    OverLimit,
    RemoteServer,
)
from tests.sources.remote.fake_globalping import FakeProbe, globalping
from tests.sources.remote.worlds import PAKISTAN, client_of

ORDER = {"type": "dns", "target": "x.com", "locations": [{"country": "PK", "limit": 3}]}


def test_a_measurement_is_asked_for_every_half_second_until_it_is_finished() -> None:
    slept: list[float] = []
    with (
        globalping(*PAKISTAN, slow=3) as server,
        client_of(server, waits=Waits(sleep=slept.append)) as client,
    ):
        answer = client.answer(client.order(ORDER))
    assert answer.status == "finished"
    assert slept == [GLOBALPING_BETWEEN] * 3


def test_one_that_never_ends_is_given_up() -> None:
    times = iter(range(0, 10_000, 20))
    waits = Waits(clock=lambda: float(next(times)), sleep=lambda _: None)
    with (
        globalping(*PAKISTAN, slow=10_000) as server,
        client_of(server, waits=waits) as client,
        pytest.raises(FanousError, match=f"did not finish m0 in {GLOBALPING_LONGEST:.0f} s") as refusal,
    ):
        client.answer(client.order(ORDER))
    assert not refusal.value.permanent


def test_the_end_of_the_hours_tests_says_when_there_are_more() -> None:
    with globalping(*PAKISTAN, remaining=2) as server, client_of(server) as client:
        with pytest.raises(OverLimit, match="hourly rate limit") as refusal:
            client.order(ORDER)
        assert refusal.value.seconds == 1800
        assert client.limits().remaining == 2


def test_a_place_without_probes_and_a_wrong_order_are_told_apart() -> None:
    with globalping(FakeProbe("DE", 3320)) as server, client_of(server) as client:
        with pytest.raises(NoProbes, match="No matching IPv4 probes"):
            client.order(ORDER)
        with pytest.raises(FanousError, match="400: Parameter validation failed"):
            client.order(ORDER | {"locatoins": []})


def test_a_key_is_sent_only_where_there_is_one() -> None:
    with globalping(*PAKISTAN) as server:
        for token in ("", "secret"):
            with client_of(server, token) as client:
                client.probes()
        with_key = [one.get("authorization") for one in server.headers]
    assert with_key == [None, "Bearer secret"]


def test_keys_and_orders_go_over_https_alone() -> None:
    with pytest.raises(FanousError, match="is not https"):
        RemoteServer("globalping", "http://globalping.example")


def test_an_invalid_answer_is_refused() -> None:
    with (
        globalping(*PAKISTAN) as server,
        client_of(server) as client,
        pytest.raises(FanousError, match="404: Couldn't find"),
    ):
        client.answer("nothing")
