"""Hints: what was cut first, and what else was hit."""

from dataclasses import replace
from typing import Any

from fanous.analysis.collateral import beside
from fanous.model.incident import Incident, Kind, Part, Status
from fanous.model.reason import Reason
from fanous.wording.reasons import reasons_text
from tests.each import each
from tests.store.cases import NOON, incident

HOUR = 3600.0


def of(target: str, mechanism: str, hours: float, **given: Any) -> Incident:
    parts = (Part(target, Kind.BLOCKING, (mechanism,), ("AS1",)),)
    return replace(incident(), id=f"PK-{target}", parts=parts, onset=NOON + hours * HOUR, **given)


X = of("x", "tls.reset.sni", 0)


@each(
    ("other", "said"),
    [
        (
            of("youtube", "quic.drop", -30),
            "PK-youtube (Confirmed: dropped QUIC traffic) began 30 hours earlier.",
        ),
        (of("dns.google", "encdns.doh", -72), "began 3 days earlier."),
        (of("play.google.com", "tls.reset.sni", -5), "(Confirmed: play.google.com) began 5 hours earlier."),
        (of("tor", "tcp.timeout", -5, confirmed_at=None), "PK-tor (Suspected: Tor)"),
        (of("tor", "tcp.timeout", -24 * 8), None),
        (of("tor", "tcp.timeout", 5), None),
        (of("tor", "tcp.timeout", -5, status=Status.RETRACTED), None),
        (of("facebook", "tls.reset.sni", -5), None),
    ],
)
def test_ways_around_that_were_cut_before_are_named(other: Incident, said: str | None) -> None:
    found = beside(X, [X, other], {"x": ["x.com"]}, {})
    assert found == [] if said is None else len(found) == 1 and said in reasons_text(found)


def test_what_cuts_ways_around_alone_has_no_precursor() -> None:
    assert beside(of("tor", "tcp.timeout", 0), [of("youtube", "quic.drop", -5)], {}, {}) == []


def test_a_name_that_holds_another_may_be_hit_without_being_meant() -> None:
    """Russia, March 2021: a filter for t.co hit microsoft.com."""
    (hint,) = beside(X, [], {"x": ["x.com", "t.co"], "microsoft": ["microsoft.com"]}, {})
    assert hint == Reason(
        "hint.part_of_name", {"targets": ("microsoft",), "name": "microsoft.com", "part": "t.co"}
    )
    assert beside(X, [], {"x": ["t.co"], "mail": ["mail.t.co"]}, {}) == []
    assert beside(X, [], {"x": ["x.com"], "other": ["y.com"]}, {}) == []


def test_sites_behind_an_address_that_is_cut_may_be_hit_unintentionally() -> None:
    """Russia, April 2018: addresses of a cloud were cut for one messenger, and shops fell with it."""
    telegram = of("telegram", "tcp.timeout", 0)
    failing = {
        "telegram": frozenset({"192.0.2.1", "192.0.2.2"}),
        "shop.example": frozenset({"192.0.2.2"}),
        "elsewhere.example": frozenset({"198.51.100.1"}),
    }
    (hint,) = beside(telegram, [], {}, failing)
    assert hint == Reason(
        "hint.shared_address", {"neighbours": ("shop.example",), "others": 0, "target": "telegram"}
    )
    assert beside(X, [], {}, failing | {"x": frozenset({"192.0.2.2"})}) == [], "cut by name, not by address"


def test_many_that_share_an_address_are_counted() -> None:
    shared = frozenset({"192.0.2.1"})
    failing = {"telegram": shared} | {f"site{n}.example": shared for n in range(8)}
    (hint,) = beside(of("telegram", "tcp.timeout", 0), [], {}, failing)
    assert "site4.example and 3 more may" in reasons_text([hint])
