"""The truth table: its cases, its results, its page."""

from math import inf
from pathlib import Path
from typing import Any

import pytest

from fanous.analysis.detectors.interference import SLOWDOWN_DETECTOR_VERSION as SLOWDOWNS
from fanous.analysis.rules import RULES_VERSION
from fanous.analysis.series.slowness import LEAST_BINS
from fanous.errors import FanousError
from fanous.model.incident import Kind
from fanous_lab.censors import TECHNIQUES
from fanous_lab.evaluation.rehearsal.cases import (
    OF_LINES,
    PLACEMENTS,
    QUIET,
    SEEDED,
    Case,
    TechniqueResult,
    append,
    cases,
    known,
    results_of,
)
from fanous_lab.evaluation.rehearsal.run import Rehearsal
from fanous_lab.evaluation.rehearsal.score import LabClock, score
from fanous_lab.evaluation.rehearsal.table import page, quantile, run_cases, share
from fanous_lab.evaluation.rehearsal.vantage_point import Kept
from tests.evaluation.rehearsal.claims import sighting

CLOCK = LabClock(0.0, 0.0, 300.0)


def test_where_lines_are_slow_a_probe_knows_its_ordinary_rate_before_and_ends_its_rounds_in_time() -> None:
    for case in cases(1):
        scenario, slow = case.scenario, bool(OF_LINES & set(dict(case.tried)))
        waits = bool({"residual", "allow_list"} & set(dict(case.tried)))
        unhurried = slow or waits or case.placement == "cadence"
        assert case.placement == QUIET or (scenario.tick > 2.0) == unhurried
        if slow:
            (event,) = scenario.events
            rounds = event.at / scenario.tick
            assert rounds / scenario.transfer_every > LEAST_BINS
            assert scenario.duration > event.until > event.at + LEAST_BINS * scenario.tick


def test_every_technique_is_tried_in_every_placement_that_it_has() -> None:
    tried = {(t, case.placement) for case in cases(1) for t, _ in case.tried}
    for technique in TECHNIQUES.values():
        where = {placement for name, placement in tried if name == technique.name}
        if technique.name == "none":
            assert where == set()
        elif not technique.is_interference:
            assert where == {QUIET} or f"quiet-{technique.name.replace('_', '-')}" in {n for n, _ in tried}
        elif not technique.name.startswith("outage_"):
            assert where - {"cadence"} == set(SEEDED)
        else:
            assert len(where) == 1


def test_each_seed_has_the_same_cases_under_its_own_names() -> None:
    names = [name for case in cases(3) for name in case.names if case.placement != "cadence"]
    first = [name for case in cases(1) for name in case.names if case.placement != "cadence"]
    assert len(names) == len(set(names)) == 3 * len(first)


def test_all_that_is_blocked_or_throttled_is_played_once_more_at_half_the_compression() -> None:
    played = [case for case in cases(3) if case.placement == "cadence"]
    tried = [technique for case in played for technique, _ in case.tried]
    kinds = {name: technique.truth.kinds[:1] for name, technique in TECHNIQUES.items()}
    wanted = {name for name, kind in kinds.items() if kind in [(Kind.BLOCKING,), (Kind.THROTTLING,)]}
    assert sorted(tried) == sorted(wanted - {"residual"})  # which has a slow pace of its own
    for case in played:
        assert case.scenario.stretch == 150.0
        assert {asn for event in case.scenario.events for asn in event.networks} == set(PLACEMENTS["nation"])


def test_no_two_techniques_of_a_run_share_a_target() -> None:
    for case in cases(2):
        targets = [target for _, target in case.tried if target]
        assert len(targets) == len(set(targets))
        assert set(targets) <= set(case.scenario.targets)


