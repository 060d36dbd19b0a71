"""What two families that agree on an outage may show instead of one: each row by itself, and all of them together."""

import random
from collections.abc import Sequence
from dataclasses import replace

import pytest

from fanous.analysis.explanations.explanation import Weighing
from fanous.analysis.explanations.fall import Agreement, SeriesEvent
from fanous.analysis.explanations.table import OF_AGREEMENT, OF_SERIES_EVENT
from fanous.analysis.incidents import families
from fanous.analysis.incidents.outage import SURE
from fanous.analysis.series.parts import Parts
from fanous.model.explanation import Standing
from fanous.model.series import Anomaly, Series
from tests.analysis.incidents.events import HOUR, MONDAY
from tests.analysis.incidents.levels import claim, drop, line
from tests.each import each

BGP, AP, GTR = "prefixes_v4", "ping-slash24", "gtr"


def weighed(
    code: str, *shown: Anomaly, beside: Sequence[Anomaly] = (), series: Sequence[Series] = ()
) -> Weighing:
    """How a row stands for two that agree."""
    (row,) = (row for row in OF_AGREEMENT if row.code == code)
    event = SeriesEvent("XA", [*shown, *beside], series, Parts(series))
    return row.weigh(Agreement(event, shown, MONDAY))


def passed_on(one: Anomaly) -> Anomaly:
    """As IODA passes it on."""
    return replace(one, key=replace(one.key, source="ioda"))


def small(end: float | None = None, **more: float | int) -> list[Anomaly]:
    return [drop(signal, 0, end, left=0.9, last_seen=5, **more) for signal in (BGP, AP)]  # type: ignore[arg-type]


def gone(asn: int, end: float | None = None) -> list[Anomaly]:
    return [drop(signal, 0, end, left=0.0, asn=asn, last_seen=5) for signal in (BGP, AP)]


@each(
    ("shown", "standing", "because"),
    [
        (small(), Standing.HOLDS, "lacks.return"),
        (small(5), Standing.EXCLUDED, "came_back"),
        ([drop(BGP, 0, None, left=0.9, last_seen=5), drop(AP, 0, 5)], Standing.EXCLUDED, "large_loss"),
        ([small()[1], drop(GTR, 0, 5, left=0.9)], Standing.EXCLUDED, "other_families"),
        (gone(1), Standing.EXCLUDED, "part_of_country"),
    ],
)
def test_a_small_step_in_routes_and_answers_may_be_addresses_that_were_given_up(
    shown: list[Anomaly], standing: Standing, because: str
) -> None:
    answer = weighed("addresses.given_up", *shown)
    assert (answer.standing, answer.because.code) == (standing, because)


@each(
    ("shown", "beside", "standing", "because"),
    [
        (gone(1), [], Standing.HOLDS, "lacks.handover"),
        (gone(1), gone(2), Standing.HOLDS, "lacks.handover"),
        (gone(1), [*gone(2), *gone(3)], Standing.EXCLUDED, "fell_together"),
        (gone(1, 5), [], Standing.EXCLUDED, "came_back"),
        (small(), [], Standing.EXCLUDED, "not_one_network"),
        ([*gone(1)[:1], drop(AP, 0, 5)], [], Standing.EXCLUDED, "not_one_network"),
    ],
)
def test_one_network_that_fell_alone_may_have_been_taken_over(
    shown: list[Anomaly], beside: list[Anomaly], standing: Standing, because: str
) -> None:
    answer = weighed("network.taken_over", *shown, beside=beside)
    assert (answer.standing, answer.because.code) == (standing, because)


def test_a_table_that_an_operator_imported_is_not_said_to_be_a_publishers() -> None:
    """Who names it ``bgp`` may have any table of routes."""
    routes, answers = (
        replace(one, key=replace(one.key, source="csv")) for one in (drop("bgp", 0, 6), drop(AP, 0, 6))
    )
    assert weighed("publisher.at_fault", routes, answers).because.params["deliverers"] == ("csv",)
    both = weighed("publisher.at_fault", routes, passed_on(drop(AP, 0, 6)))
    assert both.because.params["deliverers"] == ("csv", "ioda")


@each(
    ("shown", "standing", "because"),
    [
        ([drop("bgp", 0, 6), drop(AP, 0, 6)], Standing.HOLDS, "basis.one_publisher"),  # both are IODA's
        ([drop(BGP, 0, 6), drop(AP, 0, 6)], Standing.EXCLUDED, "several_deliverers"),
        ([drop("bgp", 0, 6, asn=1), drop(AP, 0, 6)], Standing.HOLDS, "basis.one_publisher"),
        ([passed_on(drop(GTR, 0, 6)), drop(AP, 0, 6)], Standing.HOLDS, "basis.one_publisher"),
        ([drop(GTR, 0, 6), drop(AP, 0, 6)], Standing.EXCLUDED, "several_deliverers"),  # Google's own
    ],
)
def test_one_deliverer_may_be_at_fault_however_many_of_its_series_agree(
    shown: list[Anomaly], standing: Standing, because: str
) -> None:
    answer = weighed("publisher.at_fault", *shown)
    assert (answer.standing, answer.because.code) == (standing, because)


