"""Who is hit, how hard, and that several cuts coexist."""

import asyncio
import time
from statistics import median

import pytest

from fanous.errors import FanousError
from fanous.model.place import Access
from fanous_lab.boxes import block_response
from fanous_lab.censors import Cut, apply, firewall, hit_by, in_path
from fanous_lab.censors.cut import CROWDED_KBPS
from fanous_lab.internet import Internet
from fanous_lab.plan import (
    DOH_HOST,
    DOH_RESOLVER,
    DOMESTIC_ADDRESS,
    DOT_HOST,
    DOT_RESOLVER,
    PUBLIC_RESOLVER,
    Plan,
    PlannedNetwork,
    VantagePoint,
    plan_of,
)
from fanous_lab.webservers import PAGE_BYTES
from tests.lab.clients import asked, connected, handshake, load
from tests.lab.picture import POOL

pytestmark = pytest.mark.lab

NOT_UP = Internet(plan_of(6, "PK", 10))
"""Only looked at: its networks are never made."""


@pytest.mark.parametrize(
    ("cut", "count"),
    [
        (Cut("sni_reset"), 60),
        (Cut("sni_reset", networks=(64_512,)), 10),
        (Cut("sni_reset", access=Access.MOBILE), 20),
        (Cut("sni_reset", networks=(64_512, 64_514), access=Access.MOBILE), 10),
        (Cut("sni_reset", compliance=0.3), 18),
        (Cut("sni_reset", compliance=0.3, access=Access.MOBILE), 6),
        (Cut("sni_reset", vantage_points=("as64512-3",)), 1),
    ],
)
def test_a_cut_hits_a_share_of_those_that_match(cut: Cut, count: int) -> None:
    assert len(hit_by(NOT_UP, cut)) == count


def test_the_seed_alone_decides_who_complies() -> None:
    drawn = [hit_by(NOT_UP, Cut("sni_reset", compliance=0.5, seed=seed)) for seed in (1, 1, 2)]
    assert drawn[0] == drawn[1] != drawn[2]


@pytest.mark.parametrize(
    ("cut", "words"),
    [
        (Cut("sni_reset", networks=(1,)), "no network AS1"),
        (Cut("sni_reset", compliance=0.001), "hits no vantage point"),
        (Cut("sni_reset", vantage_points=("as1-1",)), "no vantage point 'as1-1'"),
    ],
)
def test_a_cut_that_hits_no_one_is_refused(cut: Cut, words: str) -> None:
    with pytest.raises(FanousError, match=words):
        hit_by(NOT_UP, cut)


@pytest.mark.parametrize(
    ("cut", "words"),
    [
        (Cut("sni_rest", targets=("x",)), "did you mean 'sni_reset'"),
        (Cut("qqq", targets=("x",)), "fanous lab list"),
        (Cut("sni_reset"), "needs targets"),
        (Cut("sni_reset", targets=("facebook",)), "needs targets"),
    ],
)
def test_a_cut_that_cannot_be_is_refused(cut: Cut, words: str) -> None:
    with pytest.raises(FanousError, match=words):
        apply(NOT_UP, cut)