def result_with(**said: object) -> TechniqueResult:
    case = next(c for c in cases(1) if "sni_reset nation 1" in c.names)
    target = dict(case.tried)["sni_reset"]
    networks = [f"AS{asn}" for asn in PLACEMENTS["nation"]]
    seen = sighting(**{"at": 29.0, "targets": [target], "entities": ["PK", *networks]} | said)  # type: ignore[arg-type]
    rehearsal = Rehearsal(case.scenario, CLOCK, [seen])
    found = results_of(case, rehearsal, score(case.scenario, [seen]))
    return next(one for one in found if one.technique == "sni_reset")


def test_a_result_says_how_soon_and_how_right() -> None:
    result = result_with()
    assert (result.found, result.label, result.confirmed, result.nation) == (True, "exact", 9.0, 9.0)
    assert (result.minutes, result.scope_right, result.extra_networks) == (45.0, True, [])


@pytest.mark.parametrize(
    ("said", "label"),
    [
        ({"mechanisms": ["tls"]}, "coarser"),
        ({"mechanisms": ["tls.timeout"]}, "wrong"),
        ({"mechanisms": []}, "none"),
    ],
)
def test_a_result_is_labelled_by_its_own_part(said: dict[str, object], label: str) -> None:
    assert result_with(**said).label == label


def test_what_was_not_found_is_a_result_too() -> None:
    result = result_with(targets=["facebook"])
    assert (result.found, result.label, result.confirmed, result.false_confirmed) == (False, "none", None, 1)


def test_results_are_appended_and_read_again(tmp_path: Path) -> None:
    path = tmp_path / "table.jsonl"
    assert known(path) == []
    append(path, [result_with()])
    append(path, [result_with(mechanisms=["tls"])])
    assert [one.label for one in known(path)] == ["exact", "coarser"]


def test_an_outage_names_no_target_and_is_found_nevertheless() -> None:
    case = next(c for c in cases(1) if "outage_national nation 1" in c.names)
    networks = [f"AS{asn}" for asn in PLACEMENTS["nation"]]
    said = {"kind": "outage", "targets": [""], "mechanisms": ["outage.national"], "entities": networks}
    seen = sighting(at=41.0, **said)
    rehearsal = Rehearsal(case.scenario, CLOCK, [seen])
    (result,) = results_of(case, rehearsal, score(case.scenario, [seen]))
    assert (result.found, result.label, result.confirmed, result.false_confirmed) == (True, "exact", 21.0, 0)


def test_a_run_that_breaks_is_told_and_the_table_goes_on(tmp_path: Path) -> None:
    wanted = list(cases(1))[:3]

    def play(case: Case) -> list[TechniqueResult]:
        if case is wanted[1]:
            raise FanousError("nginx ended")
        return [
            TechniqueResult(technique=technique, placement=case.placement, seed=case.seed)
            for technique, _ in case.tried
        ]

    path = tmp_path / "table.jsonl"
    came = [(case.names, len(found), why) for case, found, why in run_cases(wanted, path, inf, play)]
    assert came == [
        (case.names, 0 if n == 1 else len(case.tried), "nginx ended" if n == 1 else "")
        for n, case in enumerate(wanted)
    ]
    again = [case.names for case, _, _ in run_cases(wanted, path, inf, play)]
    assert again == [wanted[1].names]


def test_a_table_whose_every_run_breaks_ends(tmp_path: Path) -> None:
    def play(case: Case) -> list[TechniqueResult]:
        raise FanousError(f"{case.names} cannot be")

    with pytest.raises(FanousError, match=r"5 runs in a row failed, the last one with: .* cannot be"):
        list(run_cases(cases(1), tmp_path / "table.jsonl", inf, play))


def test_what_older_rules_gave_is_played_again(tmp_path: Path) -> None:
    wanted, path = list(cases(1))[:1], tmp_path / "table.jsonl"
    older = [
        TechniqueResult(technique=technique, placement=wanted[0].placement, seed=1, rules="2023.01")
        for technique, _ in wanted[0].tried
    ]
    append(path, older)
    played = [case.names for case, _, _ in run_cases(wanted, path, inf, lambda _case: [])]
    assert played == [wanted[0].names]


