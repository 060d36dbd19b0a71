"""RIPE Atlas' own measurements: what is ordered, with whose word, and what the results count for."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from fanous.analysis.rules import judge
from fanous.errors import FanousError, Rejected
from fanous.model.measurement import ParsedMeasurement, Record
from fanous.model.verdict import Verdict
from fanous.pipeline.remote import (
    ATLAS_CREDITS,
    PER_NETWORK,
    AtlasPlan,
    measure_atlas,
    plan_atlas,
    probes_of_users,
)
from fanous.refdata.fingerprints import fingerprints
from fanous.sources.answer import decoded
from fanous.sources.fetch import Waits
from fanous.sources.measurements import MEASUREMENT_SOURCES
from fanous.sources.remote import atlas_measurements
from fanous.sources.remote.atlas_measurements import (
    AtlasHandshake,
    AtlasLookup,
    AtlasReceipt,
    AtlasStep,
    AtlasVantagePoint,
    ProbePage,
    step_of,
)
from fanous.sources.remote.client import ATLAS_LONGEST, AtlasClient, RemoteServer
from fanous.sources.remote.record import CONTROL_FAILED, OWN_TROUBLE
from tests.probe.net.authority import Authority
from tests.sources.remote.fake_atlas import (
    DISCONNECTED,
    FakeAtlas,
    World,
    atlas,
    handshake,
    handshake_failed,
    lookup,
    lookup_failed,
    probe,
)

X = "https://x.com/"
HERE = (probe(101, 17557), probe(102, 17557), probe(103, 45669))
ANCHORS = tuple(
    probe(6000 + n, 3333 + n, country=country, tags=("system-anchor",), is_anchor=True)
    for n, country in enumerate(("DE", "US", "SG", "DE"))
)
MILLION = 1_000_000
"""Credits."""


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(autouse=True)
def trusted(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The probes meet certificates of the tests' own authority, and we trust it."""
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.ca_file))
    atlas_measurements._roots.cache_clear()
    yield
    atlas_measurements._roots.cache_clear()


def chain(authority: Authority, *names: str, days: int = 30) -> str:
    return authority.files(*names, days=days)[0].read_text()


@pytest.fixture(scope="module")
def sound(authority: Authority) -> World:
    """Everything works everywhere."""
    known: dict[str, str] = {}

    def world(_probe: Any, kind: str, host: str) -> Any:
        if kind == "dns":
            return [lookup("104.244.42.1", name=host)]
        if host not in known:
            known[host] = chain(authority, host)
        return handshake(known[host])

    return world


def here(sound: World, result: Any, kind: str = "sslcert", host: str = "x.com") -> World:
    """One question fails in the country; everything else works everywhere."""

    def world(one: Any, asked: str, target: str) -> Any:
        is_it = (one["country_code"], asked, target) == ("PK", kind, host)
        return result if is_it else sound(one, asked, target)

    return world


class Clock:
    """Waits that last no time."""

    def __init__(self) -> None:
        self.now = 0.0

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def waits(self) -> Waits:
        return Waits(clock=lambda: self.now, sleep=self.sleep)


@contextmanager
def client_of(address: str, key: str = "secret", clock: Clock | None = None) -> Iterator[AtlasClient]:
    waits = (clock or Clock()).waits()
    with RemoteServer("atlas-measurements", address, key, waits) as server:
        yield AtlasClient(server.answer, waits)


def planned(client: AtlasClient, budget: int = MILLION, urls: tuple[str, ...] = (X,)) -> AtlasPlan:
    listed = client.probes(country_code="PK")
    return plan_atlas("PK", urls, listed, client.probes(is_anchor="true"), budget)


def lines_of(world: World, said: list[str] | None = None, probes: Any = (*HERE, *ANCHORS)) -> list[bytes]:
    with atlas(probes=probes, world=world) as (server, _), client_of(server.address) as client:
        return list(measure_atlas(client, planned(client), ([] if said is None else said).append))


def judged(line: bytes) -> tuple[ParsedMeasurement, tuple[Verdict, ...]]:
    source = MEASUREMENT_SOURCES["atlas-measurements"]
    parsed = source.parse(Record("atlas-measurements", line))
    return parsed, judge(parsed, fingerprints())


def states(world: World) -> list[set[tuple[str, str, str]]]:
    return [{(str(v.layer), str(v.state), v.mechanism) for v in judged(line)[1]} for line in lines_of(world)]


# --- what results count for -----------------------------------------------------------------------------


