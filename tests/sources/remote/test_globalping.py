"""Globalping's answers as measurements, and what they count for."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from fanous.errors import Rejected
from fanous.model.measurement import Layer, Observer, Record
from fanous.model.verdict import State
from fanous.sources.answer import decoded
from fanous.sources.measurements import MEASUREMENT_SOURCES
from fanous.sources.remote.globalping import (
    AskedTarget,
    Created,
    Failed,
    Failure,
    Limits,
    ListedVantagePoint,
    RemoteAnswer,
    failure_of,
    records,
)
from fanous.sources.remote.record import CONTROL_FAILED, OWN_TROUBLE
from tests.each import each
from tests.shared_data import shared_file
from tests.sources.remote.fake_globalping import (
    DATACENTRE,
    EYEBALL,
    FakeGlobalping,
    FakeProbe,
    World,
    failed,
    globalping,
    lookup,
    lookup_failed,
    page,
    sound,
)
from tests.sources.remote.worlds import ABROAD, PAKISTAN, X, judged, lines_of


def here(result: Any, kind: str = "http", host: str = "x.com") -> World:
    """One question fails in the country; everything else works everywhere."""

    def world(probe: FakeProbe, asked: str, target: str) -> Any:
        if (probe.country, asked, target) == ("PK", kind, host):
            return result
        return sound(probe, asked, target)

    return world


def states(world: World) -> list[set[tuple[str, str, str]]]:
    """(layer, state, mechanism) of each vantage point's verdicts on X."""
    with globalping(*PAKISTAN, *ABROAD, world=world) as server:
        return [
            {(str(v.layer), str(v.state), v.mechanism) for v in judged(line)[1]} for line in lines_of(server)
        ]


def test_a_site_that_works_is_reported_layer_by_layer() -> None:
    works = {(layer, "ok", "") for layer in ("dns", "tcp", "tls", "http")}
    assert states(sound) == [works] * 3


@each(
    ("message", "source", "expected"),
    [
        ("read ECONNRESET", "target", ("http", "blocked", "tls.reset")),
        ("Request timeout.", "target", ("http", "blocked", "tls.timeout")),
        (
            "Client network socket disconnected before secure TLS connection was established",
            "target",
            ("tls", "blocked", "tls"),
        ),
        ("connect ECONNREFUSED 104.244.42.1:443", "target", ("tcp", "blocked", "tcp.refused")),
        ("connect ETIMEDOUT 104.244.42.1:443", "target", ("tcp", "blocked", "tcp.timeout")),
        ("queryA ENOTFOUND x.com", "target", ("dns", "blocked", "dns.nxdomain")),
    ],
)
def test_a_failure_that_only_the_country_sees_is_interference(
    message: str, source: str, expected: tuple[str, str, str]
) -> None:
    def world(probe: FakeProbe, kind: str, target: str) -> Any:
        if probe.country == "PK" and target == "x.com":
            if kind == "http":
                return failed(message, source)
            if "ENOTFOUND" in message:
                return lookup(code="NXDOMAIN")
        return sound(probe, kind, target)

    for found in states(world):
        assert expected in found


def test_an_address_that_no_site_can_have_is_a_forged_answer() -> None:
    """The HTTP test does not go there, and says so; the lookup names the address."""

    def world(probe: FakeProbe, kind: str, target: str) -> Any:
        if probe.country == "PK" and target == "x.com":
            return failed("Private IP ranges are not allowed.") if kind == "http" else lookup("10.10.34.34")
        return sound(probe, kind, target)

    for found in states(world):
        assert ("dns", "blocked", "dns.injection.bogon") in found
        assert not any(layer == "http" for layer, _, _ in found)


def test_a_certificate_of_someone_else_is_interception() -> None:
    found = states(here(page(tls_error="DEPTH_ZERO_SELF_SIGNED_CERT")))
    assert all(("tls", "blocked", "tls.mitm") in one for one in found)


def test_a_site_that_is_down_everywhere_is_down() -> None:
    def world(probe: FakeProbe, kind: str, target: str) -> Any:
        if target == "x.com" and kind == "http":
            return failed("read ECONNRESET")
        return sound(probe, kind, target)

    for found in states(world):
        assert ("http", "down", "server.down") in found
        assert not any(state == "blocked" for _, state, _ in found)


def test_one_vantage_point_elsewhere_that_fails_does_not_make_a_site_down() -> None:
    """The others could not run the test, so nothing tells."""

    def world(probe: FakeProbe, kind: str, target: str) -> Any:
        if target == "x.com" and kind == "http":
            return (
                failed("EMFILE", "internal") if probe.country in ("US", "SG") else failed("read ECONNRESET")
            )
        return sound(probe, kind, target)

    for found in states(world):
        assert not any(state in ("down", "blocked") for _, state, _ in found)


