"""Signals: one table of every measurable kind of series: its unit, which way is bad, what it can show.

Nothing else in Fanous knows these facts: a page, a detector or an alert that needs one looks it up here.

To add a signal, add a row; ``python -m tests.ontology_tables`` writes it into docs/ontology.md.  A ready-made series is
then watched by the detectors of the kind of incident that it shows first.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING

from fanous.model.incident import Kind
from fanous.model.measurement import Layer
from fanous.model.place import Family
from fanous.model.registry import registered
from fanous.model.threshold import threshold
from fanous.model.verdict import State

if TYPE_CHECKING:  # a probe, which has no numpy, reads this module
    from fanous.model.series import SeriesKey


class Direction(StrEnum):
    """Which way is bad."""

    UP = "up"
    DOWN = "down"


class Symptoms(StrEnum):
    """Which symptoms (``Verdict.symptom``) count as votes, as verdicts do."""

    ALL = "all"
    SLOW = "slow"  # of a slow transfer, page or handshake, which did come through
    NOT_SLOW = "not slow"


class Value(StrEnum):
    """What one value of a series is, which decides how exactly it can tell when something happened."""

    SAMPLE = "sample"  # taken at one instant of its bin, like a table of routes
    MEAN = "mean"  # over the bin
    COUNT = "count"  # of what happened in the bin


@dataclass(frozen=True, slots=True)
class RestsOn:
    """What the values of a signal are made with, so that an error in it is in all of them.  Empty = not known, or none.

    Attributes:
        collectors: instruments, or services that people use.
        geolocation: data that say which addresses are in a country.
        lists: lists of what is measured, if it is not all that the collectors see.
    """

    collectors: tuple[str, ...] = ()
    geolocation: tuple[str, ...] = ()
    lists: tuple[str, ...] = ()

    @property
    def is_known(self) -> bool:
        """Is enough known to tell what it shares with others?"""
        return bool(self.collectors and self.geolocation)


UNKNOWN = RestsOn()

REGISTRIES = "registries"
"""The five regional registries' own records of who holds which addresses."""

RIPE_ATLAS = RestsOn(("RIPE Atlas",), ("RIPE Atlas",))
"""Those who host a probe say where it is (RIPE Atlas' documentation, *Probes*)."""

ROUTE_COLLECTORS = ("RouteViews", "RIPE RIS")

IODA_ROUTES = RestsOn(ROUTE_COLLECTORS, ("IODA",))
"""Updates of all collectors of both; one geolocation for all that IODA measures (IODA's help page, *Datasources*)."""

REGISTERED_ROUTES = RestsOn(ROUTE_COLLECTORS, (REGISTRIES,))
"""RIPEstat counts what RIS sees of the resources registered in a country (its *Country Routing Stats*); Fanous itself
counts routes of either in the same way (``sources.signals.mrt``)."""

IODA_PROBING = RestsOn(("IODA",), ("IODA",), ("Trinocular",))
"""Probers at Georgia Tech, after the Trinocular paper (IODA's help page, *Datasources*)."""

TELESCOPE = RestsOn(("Merit",), ("IODA",))
"""Merit's telescope; IODA looks up where the packets come from (the same page)."""

GOOGLE = RestsOn(("Google",), ("Google",))
"""Google's own services, and its own estimate of where a request comes from (Transparency Report, *Traffic*)."""

CLOUDFLARE = RestsOn(("Cloudflare",), ("Cloudflare",))
"""Cloudflare's own network and its own geolocation (Radar's *About*)."""

MOZILLA = RestsOn(("Firefox",), ("MaxMind",))
"""Telemetry of Firefox, located as it arrives (Mozilla's *Telemetry Ingestion*)."""

TOR = RestsOn(("Tor",), (REGISTRIES, "MaxMind"))
"""Relays count by the list of countries that Tor ships: MaxMind's until 2021, then IPFire's, which is made from the
registries' databases (Tor's changelog; location.ipfire.org, *How to*)."""