def test_a_site_that_works_is_reported_layer_by_layer(sound: World) -> None:
    assert states(sound) == [{(layer, "ok", "") for layer in ("dns", "tcp", "tls")}] * 3


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        (handshake_failed("connect: timeout"), ("tcp", "blocked", "tcp.timeout")),
        (handshake_failed("connect: Connection refused"), ("tcp", "blocked", "tcp.refused")),
        (handshake_failed("timeout reading hello"), ("tls", "blocked", "tls.timeout")),
        ({"dnserr": "nodename nor servname provided, or not known"}, ("dns", "blocked", "dns.nxdomain")),
    ],
)
def test_a_failure_that_only_the_country_sees_is_interference(
    sound: World, result: Any, expected: tuple[str, str, str]
) -> None:
    def world(one: Any, kind: str, host: str) -> Any:
        if "dnserr" in result and (one["country_code"], kind, host) == ("PK", "dns", "x.com"):
            return [lookup(code="NXDOMAIN")]
        return here(sound, result)(one, kind, host)

    for found in states(world):
        assert expected in found


def test_an_address_that_no_site_can_have_is_a_forged_answer(sound: World) -> None:
    """The probe does not go there, and says so; the lookup names the address."""

    def world(one: Any, kind: str, host: str) -> Any:
        if (one["country_code"], host) == ("PK", "x.com"):
            return [lookup("10.10.34.34")] if kind == "dns" else {"error": "address not allowed"}
        return sound(one, kind, host)

    for found in states(world):
        assert ("dns", "blocked", "dns.injection.bogon") in found
        assert not any(layer in ("tcp", "tls") for layer, _, _ in found)


@pytest.mark.parametrize(
    ("how", "mechanism"),
    [("another authority", "tls.mitm"), ("another name", "tls.mitm.ca_signed")],
)
def test_a_certificate_that_no_browser_takes_is_interception(
    sound: World, authority: Authority, tmp_path: Path, how: str, mechanism: str
) -> None:
    forged = {
        "another authority": lambda: chain(Authority(tmp_path, "Somebody else"), "x.com"),
        "another name": lambda: chain(authority, "block.example"),
    }[how]()
    for found in states(here(sound, handshake(forged))):
        assert ("tls", "blocked", mechanism) in found


def test_an_expired_certificate_of_a_known_authority_may_be_the_sites_own(
    sound: World, authority: Authority
) -> None:
    for found in states(here(sound, handshake(chain(authority, "x.com", days=-20)))):
        assert ("tls", "insufficient", "") in found


def test_an_authority_that_is_unknown_everywhere_is_not_interception(sound: World, tmp_path: Path) -> None:
    other = chain(Authority(tmp_path, "Somebody else"), "x.com")

    def world(one: Any, kind: str, host: str) -> Any:
        return handshake(other) if (kind, host) == ("sslcert", "x.com") else sound(one, kind, host)

    assert all(not any(state == "blocked" for _, state, _ in found) for found in states(world))


def test_a_site_that_is_down_everywhere_is_not_blocked(sound: World) -> None:
    def world(one: Any, kind: str, host: str) -> Any:
        failed = (kind, host) == ("sslcert", "x.com")
        return handshake_failed("connect: timeout") if failed else sound(one, kind, host)

    assert all(not any(state == "blocked" for _, state, _ in found) for found in states(world))


@pytest.mark.parametrize("silent", ["control", "elsewhere"])
def test_without_a_control_nothing_is_concluded(sound: World, silent: str) -> None:
    def world(one: Any, kind: str, host: str) -> Any:
        if silent == ("control" if host == "www.example.com" else "elsewhere" if one["is_anchor"] else ""):
            return None
        return here(sound, handshake_failed("connect: timeout"))(one, kind, host)

    for line in lines_of(world):
        parsed, verdicts = judged(line)
        assert parsed.measurement.defect == (CONTROL_FAILED if silent == "control" else "")
        assert parsed.measurement.defect or not any(str(one.state) == "blocked" for one in verdicts)


def test_what_the_probe_could_not_try_says_nothing(sound: World) -> None:
    world = here(sound, {"sockerr": "Too many open files"})
    assert {judged(line)[0].measurement.defect for line in lines_of(world)} == {OWN_TROUBLE}


def test_a_resolver_that_keeps_silent_counts_only_where_none_answers(sound: World) -> None:
    answers = [lookup_failed({"timeout": 5000}), lookup("104.244.42.1", resolver="192.168.1.2")]
    assert all(("dns", "ok", "") in found for found in states(here(sound, answers, "dns")))
    (found, *_) = lines_of(here(sound, answers[:1], "dns"))
    assert [one["failure"] for one in json.loads(found)["test_keys"]["queries"]] == ["generic_timeout_error"]
    (found, *_) = lines_of(here(sound, [lookup_failed({"senderror": "AF 2, EPERM"})], "dns"))
    assert json.loads(found)["test_keys"]["queries"] == []