@pytest.mark.parametrize("code", [403, 429, 451, 503])
def test_a_refusal_by_the_site_counts_for_nothing_but_the_connection(code: int) -> None:
    for found in states(here(page(code, "Are you a robot?"))):
        assert ("tls", "ok", "") in found
        assert not any(layer == "http" for layer, _, _ in found)


def test_a_refusal_under_a_certificate_of_someone_else_is_not_the_sites() -> None:
    for found in states(here(page(403, "Blocked", tls_error="SELF_SIGNED_CERT_IN_CHAIN"))):
        assert any(layer == "http" for layer, _, _ in found)


@pytest.mark.parametrize(
    "beside",
    [
        failed("read ECONNRESET"),
        failed("EMFILE", "internal"),
        page(tls_error="SELF_SIGNED_CERT_IN_CHAIN"),
        {"status": "offline", "rawOutput": "This probe is currently offline."},
    ],
)
def test_nothing_counts_at_a_probe_whose_control_failed(beside: Any) -> None:
    def world(probe: FakeProbe, kind: str, target: str) -> Any:
        if probe.asn == 17557:
            return beside if target == "www.example.com" else failed("read ECONNRESET")
        return sound(probe, kind, target)

    with globalping(*PAKISTAN, *ABROAD, world=world) as server:
        defects = {
            judged(line)[0].measurement.asn: judged(line)[0].measurement.defect for line in lines_of(server)
        }
    assert defects == {17557: CONTROL_FAILED, 45669: ""}


def test_a_control_is_good_for_ten_minutes() -> None:
    with globalping(*PAKISTAN, *ABROAD) as server:
        made = _answers(server)
        assert _defects(made, "2026-11-20T10:10:00.000Z") == {""}
        assert _defects(made, "2026-11-20T10:10:01.000Z") == {CONTROL_FAILED}


def _answers(server: FakeGlobalping) -> tuple[RemoteAnswer, RemoteAnswer]:
    lines_of(server)
    control, target = (json.dumps(server.answered(name)[1]).encode() for name in ("m0", "m1"))
    return decoded(control, RemoteAnswer, "control"), decoded(target, RemoteAnswer, "target")


def _defects(made: tuple[RemoteAnswer, RemoteAnswer], at: str) -> set[str]:
    control, target = made
    target.created = at
    return {judged(line)[0].measurement.defect for line in records(AskedTarget(X, target), control)}


def test_what_globalping_could_not_run_says_nothing() -> None:
    with globalping(*PAKISTAN, *ABROAD, world=here(failed("EMFILE", "internal"))) as server:
        assert {judged(line)[0].measurement.defect for line in lines_of(server)} == {OWN_TROUBLE}


def test_lines_of_data_centres_in_the_country_do_not_count() -> None:
    hosted = FakeProbe("PK", 45669, DATACENTRE)
    with globalping(*PAKISTAN[:2], hosted, *ABROAD) as server:
        assert {judged(line)[0].measurement.asn for line in lines_of(server)} == {17557}


def test_a_probe_that_turned_into_another_is_left_out() -> None:
    """The order of the results is that of the control; another network at the same place is another probe."""
    with globalping(*PAKISTAN, *ABROAD) as server:
        control, target = _answers(server)
    target.results[0].probe.asn = 9541
    assert len(list(records(AskedTarget(X, target), control))) == 2


def test_probes_are_distinct_within_a_call_only() -> None:
    """Two calls may have met the same machines, so the second call's names are those of the first."""
    with globalping(*PAKISTAN, *ABROAD) as server:
        first, second = ([judged(line)[0].measurement.probe for line in lines_of(server)] for _ in range(2))
    assert first == second == [f"globalping {name}" for name in ("AS45669 1", "AS17557 1", "AS17557 2")]


def test_no_one_is_named() -> None:
    told = here(failed("connect ENETUNREACH 104.244.42.1:443 - Local (192.168.1.20:51234)"))
    with globalping(*PAKISTAN, *ABROAD, world=told) as server:
        text = b"\n".join(lines_of(server)).decode()
    for secret in ("192.168.1.20", "secret", "Somewhere", "latitude", '"private"'):
        assert secret not in text


def test_raw_answers_stay_with_the_record() -> None:
    with globalping(*PAKISTAN, *ABROAD, world=here(failed("read ECONNRESET"))) as server:
        told = json.loads(lines_of(server)[0])["x_remote"]
    assert told["http"]["result"]["rawOutput"] == "read ECONNRESET"
    assert told["control"]["result"]["timings"]["tls"] == 60
    assert told["dns"]["result"]["answers"][0]["value"] == "104.244.42.1"
    assert [one["country"] for one in told["elsewhere"]] == ["DE", "SG", "US"]