def test_a_cut_that_fails_on_the_way_leaves_nothing(
    internet: Internet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One rule is refused by the firewall: those that were installed go again, and the box with them."""
    point, (ip, *_) = internet.vantage_points[0], internet.addresses_of(["x.com"])
    good = firewall.address_of
    monkeypatch.setattr(
        in_path,
        "address_of",
        lambda point, version: "1.2.3.4/99" if point.asn == 45669 else good(point, version),
    )
    for _ in range(2):  # the port of an interception would be taken the second time
        with pytest.raises(FanousError, match=r"tls_mitm.*fanous doctor"):
            apply(internet, Cut("tls_mitm", targets=("x",)))
    assert handshake(point, internet.ca_file, ip, "x.com") == "ok"


def test_a_target_that_no_one_knows_is_named() -> None:
    with pytest.raises(FanousError, match="'twiter'"):
        _ = Plan("PK", (PlannedNetwork(1),), ("twiter",)).sites


def test_only_those_who_comply_are_cut(internet: Internet) -> None:
    """One of two vantage points of a network, and the other."""
    first, second = internet.vantage_points[:2]
    ip = internet.addresses_of(["x.com"])[0]
    for technique, hit in (("sni_reset", "reset"), ("outage_isp", "silent"), ("ip_blackhole", "silent")):
        undo = apply(internet, Cut(technique, targets=("x",), vantage_points=(first.name,)))
        seen = [handshake(point, internet.ca_file, ip, "x.com") for point in (first, second)]
        undo()
        assert seen == [hit, "ok"], technique


def test_a_resolver_lies_to_those_who_comply(internet: Internet) -> None:
    first, second = internet.vantage_points[:2]
    undo = apply(internet, Cut("dns_nxdomain", targets=("x",), vantage_points=(first.name,)))
    told, true = (asked(point, point.resolver, "x.com") for point in (first, second))
    below = asked(first, first.resolver, "no.such.x.com")
    undo()
    assert told == below == [("NXDOMAIN", 0)]
    assert true[0][0] in internet.addresses_of(["x.com"])
    assert asked(first, first.resolver, "x.com")[0][0] in internet.addresses_of(["x.com"])


def test_cuts_stand_side_by_side_and_fall_one_by_one(internet: Internet) -> None:
    point = internet.vantage_points[0]
    x, youtube = (internet.addresses_of([host])[0] for host in ("x.com", "www.youtube.com"))

    def seen() -> list[str]:
        return [
            handshake(point, internet.ca_file, x, "x.com"),
            handshake(point, internet.ca_file, youtube, "www.youtube.com"),
        ]

    undo_reset = apply(internet, Cut("sni_reset", targets=("x",)))
    undo_drop = apply(internet, Cut("sni_drop", targets=("youtube",)))
    assert seen() == ["reset", "silent"]
    undo_reset()
    assert seen() == ["ok", "silent"]
    undo_drop()
    assert seen() == ["ok", "ok"]


@pytest.mark.parametrize(
    "technique", ["sni_throttle_police", pytest.param("sni_throttle_shape", marks=pytest.mark.matrix)]
)
def test_a_throttle_keeps_its_rate(internet: Internet, technique: str) -> None:
    """After the first burst.  What a policer drops is sent again, later where the machine is busy: less comes
    through, never more."""
    point, ip = internet.vantage_points[0], internet.addresses_of(["x.com"])[0]
    undo = apply(internet, Cut(technique, targets=("x",), rate_kbps=400))
    loaded = load(point, internet.ca_file, ip, "x.com", seconds=4)
    undo()
    assert 0.7 * 400 < loaded.kbps(beyond=100_000) < 1.1 * 400


@pytest.mark.matrix
def test_a_slow_line_is_slow_for_everything(internet: Internet) -> None:
    point, ip = internet.vantage_points[0], internet.addresses_of(["www.youtube.com"])[0]
    undo = apply(internet, Cut("slowdown_general", rate_kbps=800))
    loaded = load(point, internet.ca_file, ip, "www.youtube.com", seconds=2.5)
    undo()
    assert loaded.kbps(beyond=80_000) == pytest.approx(800 * 0.96, rel=0.15)


@pytest.mark.matrix
def test_in_the_rush_hour_lines_give_less_now_more_now_less(internet: Internet) -> None:
    (point, *_), ip = internet.vantage_points, internet.addresses_of(["www.youtube.com"])[0]

    def rates() -> list[float]:
        return [load(point, internet.ca_file, ip, "www.youtube.com", seconds=2.5).kbps(0) for _ in range(8)]

    alone = median(rates())
    undo = apply(internet, Cut("rush_hour", rate_kbps=CROWDED_KBPS))
    crowded = rates()
    undo()
    assert median(crowded) < 0.9 * alone
    assert max(crowded) > 1.2 * min(crowded)
    assert median(rates()) > 0.8 * alone


@pytest.mark.matrix
def test_a_freeze_comes_after_16_kilobytes(internet: Internet) -> None:
    point, ip = internet.vantage_points[0], internet.addresses_of(["x.com"])[0]
    undo = apply(internet, Cut("sni_freeze", targets=("x",)))
    loaded = load(point, internet.ca_file, ip, "x.com", seconds=4)
    undo()
    assert 8_000 < loaded.size < 17_000


def test_a_fifth_of_the_packets_is_lost(internet: Internet) -> None:
    """Questions to the public resolver cross the line twice, so 36 % of them have no answer."""
    point = internet.vantage_points[0]

    async def answered(count: int) -> int:
        network, got = internet.network(point), 0
        datagrams = await network.open_udp(PUBLIC_RESOLVER, 53)
        question = b"\0\7\1\0\0\1\0\0\0\0\0\0\1x\3com\0\0\1\0\1"
        try:
            for _ in range(count):
                await datagrams.send(question)
            async with asyncio.timeout(0.6):
                while got < count:
                    await datagrams.receive()
                    got += 1
        except TimeoutError:
            pass
        finally:
            datagrams.close()
        return got

    assert asyncio.run(answered(100)) == 100
    undo = apply(internet, Cut("loss_20"))
    got = sum(asyncio.run(answered(100)) for _ in range(4))  # so few fit into a socket's buffer
    undo()
    assert got / 400 == pytest.approx(0.64, abs=0.1)  # four standard deviations


@pytest.mark.matrix
def test_loss_by_name_leaves_few_pages_whole_and_no_others(internet: Internet) -> None:
    """How few depends on the machine's congestion control: BBR lets one in a hundred through."""
    hit, elsewhere = internet.vantage_points[0], internet.vantage_points[-1]

    def whole(point: VantagePoint, host: str) -> int:
        ip = next(a for a in internet.addresses_of([host]) if ":" not in a)
        loads = [POOL.submit(load, point, internet.ca_file, ip, host) for _ in range(8)]
        return sum(loading.result().size >= PAGE_BYTES for loading in loads)

    undo = apply(internet, Cut("sni_loss", targets=("x",), networks=(17557,)))
    seen = whole(hit, "x.com"), whole(hit, "www.youtube.com"), whole(elsewhere, "x.com")
    undo()
    assert seen[0] <= 3
    assert min(seen[1:]) >= 6  # of eight at once a busy machine may not finish each in time


def test_encrypted_dns_alone_is_blocked(internet: Internet) -> None:
    point, ca_file = internet.vantage_points[0], internet.ca_file

    def seen() -> list[str]:
        return [
            connected(point, DOT_RESOLVER, 853),
            handshake(point, ca_file, DOH_RESOLVER, DOH_HOST),
            handshake(point, ca_file, DOT_RESOLVER, DOT_HOST),
        ]

    assert seen() == ["ok", "ok", "ok"]
    undo = apply(internet, Cut("encdns_block"))
    blocked, plain = seen(), asked(point, PUBLIC_RESOLVER, "x.com")
    undo()
    assert blocked == ["silent", "silent", "ok"]
    assert plain


def test_where_the_way_out_is_cut_what_is_inside_works(internet: Internet) -> None:
    point = internet.vantage_points[0]
    seen = {}
    for technique in ("intranet_only", "allow_list", "outage_national"):
        undo = apply(internet, Cut(technique, keep=("youtube",)))
        seen[technique] = (connected(point, DOMESTIC_ADDRESS), connected(point, PUBLIC_RESOLVER))
        undo()
    assert seen == {
        "intranet_only": ("ok", "silent"),
        "allow_list": ("ok", "silent"),
        "outage_national": ("silent", "silent"),
    }


@pytest.mark.matrix
def test_a_residual_block_hits_the_address_and_not_others(internet: Internet) -> None:
    point, ca_file = internet.vantage_points[0], internet.ca_file
    x, api = (internet.addresses_of([host])[0] for host in ("x.com", "api.x.com"))
    undo = apply(internet, Cut("residual", targets=("x.com",)))
    before = handshake(point, ca_file, x, "example.com", verify=False)
    trigger = handshake(point, ca_file, x, "x.com")
    after = handshake(point, ca_file, x, "example.com", verify=False)
    other = handshake(point, ca_file, api, "api.x.com")
    undo()
    assert (before, trigger, after, other) == ("ok", "silent", "silent", "ok")


def test_different_networks_get_different_good_addresses(internet: Internet) -> None:
    undo = apply(internet, Cut("cdn_answers", targets=("x",)))
    time.sleep(1.05)  # resolvers forget
    given = {point.asn: asked(point, point.resolver, "x.com")[0][0] for point in internet.vantage_points}
    reached = [
        handshake(point, internet.ca_file, given[point.asn], "x.com") for point in internet.vantage_points
    ]
    undo()
    assert set(given.values()) == set(internet.addresses_of(["x.com"])[:2])
    assert set(reached) == {"ok"}


def test_a_forged_page_fits_into_one_packet() -> None:
    assert len(block_response()) < 1400


@pytest.mark.matrix
def test_an_outage_ends_when_it_is_undone_where_bgp_carries_the_routes_too(internet: Internet) -> None:
    point = internet.vantage_points[0]
    for technique in ("bgp_withdraw", "outage_national"):
        undo = apply(internet, Cut(technique))
        assert connected(point, PUBLIC_RESOLVER) == "silent"
        undo()
        assert connected(point, PUBLIC_RESOLVER) == "ok", technique