@pytest.mark.parametrize(
    ("result", "step"),
    [
        ({"dnserr": "something new"}, AtlasStep("dns", "unknown_failure: something new")),
        (handshake_failed("connect: No route to host"), AtlasStep("tcp", "host_unreachable")),
        (handshake_failed("bad type"), AtlasStep("tls", "ssl_failed_handshake")),
        (
            {"dst_addr": "1.1.1.1", "ttc": 1.5, "rt": 2.5, "alert": {"level": 2, "description": 40}},
            AtlasStep("tls", "ssl_failed_handshake"),
        ),
        (handshake_failed("timeout reading certificates"), AtlasStep("tls", "generic_timeout_error")),
    ],
)
def test_words_of_the_firmware_in_oonis(result: Any, step: AtlasStep) -> None:
    whole = {"prb_id": 1, "timestamp": 1, "dst_port": "443"} | result
    assert step_of(decoded(json.dumps(whole).encode(), AtlasHandshake, "results")) == step


def test_no_one_is_named(sound: World) -> None:
    text = b"\n".join(lines_of(sound)).decode()
    for secret in ("192.168.1", "39.40.1.2", "secret", '"prb_id"', '"from"', "101"):
        assert secret not in text.replace("report_id", "")


def test_probes_have_the_same_names_in_every_round(sound: World) -> None:
    first, second = ([judged(line)[0].measurement.probe for line in lines_of(sound)] for _ in range(2))
    names = ("AS17557 1", "AS17557 2", "AS45669 1")
    assert first == second == [f"atlas-measurements {name}" for name in names]


def test_what_is_stored_leads_to_the_same_and_has_the_raw_answers(sound: World) -> None:
    source = MEASUREMENT_SOURCES["atlas-measurements"]
    line = lines_of(here(sound, handshake_failed("timeout reading hello")))[0]
    stored, parsed = source.take(Record("atlas-measurements", line))
    assert source.parse(stored).observations == parsed.observations
    assert source.parse(stored).measurement.uid == parsed.measurement.uid
    told = json.loads(stored.data)["x_remote"]
    assert told["tls"]["result"]["err"] == "timeout reading hello"
    assert told["dns"]["result"]["abuf"]
    assert [one["country"] for one in told["elsewhere"]] == ["DE", "SG", "US"]
    assert judged(source.redact(line, parsed, ()))[1] == judged(line)[1]


# --- what is ordered ------------------------------------------------------------------------------------


def test_two_orders_make_a_round(sound: World) -> None:
    with atlas(probes=(*HERE, *ANCHORS), world=sound) as (server, _), client_of(server.address) as client:
        plan = planned(client)
        assert len(list(measure_atlas(client, plan, lambda _: None))) == 3
    inside, outside = server.orders
    assert [one["type"] for one in inside["definitions"]] == ["sslcert", "sslcert", "dns"]
    assert {one["hostname"] for one in inside["definitions"][1:2]} == {"x.com"}
    assert all(one.get("resolve_on_probe") or one.get("use_probe_resolver") for one in inside["definitions"])
    assert inside["probes"] == [{"type": "probes", "value": "101,102,103", "requested": 3}]
    assert outside["probes"][0]["value"] == "6000,6002,6001"
    results = len(inside["definitions"]) * 3 + len(outside["definitions"]) * 3
    assert plan.round.tests == results


def test_a_round_keeps_within_its_credits_and_names_what_it_leaves_out(sound: World) -> None:
    urls = (X, "https://www.reddit.com/")
    with atlas(probes=(*HERE, *ANCHORS), world=sound) as (server, _), client_of(server.address) as client:
        enough = planned(client, 15 * ATLAS_CREDITS, urls)
        assert (enough.round.tests, len(enough.round.urls)) == (15, 1)
        assert any("in a later round" in one for one in enough.round.left_out)
        with pytest.raises(FanousError, match="too few"):
            planned(client, 8 * ATLAS_CREDITS, urls)
    assert server.orders == []


def test_lines_of_users_are_told_from_those_of_hosts() -> None:
    many = [
        probe(1, 17557, tags=()),
        probe(2, 64999),
        probe(3, 64999, tags=()),
        probe(4, 17557, tags=("datacentre",)),
        probe(5, 17557, is_anchor=True),
        probe(6, 17557, country="IN"),
        probe(7, 17557, DISCONNECTED),
    ]
    with atlas(probes=many) as (server, _), client_of(server.address) as client:
        assert [one.id for one in probes_of_users("PK", client.probes(country_code="PK"))] == [1, 2]


def test_a_network_is_asked_twice_at_most() -> None:
    many = [probe(number, 17557) for number in range(1, 6)]
    with atlas(probes=(*many, *ANCHORS)) as (server, _), client_of(server.address) as client:
        plan = planned(client)
    assert [one.id for one in plan.here] == [1, 2]
    assert plan.round.networks == ((17557, PER_NETWORK),)