M_LAB = RestsOn(("M-Lab",), ("MaxMind",))
"""Speed tests against M-Lab's servers, annotated with GeoLite2 (M-Lab's *Annotations*)."""


@dataclass(frozen=True, slots=True)
class Signal:
    """One kind of series.

    Attributes:
        name: stored with every series; never reused for another meaning.
        title: for people.
        unit: unit of the values; ``share`` = 0..1.
        bad: the direction in which a departure is a disruption.
        proves: kinds of incident that a departure can show, likeliest first.
        family: family of its sources, unless a source says otherwise.
        layers: of the verdicts from which it is counted; empty = not counted from verdicts.
        states: verdicts that count as a vote for it.
        symptoms: symptoms that count with these verdicts.
        yields_to: the signal that leaves this one without a vote if both cannot be measured at once.
        by_resolver: is there one series per network of resolvers, since each resolver lies for itself?
        step: bin width of the source, in seconds; 0 = not a ready-made series.
        least_drop: share of the baseline, 0..1, that must be missing before anything is reported, based on what the
            signal does on quiet days; 0 = does not apply.
        publisher: who measures it, regardless of the source it came through; empty = the source itself.  A fault of one
            publisher can be in all of its signals.
        rests_on: what its values are made with, as its publisher's documentation says.
        stamped_at_end: its publisher writes the end of a bin, not its beginning.
        value: what a value is in bins of ``step``; in wider bins it may be a mean of them, or every n-th of them.
    """

    name: str
    title: str
    unit: str
    bad: Direction
    proves: tuple[Kind, ...]
    family: Family
    layers: tuple[Layer, ...]
    states: tuple[State, ...]
    symptoms: Symptoms = Symptoms.ALL
    yields_to: str = ""
    by_resolver: bool = False
    step: int = 0
    least_drop: float = 0.0
    publisher: str = ""
    stamped_at_end: bool = False
    value: Value = Value.COUNT
    rests_on: RestsOn = UNKNOWN

    @property
    def is_quantity(self) -> bool:
        """Is it a ready-made series of a public source, not counted from verdicts?"""
        return self.step > 0

    @property
    def of_people(self) -> bool:
        """Does it show activity of people (and their machines), so that it moves with their days?"""
        return self.family in (Family.USAGE, Family.DARKNET)


PATH_LAYERS = (Layer.TCP, Layer.TLS, Layer.QUIC, Layer.HTTP, Layer.TRANSFER)

_TABLE = (
    Signal(
        name="blocked_dns",
        title="DNS lookups with a forged answer or none",
        unit="share",
        bad=Direction.UP,
        proves=(Kind.BLOCKING,),
        family=Family.OONI,
        layers=(Layer.DNS,),
        states=(State.BLOCKED,),
        by_resolver=True,
    ),
    Signal(
        name="blocked_path",
        title="Connections cut on the path",
        unit="share",
        bad=Direction.UP,
        proves=(Kind.BLOCKING,),
        family=Family.OONI,
        layers=PATH_LAYERS,
        states=(State.BLOCKED,),
        symptoms=Symptoms.NOT_SLOW,
    ),
    Signal(
        name="throttled",
        title="Connections slowed down on purpose",
        unit="share",
        bad=Direction.UP,
        proves=(Kind.THROTTLING,),
        family=Family.OONI,
        layers=PATH_LAYERS,
        states=(State.THROTTLED,),
        symptoms=Symptoms.SLOW,
        yields_to="blocked_path",  # a blocked target cannot be measured for throttling
    ),
    Signal(
        name="silence",
        title="Probes that have fallen silent",
        unit="share",
        bad=Direction.UP,
        proves=(Kind.OUTAGE,),
        family=Family.EDGE,
        layers=(),
        states=(),
    ),
    Signal(
        name="slowed",
        title="Probes whose downloads are all slow for their line",
        unit="share",
        bad=Direction.UP,
        proves=(Kind.SLOWDOWN,),
        family=Family.EDGE,
        layers=(),
        states=(),
    ),
)


