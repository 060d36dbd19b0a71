"""Which anomalies are one event."""

from dataclasses import replace

from fanous.analysis.detectors.finding import Finding
from fanous.analysis.incidents.assemble import events, of_measurements
from fanous.model.incident import Kind
from fanous.model.place import Place
from fanous.model.series import Anomaly, SeriesKey
from tests.each import each

HOUR = 3600.0
DAY = 24 * HOUR


def finding(start: float, end: float, *, asn: int = 1, target: str = "x", begins: bool = True) -> Finding:
    """A raised stretch; hours since some Monday."""
    return Finding(
        Anomaly(
            key=SeriesKey(Place("XA", asn), target, "blocked_path"),
            start=start * HOUR,
            start_earliest=(start - 1) * HOUR if begins else None,
            start_latest=start * HOUR,
            end=end * HOUR,
            raised_at=(start + 1) * HOUR,
            last_seen=end * HOUR,
            probability=0.999,
            bins=10,
            probes=10,
            controlled=10,
        ),
        Kind.BLOCKING,
    )


@each(
    ("what", "findings", "count"),
    [
        ("two sessions of a day", [finding(8, 12), finding(14, 18)], 1),
        ("Friday noon and Tuesday morning", [finding(96, 108), finding(200, 204)], 1),
        ("two weeks apart", [finding(0, 4), finding(336, 340)], 2),
        ("a second network within a day", [finding(0, 4), finding(20, 24, asn=2)], 1),
        ("another network two days later", [finding(0, 4), finding(60, 64, asn=2)], 2),
        ("two targets that begin together", [finding(0, 4), finding(1, 4, target="youtube")], 1),
        ("a network cut off and a platform blocked", [finding(0, 4), finding(1, 4, target="")], 2),
        ("two targets a day apart", [finding(0, 48), finding(24, 48, target="youtube")], 2),
        (
            "two targets that were so from the first day",
            [finding(0, 400, begins=False), finding(0, 400, target="youtube", begins=False)],
            2,
        ),
        ("one network joins two others", [finding(0, 1), finding(30, 31, asn=2), finding(60, 61, asn=3)], 1),
    ],
)
def test_what_is_one_event(what: str, findings: list[Finding], count: int) -> None:
    assert len(events(findings, of_measurements)) == count, what


def test_the_order_of_the_findings_does_not_matter() -> None:
    findings = [finding(0, 4), finding(20, 24, asn=2), finding(336, 340)]
    assert (
        [len(g) for g in events(findings, of_measurements)]
        == [len(g) for g in events(findings[::-1], of_measurements)]
        == [2, 1]
    )


def test_an_event_that_goes_on_unmeasured_reaches_to_where_it_was_last_seen() -> None:
    open_ended = finding(0, 4)
    open_ended = Finding(replace(open_ended.anomaly, end=None), Kind.BLOCKING)
    assert len(events([open_ended, finding(90, 91)], of_measurements)) == 1
    assert len(events([open_ended, finding(110, 111)], of_measurements)) == 2