@pytest.mark.parametrize("country", ["KP", "TM"])
def test_no_one_is_asked_where_measuring_endangers_people(country: str) -> None:
    with pytest.raises(FanousError, match="is disabled"):
        plan_atlas(country, (X,), [], [], MILLION)


def test_only_what_everyone_uses_is_asked_for() -> None:
    with pytest.raises(FanousError, match="other people's lines"):
        plan_atlas("PK", ("https://www.torproject.org/",), [], [], MILLION)


def test_a_wrong_key_is_reported(sound: World) -> None:
    said = pytest.raises(FanousError, match=r"403: The provided API key.*right to schedule")
    with (
        atlas(probes=(*HERE, *ANCHORS), world=sound) as (server, _),
        client_of(server.address, "wrong") as client,
    ):
        plan = planned(client)
        with said as told:
            list(measure_atlas(client, plan, lambda _: None))
    assert told.value.permanent


def test_probes_that_never_answer_are_waited_for_five_minutes(sound: World) -> None:
    def world(one: Any, kind: str, host: str) -> Any:
        return None if one["id"] == 102 else sound(one, kind, host)

    clock = Clock()
    with (
        atlas(probes=(*HERE, *ANCHORS), world=world) as (server, _),
        client_of(server.address, clock=clock) as client,
    ):
        assert len(list(measure_atlas(client, planned(client), lambda _: None))) == 2
    assert ATLAS_LONGEST <= clock.now < ATLAS_LONGEST + 60


def test_without_anchors_it_is_said_and_nothing_is_concluded(sound: World) -> None:
    world = here(sound, handshake_failed("connect: timeout"))
    for line in lines_of(world, probes=HERE):
        assert not any(str(one.state) == "blocked" for one in judged(line)[1])


# --- the contract ---------------------------------------------------------------------------------------


def whole(result: Any, kind: str = "sslcert") -> Any:
    server = FakeAtlas([], [], world=lambda *_: result)
    return server._result(1000, {"type": kind, "target": "x.com", "query_argument": "x.com"}, HERE[0])


READ: list[tuple[Any, Any, list[tuple[Any, ...]]]] = [
    (
        AtlasHandshake,
        whole(handshake("PEM")),
        [("prb_id",), ("timestamp",), ("dst_port",), ("dst_addr",), ("cert",), ("ttc",), ("rt",)],
    ),
    (AtlasHandshake, whole(handshake_failed("connect: timeout")), [("err",), ("dst_addr",)]),
    (AtlasHandshake, whole({"dnserr": "temporary failure"}), [("dnserr",)]),
    (AtlasHandshake, whole({"error": "address not allowed"}), [("error",)]),
    (AtlasHandshake, whole({"sockerr": "Too many open files"}), [("sockerr",)]),
    (
        AtlasHandshake,
        whole({"dst_addr": "1.1.1.1", "ttc": 1.5, "rt": 2.5, "alert": {"level": 2}}),
        [("alert",), ("alert", "level")],
    ),
    (
        AtlasLookup,
        whole([lookup("104.244.42.1")], "dns"),
        [
            *(("prb_id",), ("timestamp",), ("resultset",), ("resultset", 0, "result")),
            *(("resultset", 0, "result", "abuf"), ("resultset", 0, "result", "rt")),
        ],
    ),
    (AtlasLookup, whole([lookup_failed({"timeout": 5000})], "dns"), [("resultset", 0, "error")]),
    (AtlasReceipt, {"measurements": [1]}, [("measurements",)]),
    (
        ProbePage[AtlasVantagePoint],
        {"next": None, "results": [HERE[0]]},
        [
            *(("next",), ("results",), ("results", 0, "id"), ("results", 0, "country_code")),
            *(("results", 0, "asn_v4"), ("results", 0, "is_anchor"), ("results", 0, "tags")),
            ("results", 0, "tags", 0, "slug"),
        ],
    ),
]


@pytest.mark.parametrize(
    ("kind", "document", "path"), [(kind, document, path) for kind, document, paths in READ for path in paths]
)
def test_a_field_that_is_renamed_is_noticed(kind: Any, document: Any, path: tuple[Any, ...]) -> None:
    decoded(json.dumps(document).encode(), kind, "answers")
    copy = json.loads(json.dumps(document))
    inner = copy
    for step in path[:-1]:
        inner = inner[step]
    inner[f"{path[-1]}_new"] = inner.pop(path[-1])
    with pytest.raises(Rejected, match="known form"):
        decoded(json.dumps(copy).encode(), kind, "answers")