def _level(
    family: Family,
    name: str,
    title: str,
    unit: str,
    step: int,
    least_drop: float,
    bad: Direction = Direction.DOWN,
    proves: tuple[Kind, ...] = (Kind.OUTAGE,),
    publisher: str = "",
    stamped_at_end: bool = False,
    value: Value = Value.MEAN,
    rests_on: RestsOn = UNKNOWN,
) -> Signal:
    return Signal(
        name=name,
        title=title,
        unit=unit,
        bad=bad,
        proves=proves,
        family=family,
        layers=(),
        states=(),
        step=step,
        least_drop=least_drop,
        publisher=publisher,
        stamped_at_end=stamped_at_end,
        value=value,
        rests_on=rests_on,
    )


_SPEED = (Kind.SLOWDOWN, Kind.OUTAGE)

_atlas = partial(_level, Family.ATLAS, value=Value.SAMPLE, rests_on=RIPE_ATLAS)
IPV6 = "prefixes_v6"
"""The signal of one address family alone, which may be withdrawn hours before anything else."""

_routing = partial(_level, Family.ROUTING, value=Value.SAMPLE, rests_on=REGISTERED_ROUTES)
_probing = partial(_level, Family.PROBING)
_ioda = partial(_probing, publisher="ioda", rests_on=IODA_PROBING)
_usage = partial(_level, Family.USAGE, value=Value.COUNT)
_edge = partial(_level, Family.EDGE)
_darknet = partial(_level, Family.DARKNET, value=Value.COUNT, rests_on=TELESCOPE)

_ATLAS = (_atlas("atlas_connected", "RIPE Atlas probes connected", "probes", 600, 0.3),)
_ROUTING = (
    _routing(
        "bgp", "Visible /24 blocks in routing", "/24s", 300, 0.02, publisher="ioda", rests_on=IODA_ROUTES
    ),
    _routing("prefixes_v4", "IPv4 prefixes visible in routing", "prefixes", 300, 0.03),
    _routing(IPV6, "IPv6 prefixes visible in routing", "prefixes", 300, 0.05),
    _routing("asns", "Networks visible in routing", "networks", 300, 0.03),
)
_PROBING = (
    _ioda("ping-slash24", "/24 blocks that answer pings", "/24s", 600, 0.05),
    _ioda("ping-slash24-loss", "Pings lost", "share", 600, 0.1, Direction.UP, _SPEED),
    _ioda("ping-slash24-latency", "Round-trip time of pings", "ms", 600, 0.2, Direction.UP, _SPEED),
    _probing("connectivity", "Index of answers to active probes", "index", 3600, 0.1),
    _probing("rtt", "Round-trip time of active probes", "ms", 3600, 0.3, Direction.UP, _SPEED),
    _probing("responders", "Addresses that answer active probes", "addresses", 3600, 0.3),
    _probing("scan_up", "/24 blocks that our own scan considers up", "/24s", 600, 0.05),
)
_USAGE = (
    _usage("gtr", "Requests to a Google product", "index", 1800, 0.15, publisher="google", rests_on=GOOGLE),
    _usage(
        "gtr-norm",
        "A product's share of requests to Google",
        "index",
        1800,
        0.15,
        publisher="google",
        rests_on=GOOGLE,
    ),
    _usage(
        "mozilla",
        "Cities with active Firefox users",
        "cities",
        3600,
        0.5,
        publisher="mozilla",
        rests_on=MOZILLA,
    ),
    _usage(
        "google_traffic",
        "Share of a Google product's traffic",
        "index",
        1800,
        0.15,
        publisher="google",
        rests_on=GOOGLE,
        stamped_at_end=True,
    ),
    _usage(
        "radar_netflows",
        "Traffic that Cloudflare sees",
        "index",
        900,
        0.25,
        publisher="cloudflare",
        rests_on=CLOUDFLARE,
    ),
    _usage(
        "radar_tampering",
        "Connections that end early in a reset or timeout",
        "percent",
        900,
        0.5,
        Direction.UP,
        (Kind.BLOCKING, Kind.THROTTLING),
        rests_on=CLOUDFLARE,
    ),
    _usage(
        "tor_relay",
        "Tor users who connect directly",
        "users",
        86400,
        0.4,
        publisher="tor",
        rests_on=TOR,
        value=Value.MEAN,
    ),
    _usage(
        "tor_bridge",
        "Tor users who connect over bridges",
        "users",
        86400,
        0.5,
        publisher="tor",
        rests_on=TOR,
        value=Value.MEAN,
    ),
    _usage("ndt_tests", "Speed tests run by users", "tests", 3600, 0.5, publisher="m-lab", rests_on=M_LAB),
    _usage(
        "ndt_kbps",
        "Speed in users' tests",
        "kbps",
        3600,
        0.3,
        proves=_SPEED,
        publisher="m-lab",
        rests_on=M_LAB,
        value=Value.MEAN,
    ),
    _usage(
        "ndt_rtt_ms",
        "Round-trip time in users' tests",
        "ms",
        3600,
        0.5,
        Direction.UP,
        _SPEED,
        value=Value.MEAN,
        rests_on=M_LAB,
    ),
    _usage(
        "ndt_loss",
        "Packet loss in users' tests",
        "share",
        3600,
        0.5,
        Direction.UP,
        _SPEED,
        value=Value.MEAN,
        rests_on=M_LAB,
    ),
)
_EDGE = (
    _edge("transfer_kbps", "Speed of our own transfers", "kbps", 300, 0.3, proves=_SPEED),
    _edge("transfer_rtt_ms", "Round-trip time of our own transfers", "ms", 300, 0.5, Direction.UP, _SPEED),
)
_DARKNET = (
    _darknet(
        "merit-nt",
        "Sources of stray traffic seen by a network telescope",
        "addresses",
        300,
        0.5,
        publisher="merit",
    ),
)

