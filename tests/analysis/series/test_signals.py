"""The one table of signals."""

from fanous.analysis.detectors.registry import DETECTORS
from fanous.analysis.series.signals import COUNTED, LAGS, SIGNALS, Direction, Signal, lag_of
from fanous.model.incident import Kind
from fanous.model.measurement import Layer
from fanous.model.place import Family, Place
from fanous.model.series import SeriesKey
from fanous.sources.publishers import PUBLISHERS
from tests.each import each


@each("signal", SIGNALS.values())
def test_a_signal_says_all_that_others_may_ask(signal: Signal) -> None:
    assert signal.title and signal.unit and signal.proves
    assert isinstance(signal.bad, Direction)
    assert isinstance(signal.family, Family)
    assert bool(signal.layers) == bool(signal.states)


@each("signal", SIGNALS.values())
def test_detectors_of_ours_watch_a_signal_by_the_bin_and_what_people_do_by_the_day(signal: Signal) -> None:
    watching = [one for one in DETECTORS.values() if signal.name in one.signals and not one.is_peer]
    by_day = [one.name for one in watching if one.name == "shift"]
    assert by_day == ["shift"] * (signal.is_quantity and signal.of_people and signal.proves[0] is Kind.OUTAGE)
    others = len(watching) - len(by_day)
    assert others == (signal.name != "radar_tampering"), "which is only shown so far"
    assert {one.kind for one in watching} <= set(signal.proves)


@each("signal", SIGNALS.values())
def test_a_ready_made_series_is_not_counted_from_verdicts(signal: Signal) -> None:
    assert not (signal.is_quantity and signal.layers)
    assert signal.is_quantity == (0 < signal.least_drop < 1)


def test_only_of_our_own_measurements_and_of_any_table_it_is_not_known_what_they_rest_on() -> None:
    unknown = {one.name for one in SIGNALS.values() if one.is_quantity and not one.rests_on.is_known}
    own = {"scan_up", "transfer_kbps", "transfer_rtt_ms"}
    assert unknown == own | {"connectivity", "rtt", "responders"}


def test_a_family_is_what_is_measured_not_who_publishes_it() -> None:
    of_ioda = {name: SIGNALS[name].family for name in ("bgp", "ping-slash24", "gtr", "merit-nt")}
    assert list(of_ioda.values()) == [Family.ROUTING, Family.PROBING, Family.USAGE, Family.DARKNET]
    assert SIGNALS["prefixes_v4"].family is Family.ROUTING


def test_a_lie_in_dns_and_a_cut_path_are_different_signals() -> None:
    assert [signal.name for signal in COUNTED if Layer.DNS in signal.layers] == ["blocked_dns"]
    assert {signal.name for signal in COUNTED if Layer.TLS in signal.layers} == {"blocked_path", "throttled"}


def test_only_what_a_resolver_says_is_kept_by_resolver() -> None:
    assert [name for name, signal in SIGNALS.items() if signal.by_resolver] == ["blocked_dns"]


def test_every_publisher_of_series_declares_how_late_its_answers_are() -> None:
    with_series = {name for name, one in PUBLISHERS.items() if one.has_series}
    elsewhere = {
        "csv",
        "ioda-outages",
        "radar-outages",
    }  # tables are known when their bins end; claims have no bins
    assert set(LAGS) == with_series - elsewhere
    assert all(seconds > 0 for seconds in LAGS.values())


def test_what_a_source_passes_on_is_as_late_as_its_publisher() -> None:
    def key(signal: str, source: str) -> SeriesKey:
        return SeriesKey(Place("XA"), "", signal, source=source)

    assert lag_of(key("bgp", "ioda")) == LAGS["ioda"]
    assert lag_of(key("gtr", "ioda")) == LAGS["google"] > LAGS["ioda"]
    assert lag_of(key("mozilla", "ioda")) == 86400
    assert lag_of(key("scan_up", "scan")) == lag_of(key("google_traffic", "csv")) == 0