def test_the_page_shows_and_labels_results_of_older_rules_until_most_were_replayed() -> None:
    names = ["sni_reset", "sni_drop", "dns_nxdomain"]
    older = [TechniqueResult(technique=t, placement="nation", seed=1, rules="2023.01") for t in names]
    anew = [TechniqueResult(technique=t, placement="nation", seed=2) for t in names]
    for newer in ([], anew[:1]):
        text = page([*older, *newer])
        assert "Played with rules `2023.01`" in text and "not those of this program" in text
        assert f"{len(newer)} results were played so far" in text
        assert all(f"| `{t}` | nation | 1 |" in text for t in names)
    text = page([*older, *anew[:2]])
    assert "2023.01" not in text and f"holds for rules `{RULES_VERSION}`" in text
    assert f"no records remain: `{names[2]}` nation." in text and f"| `{names[2]}` |" not in text


def test_a_label_is_by_what_is_held_true_today() -> None:
    then = TechniqueResult(
        technique="residual",
        placement="nation",
        seed=1,
        found=True,
        label="coarser",
        mechanisms=["tcp.timeout"],
    )
    assert "wrong mechanism | 1 of 1 " in page([then])


def test_what_is_left_out_is_named() -> None:
    late = TechniqueResult(technique="allow_list", placement="nation", seed=1, rounds_missed=0.13)
    assert "Left out: 2 results (2 of `allow_list` nation), because more than 10 %" in page([late, late])
    assert "| `allow_list` |" not in page([late, late])


def test_a_machine_that_leaves_no_time_for_time_outs_makes_no_result() -> None:
    """Its measurements end before QUIC is tried.  Only lines count on which nothing is done and nothing is broken."""
    case = next(c for c in cases(1) if "quic_drop_target isp 1" in c.names)
    kept = {
        "cut": Kept(sites=40, hurried=40),
        "broken": Kept(sites=40, hurried=40, fault="broken"),
        "slow": Kept(sites=40, hurried=40),
        "quick": Kept(sites=40, hurried=0),
    }
    for hit, hurried, has_time in (("cut", 0.5, True), ("", 0.667, False)):
        rehearsal = Rehearsal(case.scenario, CLOCK, [], hit=[(hit,)], kept=kept)
        results = results_of(case, rehearsal, score(case.scenario, []))
        assert {(one.hurried, one.kept_up) for one in results} == {(hurried, has_time)}
    assert "or because more than 50 % of the measurements on untouched lines" in page(results)


def test_of_two_results_of_one_run_the_later_counts() -> None:
    text = page([result_with(mechanisms=["tls.timeout"]), result_with()])
    assert "right mechanism, or a coarser and true one | 1 of 1 " in text


def test_what_slow_lines_gave_under_other_slow_down_detectors_says_nothing() -> None:
    def told(technique: str, placement: str, slowdowns: str) -> bool:
        result = TechniqueResult(
            technique=technique, placement=placement, seed=1, slowdown_detectors=slowdowns
        )
        return result.is_of_today

    assert told("sni_reset", "nation", "") and told("sni_reset", "nation", SLOWDOWNS)
    for technique, placement in (("slowdown_general", "nation"), ("rush_hour", QUIET), ("quiet", QUIET)):
        assert told(technique, placement, SLOWDOWNS) and not told(technique, placement, "")


