"""What of a monitor's vitals is wrong: a table of monitors, each with what must be said of it."""

from dataclasses import replace

from fanous.model.vitals import Backlog, History
from fanous.pipeline.vitals import (
    CHECKS,
    DATA_LOST,
    PUT_BACK,
    UNREACHED,
    Disk,
    PullState,
    PullStates,
    Vitals,
    find_ailments,
    is_offline,
    unreached,
    why_unready,
)
from fanous.store.coverage import Arrivals, Clocks, Soundness
from tests.documents import ROOT, rows, section, text_of
from tests.each import each

NOW = 1_702_814_400.0
HOUR = 3600
WELL = Vitals(NOW, NOW)


def delivered(*hours_ago: int) -> Vitals:
    """One source that delivered in these hours."""
    bins = tuple(sorted(int(NOW) - hour * HOUR for hour in hours_ago))
    return replace(WELL, arrivals=(Arrivals("ooni", bins, float(bins[-1]), len(bins)),))


def sent(**versions: tuple[int, int]) -> Vitals:
    """Version -> measurements, and how many of them cannot be used."""
    return replace(WELL, soundness=tuple(Soundness(n, made, bad, 3) for n, (made, bad) in versions.items()))


def disk(free: float, size: float) -> Vitals:
    return replace(WELL, disks=(Disk("/var", int(free * 2**30), int(size * 2**30)),))


def waiting(seconds: float | None) -> Vitals:
    return replace(WELL, backlogs=(Backlog("/inbox", 3, 100, None if seconds is None else NOW - seconds, 0),))


def filled(waiting: int, apart: int) -> Vitals:
    """Bytes of what waits and of what is set aside, of a hundred each."""
    queue = Backlog("/inbox", 0, waiting, None, 0, most=100, apart_bytes=apart, apart_most=100)
    return replace(WELL, backlogs=(queue,))


@each(
    ("vitals", "kinds"),
    [
        (WELL, []),
        (filled(99, 74), []),
        (filled(100, 0), ["inbox_full"]),
        (filled(0, 75), ["apart_full"]),
        (replace(WELL, backlogs=(Backlog("/inbox", 0, 10**12, None, 0),)), []),  # without a known limit
        (delivered(*range(1, 60)), []),
        (delivered(*range(3, 60)), []),  # three hours are the least that can be told
        (delivered(*range(5, 60)), ["source_silent"]),
        (delivered(*range(30, 40)), []),  # ten hours are no habit yet
        (delivered(*range(13, 200, 12), *range(205, 400, 12)), []),  # twice a day is what it is used to
        (delivered(*range(40, 400, 12)), ["source_silent"]),
        (delivered(*range(5, 20), *range(100, 120)), ["source_silent"]),  # one long silence is no habit
        (sent(old=(100, 2), new=(40, 30)), ["software_failing"]),
        (sent(old=(100, 90), new=(40, 30)), []),  # all fail alike: not the version
        (sent(old=(100, 2), new=(19, 19)), []),  # too few to tell
        (sent(new=(100, 100)), []),  # nothing to hold it against
        (replace(WELL, clocks=Clocks(100, 6, 1, 20)), ["clocks_ahead"]),
        (replace(WELL, clocks=Clocks(100, 5, 1, 20)), []),
        (replace(WELL, clocks=Clocks(10, 10, 1, 1)), []),
        (disk(2, 10), []),
        (disk(0.9, 10), ["disk_low"]),
        (disk(4, 100), ["disk_low"]),  # a twentieth
        (disk(30, 8000), []),  # of a large disk less does
        (waiting(None), []),
        (waiting(599), []),
        (waiting(601), ["queue_old"]),
        (replace(WELL, undetected={"PK": NOW - 899}), []),
        (replace(WELL, undetected={"PK": NOW - 901, "IR": NOW}), ["detection_late"]),
        (replace(WELL, at=NOW + HOUR, undetected={"PK": NOW - 899}), []),  # by the machine's clock
        (replace(WELL, damaged={"x": "its digest differs"}), ["segment_damaged"]),
        (replace(WELL, set_aside=("verdicts/broken_all_1_1_0",)), ["facts_damaged"]),
        (replace(WELL, history=History(2, "2026-12-01T00:00:00Z", "ab")), []),
        (replace(WELL, history=History(2, "2026-12-01T00:00:00Z", "ab", ("x", "y"))), ["history_changed"]),
    ],
)
def test_what_is_wrong_is_said_and_nothing_else(vitals: Vitals, kinds: list[str]) -> None:
    found = find_ailments(vitals)
    assert [one.kind for one in found] == kinds
    assert all(one.says and one.mend for one in found)


