"""A platform's own traffic: whether its fall is its own, and what joins it."""

from dataclasses import replace

from fanous.analysis.incidents.assemble import Setting
from fanous.analysis.incidents.merge import merged
from fanous.analysis.incidents.outage import Quantities
from fanous.analysis.series.signals import publisher_of, target_of_series
from fanous.model.incident import Incident, Kind, Part, Status
from fanous.model.reason import Reason
from fanous.model.series import Series, SeriesKey
from fanous.pipeline.outages import found_in
from fanous.wording.headline import headline
from fanous.wording.language import ENGLISH
from fanous.wording.narrative import lede
from tests.analysis.detectors.quantity_series import HOUR, cut, daily, key
from tests.builders import DAY
from tests.each import each


def product(name: str, target: str = "", *, left: float = 1.0) -> Series:
    series = daily(60, noise=0.02, signal="google_traffic", step=7200, seed=len(name))
    series = replace(series, key=replace(key("google_traffic"), target=target, subtype=name))
    return cut(series, 960, 10_000, left)


def found(*series: Series) -> list[Incident]:
    return found_in(Quantities(series), Setting("XA", None, "rules", "levels"))


def codes(incident: Incident) -> list[str]:
    return [reason.code for reason in incident.reasons]


def test_a_fall_of_one_product_is_of_its_target_and_never_of_the_country() -> None:
    (loss,) = found(product("youtube", "youtube", left=0.6), product("search"))
    assert loss.targets == ("youtube",) and loss.mechanisms == ("outage.platform",) and loss.is_of_traffic
    assert loss.confirmed_at is None and loss.users is None
    assert Reason("products.ordinary", {"products": ("search",)}) in loss.reasons
    assert loss.evidence.controls == 1


def test_a_fall_of_all_products_is_of_the_country_alone() -> None:
    (loss,) = found(product("youtube", "youtube", left=0.6), product("search", left=0.6))
    assert loss.targets == () and loss.is_of_line


def test_without_another_product_the_incident_says_so() -> None:
    (loss,) = found(product("youtube", "youtube", left=0.6))
    assert "products.none" in codes(loss) and loss.evidence.controls == 0


@each(
    ("signal", "target", "subtype", "subject"),
    [
        ("gtr", "", "YOUTUBE", "youtube"),
        ("gtr", "", "WEB_SEARCH", ""),
        ("gtr", "", "", ""),
        ("gtr-norm", "", "GMAIL", "gmail"),
        ("google_traffic", "youtube", "value", "youtube"),
        ("google_traffic", "", "search", ""),
        ("bgp", "", "youtube", ""),
    ],
)
def test_a_series_knows_what_it_is_of(signal: str, target: str, subtype: str, subject: str) -> None:
    place = key().place
    assert target_of_series(SeriesKey(place, target, signal, source="ioda", subtype=subtype)) == subject


def test_two_signals_of_one_observatory_have_one_publisher() -> None:
    said = {name: publisher_of(key(name)) for name in ("bgp", "ping-slash24", "gtr", "connectivity")}
    assert said == {"bgp": "ioda", "ping-slash24": "ioda", "gtr": "google", "connectivity": "a test"}


def test_what_measurements_show_of_the_same_target_is_the_same_incident_and_leads() -> None:
    (loss,) = found(product("youtube", "youtube", left=0.6), product("search"))
    slowed = replace(
        loss,
        kind=Kind.THROTTLING,
        status=Status.CONFIRMED,
        parts=(Part("youtube", Kind.THROTTLING, ("tls.throttle.sni",), ("AS1",)),),
        onset=loss.onset + DAY % 7200 + 3 * HOUR,
        confirmed_at=loss.onset + 5 * HOUR,
        level=None,
        levels=(),
        opinions=(),
        reasons=(Reason("rule.c2"),),
        evidence=replace(loss.evidence, families=("ooni",)),
    )
    (joined,) = merged([loss], [slowed])
    assert (joined.kind, joined.confirmed_at, joined.onset) == (
        Kind.THROTTLING,
        slowed.confirmed_at,
        slowed.onset,
    )
    assert joined.evidence.families == ("ooni", "usage") and joined.level == loss.level
    assert codes(joined) == ["rule.c2", "products.ordinary"]
    other = replace(slowed, parts=(Part("x", Kind.THROTTLING, (), ("AS1",)),))
    assert len(merged([loss], [other])) == 2, "of another target"
    long_after = replace(slowed, onset=loss.onset + 30 * 86400)
    assert len(merged([loss], [long_after])) == 2, "a month later is another act"
    taken_back = replace(slowed, status=Status.RETRACTED)
    assert len(merged([loss], [taken_back])) == 2


def test_it_is_described_as_a_fall_of_traffic_and_not_of_connectivity() -> None:
    (loss,) = found(product("youtube", "youtube", left=0.6))
    loss = replace(loss, country="RU")
    assert (
        headline(loss, {}, ENGLISH).text == "Reported by Google: Traffic to YouTube may have fallen in Russia"
    )
    told = lede(loss, ENGLISH).text
    assert told.startswith("Suspected, not confirmed: traffic to YouTube may have fallen to about 60% of its")
    sure = replace(loss, confirmed_at=loss.onset, status=Status.CONFIRMED)
    assert headline(sure, {}, ENGLISH).text == "Traffic to YouTube fell in Russia"
    assert "traffic to YouTube fell to about 60%" in lede(sure, ENGLISH).text