SIGNALS = registered(*_TABLE, *_ATLAS, *_ROUTING, *_PROBING, *_USAGE, *_EDGE, *_DARKNET)

TARGETS_OF_PRODUCTS = {
    "youtube": "youtube",
    "gmail": "gmail",
    "blogger": "blogger.com",
    "books": "books.google.com",
    "earth": "earth.google.com",
    "groups": "groups.google.com",
    "images": "images.google.com",
    "maps": "maps.google.com",
    "sites": "sites.google.com",
    "spreadsheets": "docs.google.com",
    "translate": "translate.google.com",
}
"""Product of Google, in lower case -> the target that its traffic is about.

Search is not among them: IODA and others take it for internet use as a whole, so it is about the place."""

OF_PRODUCTS = ("gtr", "gtr-norm", "google_traffic")
"""Signals of a place's traffic to one product, their subtype."""


def target_of_series(key: "SeriesKey") -> str:
    """The target whose traffic a series shows; empty = it is about the place itself."""
    if key.target or key.signal not in OF_PRODUCTS:
        return key.target
    return TARGETS_OF_PRODUCTS.get(key.subtype.lower(), "")


def products_of(targets: Iterable[str]) -> list[str]:
    """The products whose traffic is about these targets: subtypes of series of ``OF_PRODUCTS``."""
    wanted = set(targets)
    return [product for product, target in TARGETS_OF_PRODUCTS.items() if target in wanted]


def publisher_of(key: "SeriesKey") -> str:
    """Who measured a series: two series of one publisher rest on the same machinery."""
    return SIGNALS[key.signal].publisher or key.source


DELIVERERS = {"ioda": "ioda", "ioda-csv": "ioda", "ripestat": "ripe", "ris": "ripe", "atlas": "ripe"}
"""Source -> its operator, where one runs several, or passes on what others publish (IODA: figures of Google, Mozilla
and Merit)."""


def deliverer_of(key: "SeriesKey") -> str:
    """Whose hand a series came from: its fault, or its lie, may be in everything that it passes on."""
    return DELIVERERS.get(key.source, publisher_of(key))


