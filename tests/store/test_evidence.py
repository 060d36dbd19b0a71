"""The table of evidence, and what is counted in it: other countries, software, lines, names, hosts, pages, answers."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from fanous.analysis.explanations import comparisons
from fanous.analysis.explanations.comparisons import ONSET_SLOT, Comparisons
from fanous.model.evidence import Evidence, EvidenceScope
from fanous.model.incident import Hosting, Interval, LineRecord, NameRecord, Onset, SharedPage, Software
from fanous.model.instant import DAY
from fanous.model.measurement import Layer, Observation
from fanous.model.verdict import OTHER_PAGE, Judged, State, Verdict
from fanous.store import evidence
from fanous.store.protocol import Store
from tests.builders import helper, observation, verdict
from tests.store.cases import NOON, judged

PTCL, JAZZ, GOOGLE = 17557, 45669, 15169
THEN = [Interval(NOON - 1, NOON + 1)]
SITE, OTHER, THIRD = "news.example", "party.example", "third.example"


def put(store: Store, *rows: Judged) -> None:
    store.append(list(rows), rules_version="r")


def table(
    store: Store, *targets: str, asns: Sequence[int] = (PTCL,), then: Sequence[Interval] = THEN, **more: Any
) -> Evidence:
    return store.facts.evidence(EvidenceScope("PK", targets, dict.fromkeys(asns, then)), **more)


def test_another_countrys_failures_are_counted_before_and_at_the_onset(store: Store) -> None:
    put(
        store,
        judged("early", verdict(), country="BD", started_at=NOON - 3 * DAY),
        judged("early too", verdict(State.BLOCKED), country="BD", started_at=NOON - 2 * DAY),
        judged("then 1", verdict(State.BLOCKED), country="BD", probe="p", started_at=NOON - 600),
        judged("then 2", verdict(State.DOWN), country="BD", probe="q", started_at=NOON + 600),
        judged("then 3", verdict(), country="BD", probe="r", started_at=NOON + 700),
        judged("between", verdict(State.BLOCKED), country="BD", started_at=NOON + 4000),
        judged("then 4", verdict(), country="BD", probe="r", started_at=NOON + 7300),
        judged("unclear", verdict(State.INSUFFICIENT), country="BD", started_at=NOON),
        judged("long ago", verdict(), country="BD", started_at=NOON - 20 * DAY),
        judged("too late", verdict(), country="BD", started_at=NOON + DAY),
        judged("another", verdict(target="youtube"), country="BD"),
        judged("here", verdict(State.BLOCKED)),
        judged("nowhere", verdict(State.BLOCKED), country="ZZ"),
    )
    noon = int(NOON // ONSET_SLOT)
    slots = [noon - 1, noon, noon + 4]
    measured = table(store, "x", slots=slots)
    found = Comparisons(measured, slots).onsets
    assert found == (Onset("BD", 2, 2, 4, 1, 2),)
    assert Comparisons(measured).onsets == ()


def test_each_version_of_the_software_is_counted_in_probes(store: Store) -> None:
    blocked, fine = verdict(State.BLOCKED), verdict()
    put(
        store,
        judged("a", blocked, probe="p", software="new 2"),
        judged("b", fine, probe="p", software="new 2"),
        judged("c", blocked, probe="q", software="new 2"),
        judged("d", fine, probe="r", software="old 1"),
        judged("e", fine, probe="r", software="old 1"),
        judged("f", fine, probe="s", software="old 1", asn=45669),
        judged("g", fine, probe="t", software="old 1", started_at=NOON + DAY),
    )
    found = Comparisons(table(store, "x")).software
    assert found == (Software("new 2", 17557, 2, 0), Software("old 1", 17557, 0, 1))


def test_all_that_a_probe_measured_is_counted_if_it_saw_the_target_fail(store: Store) -> None:
    def fell(target: str, *, mechanism: str = "tls.timeout", state: State = State.BLOCKED) -> Verdict:
        return verdict(state, Layer.TLS, target=target, mechanism="" if state is State.OK else mechanism)

    put(
        store,
        judged("a", fell("x"), probe="p"),
        judged("b", fell("y"), probe="p"),
        judged("c", fell("y", state=State.OK), probe="p"),
        judged("d", fell("z", mechanism="tls.reset.sni"), probe="p"),
        judged("e", fell("v", state=State.DOWN, mechanism="server.down"), probe="p"),
        judged("f", fell("w"), probe="p", started_at=NOON + DAY),
        judged("g", fell("x", state=State.OK), probe="reaches it"),
        judged("h", fell("x"), probe="q", asn=45669),
        judged("i", fell("x"), probe="r", asn=9541),
    )
    found = comparisons.lines(table(store, "x", asns=(PTCL, JAZZ)), ["tls.timeout"])
    assert found == (LineRecord(17557, 4, 3, 0.5), LineRecord(45669, 1, 0, 0.0))
    assert comparisons.lines(table(store, "x", then=[Interval(NOON + 2, None)]), ["tls.timeout"]) == ()


def test_our_own_probes_look_at_their_line_themselves(store: Store) -> None:
    ours = judged("a", verdict(State.BLOCKED))
    put(store, replace(ours, record=replace(ours.record, source="edge")))
    assert comparisons.lines(table(store, "x"), ["tls.timeout"]) == ()


def test_of_a_network_as_a_whole_those_targets_count_that_were_measured_often(store: Store) -> None:
    rows = [judged(f"x{n}", verdict(State.BLOCKED, Layer.TLS), probe=f"x{n}") for n in range(3)]
    fails = verdict(State.BLOCKED, Layer.TLS, target="y", mechanism="tls.timeout")
    rows += [judged(f"y{n}", fails, probe=f"y{n}") for n in range(3)]
    rows += [judged("z", verdict(target="z"), probe="z")]
    put(store, *rows)
    found = comparisons.lines(table(store, "x"), ["tls.timeout"])
    assert [line for line in found if line.of_all] == [LineRecord(17557, 2, 1, 1.0, of_all=True)]


def said(target: str, layer: Layer, mechanism: str = "", *, rule: str = "test.rule") -> Verdict:
    """Without a mechanism it works; with one it is a symptom of it."""
    state = State.INSUFFICIENT if mechanism else State.OK
    more: dict[str, Any] = {"mechanism": mechanism, "symptom": bool(mechanism), "rule_id": rule}
    return verdict(state, layer, target=target, controlled=False, **more)


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
    measured = table(store, SITE)
    assert Comparisons(measured).names == (
        NameRecord(PTCL, GOOGLE, SITE, 1, 0),
        NameRecord(PTCL, PTCL, SITE, 2, 1),
        NameRecord(PTCL, PTCL, OTHER, 0, 1),
    )
    assert Comparisons(measured).reached == (THIRD,)


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
    found = comparisons.unanswered(table(store, SITE))
    assert {place: sorted(uids) for place, uids in found.items()} == {"DE": ["a", "b"]}


def looked_up(
    target: str, *answers: str, asns: tuple[int, ...] = (), outside: bool = True, by: str = "system"
) -> Observation:
    make = helper if outside else observation
    ttls = (-1,) * len(answers)
    return make(Layer.DNS, target=target, resolver=by, answers=answers, answer_asns=asns, ttls=ttls)


def lookups(uid: str, *seen: Observation, **header: Any) -> Judged:
    """A measurement of the target that was looked up."""
    return judged(uid, verdict(target=seen[0].target), observations=seen, **header)


def test_a_target_is_hosted_where_the_helper_finds_it(store: Store) -> None:
    put(
        store,
        lookups("a", looked_up(SITE, "192.0.2.1", "192.0.2.2", asns=(64501, 0))),
        lookups("b", looked_up(SITE, "192.0.2.3", asns=(64500,))),
        lookups("c", looked_up(SITE, "192.0.2.4", asns=(64502,), outside=False)),
        lookups("d", looked_up(OTHER, "192.0.2.5", asns=(0,))),
    )
    assert Comparisons(table(store, SITE, hosting=True)).hosting == (Hosting(SITE, (64500, 64501)),)


def test_an_answer_is_a_former_address_if_the_helper_was_given_it_before(store: Store) -> None:
    old, new = "192.0.2.1", "192.0.2.2"
    put(
        store,
        lookups("before", looked_up(SITE, old), started_at=NOON - DAY),
        lookups("long before", looked_up(SITE, new), started_at=NOON - 29 * DAY),
        lookups("a", looked_up(SITE, old, outside=False), looked_up(SITE, new)),
        lookups("b", looked_up(SITE, new, outside=False)),
        lookups("c", looked_up(OTHER, old, outside=False)),
        lookups("d", looked_up(SITE, old, outside=False), asn=JAZZ),
    )
    assert Comparisons(table(store, SITE, OTHER, former=True)).former == {"a"}


def test_all_that_is_wrong_must_be_former_and_what_is_right_today_is_not(store: Store) -> None:
    old, kept, new, other, forged = (f"192.0.2.{n}" for n in range(1, 6))

    def inside(answer: str, by: str = "system", *asns: int) -> Observation:
        return looked_up(SITE, answer, asns=asns, outside=False, by=by)

    put(
        store,
        lookups("before", looked_up(SITE, old, kept), started_at=NOON - DAY),
        lookups("now", looked_up(SITE, kept, new, asns=(64500, 64501))),
        lookups("kept", inside(kept), inside(old, "doh")),
        lookups("forged", inside(forged), inside(kept, "udp")),
        lookups("both", inside(forged), inside(old, "udp")),
        lookups("host", inside(old, "system", 64501)),
        lookups("sure", inside(old), inside(old, "dot")),
        lookups("moved", inside(old), inside(other, "doh")),
    )
    measured = table(store, SITE, former=True)
    assert Comparisons(measured).former == {"moved"}
    assert Comparisons(measured).outdated == {"host", "moved"}


def page(uid: str, target: str, title: str = "No entry", length: int = 900, **more: Any) -> Judged:
    other = said(target, Layer.HTTP, OTHER_PAGE)
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
    assert Comparisons(table(store, SITE, pages=True)).pages == (SharedPage(PTCL, (SITE, OTHER), 0),)
    put(store, judged("h", proper))
    (shared,) = Comparisons(table(store, SITE, pages=True)).pages
    assert shared.others == 1


def test_the_table_holds_what_bears_on_the_event_and_nothing_else(store: Store) -> None:
    put(
        store,
        judged("event", verdict(State.BLOCKED)),
        judged("other target", verdict(target="y")),
        judged("day before", verdict(), started_at=NOON - 1 - DAY),
        judged("other network", verdict(), asn=JAZZ),
        judged("other country", verdict(), country="DE", asn=3320),
        judged("earlier", verdict(), started_at=NOON - 2 - DAY),
        judged("later", verdict(), started_at=NOON + 1 + DAY),
        judged("other network, other target", verdict(target="y"), asn=JAZZ),
        judged("other country, other target", verdict(target="y"), country="DE", asn=3320),
        judged("nowhere", verdict(), country="ZZ"),
        judged("no network", verdict(), asn=0),
        judged("vpn", verdict(), defect="vpn"),
    )
    found = table(store, "x")
    assert sorted(found.uids) == ["day before", "event", "other country", "other network", "other target"]
    rows = {
        uid: (bool(claimed), bool(here), bool(then), bool(fails))
        for uid, claimed, here, then, fails in zip(
            found.uids, found.claimed, found.here, found.then, found.fails, strict=True
        )
    }
    assert rows["event"] == (True, True, True, True)
    assert rows["other target"] == (False, True, True, False)
    assert rows["day before"] == (True, False, False, False)
    assert rows["other network"] == rows["other country"] == (True, False, True, False)


def test_each_network_has_times_of_its_own(store: Store) -> None:
    put(store, *(judged(f"{asn}", asn=asn, started_at=NOON + 60) for asn in (PTCL, JAZZ)))
    stretches = {PTCL: [Interval(NOON, NOON + 10)], JAZZ: [Interval(NOON + 50, NOON + 70)]}
    found = store.facts.evidence(EvidenceScope("PK", ("x",), stretches))
    assert dict(zip(found.uids, found.here, strict=True)) == {f"{PTCL}": False, f"{JAZZ}": True}
    assert found.then.all()


def test_throttling_is_no_mechanism_and_a_fault_of_any_line(store: Store) -> None:
    slow = verdict(State.THROTTLED, Layer.TLS, mechanism="tls.throttle", kbps=40.0)
    put(store, judged("a", slow), judged("b", slow, verdict(State.BLOCKED, Layer.TLS, mechanism="tls.reset")))
    found = table(store, "x")
    assert dict(zip(found.uids, found.mechanisms, strict=True)) == {"a": (), "b": ("tls.reset",)}
    assert found.kbps.tolist() == [40.0, 40.0]


def many(country: str, asn: int, target: str, size: int, **more: Any) -> list[Judged]:
    said = verdict(target=target)
    return [
        judged(f"{country} {asn} {target} {n}", said, country=country, asn=asn, **more) for n in range(size)
    ]


def test_what_is_too_much_is_sampled_by_cell_and_counted_whole(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(
        store,
        *(judged(f"own {n}", verdict(State.BLOCKED), probe=f"p{n}") for n in range(7)),
        *many("PK", PTCL, "y", 20),
        *many("DE", 3320, "x", 40),
        *many("FR", 3215, "x", 2),
    )
    whole = table(store, "x")
    assert len(whole) == 69 and set(whole.counts.tolist()) == {1}
    monkeypatch.setattr(evidence, "MOST_ROWS", 20)
    found = table(store, "x")
    assert len(found) == 7 + 20
    cells = {
        (place, target): (sum(own), int(found.counts[own].sum()))
        for place, target in (("PK", "x"), ("PK", "y"), ("DE", "x"), ("FR", "x"))
        if (own := (found.countries == place) & (found.targets == target)) is not None
    }
    assert cells[("PK", "x")] == (7, 7), "its own measurements are kept whole"
    assert cells[("FR", "x")] == (2, 2), "a small cell is kept whole"
    assert (cells[("PK", "y")], cells[("DE", "x")]) == ((9, 20), (9, 40))
    assert sorted(found.uids) == sorted(table(store, "x").uids), "the same rows every time"
