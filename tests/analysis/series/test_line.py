"""Is one site slow, or everything on the line of those who measured it?"""

from dataclasses import replace
from math import nan
from typing import Any

from fanous.analysis.series import aggregate
from fanous.analysis.series.aggregate import BLOCKED_PATH, THROTTLED, VerdictRow
from fanous.analysis.series.line import MINUTES, Line, account, in_view_of, lines, sender_of
from fanous.model.measurement import Layer
from fanous.model.verdict import LINE, State, Verdict
from tests.builders import verdict
from tests.each import each

STARVES = verdict(
    State.INSUFFICIENT, Layer.HTTP, mechanism="tls.throttle", symptom=True, controlled=True, kbps=130.0
)
FREEZES = replace(STARVES, mechanism="tls.freeze", kbps=14.0)
TIMES_OUT = verdict(State.BLOCKED, mechanism="tls.timeout")
RESET = verdict(State.BLOCKED, mechanism="tls.reset")
CAME = verdict(State.OK, Layer.HTTP, kbps=8_000.0)
SMALL = verdict(State.OK, Layer.HTTP, kbps=nan)
CREPT = verdict(State.OK, Layer.HTTP, kbps=600.0)
LOSES = verdict(State.OK, Layer.TCP, mechanism=LINE)


def line_of(
    asked: Verdict, *others: Verdict | tuple[Verdict, ...], probe: str = "p", **apart: Any
) -> Line | None:
    """The line of a measurement of ``x``, beside others that the same sender made of other sites."""
    made: list[tuple[str, str, tuple[Verdict, ...], float]] = [("asked", "x", (asked,), 0.0)]
    for n, other in enumerate(others):
        said = other if isinstance(other, tuple) else (other,)
        made.append((f"m{n}", f"site{n}", said, 5.0 * (n + 1)))
    accounts = [
        account(uid, target, sender_of(uid, probe or uid, "PK", 17557), apart.get(uid, at), said)
        for uid, target, said, at in made
    ]
    return lines(accounts).get(("asked", "x"))


@each(
    ("others", "line"),
    [
        ([CAME], Line.WELL),
        ([CAME, CAME, RESET, RESET, RESET], Line.WELL),  # sites that are cut say nothing about the line
        ([CAME, CAME, STARVES], Line.WELL),
        ([STARVES, STARVES], Line.BAD),
        ([STARVES, SMALL, RESET], Line.BAD),
        ([STARVES, CREPT], Line.BAD),  # 600 kbit/s are not several times 130
        (
            [(CAME, LOSES), (CAME, LOSES)],
            Line.BAD,
        ),  # a lossy line is fast at one time, and starves at another
        ([CAME, STARVES], Line.UNKNOWN),
        ([CAME, STARVES, STARVES], Line.UNKNOWN),  # other sites may be slowed down, too
        ([SMALL, RESET], Line.UNKNOWN),
        ([], Line.UNKNOWN),
    ],
)
def test_a_page_starves_with_its_line_or_by_itself(others: list[Verdict], line: Line) -> None:
    assert line_of(STARVES, *others) is line
    assert line_of(replace(STARVES, kbps=nan), *others) is line or CREPT in others


@each(
    ("others", "line"),
    [
        ([STARVES, STARVES, RESET], Line.BAD),
        ([(CAME, LOSES), (CAME, LOSES), CAME], Line.BAD),
        ([STARVES], Line.WELL),  # one site may be slowed down while another is cut
        ([STARVES, STARVES, CAME, CAME], Line.WELL),
        ([TIMES_OUT, TIMES_OUT, TIMES_OUT], Line.WELL),  # several sites are cut in this way at once
        ([], Line.WELL),
    ],
)
def test_a_timeout_is_the_lines_only_where_the_line_shows_it(others: list[Verdict], line: Line) -> None:
    assert line_of(TIMES_OUT, *others) is line


def test_what_a_bad_line_cannot_show_is_not_asked_about() -> None:
    assert line_of(RESET, STARVES, STARVES) is None
    assert line_of(CAME, STARVES, STARVES) is None