TABLE = "csv"
"""Source of tables that an operator imports.  The operator names the signal; nothing shows whose values they are."""


def reporter_of(key: "SeriesKey") -> str:
    """Who is said to report a series: its deliverer, or ``TABLE`` for an imported one."""
    return TABLE if key.source == TABLE else deliverer_of(key)


def shared(keys: Iterable["SeriesKey"]) -> tuple[str, ...] | None:
    """What all of these series rest on, each as ``kind:name``; None = of some it is not known."""
    keys = list(keys)
    made = [SIGNALS[key.signal].rests_on for key in keys]
    if not all(one.is_known for one in made):
        return None
    of_each = [
        {
            f"publisher:{publisher_of(key)}",
            *(f"collectors:{name}" for name in one.collectors),
            *(f"geolocation:{name}" for name in one.geolocation),
            *(f"lists:{name}" for name in one.lists),
        }
        for key, one in zip(keys, made, strict=True)
    ]
    return tuple(sorted(set.intersection(*of_each)))


LAGS = {
    "ioda": 1200.0,  # RouteViews' route files cover 15 minutes, a round of active probing takes ten
    "ioda-csv": 1200.0,
    "ripestat": 3600.0,
    "ris": 60.0,
    "mrt": 900.0,
    "radar": 1800.0,  # two bins: the newest is not complete
    "tor": 172800.0,  # relays report at the end of their own day, and reports are summed up a day later
    "google": 1800.0,  # published by the half hour
    "ndt": 86400.0,  # the tables are filled once a day
    "atlas": 600.0,
}
"""Source -> least seconds from the end of a bin until its answers include it, by how often it publishes.

None was measured.  Sources not listed (our own measurements, an operator's tables) are known when the bin ends."""
threshold(
    "series.source_lags",
    tuple(LAGS.values()),
    "Least delay in seconds, after the end of a bin, until the answers of `ioda`, `ioda-csv`, `ripestat`, "
    "`ris`, `mrt`, `radar`, `tor`, `google`, `ndt` and `atlas` include it, by how often each publishes. None "
    "was measured.",
)

LAGS_OF_PUBLISHERS = {"google": 1800.0, "mozilla": 86400.0}
"""Publisher -> the same, if one source passes on what another publishes (IODA has Google's and Mozilla's figures)."""
threshold(
    "series.publisher_lags",
    tuple(LAGS_OF_PUBLISHERS.values()),
    "As `series.source_lags`, of Google's and Mozilla's figures that another source passes on.",
)


def lag_of(key: "SeriesKey") -> float:
    """Seconds after the end of a bin at which this series' source includes it."""
    if key.source not in LAGS:
        return 0.0
    return max(LAGS[key.source], LAGS_OF_PUBLISHERS.get(publisher_of(key), 0.0))


COUNTED_HERE = ("ris",)
"""Sources whose bins are whole when they are stored, since Fanous itself counts them at their end."""


def filling_times() -> dict[tuple[str, str], float]:
    """Source and signal -> seconds after the end of a bin in which its publisher may still be filling it; 0 where not
    listed."""
    return {
        (source, signal.name): max(lag, LAGS_OF_PUBLISHERS.get(signal.publisher, 0.0))
        for source, lag in LAGS.items()
        for signal in SIGNALS.values()
        if signal.is_quantity and source not in COUNTED_HERE
    }


COUNTED = tuple(signal for signal in SIGNALS.values() if signal.layers)
"""Signals that are counted from verdicts, as votes (``analysis.series.aggregate``)."""


def shown_by(kind: Kind, *, quantities: bool) -> tuple[str, ...]:
    """Names of the signals whose departures show incidents of this kind before any other.

    Args:
        quantities: ready-made series, or those that Fanous counts itself.
    """
    return tuple(
        signal.name
        for signal in SIGNALS.values()
        if signal.is_quantity is quantities and signal.proves[0] is kind
    )