def test_what_is_stored_leads_to_the_same_and_has_the_raw_answers() -> None:
    source = MEASUREMENT_SOURCES["globalping"]
    with globalping(*PAKISTAN, *ABROAD, world=here(failed("read ECONNRESET"))) as server:
        line = lines_of(server)[0]
    more = json.loads(line) | {"guest": "somebody"}
    more["x_remote"]["http"]["result"]["guest"] = "somebody"
    stored, parsed = source.take(Record("globalping", json.dumps(more).encode()))
    assert source.parse(stored).observations == parsed.observations
    assert source.parse(stored).measurement.uid == parsed.measurement.uid
    assert json.loads(stored.data)["x_remote"] == json.loads(line)["x_remote"]
    assert b"somebody" not in stored.data


@pytest.mark.parametrize("told", ["1", "[]", '{"http":{"url":"\\ud800"}}', "[" * 100_000])
def test_raw_answers_that_cannot_be_read_cost_their_record(told: str) -> None:
    with globalping(*PAKISTAN, *ABROAD) as server:
        line = lines_of(server)[0]
    record = Record("globalping", line[:-1] + b',"x_remote":' + told.encode() + b"}")
    with pytest.raises(Rejected):
        MEASUREMENT_SOURCES["globalping"].take(record)


def test_a_redacted_record_leads_to_the_same_verdicts() -> None:
    def world(probe: FakeProbe, kind: str, target: str) -> Any:
        if probe.asn == 45669 and kind == "http":
            return failed("Request timeout.")
        return here(failed("read ECONNRESET"))(probe, kind, target)

    redact = MEASUREMENT_SOURCES["globalping"].redact
    with globalping(*PAKISTAN, *ABROAD, world=world) as server:
        for line in lines_of(server):
            parsed, verdicts = judged(line)
            again, same = judged(redact(line, parsed, ()))
            assert again.measurement.defect == parsed.measurement.defect
            assert [(v.rule_id, v.state, v.mechanism) for v in same] == [
                (v.rule_id, v.state, v.mechanism) for v in verdicts
            ]


@each(
    ("message", "source", "expected"),
    [
        ("queryA ESERVFAIL x.com", "resolver", Failure("dns", "dns_servfail_error")),
        ("queryA ETIMEOUT x.com", "resolver", Failure("dns", "generic_timeout_error")),
        ("Request timeout.", "resolver", Failure("dns", "generic_timeout_error")),
        ("other side closed", "target", Failure("http", "eof_error")),
        ("write EPIPE", "target", Failure("http", "connection_reset")),
        (
            "connect EHOSTUNREACH 2001:db8::1:443",
            "target",
            Failure("tcp", "host_unreachable", "2001:db8::1", 443),
        ),
        ("Private IP ranges are not allowed.", "target", None),
        ("read ECONNRESET", "internal", None),
        ("something new", "target", Failure("http", "unknown_failure: something new")),
    ],
)
def test_messages_of_the_probes_in_oonis_words(message: str, source: str, expected: Failure | None) -> None:
    assert failure_of(Failed(message, source)) == expected


@pytest.mark.parametrize(
    ("result", "failure"),
    [
        (
            lookup_failed(";; Connection to 8.8.8.8#53(8.8.8.8) for x.com failed: connection refused."),
            "connection_refused",
        ),
        (lookup_failed(";; communications error to 8.8.8.8#53: timed out"), "generic_timeout_error"),
        (lookup(code="SERVFAIL"), "dns_servfail_error"),
        (lookup(code="REFUSED"), "dns_refused_error"),
        (lookup(), "dns_no_answer"),
    ],
)
def test_a_lookup_without_an_address_says_why(result: Any, failure: str) -> None:
    with globalping(*PAKISTAN, *ABROAD, world=here(result, "dns")) as server:
        parsed, _ = judged(lines_of(server)[0])
    own = [o for o in parsed.observations if o.layer is Layer.DNS and o.vantage is Observer.PROBE]
    assert [o.failure for o in own] == [failure]


# --- the contract ---------------------------------------------------------------------------------------


