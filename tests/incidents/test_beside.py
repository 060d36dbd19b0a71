"""What goes first, and what is hit beside: hints."""

from dataclasses import replace
from typing import Any

import pytest

from fanous.incidents.beside import beside
from fanous.model.incident import Incident, Kind, Part, Status
from tests.store.cases import NOON, incident

HOUR = 3600.0


def of(target: str, mechanism: str, hours: float, **given: Any) -> Incident:
    parts = (Part(target, Kind.BLOCKING, (mechanism,), ("AS1",)),)
    return replace(incident(), id=f"PK-{target}", parts=parts, onset=NOON + hours * HOUR, **given)


X = of("x", "tls.reset.sni", 0)


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (of("youtube", "quic.drop", -30), "PK-youtube began 30 hours before: youtube, quic.drop"),
        (of("dns.google", "encdns.doh", -72), "3 days before"),
        (of("play.google.com", "tls.reset.sni", -5), "5 hours before"),
        (of("tor", "tcp.timeout", -5, confirmed_at=None), "PK-tor (suspected)"),
        (of("tor", "tcp.timeout", -24 * 8), None),
        (of("tor", "tcp.timeout", 5), None),
        (of("tor", "tcp.timeout", -5, status=Status.RETRACTED), None),
        (of("facebook", "tls.reset.sni", -5), None),
    ],
)
def test_ways_around_that_were_cut_before_are_named(other: Incident, said: str | None) -> None:
    found = beside(X, [X, other], {"x": ["x.com"]})
    assert found == [] if said is None else len(found) == 1 and said in found[0]


def test_what_cuts_ways_around_alone_has_no_precursor() -> None:
    assert beside(of("tor", "tcp.timeout", 0), [of("youtube", "quic.drop", -5)], {}) == []


def test_a_name_that_holds_another_may_be_hit_without_being_meant() -> None:
    """Russia, March 2021: a filter for t.co hit microsoft.com."""
    (hint,) = beside(X, [], {"x": ["x.com", "t.co"], "microsoft": ["microsoft.com"]})
    assert hint.startswith("microsoft may have been hit without being meant: microsoft.com holds t.co")
    assert beside(X, [], {"x": ["t.co"], "mail": ["mail.t.co"]}) == []
    assert beside(X, [], {"x": ["x.com"], "other": ["y.com"]}) == []