def test_older_results_count_while_their_records_show_the_same() -> None:
    def result(technique: str, **told: Any) -> TechniqueResult:
        own: dict[str, Any] = {
            "technique": technique,
            "placement": "nation",
            "seed": 1,
            "rules": "2023.01",
            "detectors": "2023.02",
        }
        return TechniqueResult(**own | told)

    older = [result("sni_reset"), result("sni_reset", placement="cadence"), result("sni_freeze")]
    anew = TechniqueResult(technique="sni_drop", placement="nation", seed=1)
    text = page([*older, anew], {("sni_reset", "nation")})
    assert f"holds for rules `{RULES_VERSION}`" in text
    assert (
        "older ones: 2 with rules `2023.01` and detectors `2023.02`; from the records of such a run" in text
    )
    assert "no records remain: `sni_freeze` nation." in text and "| `sni_freeze` | nation |" not in text
    assert all(
        f"| `sni_{name} | 1 |" in text for name in ("reset` | nation", "reset` | cadence", "drop` | nation")
    )


def test_the_page_counts_what_there_is() -> None:
    quiet = TechniqueResult(
        technique="quiet", placement=QUIET, seed=1, false_suspected=1, slowdown_detectors=SLOWDOWNS
    )
    other = result_with(mechanisms=["tls.timeout"])
    other.seed = 2
    text = page([result_with(), other, quiet])
    assert "right mechanism, or a coarser and true one | 1 of 2 " in text
    assert (
        "| `sni_reset` | nation | 2 | 2 | 2 | 1 | 1 | `tls.reset.sni`, `tls.timeout` | nation | 9.0 | 9.0 |"
        in text
    )
    assert "| `quiet` | 1 | 1 | 0 | - |" in text
    assert page([]).startswith("# Truth table")


def test_intervals_are_wilsons() -> None:
    assert share(19, 20) == "19 of 20 (76-99 %)"
    assert share(0, 0) == "-"
    assert quantile([None, 3.0, 1.0, 2.0], 0.5) == 2.0


def test_outages_do_not_stand_among_the_seconds_of_blocking() -> None:
    outage = TechniqueResult(technique="outage_national", placement="nation", seed=1, nation=30.0)
    text = page([TechniqueResult(technique="sni_reset", placement="nation", seed=1, nation=9.0), outage])
    assert "nation-wide blocking, median and p95 | 9.0 and 9.0 (n = 1)" in text
    assert "nation-wide outages, median and p95 | 30.0 and 30.0 (n = 1)" in text


def test_throttling_is_separate_and_counts_from_the_confirmation_of_its_own_target() -> None:
    """``nation`` is the incident's, in which the other technique of the run may have been first."""
    quick = TechniqueResult(
        technique="sni_reset", placement="nation", seed=1, nation=9.0, confirmed=9.0, minutes=45.0
    )
    slow = TechniqueResult(
        technique="sni_loss", placement="nation", seed=1, nation=9.0, confirmed=17.0, minutes=85.0
    )
    text = page([quick, slow])
    assert "nation-wide blocking, median and p95 | 9.0 and 9.0 (n = 1)" in text
    assert "nation-wide throttling by name, median and p95 | 17.0 and 17.0 (n = 1)" in text
    assert "minutes of the monitor's clock for nation-wide blocking | 45.0 and 45.0 (n = 1)" in text
    assert "minutes of the monitor's clock for nation-wide throttling | 85.0 and 85.0 (n = 1)" in text


def test_a_slower_clock_counts_in_its_own_minutes_and_not_among_the_seconds() -> None:
    fast = TechniqueResult(
        technique="sni_reset", placement="nation", seed=1, nation=9.0, confirmed=9.0, minutes=45.0
    )
    slow = TechniqueResult(
        technique="residual", placement="nation", seed=1, nation=24.0, confirmed=24.0, minutes=40.0
    )
    half = TechniqueResult(
        technique="sni_drop", placement="cadence", seed=1, nation=16.0, confirmed=16.0, minutes=40.0
    )
    text = page([fast, slow, half])
    assert "nation-wide blocking, median and p95 | 9.0 and 9.0 (n = 1)" in text
    assert "minutes of the monitor's clock for nation-wide blocking | 42.5 and 45.0 (n = 2)" in text
    assert "the same at half the compression (*cadence*) | 40.0 and 40.0 (n = 1)" in text