def test_only_the_same_sender_on_the_same_network_in_the_same_minutes_is_heard() -> None:
    accounts = [
        account("asked", "x", sender_of("asked", "p", "PK", 17557), 1000.0, [STARVES]),
        account("other", "bbc", sender_of("other", "q", "PK", 17557), 1000.0, [CAME]),
        account("moved", "bbc", sender_of("moved", "p", "PK", 45669), 1000.0, [CAME]),
        account("early", "bbc", sender_of("early", "p", "PK", 17557), 1000.0 - MINUTES - 1, [CAME]),
        account("late", "bbc", sender_of("late", "p", "PK", 17557), 1000.0 + MINUTES, [CAME]),
        account("same", "x", sender_of("same", "p", "PK", 17557), 1000.0, [CAME]),
    ]
    assert lines(accounts) == {("asked", "x"): Line.UNKNOWN}
    near = replace(accounts[3], at=1000.0 - MINUTES)
    assert lines([*accounts, near]) == {("asked", "x"): Line.WELL}


def test_of_each_other_site_the_measurement_nearest_in_time_counts() -> None:
    sender = sender_of("asked", "p", "PK", 17557)
    before = [account(f"b{n}", f"site{n}", sender, 700.0 + n, [CAME]) for n in range(5)]
    now = [account(f"n{n}", f"site{n}", sender, 1000.0 + n, [STARVES]) for n in range(5)]
    asked = account("asked", "x", sender, 1000.0, [STARVES])
    assert lines([*before, *now, asked])["asked", "x"] is Line.BAD
    assert lines([*now[::-1], asked, *before])["asked", "x"] is Line.BAD, "in any order"
    assert lines([*before, asked])["asked", "x"] is Line.WELL


def test_where_no_one_knows_who_sent_it_the_network_is_heard_for_less() -> None:
    assert line_of(STARVES, CAME, CAME, probe="") is Line.WELL
    known, unknown = (in_view_of(Line.WELL, STARVES, is_known) for is_known in (True, False))
    assert (known.state, known.symptom, known.controlled) == (State.THROTTLED, False, True)
    assert (unknown.state, unknown.symptom, unknown.controlled) == (State.THROTTLED, False, False)


@each(
    ("verdict_", "line", "expected"),
    [
        (STARVES, Line.BAD, (State.INSUFFICIENT, False, False)),
        (STARVES, Line.UNKNOWN, (State.INSUFFICIENT, True, False)),
        (FREEZES, Line.WELL, (State.THROTTLED, False, True)),
        (TIMES_OUT, Line.BAD, (State.INSUFFICIENT, True, False)),
        (TIMES_OUT, Line.WELL, (State.BLOCKED, False, True)),
        (RESET, Line.BAD, (State.BLOCKED, False, True)),
    ],
)
def test_a_verdict_is_weighed_in_view_of_its_line(
    verdict_: Verdict, line: Line, expected: tuple[State, bool, bool]
) -> None:
    seen = in_view_of(line, verdict_, is_known=True)
    assert (seen.state, seen.symptom, seen.controlled) == expected


def row(uid: str, target: str, said: Verdict, at: float) -> VerdictRow:
    return VerdictRow(
        uid, "PK", 17557, 0, "p", at, target, said.layer, said.state, said.symptom, said.controlled,
        mechanism=said.mechanism, kbps=said.kbps,
    )  # fmt: skip


def votes_on_x(*others: Verdict) -> dict[str, tuple[bool, bool]]:
    """Signal -> does the measurement vote yes, and with a control."""
    rows = [row("asked", "x", STARVES, 0.0), row("asked", "x", verdict(), 0.0)]
    rows += [row(f"m{n}", f"site{n}", other, 5.0 * n) for n, other in enumerate(others)]
    return {
        vote.key.signal: (vote.seen, vote.controlled)
        for vote in aggregate.votes(rows)
        if vote.key.target == "x"
    }


def test_a_starved_page_votes_as_its_line_says() -> None:
    assert votes_on_x(CAME, CAME)[THROTTLED] == (True, True)
    assert votes_on_x()[THROTTLED] == (True, False)
    bad = votes_on_x(STARVES, STARVES, STARVES)
    assert (bad[THROTTLED][0], bad[BLOCKED_PATH][0]) == (False, False), "it is the line, and no target's"
