"""A round from vantage points of others: what is planned, left out, and asked."""

import pytest

from fanous.errors import FanousError
from fanous.pipeline.remote import (
    ELSEWHERE,
    MOST_NETWORKS,
    MOST_PROBES,
    PER_NETWORK,
    RESERVE,
    RemotePlan,
    budget_of,
    measure_globalping,
    plan_globalping,
    popular_urls,
)
from fanous.refdata.targets import target_list
from tests.sources.remote.fake_globalping import DATACENTRE, FakeProbe, failed, globalping, sound
from tests.sources.remote.worlds import ABROAD, PAKISTAN, X, client_of, judged, lines_of, planned

INSTAGRAM, REDDIT = "https://www.instagram.com/", "https://www.reddit.com/"
SOCIAL = target_list("social").urls


def test_a_round_keeps_within_the_hours_tests_and_leaves_a_tenth_to_others() -> None:
    with globalping(*PAKISTAN, *ABROAD) as server:
        with client_of(server) as client:
            budget = budget_of(client)
        made = planned(server, SOCIAL)
        lines_of(server, SOCIAL)
        spent = server.limit - server.remaining
    assert budget == 250 - int(RESERVE * 250)
    assert spent == made.tests <= budget
    assert len(made.urls) == min(len(popular_urls(SOCIAL)[0]), (budget - 3) // (2 * (3 + ELSEWHERE)))


def test_every_target_that_does_not_fit_is_named_and_has_its_turn() -> None:
    measured: set[str] = set()
    with globalping(*PAKISTAN, *ABROAD, remaining=75) as server:
        for turn in range(8):
            made = planned(server, SOCIAL, turn)
            assert len(made.urls) == 3
            measured |= set(made.urls)
            for url in popular_urls(SOCIAL)[0]:
                left = any(sentence.startswith(f"{url}: in a later round") for sentence in made.left_out)
                assert (url in made.urls) is not left
    assert measured == set(popular_urls(SOCIAL)[0])


def test_networks_with_most_users_come_first_and_others_are_named() -> None:
    many = [FakeProbe("PK", 100 + n) for n in range(20)]
    with globalping(*many, *PAKISTAN, *ABROAD) as server:
        made = planned(server)
    assert [asn for asn, _ in made.networks[:2]] == [45669, 17557]
    assert len(made.networks) == MOST_NETWORKS
    assert max(count for _, count in made.networks) == PER_NETWORK
    assert made.probes <= MOST_PROBES
    assert sum(sentence.startswith("AS") for sentence in made.left_out) == 22 - MOST_NETWORKS


def test_few_tests_pay_for_fewer_networks() -> None:
    with globalping(*PAKISTAN, *ABROAD, remaining=25 + 20) as server:
        made = planned(server)
    assert (made.networks, made.urls, made.tests) == (((45669, 1), (17557, 2)), (X,), 3 + 2 * 6)
    with globalping(*PAKISTAN, *ABROAD, remaining=25 + 10) as server:
        assert planned(server).networks == ((45669, 1),)
    with (
        globalping(*PAKISTAN, *ABROAD, remaining=25 + 8) as server,
        pytest.raises(FanousError, match="too few"),
    ):
        planned(server)


def test_a_target_is_measured_by_one_https_address() -> None:
    urls, left = popular_urls([X, "https://api.x.com/", INSTAGRAM])
    assert urls == [X, INSTAGRAM]
    assert left == ["https://api.x.com/: x is measured by https://x.com/"]
    assert popular_urls(["http://x.com/"])[0] == []


def test_a_round_without_a_target_says_why() -> None:
    with globalping(*PAKISTAN, *ABROAD) as server, pytest.raises(FanousError, match=r"x\.com/: not https"):
        planned(server, ["http://x.com/"])


@pytest.mark.parametrize("url", ["https://www.torproject.org/", "https://opposition.example/"])
def test_only_what_everyone_uses_is_asked_for_from_other_peoples_lines(url: str) -> None:
    with pytest.raises(FanousError, match="other people's lines"):
        popular_urls([X, url])


def test_no_one_is_asked_where_measuring_endangers_people() -> None:
    with pytest.raises(FanousError, match="measuring from KP is disabled"):
        plan_globalping("KP", [X], [], 225)


def test_a_country_without_lines_of_users_is_not_asked() -> None:
    hosted = FakeProbe("PK", 17557, DATACENTRE)
    with globalping(hosted, *ABROAD) as server, pytest.raises(FanousError, match="no vantage point"):
        planned(server)


def test_the_control_is_never_the_target() -> None:
    with globalping(*PAKISTAN, *ABROAD) as server:
        made = planned(server, ["https://www.example.com/"])
    assert made.control == "https://www.iana.org/"


def test_a_control_that_has_its_turn_is_another_in_the_next_round() -> None:
    with globalping(*PAKISTAN, *ABROAD) as server:
        assert len({planned(server, turn=turn).control for turn in range(5)}) == 5


def test_data_centres_of_three_other_countries_are_asked() -> None:
    hosted = [FakeProbe("PK", 1, DATACENTRE) for _ in range(9)]
    with globalping(*PAKISTAN, *hosted, *ABROAD, FakeProbe("DE", 2, DATACENTRE)) as server:
        assert planned(server).elsewhere == ("DE", "SG", "US")


def test_an_exhausted_hour_ends_the_round_and_names_the_rest() -> None:
    said: list[str] = []
    with globalping(*PAKISTAN, *ABROAD) as server:
        made = planned(server, [X, INSTAGRAM, REDDIT])
        server.remaining = made.tests - 1
        with client_of(server) as client:
            targets = {
                judged(line)[0].measurement.target for line in measure_globalping(client, made, said.append)
            }
    assert len(targets) == 2
    assert [sentence.partition(": ")[0] for sentence in said] == [made.urls[-1]]
    assert "hourly rate limit" in said[0]


def test_a_target_that_cannot_be_asked_does_not_end_the_round() -> None:
    """Its answers have another shape: the others are measured, and it is named."""

    def world(probe: FakeProbe, kind: str, target: str) -> object:
        return {"status": "finished"} if target == "x.com" else sound(probe, kind, target)

    said: list[str] = []
    with globalping(*PAKISTAN, *ABROAD, world=world) as server:
        lines = lines_of(server, [X, INSTAGRAM], said)
    assert {judged(line)[0].measurement.target for line in lines} == {"instagram"}
    assert len(said) == 1
    assert said[0].startswith("https://x.com/: Globalping's result no longer has")


def test_the_same_vantage_points_elsewhere_are_asked_throughout() -> None:
    with globalping(*PAKISTAN, *ABROAD) as server:
        lines_of(server, [X, INSTAGRAM])
        orders = [one["locations"] for one in server.orders]
    assert orders[:3] == [orders[0], "m0", "m0"]
    assert isinstance(orders[3], list)
    assert orders[7:] == ["m3", "m3"]


def test_a_block_page_would_be_seen() -> None:
    """A HEAD brings no body."""
    with globalping(*PAKISTAN, *ABROAD, world=lambda *_: failed("read ECONNRESET")) as server:
        lines_of(server)
        requests = [one["measurementOptions"]["request"] for one in server.orders if one["type"] == "http"]
    assert {one["method"] for one in requests} == {"GET"}


def test_a_plan_counts_its_vantage_points() -> None:
    made = RemotePlan("PK", X, (), ((1, 2), (2, 1)), (), 0, 0, ())
    assert made.probes == 3