def _named(document: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Every path to a key."""
    if isinstance(document, dict):
        for name, value in document.items():
            yield (*path, name)
            yield from _named(value, (*path, name))
    elif isinstance(document, list) and document:
        yield from _named(document[0], (*path, 0))


def _renamed(document: Any, path: tuple[str | int, ...]) -> Any:
    copy = json.loads(json.dumps(document))
    inner = copy
    for step in path[:-1]:
        inner = inner[step]
    inner[f"{path[-1]}_new"] = inner.pop(path[-1])
    return copy


READ: dict[str, list[tuple[str | int, ...]]] = {
    "answer": [
        ("id",), ("type",), ("status",), ("createdAt",), ("target",), ("results",),
        ("results", 0, "probe"), ("results", 0, "result"),
        *(("results", 0, "probe", name) for name in ("country", "asn", "network", "tags", "resolvers")),
    ],
    "page": [
        ("status",), ("rawBody",), ("truncated",), ("headers",), ("statusCode",), ("resolvedAddress",), ("timings",),
        ("tls",), ("tls", "authorized"),
        *(("timings", name) for name in ("dns", "tcp", "tls", "firstByte", "download")),
    ],
    "lookup": [
        ("status",), ("statusCodeName",), ("answers",), ("timings",), ("timings", "total"),
        ("answers", 0, "type"), ("answers", 0, "ttl"), ("answers", 0, "value"),
    ],
    "failed": [("status",), ("rawOutput",)],
}  # fmt: skip


def _round_with(kind: str, change: Any) -> None:
    """A round in which one of the answers has another shape."""

    def world(probe: FakeProbe, asked: str, target: str) -> Any:
        given = {"page": page(), "lookup": lookup("104.244.42.1"), "failed": failed("read ECONNRESET")}
        if target == "x.com" and (asked == "dns") is (kind == "lookup") and kind in given:
            return change(given[kind])
        return sound(probe, asked, target)

    with globalping(*PAKISTAN, *ABROAD, world=world) as server:
        lines_of(server)
        answers: list[Any] = [server.answered(f"m{number}")[1] for number in range(5)]
    control, http, dns, out, out_dns = (
        decoded(json.dumps(change(one) if kind == "answer" else one).encode(), RemoteAnswer, "measurement")
        for one in answers
    )
    list(records(AskedTarget(X, http, dns, out, out_dns), control))


@each(("kind", "path"), [(kind, path) for kind, paths in READ.items() for path in paths])
def test_a_field_that_is_renamed_is_noticed(kind: str, path: tuple[str | int, ...]) -> None:
    _round_with(kind, lambda document: document)
    with pytest.raises(Rejected, match="known form"):
        _round_with(kind, lambda document: _renamed(document, path))


def test_lists_receipts_and_limits_that_changed_are_noticed() -> None:
    probe = FakeProbe("PK", 17557).listed
    limits = {
        "rateLimit": {"measurements": {"create": {"type": "ip", "limit": 250, "remaining": 9, "reset": 5}}}
    }
    receipt = {"id": "m0", "probesCount": 3}
    cases: list[tuple[Any, Any, list[tuple[str | int, ...]]]] = [
        (
            list[ListedVantagePoint],
            [probe],
            [(0, "location"), (0, "location", "asn"), (0, "location", "country"), (0, "tags")],
        ),
        (Limits, limits, [path for path in _named(limits) if path[-1] != "type"]),
        (Created, receipt, list(_named(receipt))),
    ]
    for kind, document, paths in cases:
        decoded(json.dumps(document).encode(), kind, "answer")
        for path in paths:
            with pytest.raises(Rejected, match="known form"):
                decoded(json.dumps(_renamed(document, path)).encode(), kind, "answer")


def test_only_lines_of_users_are_asked_for() -> None:
    with globalping(*PAKISTAN, *ABROAD) as server:
        lines_of(server)
        (control, *others) = server.orders
    assert all(one["tags"] == [EYEBALL] for one in control["locations"])
    assert [one["locations"] for one in others[:2]] == ["m0", "m0"]
    assert all(one["tags"] == [DATACENTRE] and one["country"] != "PK" for one in others[2]["locations"])


def test_a_record_that_claims_a_defect_we_do_not_know_has_none() -> None:
    with globalping(*PAKISTAN, *ABROAD) as server:
        document = json.loads(lines_of(server)[0])
    document["x_remote"]["unsound"] = "I would rather not"
    parsed, verdicts = judged(json.dumps(document).encode())
    assert parsed.measurement.defect == ""
    assert any(verdict.state is State.OK for verdict in verdicts)
    with pytest.raises(Rejected):
        MEASUREMENT_SOURCES["globalping"].parse(Record("globalping", b"{}"))


@pytest.mark.shared_data
@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("probes", list[ListedVantagePoint]),
        ("createMeasurementResponse", Created),
        ("getSimpleDnsMeasurementResponse", RemoteAnswer),
        ("getHttpMeasurementResponse", RemoteAnswer),
        ("nonAuthenticatedLimits", Limits),
    ],
)
def test_globalpings_own_examples_are_read(name: str, kind: Any) -> None:
    """jsdelivr/globalping, public/v1/components/examples.yaml, commit 52c0c192."""
    yaml = pytest.importorskip("yaml")
    examples = yaml.safe_load(shared_file("answers/globalping_examples.yaml").read_text())["components"][
        "examples"
    ]
    assert decoded(json.dumps(examples[name]["value"]).encode(), kind, name)
