"""Types: questions and answers of the API, as the OpenAPI document describes them. Times are RFC 3339, UTC."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from fanous.analysis.series.signals import SIGNALS

MOST = 200
"""Most items in one answer."""

CURSOR = r"^[0-9]{1,11}\.[A-Z]{2}-[0-9]{4}-[0-9]{4,6}\.[0-9]{1,6}$"

Instant = Annotated[str, Meta(description="RFC 3339, UTC, whole seconds", examples=["2023-12-17T14:35:00Z"])]
Time = Annotated[str, Meta(extra_json_schema={"format": "date-time"})]
Target = Annotated[str, Meta(min_length=1, max_length=253, description="platform or host name")]
Country = Annotated[str, Meta(pattern="^[A-Z]{2}$", description="ISO 3166-1", examples=["PK"])]
Label = Annotated[
    str, Meta(pattern="^[A-Z]{2}-[0-9]{4}-[0-9]{4,6}$", description="unchanged when an incident is revised")
]
Kind = Literal["outage", "blocking", "throttling", "slowdown"]
Status = Literal["suspected", "confirmed", "ended", "retracted"]
Scope = Literal["nation", "region", "multi_isp", "isp", "insufficient"]
Share = Annotated[float, Meta(ge=0, le=1)]


class Estimate(Struct):
    mean: float
    low: float
    high: float


class Left(Struct):
    """Share of a baseline that remains: typically during the incident (with the 90 % interval), at worst, and now.

    ``now`` is that of sources that still report, at ``now_at``.  If those that give the other figures have fallen
    silent, ``now_of`` is the family that gives ``now``, and ``last`` is what they said last, at ``last_at``.
    """

    mean: float
    low: float
    high: float
    worst: float | None
    now: float | None
    now_at: Instant | None
    now_of: str | None
    last: float | None
    last_at: Instant | None


class Stage(Struct):
    """A period in which the share left of the earlier baseline stayed the same."""

    start: Instant
    end: Instant | None
    left: float


class Users(Struct):
    """A share with its 90 % interval; ``observed``: on networks that were measured; ``share_of``: networks, if no
    user figures are known and all networks count alike."""

    mean: Share
    low: Share
    high: Share
    observed: Share
    share_of: Literal["users", "networks"]


class RolePart(Struct):
    role: Literal["chat", "api", "messenger", "web", "client", "registration", "media", "site"]
    entities: Annotated[list[str], Meta(description="networks on which it failed")]
    worked: Annotated[list[str], Meta(description="networks on which it always worked")]
    intervals: list[list[Instant | None]]


class Part(Struct):
    target: str
    kind: Kind
    mechanisms: list[str]
    entities: list[str]
    named: Annotated[
        list[str],
        Meta(description="what may be called cut: the target, or target/role if only a role of it is"),
    ]
    intervals: Annotated[
        list[list[Instant | None]],
        Meta(description="when the target failed; empty: not distinguished from the incident's"),
    ]
    roles: Annotated[
        list[RolePart], Meta(description="parts of the service that were tried; empty: not distinguished")
    ]


class Evidence(Struct):
    measurements: int
    probes: int
    probes_are: Annotated[
        Literal["probes", "test_runs"], Meta(description="what was counted; test_runs: probes are not known")
    ]
    networks: int
    controls: int
    families: list[str]
    probes_at_least: Annotated[
        int | None, Meta(description="how many of the probes are certainly different; null: not computed")
    ] = None


class Reason(Struct):
    code: str
    params: Annotated[dict[str, Any], Meta(description="values that the code's sentence mentions")]


class Explanation(Struct):
    """Another explanation of an incident, as it was weighed."""

    code: str
    standing: Annotated[
        Literal["holds", "untested", "excluded"],
        Meta(
            description="holds: it may explain what was seen; excluded: something measured speaks against it"
        ),
    ]
    params: Annotated[dict[str, Any], Meta(description="the figures that decided it")]
    because: Annotated[str, Meta(description="code of the sentence that has these figures")]


class Incident(Struct):
    """As ``fanous confirm --json``, with the country and the permanent address."""

    id: Label
    country: Country
    url: str
    kind: Kind
    status: Status
    scope: Scope
    access: Literal["any", "mobile", "fixed"]
    entities: list[str]
    targets: list[str]
    mechanisms: list[str]
    parts: list[Part]
    onset: Instant
    onset_earliest: Instant | None
    onset_latest: Instant
    end: Instant | None
    end_earliest: Instant | None
    end_latest: Instant | None
    reached: Annotated[
        Instant | None,
        Meta(description="when an outage reached the level that is stated; null: at once, or not known"),
    ]
    reached_earliest: Instant | None
    reached_latest: Instant | None
    intervals: list[list[Instant | None]]
    confirmed_at: Instant | None
    first_published_at: Annotated[
        Instant | None,
        Meta(
            description="when this monitor first published it: of imported files and backfills later than it was "
            "confirmed by the times that their senders state; null: an older version wrote it"
        ),
    ]
    confidence: Share
    users_affected_share: Users | None
    kbps: Estimate | None
    level: Left | None
    levels: list[Stage]
    lasting_since: Annotated[
        Instant | None,
        Meta(
            description="when a lower level that has lasted became the baseline for later changes; null: none has"
        ),
    ]
    reason: Annotated[str, Meta(description="why the status is what it is, in English")]
    reasons: list[Reason]
    explanations: Annotated[
        list[Explanation],
        Meta(
            description="what else it could be: what holds first, then what could not be tested, then what is "
            "excluded; empty: nothing was weighed"
        ),
    ]
    share_tested: Annotated[
        Share | None,
        Meta(
            description="of events like this, the least share that nothing untested is behind, apart from "
            "`confidence`; null: nothing was weighed"
        ),
    ]
    evidence: Evidence
    rules_version: str
    detector_version: str
    sentence: Annotated[
        str, Meta(description="what, where and when in one English sentence, hedged as its status demands")
    ]
    provenance: Annotated[
        Literal["real", "imported", "unvouched", "synthetic"],
        Meta(
            description="the weakest of what it is made of; unvouched: strangers sent it; synthetic: a staged event, "
            "not a finding"
        ),
    ]
    basis: Annotated[
        Literal["vouched", "volunteers", "one_publisher", "two_hands"] | None,
        Meta(
            description="what it rests on: probes that an operator answers for, strangers' measurements, one "
            "deliverer of series, or several independent ones; null: a suspicion that lacks more than that"
        ),
    ]
    synthetic: Annotated[bool, Meta(description="true: a staged event, not a finding")]
    known_until: Annotated[
        Instant | None,
        Meta(
            description="for an ongoing incident whose data ended days ago: when they ended; what has happened since "
            "is unknown"
        ),
    ]


class NetworkPart(Struct):
    entity: str
    targets: list[str]
    intervals: list[list[Instant | None]]
    measurements: int
    probes: int
    probability: Share


class Opinion(Struct):
    family: str
    says: Literal["down", "ordinary", "blind", "silent", "unknown"]
    sources: list[str]
    entities: list[str]
    left: Left | None
    onset: Instant | None
    raised_at: Instant | None


class Revision(Struct):
    n: int
    at: Instant
    status: Status
    reason: str
    reasons: list[Reason]


class Note(Struct):
    text: str
    by: str
    at: Instant


class Sensitivity(Struct):
    """What would have been found at the time on a network that the incident does not name."""

    network: str
    target: str
    measurements: int
    chance: Share
    minutes_all: Annotated[
        int | None, Meta(description="shortest event found with this chance, if all measurements fail")
    ]
    minutes_half: Annotated[int | None, Meta(description="the same, if half of them fail")]
    found_alike: Annotated[
        Share | None, Meta(description="share of events as long as this one (at most a week) that are found")
    ]


class Detailed(Incident):
    """The same, with the findings on each network and every revision."""

    rule: str | None
    held_by: Annotated[
        str | None,
        Meta(
            description="review: a person has to see it before it is confirmed; person: someone held it; "
            "backfill: provisional, because earlier measurements are not in yet"
        ),
    ]
    note: Annotated[Note | None, Meta(description="what a person wrote for readers")]
    withdrawn_by: Annotated[str | None, Meta(description="the person who withdrew it for good")]
    merged_into: Annotated[
        str | None, Meta(description="id of the incident that it turned out to be part of")
    ]
    networks: list[NetworkPart]
    sensitivity: list[Sensitivity]
    opinions: list[Opinion]
    hints: Annotated[list[str], Meta(description="what may point to a cause, in English; never evidence")]
    hint_reasons: list[Reason]
    revisions: list[Revision]


class Incidents(Struct):
    """``next`` = cursor of the following items; null = these are the last."""

    incidents: list[Incident]
    next: str | None


class Correction(Struct):
    incident: Label
    country: Country
    provenance: Annotated[str, Meta(description="real, imported, unvouched or synthetic")]
    revision: int
    at: Instant
    taken_back: list[str]
    reason: str
    reasons: list[Reason]


class Corrections(Struct):
    corrections: list[Correction]
    next: str | None


class CountryState(Struct):
    """Open incidents by status; ``last_heard`` null = no measurement in seven days."""

    country: Country
    synthetic: Annotated[bool, Meta(description="true: everything known was staged; not a finding")]
    confirmed: int
    suspected: int
    last_heard: Instant | None


class Countries(Struct):
    countries: list[CountryState]


class Range(Struct):
    low: float
    high: float


class Input(Struct):
    name: str
    value: float
    unit: str
    year: int
    source: str


class Method(Struct):
    method: str
    title: str
    per_hour: Range | None
    in_all: Range | None
    capped: bool
    why: str
    inputs: list[Input]


class Ceiling(Struct):
    share_of_gdp: float
    why: str


class Cost(Struct):
    """As ``fanous cost --json``."""

    incident: Label
    provenance: Annotated[str, Meta(description="real, imported, unvouched or synthetic")]
    country: Country
    kind: Kind
    hours: float
    targets: list[str]
    parts: Annotated[
        list[str],
        Meta(description="if only parts of these services were stopped: the parts (telegram/client)"),
    ]
    affected_share: Range
    dependence_share: Range
    notes: list[str]
    currency: str
    per_hour: Range | None
    in_all: Range | None
    ceiling: Ceiling
    methods: list[Method]
    disclaimer: str


class SourceTerms(Struct):
    """Those who pass the data on must name the source and keep its licence."""

    name: str
    title: str
    licence: str
    credit: str


class Count(Struct):
    """What became of the measurements at one place on the axes; null = not an axis of this answer.  A measurement of
    two targets counts once for each."""

    time: Annotated[Instant | None, Meta(description="beginning of the bin")]
    end: Annotated[Instant | None, Meta(description="end of the bin")]
    country: str | None
    network: Annotated[int | None, Meta(description="ASN")]
    target: str | None
    mechanism: Annotated[
        str | None, Meta(description="how it was blocked or slowed; empty: it was not, or unknown")
    ]
    source: str | None
    measurements: Annotated[int, Meta(description="ok, blocked, throttled and unclear together")]
    ok: int
    blocked: int
    throttled: int
    unclear: Annotated[int, Meta(description="no rule could say whether the target works")]


class Aggregate(Struct):
    """Measurements counted along one or two axes."""

    axis_x: str
    axis_y: str | None
    since: Instant
    until: Instant
    step: Annotated[int | None, Meta(description="width of a bin in seconds; null: time is not an axis")]
    clock: Annotated[
        str,
        Meta(description="time zone of the bins: that of the country if there is only one, otherwise UTC"),
    ]
    url: Annotated[str, Meta(description="the same answer on the page Explore")]
    synthetic: Annotated[bool, Meta(description="true: the measurements were staged")]
    sources: list[SourceTerms]
    rows: list[Count]


class ListedMeasurement(Struct):
    """One measurement of one target; the time is cut to the minute."""

    measurement_uid: str
    time: Instant
    country: str
    network: int
    target: str
    test_name: str
    source: str
    licence: str
    outcome: Literal["ok", "blocked", "throttled", "unclear"]
    mechanism: str | None
    url: str


class Measurements(Struct):
    """The newest first; ``next`` = cursor of the following ones, null = these are the last."""

    synthetic: bool
    measurements: list[ListedMeasurement]
    next: str | None


class OneSeries(Struct):
    """One signal for one place in equal bins; a bin that is not listed was not measured."""

    country: Country
    region: str | None
    network: int | None
    target: str | None
    signal: str
    title: str
    unit: str
    source: Annotated[str | None, Meta(description="null: counted by this monitor from measurements")]
    subtype: str | None
    access: str
    resolver_network: int | None
    step: int
    licence: str
    credit: str
    may_be_passed_on: Annotated[
        bool, Meta(description="false: the source's terms forbid it, so times and values are null")
    ]
    times: list[Instant] | None
    values: list[float] | None


class SeriesAnswer(Struct):
    """Series of a country, its regions and its networks."""

    since: Instant
    until: Instant
    synthetic: bool
    series: list[OneSeries]


class Problem(Struct, omit_defaults=True):
    """RFC 9457."""

    title: str
    status: int
    detail: str = ""
    type: str = "about:blank"


class PageQuery(Struct, forbid_unknown_fields=True):
    """A parameter that is not given is ``UNSET``, not null, since the word ``null`` in a URL is not a value."""

    limit: Annotated[int, Meta(ge=1, le=MOST, description="items at most")] = 50
    cursor: Annotated[str, Meta(description="`next` of the answer before", pattern=CURSOR)] | UnsetType = (
        UNSET
    )
    country: Country | UnsetType = UNSET


class IncidentsQuery(PageQuery, forbid_unknown_fields=True):
    status: Status | UnsetType = UNSET
    kind: Kind | UnsetType = UNSET
    target: Target | UnsetType = UNSET
    network: Annotated[int, Meta(ge=1, le=4_294_967_295, description="ASN")] | UnsetType = UNSET
    since: (
        Annotated[Time, Meta(description="under way at or after this time; a date alone will do")] | UnsetType
    ) = UNSET
    until: Annotated[Time, Meta(description="began before this time; a date alone will do")] | UnsetType = (
        UNSET
    )


_ASN = "(?:AS)?([1-9][0-9]{0,8}|[1-3][0-9]{9}|4[01][0-9]{8}|42[0-8][0-9]{7})"
CountryNames = Annotated[
    str, Meta(pattern="^[A-Z]{2}(,[A-Z]{2}){0,3}$", description="ISO 3166-1; up to four, separated by commas")
]
NetworkNumbers = Annotated[
    str,
    Meta(
        pattern=f"^{_ASN}(,{_ASN}){{0,3}}$",
        description="ASN, with or without AS; up to four, separated by commas",
    ),
]
RegionCodes = Annotated[
    str,
    Meta(
        pattern="^[^,]+(,[^,]+){0,3}$",
        min_length=2,
        max_length=400,
        description="as `region` in the answer (`PK-SD`); up to four, separated by commas",
    ),
]
TargetNames = Annotated[
    str,
    Meta(
        pattern="^[^,]+(,[^,]+){0,3}$",
        min_length=1,
        max_length=500,
        description="platforms or host names; up to four, separated by commas",
    ),
]
SignalName = Annotated[str, Meta(pattern=f"^({'|'.join(SIGNALS)})$", description="as in docs/ontology.md")]
LayerName = Literal["dns", "tcp", "tls", "quic", "http", "transfer"]
StepName = Literal["600", "3600", "10800", "21600", "86400", "604800"]
"""Seconds."""
AxisName = Literal["time", "country", "network", "target", "mechanism", "source"]
Since = Annotated[Time, Meta(description="made at or after this time; a date alone will do")]
Until = Annotated[Time, Meta(description="made before this time; a date alone will do")]


class CountQuery(Struct, forbid_unknown_fields=True):
    """Which measurements; without dates, those of the last 30 days with data."""

    country: CountryNames | UnsetType = UNSET
    network: NetworkNumbers | UnsetType = UNSET
    target: TargetNames | UnsetType = UNSET
    layer: (
        Annotated[LayerName, Meta(description="count only what verdicts on this layer say")] | UnsetType
    ) = UNSET
    since: Since | UnsetType = UNSET
    until: Until | UnsetType = UNSET


class AggregateQuery(CountQuery, forbid_unknown_fields=True):
    axis_x: AxisName = "time"
    axis_y: AxisName | UnsetType = UNSET
    step: (
        Annotated[StepName, Meta(description="width of a bin; wider if there would be too many bins")]
        | UnsetType
    ) = UNSET


MEASUREMENT_CURSOR = r"^[0-9]{1,17}~[0-9A-Za-z._-]{1,120}~.{1,253}$"


class MeasurementsQuery(CountQuery, forbid_unknown_fields=True):
    limit: Annotated[int, Meta(ge=1, le=MOST, description="items at most")] = 50
    cursor: (
        Annotated[str, Meta(description="`next` of the answer before", pattern=MEASUREMENT_CURSOR)]
        | UnsetType
    ) = UNSET


class SeriesQuery(Struct, forbid_unknown_fields=True):
    """Without dates, the last 7 days with data."""

    country: Country
    region: RegionCodes | UnsetType = UNSET
    network: NetworkNumbers | UnsetType = UNSET
    signal: SignalName | UnsetType = UNSET
    target: TargetNames | UnsetType = UNSET
    since: Since | UnsetType = UNSET
    until: Until | UnsetType = UNSET


class NoQuery(Struct, forbid_unknown_fields=True):
    pass


def checked(document: dict[str, Any], kind: type[Struct]) -> bytes:
    """JSON of a document, checked against its type so that it is always as described.

    Raises:
        msgspec.ValidationError: it is not of the type, which is a bug.
    """
    return msgspec.json.encode(msgspec.convert(document, kind))
