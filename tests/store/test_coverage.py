from fanous.model.verdict import State
from fanous.store.coverage import Doubt, Heard, Insufficient
from fanous.store.protocol import Store
from fanous.wording.reasons import reasons_text
from tests.builders import verdict
from tests.store.cases import NOON, judged


def test_a_network_has_the_name_that_most_measurements_give(store: Store) -> None:
    names = ["PTCL", "PTCL", "Pakistan Telecom", "", "", ""]
    store.append([judged(f"m{n}", network_name=name) for n, name in enumerate(names)], rules_version="1")
    assert store.facts.networks("PK") == {17557: "PTCL"}
    assert store.facts.networks("IR") == {}


def test_countries_are_those_measured_in_the_window(store: Store) -> None:
    store.append(
        [
            judged("a"),
            judged("b", country="IR"),
            judged("c", country="ZZ"),
            judged("d", country="UG", started_at=NOON + 60),
        ],
        rules_version="1",
    )
    assert store.facts.countries(NOON, NOON + 60) == ["IR", "PK"]
    assert store.facts.countries() == ["IR", "PK", "UG"]


def test_the_span_is_from_the_first_to_the_last_sound_measurement(store: Store) -> None:
    store.append(
        [
            judged("a", started_at=NOON + 0.25),
            judged("b", started_at=NOON + 60),
            judged("c", started_at=0.0, defect="clock"),
        ],
        rules_version="1",
    )
    assert store.facts.span("PK") == (NOON + 0.25, NOON + 60)
    assert store.facts.span("IR") is None


def test_targets_are_those_of_sound_measurements(store: Store) -> None:
    store.append(
        [judged("a"), judged("b", verdict(target="youtube")), judged("c", verdict(target="z"), defect="vpn")],
        rules_version="1",
    )
    assert store.facts.targets("PK", NOON, NOON + 1) == ["x", "youtube"]


def test_volume_counts_sound_measurements_a_bin(store: Store) -> None:
    store.append(
        [
            judged("a", probe="p"),
            judged("b", probe="p"),
            judged("c", started_at=NOON + 7200),
            judged("d", defect="vpn"),
            judged("e", asn=0),
            judged("f", asn=45669),
        ],
        rules_version="1",
    )
    first, second = store.facts.volume("PK", NOON, NOON + 10800)
    assert (first.key.place.asn, second.key.place.asn) == (17557, 45669)
    assert (first.times.tolist(), first.values.tolist()) == ([NOON, NOON + 7200], [2.0, 1.0])
    assert first.counts.tolist() == [1, 1]


def test_heard_is_the_last_sound_measurement_of_each_network(store: Store) -> None:
    store.append(
        [
            judged("a", probe="p"),
            judged("b", probe="p", started_at=NOON + 7200.5),
            judged("c", defect="vpn", started_at=NOON + 9000),
            judged("d", asn=0),
            judged("e", asn=45669, started_at=NOON + 99_999),
        ],
        rules_version="1",
    )
    assert store.facts.heard(NOON, NOON + 10800) == [Heard("PK", 17557, NOON + 7200.5, 2, 1)]


def test_freshness_is_the_last_sound_measurement_of_each_source(store: Store) -> None:
    store.append(
        [
            judged("a"),
            judged("b", country="KE", started_at=NOON + 60.5),
            judged("c", defect="vpn", started_at=NOON + 9000),
            judged("d", country="ZZ", started_at=NOON + 9000),
            judged("e", started_at=NOON + 99_999),
        ],
        rules_version="1",
    )
    (one,) = store.facts.freshness(NOON, NOON + 10800)
    assert (one.at, one.measurements, one.countries) == (NOON + 60.5, 2, 2)
    assert store.facts.freshness(NOON - 7200, NOON) == []


def test_insufficient_lists_only_targets_of_which_nothing_was_concluded(store: Store) -> None:
    unknown = verdict(State.INSUFFICIENT, target="y", rule_id="tls.no_control", why="no control")
    early = verdict(State.INSUFFICIENT, target="y", rule_id="dns.no_control", why="no control for the name")
    store.append(
        [
            judged("a", unknown),
            judged("b", unknown, early),
            judged("c", early),
            judged("d", verdict(State.BLOCKED, target="y"), defect="vpn"),
            judged("e", verdict(State.INSUFFICIENT)),
            judged("f", verdict()),
            judged("g", verdict(State.INSUFFICIENT, target="symptom", symptom=True, rule_id="s", why="w")),
        ],
        rules_version="1",
    )
    found = store.facts.insufficient("PK", NOON, NOON + 1)
    assert found == [
        Insufficient(
            "y",
            4,
            (
                Doubt("tls.no_control", "no control", 2),
                Doubt("", "vpn", 1),
                Doubt("dns.no_control", "no control for the name", 1),
            ),
        ),
        Insufficient("symptom", 1, (Doubt("s", "w", 1),)),
    ]
    assert reasons_text([found[0].reason]) == "No control. That applies to 2 of 4 measurements."


def test_what_was_brought_in_has_another_mark_after_each_change_and_no_other(store: Store) -> None:
    assert store.facts.brought_in() == {}
    store.append([judged("a")], rules_version="1")
    (segment,) = store.archive.segments()
    marks = [store.facts.brought_in()]
    for batch in ([judged("b", probe="p")], [judged("b", probe="p")]):
        store.append(batch, rules_version="1")
        marks.append(store.facts.brought_in())
    store.append([judged("c", country="IR")], rules_version="1")
    marks.append({"PK": store.facts.brought_in()["PK"]})
    assert (marks[0] != marks[1], marks[1:]) == (True, [marks[1]] * 3)
    store.replace_verdicts({segment: [judged("a")]}, rules_version="2")
    again = store.facts.brought_in()
    store.forget(["p"])
    assert len({one["PK"] for one in (marks[0], marks[1], again, store.facts.brought_in())}) == 4