def test_only_where_measurements_are_refused_is_a_collector_not_ready() -> None:
    assert "full" in why_unready(find_ailments(filled(100, 0)))
    assert "free" in why_unready(find_ailments(disk(0.9, 10)))
    assert why_unready(find_ailments(filled(0, 100))) == why_unready(find_ailments(waiting(601))) == ""


def test_where_most_probes_are_ahead_it_is_our_own_clock() -> None:
    (ours,) = find_ailments(replace(WELL, clocks=Clocks(100, 90, 19, 20)))
    (theirs,) = find_ailments(replace(WELL, clocks=Clocks(100, 10, 1, 20)))
    assert "this machine's clock is behind" in ours.says
    assert "the probes' clocks are ahead" in theirs.says


def test_the_runbook_has_every_kind_with_the_words_that_the_program_says() -> None:
    wrong = replace(
        WELL,
        arrivals=delivered(*range(5, 60)).arrivals,
        soundness=sent(old=(100, 2), new=(40, 30)).soundness,
        clocks=Clocks(100, 6, 1, 20),
        disks=disk(0.9, 10).disks,
        backlogs=(*waiting(601).backlogs, *filled(100, 100).backlogs),
        undetected={"PK": NOW - 901},
        damaged={"x": "its digest differs"},
        set_aside=("verdicts/broken_all_1_1_0",),
        history=History(2, "2026-12-01T00:00:00Z", "ab", ("x",)),
    )
    said = {one.kind: one.mend for one in find_ailments(wrong)}
    assert len(said) == len(CHECKS)
    said |= {one.kind: one.mend for one in unreached(asked(("ioda PK", "xx"), ("tor PK", ".")))}
    said[DATA_LOST] = PUT_BACK
    operate = text_of(ROOT / "docs" / "operate.md")
    runbook = section(operate, "### Runbook")
    assert [line.strip("#` ") for line in runbook if line.startswith("#### ")] == [*said, "configuration"]
    of_doctor = {"configuration": "correct this: `fanous run` will not start until then"}
    for kind, mend in (said | of_doctor).items():
        entry = section(operate, f"#### `{kind}`")
        assert f"> {mend}" in entry
        assert {"- **Look**", "- **Do**"} <= {line.partition(":")[0] for line in entry}
    listed = rows(section(operate, "## The monitor's own health"))
    assert {cells[0].strip("`") for cells in listed} >= set(said)


def asked(*errands: tuple[str, str]) -> list[PullState]:
    """Sources with what came of each attempt, two minutes apart: ``x`` = it failed."""
    found = PullStates([])
    for errand, attempts in errands:
        source, country = errand.split()
        for n, what in enumerate(attempts):
            found.note(source, country, NOW + 120 * n, "no route" if what == "x" else "")
    return found.all()


@each(
    ("pulls", "about"),
    [
        (asked(), []),
        (asked(("ioda PK", "...")), []),
        (asked(("ioda PK", "..x")), []),  # it may be better in two minutes
        (asked(("ioda PK", ".xx")), ["ioda PK"]),
        (asked(("ioda PK", "xxx."), ("tor PK", ".")), []),
        (asked(("ioda PK", "xx"), ("ioda KE", "xx"), ("tor PK", ".")), ["ioda PK", "ioda KE"]),
        (asked(("ioda PK", "xx"), ("tor PK", "x")), [""]),
        (asked(("ioda PK", "x"), ("tor PK", "x")), []),
    ],
)
def test_sources_that_cannot_be_reached(pulls: list[PullState], about: list[str]) -> None:
    found = unreached(pulls)
    assert [one.about for one in found] == about
    assert all(one.kind == UNREACHED and one.mend for one in found)


@each(
    ("pulls", "offline"),
    [
        (asked(), False),
        (asked(("ioda PK", "x")), False),  # one alone may be down itself
        (asked(("ioda PK", "x"), ("tor PK", "x")), True),
        (asked(("ioda PK", "x"), ("tor PK", ".x")), False),  # it was here when this monitor started
    ],
)
def test_a_machine_without_internet(pulls: list[PullState], offline: bool) -> None:
    assert is_offline(pulls) is offline
