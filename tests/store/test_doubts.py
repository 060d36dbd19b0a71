"""What speaks for another explanation: other names of a resolver, hosts, shared pages, former addresses."""

from typing import Any

from fanous.model.incident import Hosting, Interval, NameRecord, SharedPage
from fanous.model.measurement import Layer, Observation
from fanous.model.verdict import Judged, State, Verdict
from fanous.store.protocol import Store
from tests.builders import helper, observation, verdict
from tests.store.cases import NOON, judged

DAY = 86_400.0
PTCL, JAZZ, GOOGLE = 17557, 45669, 15169
THEN = [Interval(NOON - 1, NOON + 1)]
STRETCHES = {PTCL: THEN}
SITE, OTHER, THIRD = "news.example", "party.example", "third.example"


def said(target: str, layer: Layer, mechanism: str = "", *, rule: str = "test.rule") -> Verdict:
    """Without a mechanism it works; with one it is a symptom of it."""
    state = State.INSUFFICIENT if mechanism else State.OK
    more: dict[str, Any] = {"mechanism": mechanism, "symptom": bool(mechanism), "rule_id": rule}
    return verdict(state, layer, target=target, controlled=False, **more)


def put(store: Store, *rows: Judged) -> None:
    store.append(list(rows), rules_version="r")


def test_names_are_counted_by_the_network_of_the_resolver(store: Store) -> None:
    fine, lost = (said(SITE, Layer.DNS, how) for how in ("", "dns"))
    put(
        store,
        judged("a", lost),
        judged("b", lost),
        judged("c", fine),
        judged("d", lost, resolver_asn=GOOGLE),
        judged("e", said(OTHER, Layer.DNS), said(OTHER, Layer.TLS, "tls.timeout")),
        judged("f", said(THIRD, Layer.TLS)),
        judged("g", lost, asn=JAZZ),
        judged("h", lost, started_at=NOON + DAY),
    )
    assert store.facts.names("PK", STRETCHES) == [
        NameRecord(PTCL, GOOGLE, SITE, 1, 0),
        NameRecord(PTCL, PTCL, SITE, 2, 1),
        NameRecord(PTCL, PTCL, OTHER, 0, 1),
    ]
    assert store.facts.reached("PK", STRETCHES) == [THIRD]


def test_lookups_without_an_answer_abroad_are_found(store: Store) -> None:
    lost = said(SITE, Layer.DNS, "dns")
    put(
        store,
        judged("a", lost, country="DE", asn=3320),
        judged("b", lost, country="DE", asn=3320),
        judged("c", said(SITE, Layer.DNS), country="FR", asn=3215),
        judged("d", verdict(State.BLOCKED, Layer.DNS, target=SITE, mechanism="dns"), country="FR", asn=3215),
        judged("e", lost, country="DE", asn=3320, started_at=NOON + DAY),
        judged("f", said(OTHER, Layer.DNS, "dns"), country="DE", asn=3320),
        judged("g", lost),
    )
    found = store.facts.unanswered_elsewhere("PK", [SITE], THEN, ["dns"])
    assert {place: sorted(uids) for place, uids in found.items()} == {"DE": ["a", "b"]}


def looked_up(
    target: str, *answers: str, asns: tuple[int, ...] = (), outside: bool = True, by: str = "system"
) -> Observation:
    make = helper if outside else observation
    ttls = (-1,) * len(answers)
    return make(Layer.DNS, target=target, resolver=by, answers=answers, answer_asns=asns, ttls=ttls)


def test_a_target_is_hosted_where_the_helper_finds_it(store: Store) -> None:
    put(
        store,
        judged("a", observations=(looked_up(SITE, "192.0.2.1", "192.0.2.2", asns=(64501, 0)),)),
        judged("b", observations=(looked_up(SITE, "192.0.2.3", asns=(64500,)),)),
        judged("c", observations=(looked_up(SITE, "192.0.2.4", asns=(64502,), outside=False),)),
        judged("d", observations=(looked_up(OTHER, "192.0.2.5", asns=(0,)),)),
    )
    assert store.facts.hosting("PK", STRETCHES) == [Hosting(SITE, (64500, 64501))]


def test_an_answer_is_a_former_address_if_the_helper_was_given_it_before(store: Store) -> None:
    old, new = "192.0.2.1", "192.0.2.2"
    put(
        store,
        judged("before", observations=(looked_up(SITE, old),), started_at=NOON - DAY),
        judged("long before", observations=(looked_up(SITE, new),), started_at=NOON - 9 * DAY),
        judged("a", observations=(looked_up(SITE, old, outside=False), looked_up(SITE, new))),
        judged("b", observations=(looked_up(SITE, new, outside=False),)),
        judged("c", observations=(looked_up(OTHER, old, outside=False),)),
        judged("d", observations=(looked_up(SITE, old, outside=False),), asn=JAZZ),
    )
    assert store.facts.former_answers("PK", [SITE, OTHER], [PTCL], THEN, 7 * DAY) == ["a"]


def test_all_that_is_wrong_must_be_former_and_what_is_right_today_is_not(store: Store) -> None:
    old, kept, new, other, forged = (f"192.0.2.{n}" for n in range(1, 6))

    def inside(answer: str, by: str = "system", *asns: int) -> Observation:
        return looked_up(SITE, answer, asns=asns, outside=False, by=by)

    put(
        store,
        judged("before", observations=(looked_up(SITE, old, kept),), started_at=NOON - DAY),
        judged("now", observations=(looked_up(SITE, kept, new, asns=(64500, 64501)),)),
        judged("kept", observations=(inside(kept), inside(old, "doh"))),
        judged("forged", observations=(inside(forged), inside(kept, "udp"))),
        judged("both", observations=(inside(forged), inside(old, "udp"))),
        judged("host", observations=(inside(old, "system", 64501),)),
        judged("sure", observations=(inside(old), inside(old, "dot"))),
        judged("moved", observations=(inside(old), inside(other, "doh"))),
    )
    assert store.facts.former_answers("PK", [SITE], [PTCL], THEN, 7 * DAY) == ["moved"]
    assert store.facts.former_answers("PK", [SITE], [PTCL], THEN, 7 * DAY, nearby=True) == ["host", "moved"]


def page(uid: str, target: str, title: str = "No entry", length: int = 900, **more: Any) -> Judged:
    other = said(target, Layer.HTTP, "http.blockpage.unknown")
    facts = (observation(Layer.HTTP, target=target, title=title, body_length=length, status_code=200),)
    return judged(uid, other, observations=facts, **more)


def test_pages_are_shared_if_all_that_is_kept_of_them_is_alike(store: Store) -> None:
    proper = said("fine.example", Layer.HTTP, rule="http.same_page")
    put(
        store,
        page("a", SITE),
        page("b", OTHER),
        page("c", THIRD, length=901),
        page("d", "untitled.example", title=""),
        page("e", "another.example", title=""),
        page("f", THIRD, asn=JAZZ),
        judged(
            "g", said("works.example", Layer.HTTP), observations=page("", "works.example").parsed.observations
        ),
    )
    pages = store.facts.shared_pages("PK", STRETCHES, ["http.blockpage.unknown"])
    assert pages == [SharedPage(PTCL, (SITE, OTHER), 0)]
    put(store, judged("h", proper))
    (shared,) = store.facts.shared_pages("PK", STRETCHES, ["http.blockpage.unknown"])
    assert shared.others == 1