@each(
    ("signals", "standing", "because", "shared"),
    [
        ((BGP, "tor_relay"), Standing.HOLDS, "shares.methods", ("geolocation:registries",)),
        (
            ("bgp", "merit-nt"),
            Standing.HOLDS,
            "shares.methods",
            ("geolocation:IODA",),
        ),  # IODA locates Merit's packets
        ((BGP, AP), Standing.EXCLUDED, "share_nothing", None),
        ((BGP, "responders"), Standing.UNTESTED, "methods_unknown", None),  # of any table
        ((BGP, "prefixes_v6"), Standing.EXCLUDED, "one_family", None),
    ],
)
def test_two_deliverers_may_share_how_they_collect_or_locate(
    signals: Sequence[str], standing: Standing, because: str, shared: tuple[str, ...] | None
) -> None:
    answer = weighed("publisher.shared", *(drop(signal, 0, 6) for signal in signals))
    assert (answer.standing, answer.because.code) == (standing, because)
    assert answer.because.params.get("shared") == shared


def test_what_two_families_share_is_said_and_caps_their_confidence_but_not_that_of_others() -> None:
    alone = claim(drop(BGP, 0, 6), drop("tor_relay", 0, 6))
    assert alone is not None and alone.rule == "C3" and alone.confidence == SURE
    assert [reason.code for reason in alone.reasons][:2] == ["rule.c3", "shares.methods"]
    joined = claim(drop(BGP, 0, 6), drop("tor_relay", 0, 6), drop(AP, 0, 6, raised=2))
    assert joined is not None and joined.confirmed_at == alone.confirmed_at
    assert joined.confidence > SURE
    assert "shares.methods" not in [reason.code for reason in joined.reasons]


def test_what_one_deliverers_families_share_is_no_second_remark() -> None:
    incident = claim(drop("bgp", 0, 6), drop(AP, 0, 6))
    assert incident is not None and incident.confirmed_at is None
    assert [reason.code for reason in incident.reasons] == ["basis.one_publisher"]
    assert {row.code for row in incident.explanations if row.standing is Standing.HOLDS} == {
        "publisher.at_fault",
        "publisher.shared",
    }


def test_what_excludes_a_row_later_confirms_only_from_then_on() -> None:
    back = weighed("addresses.given_up", *small(5)).since
    assert back == MONDAY + 5 * HOUR + 600
    incident = claim(*small(5))
    assert incident is not None and incident.confirmed_at == back


def test_the_order_of_the_rows_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    groups = [small(), small(5), gone(1), [drop(BGP, 0, None, last_seen=2), drop(AP, 0, None, last_seen=2)]]
    as_listed = [claim(*group, series=[line(GTR, last=0)]) for group in groups]
    rows = list(OF_AGREEMENT)
    for seed in range(5):
        random.Random(seed).shuffle(rows)
        monkeypatch.setattr(families, "OF_AGREEMENT", tuple(rows))
        assert [claim(*group, series=[line(GTR, last=0)]) for group in groups] == as_listed


@each("group", [small(), gone(1), [drop(AP, 0, 6, left=0.5)], [drop(BGP, 0, 6), drop(GTR, 0, 6)]])
def test_every_row_is_weighed_whether_or_not_two_families_agree(group: list[Anomaly]) -> None:
    incident = claim(*group)
    assert incident is not None
    assert {one.code for one in incident.explanations} == {
        row.code for row in (*OF_SERIES_EVENT, *OF_AGREEMENT)
    }


@each(
    ("shown", "standing", "because"),
    [
        (small(), Standing.UNTESTED, "lists_unknown"),
        (gone(0), Standing.UNTESTED, "lists_unknown"),
        (small(5), Standing.EXCLUDED, "came_back"),
        ([small()[1], drop(GTR, 0, None, left=0.9, last_seen=5)], Standing.EXCLUDED, "other_families"),
        (gone(1), Standing.EXCLUDED, "part_of_country"),
    ],
)
def test_lists_of_addresses_may_be_behind_two_families_that_rest_on_them(
    shown: list[Anomaly], standing: Standing, because: str
) -> None:
    answer = weighed("addresses.relisted", *shown)
    assert (answer.standing, answer.because.code) == (standing, because)


@each(
    ("shown", "standing"),
    [
        ([drop(AP, 0, 5)], Standing.EXCLUDED),
        ([drop(AP, 0, 5, short=True)], Standing.UNTESTED),
        ([drop(AP, 0, 5), drop(AP, 0, 5, asn=1, short=True)], Standing.EXCLUDED),  # the country decides
        ([drop(AP, 0, 5, asn=1, short=True)], Standing.UNTESTED),
    ],
)
def test_a_fall_of_every_week_is_known_after_a_week(shown: list[Anomaly], standing: Standing) -> None:
    (row,) = (row for row in OF_SERIES_EVENT if row.code == "usage.weekly")
    assert row.weigh(SeriesEvent("XA", shown, (), Parts(()))).standing is standing
