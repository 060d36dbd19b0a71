"""How targets fared elsewhere, by which software, and on which lines."""

from dataclasses import replace

from fanous.model.incident import Interval, LineRecord, Onset, Software
from fanous.model.measurement import Layer
from fanous.model.verdict import State, Verdict
from fanous.store.protocol import Store
from tests.builders import verdict
from tests.store.cases import NOON, judged

DAY = 86400.0


def test_another_countrys_failures_are_counted_before_and_at_the_onset(store: Store) -> None:
    store.append(
        [
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
        ],
        rules_version="r",
    )
    hour = int(NOON // 3600)
    found = store.facts.onsets_elsewhere("PK", ["x"], [hour - 1, hour, hour + 2], 3600, 7 * DAY)
    assert found == [Onset("BD", 2, 2, 4, 1, 2)]
    assert store.facts.onsets_elsewhere("PK", ["x"], [], 3600, 7 * DAY) == []


def test_each_version_of_the_software_is_counted_in_probes(store: Store) -> None:
    blocked, fine = verdict(State.BLOCKED), verdict()
    store.append(
        [
            judged("a", blocked, probe="p", software="new 2"),
            judged("b", fine, probe="p", software="new 2"),
            judged("c", blocked, probe="q", software="new 2"),
            judged("d", fine, probe="r", software="old 1"),
            judged("e", fine, probe="r", software="old 1"),
            judged("f", fine, probe="s", software="old 1", asn=45669),
            judged("g", fine, probe="t", software="old 1", started_at=NOON + DAY),
        ],
        rules_version="r",
    )
    found = store.facts.software("PK", ["x"], [17557], [Interval(NOON - 1, NOON + 1)])
    assert found == [Software("new 2", 17557, 2, 0), Software("old 1", 17557, 0, 1)]


def test_all_that_a_probe_measured_is_counted_if_it_saw_the_target_fail(store: Store) -> None:
    def said(target: str, *, mechanism: str = "tls.timeout", state: State = State.BLOCKED) -> Verdict:
        return verdict(state, Layer.TLS, target=target, mechanism="" if state is State.OK else mechanism)

    store.append(
        [
            judged("a", said("x"), probe="p"),
            judged("b", said("y"), probe="p"),
            judged("c", said("y", state=State.OK), probe="p"),
            judged("d", said("z", mechanism="tls.reset.sni"), probe="p"),
            judged("e", said("v", state=State.DOWN, mechanism="server.down"), probe="p"),
            judged("f", said("w"), probe="p", started_at=NOON + DAY),
            judged("g", said("x", state=State.OK), probe="reaches it"),
            judged("h", said("x"), probe="q", asn=45669),
            judged("i", said("x"), probe="r", asn=9541),
        ],
        rules_version="r",
    )
    then = [Interval(NOON - 1, NOON + 1)]
    found = store.facts.lines("PK", ["x"], {17557: then, 45669: then}, ["tls.timeout"])
    assert found == [LineRecord(17557, 4, 3, 0.5), LineRecord(45669, 1, 0, 0.0)]
    assert store.facts.lines("PK", ["x"], {17557: [Interval(NOON + 2, None)]}, ["tls.timeout"]) == []


def test_our_own_probes_look_at_their_line_themselves(store: Store) -> None:
    ours = judged("a", verdict(State.BLOCKED))
    store.append([replace(ours, record=replace(ours.record, source="edge"))], rules_version="r")
    assert store.facts.lines("PK", ["x"], {17557: [Interval(NOON - 1, NOON + 1)]}, ["tls.timeout"]) == []


def test_of_a_network_as_a_whole_those_targets_count_that_were_measured_often(store: Store) -> None:
    rows = [judged(f"x{n}", verdict(State.BLOCKED, Layer.TLS), probe=f"x{n}") for n in range(3)]
    fails = verdict(State.BLOCKED, Layer.TLS, target="y", mechanism="tls.timeout")
    rows += [judged(f"y{n}", fails, probe=f"y{n}") for n in range(3)]
    rows += [judged("z", verdict(target="z"), probe="z")]
    store.append(rows, rules_version="r")
    found = store.facts.lines("PK", ["x"], {17557: [Interval(NOON - 1, NOON + 1)]}, ["tls.timeout"])
    assert [line for line in found if line.of_all] == [LineRecord(17557, 2, 1, 1.0, of_all=True)]
