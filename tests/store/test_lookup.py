from math import isnan

from fanous.model.measurement import Layer, Observation, Observer, ParsedMeasurement
from fanous.model.place import Access
from fanous.model.verdict import Judged, State, Verdict
from fanous.store.protocol import Store
from tests.builders import measurement
from tests.store.cases import NOON, judged
from tests.store.servers import EVERYWHERE

FULL = Observation(
    layer=Layer.HTTP,
    target="x",
    hostname="x.com",
    vantage=Observer.HELPER,
    role="api",
    ip="104.244.42.1",
    port=443,
    failure="connection_reset",
    at=0.25,
    seconds=1.5,
    resolver="doh",
    query_type="AAAA",
    answers=("104.244.42.1", "2001:db8::1"),
    answer_asns=(13414, 0),
    ttls=(60, -1),
    cert_valid=False,
    cert_sha256="ab" * 32,
    cert_subject="x.com *.x.com",
    cert_issuer="A CA",
    url="https://x.com/?q=ü",
    status_code=451,
    body_length=2**40,
    body_truncated=True,
    title="عنوان",
    header_names=("location", "server"),
    location="https://block.example/",
    server="nginx",
    received=16384,
    kbps=137.5,
    largest_gap=9.5,
)
VERDICTS = (
    Verdict("x", Layer.TLS, State.BLOCKED, "r1", "tls.reset.sni", "why", controlled=True, observations=3),
    Verdict("x", Layer.DNS, State.INSUFFICIENT, "r2", symptom=True, role="media"),
    Verdict("x", Layer.TRANSFER, State.THROTTLED, "r3", kbps=137.0),
)


@EVERYWHERE
def test_a_measurement_comes_back_as_it_was_put_in(store: Store) -> None:
    header = measurement(
        "m1", started_at=NOON + 0.123456, receipt=NOON + 1, access=Access.MOBILE, defect="vpn", resolver_asn=1
    )
    one = judged("m1")
    store.append(
        [
            Judged(
                one.record,
                ParsedMeasurement(header, (FULL,), "helper timed out", ("asn: too odd",)),
                VERDICTS,
            )
        ],
        rules_version="1",
        received_at=NOON + 3600.5,
    )
    found = store.facts.measurement("m1")
    assert found is not None
    assert found.measurement == header
    assert (found.source, found.received_at, found.observations) == ("ooni", NOON + 3600.5, 1)
    assert (found.control_failure, found.bogus) == ("helper timed out", ("asn: too odd",))
    assert store.archive.read(found.location) == one.record.data


@EVERYWHERE
def test_observations_come_back_as_they_were_put_in(store: Store) -> None:
    store.append([judged("m1", observations=(FULL, FULL))], rules_version="1")
    assert store.facts.observations("m1") == [FULL, FULL]


def test_what_was_not_measured_stays_unmeasured(store: Store) -> None:
    store.append([judged("m1", observations=(Observation(Layer.TCP, "x"),))], rules_version="1")
    (found,) = store.facts.observations("m1")
    assert all(isnan(value) for value in (found.at, found.seconds, found.kbps, found.largest_gap))
    assert (found.failure, found.cert_valid, found.body_length, found.received) == (None, None, -1, -1)


@EVERYWHERE
def test_verdicts_come_back_in_order(store: Store) -> None:
    store.append([judged("m1", *VERDICTS)], rules_version="1")
    found = store.facts.verdicts("m1")
    assert [
        (v.rule_id, v.state, v.layer, v.role, v.symptom, v.controlled, v.observations) for v in found
    ] == [(v.rule_id, v.state, v.layer, v.role, v.symptom, v.controlled, v.observations) for v in VERDICTS]
    assert [v.kbps for v in found if v.kbps == v.kbps] == [137.0]
    assert isnan(found[0].kbps)


def test_an_unknown_uid_has_nothing(store: Store) -> None:
    assert (store.facts.measurement("?"), store.facts.verdicts("?"), store.facts.observations("?")) == (
        None,
        [],
        [],
    )
