"""Score: how well Fanous does on labelled corpora, how often its stated confidence is right, and how many lying probes
it takes to deceive it.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import sqrt
from statistics import median

from fanous.model.explanation import Standing, Weighed
from fanous.model.incident import Scope
from fanous.model.reason import Param

YEAR = 365.25 * 86400.0

WORLD = 195
"""Countries that a monitor of the whole world watches."""


# --- calibration ----------------------------------------------------------------------------------------

EDGES = (0.0, 0.5, 0.9, 0.95, 0.99, 0.995, 1.0)
"""Bounds of the classes of confidence: most claims are above .9, where one in a hundred matters."""

Z = 1.96
"""Standard deviations on either side of a 95 % interval of a normal distribution."""


@dataclass(frozen=True, slots=True)
class Stated:
    """One claim whose truth is known."""

    confidence: float
    right: bool


@dataclass(frozen=True, slots=True)
class Reliability:
    """Claims of one class of confidence.

    Attributes:
        low, high: bounds of the class; ``low`` is included.
        stated: mean confidence.
        right: share that was right, with its 95 % interval (Wilson's).
    """

    low: float
    high: float
    n: int
    stated: float
    right: float
    right_low: float
    right_high: float


@dataclass(frozen=True, slots=True)
class Calibration:
    """All claims of one kind of evidence.

    Attributes:
        name: what the claims are about.
        remark: what a reader must know; empty = nothing.
        brier: mean squared difference between confidence and truth; None = there are no claims.
        classes: those with at least one claim.
    """

    name: str
    remark: str
    n: int
    right: int
    brier: float | None
    classes: tuple[Reliability, ...]


def calibrate(name: str, claims: Sequence[Stated], remark: str = "") -> Calibration:
    """Compare stated confidences with the truth."""
    squares = [(claim.confidence - claim.right) ** 2 for claim in claims]
    classes = []
    for low, high in pairwise(EDGES):
        members = [c for c in claims if low <= c.confidence and (c.confidence < high or high == EDGES[-1])]
        if members:
            classes.append(_class(low, high, members))
    brier = sum(squares) / len(squares) if squares else None
    return Calibration(name, remark, len(claims), sum(c.right for c in claims), brier, tuple(classes))


def _class(low: float, high: float, members: Sequence[Stated]) -> Reliability:
    n, right = len(members), sum(claim.right for claim in members)
    stated = sum(claim.confidence for claim in members) / n
    return Reliability(low, high, n, stated, right / n, *wilson(right, n))


def wilson(right: int, n: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a share."""
    share = right / n
    middle = (share + Z**2 / (2 * n)) / (1 + Z**2 / n)
    half = Z * sqrt(share * (1 - share) / n + Z**2 / (4 * n**2)) / (1 + Z**2 / n)
    return max(0.0, middle - half), min(1.0, middle + half)


# --- one corpus -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Citation:
    """Who published a truth.

    Attributes:
        url, published: empty = not known.
        judged: it is what the event is judged from, so it confirms nothing by itself.
    """

    publisher: str
    title: str
    url: str
    published: str
    judged: bool


@dataclass(frozen=True, slots=True)
class TrueTime:
    """When something really began or ended, in ISO 8601; it was not before ``earliest`` or after ``latest``."""

    at: str
    earliest: str
    latest: str
    source: Citation


@dataclass(frozen=True, slots=True)
class TrueLevel:
    """Share of the baseline that was really left, and its bounds, 0..1."""

    share: float
    low: float
    high: float
    source: Citation


@dataclass(frozen=True, slots=True)
class TrueEvent:
    """What is known of an event.

    Attributes:
        cut: what was taken from whom.
        status: what its measurements support: ``confirmed`` or ``suspected``.
        onset, end, level: None = not known, or not said.
        may_say, must_not_say: what these measurements support, and what they do not; empty = the corpus does not say.
    """

    cut: str
    status: str
    onset: TrueTime | None
    end: TrueTime | None
    level: TrueLevel | None
    may_say: str
    must_not_say: str


@dataclass(frozen=True, slots=True)
class NetworkScore:
    """One network of one labelled event.

    Attributes:
        found: ``confirmed``, ``suspected`` or ``missed``.
        overlap: bins in which both the label and Fanous say *on*, of those in which either does, among the
            bins in which the network was measured; None = never measured during the label.
        onset_error_minutes: found minus labelled; None = not found, or an open onset.
    """

    asn: int
    found: str
    overlap: float | None
    onset_error_minutes: float | None


@dataclass(frozen=True, slots=True)
class EventScore:
    """One labelled event.

    Attributes:
        confirmed: by an incident on every network that must be.
        found: ``confirmed``, ``suspected`` or ``missed``, as an incident.
        minutes_to_confirm: from the labelled onset to the first ``confirmed_at``; None = never.
        incidents: number made of it, which should be one; if any are confirmed, only those count.
        intervals: of those incidents.
        level: share of the baseline left in them, 0..1; None = not about quantities.
        level_error: that minus the labelled one; None = one of them is not known.
        subject_right: do they name its targets, and none that no event of the country is labelled with?  None =
            nothing was found.
        extra_networks: named in those incidents, but not labelled.
        truth: what they are compared with.
        status_right: is it what the measurements support, neither less nor more?
        onset_inside: does the bracket that was given meet the bounds of the truth?  None = the truth is not known, or
            nothing was found; end_inside: the same of the end; level_inside: of the interval of the level.
    """

    id: str
    confirmed: bool
    found: str
    minutes_to_confirm: float | None
    onset_error_minutes: float | None
    end_error_minutes: float | None
    incidents: int
    intervals: int
    level: float | None
    scope_right: bool | None
    extra_networks: tuple[int, ...]
    networks: tuple[NetworkScore, ...]
    truth: TrueEvent
    status_right: bool
    level_error: float | None = None
    subject_right: bool | None = None
    onset_inside: bool | None = None
    level_inside: bool | None = None
    end_inside: bool | None = None


@dataclass(frozen=True, slots=True)
class QuietIntervalScore:
    """A time in which nothing is known to have happened.

    Attributes:
        networks: empty = the whole country.
        source: who says that nothing happened; None = no truth is known, only that nothing was reported.
        measured: was anything measured in it?  If not, it was not judged.
        confirmed, suspected: incidents in it that match no event.
    """

    country: str
    since: str
    until: str
    networks: tuple[int, ...]
    source: Citation | None
    measured: bool
    confirmed: int
    suspected: int


@dataclass(frozen=True, slots=True)
class RoundsScore:
    """After how many rounds of own probes a block is known.

    Attributes:
        probes, networks: how many, the probes spread evenly over the networks.
        minutes: from one round to the next.
        suspected, confirmed: rounds since the onset; None = not within those looked at.
        ended: good rounds after which it has ended; None = it was not confirmed, or not seen to end.
        is_kept: is a block of three rounds still confirmed long afterwards?
    """

    probes: int
    networks: int
    minutes: float
    suspected: int | None
    confirmed: int | None
    ended: int | None
    is_kept: bool


@dataclass(frozen=True, slots=True)
class SlowdownScore:
    """How well one number of probes or tests shows a general slow-down of a country.

    Attributes:
        by: what measured; number: how many of them.
        found: share of the speed that remained -> share of such slow-downs that became an incident.
        confirmed: the same for those that a rule confirmed; minutes: median from the onset to that.
        false_suspected: kind of evenings -> suspicions per country-month in which nothing was slowed.
        false_confirmed: the same for confirmed incidents.
        months: country-months of each kind of evenings.
    """

    by: str
    number: float
    found: dict[float, float]
    confirmed: dict[float, float]
    minutes: dict[float, float | None]
    false_suspected: dict[str, float]
    false_confirmed: dict[str, float]
    months: float


@dataclass(frozen=True, slots=True)
class LossScore:
    """The results for one kind of loss injected into quiet series at several random moments.

    Attributes:
        signals: those in which it was injected together.
        loss: share of the level; hours: how long.
        recall: of the detector of drops, on the first signal.
        peer_recall: that of IODA's rule on the same series; None = it does not watch such a signal.
        minutes: median from onset to the alarm on the first signal; None = never raised.
        found: share of the times in which there was an incident; confirmed: of those, by rule.
        onset_within: of those found, the share whose onset is within a bin; None = none was found.
        depth_error: of those, the median distance of the typical level from the true one, as a share.
    """

    signals: tuple[str, ...]
    loss: float
    hours: float
    times: int
    recall: float
    peer_recall: float | None
    minutes: float | None
    found: float
    confirmed: float
    onset_within: float | None = None
    depth_error: float | None = None


@dataclass(frozen=True, slots=True)
class QuietScore:
    """Alarms on one series in which nothing happened.

    Attributes:
        months: measured.
        raised: anomalies of the detector of drops; peer_raised: of IODA's rule, None = not watched.
    """

    signal: str
    months: float
    raised: int
    peer_raised: int | None


@dataclass(frozen=True, slots=True)
class PlantScore:
    """The results for blocking planted in replays of quiet measurements.

    Attributes:
        by: the property by which replays are grouped; value: that of this group.
        hit: median of the measurements that met the block: how much there was to see.
        confirmed, found: share of the events, found = suspected or confirmed.
        networks: share of the blocked networks, where measured, that an incident names.
        extra_networks: networks named though not blocked, in all.
        incidents: made of one event that was found; None = none was.
        onset_minutes, end_minutes: median distance from the label, of those with an onset or end.
        minutes_to_confirm: median from the label's onset.
    """

    by: str
    value: str
    times: int
    hit: float
    confirmed: float
    found: float
    networks: float | None
    extra_networks: int
    incidents: float | None
    onset_minutes: float | None
    end_minutes: float | None
    minutes_to_confirm: float | None


@dataclass(frozen=True, slots=True)
class SensitivityScore:
    """How often events are found that are as long as ``analysis.sensitivity`` states for one network.

    Attributes:
        measurements: of the network, in the time in which events are planted.
        depth: share of them that fail in an event; minutes: how long it lasts.
        times: events planted; found: share of them that the detector raises.
        found_half_as_long: the same for events of half that length, which should be found less often than is stated.
        stated_half_as_long: which share of these the page of an incident as long would state; None = only half of the
            measurements fail, of which it says nothing.
    """

    asn: int
    measurements: int
    depth: float
    minutes: float
    times: int
    found: float
    found_half_as_long: float
    stated_half_as_long: float | None


@dataclass(frozen=True, slots=True)
class WorldScore:
    """The results for one kind of event in worlds made of replays of quiet measurements.

    Attributes:
        happening: in words; hours: how long; times: worlds in which it did.
        confirmed, found: share of the blocks, found = suspected or confirmed; None = nothing was blocked.
        false_confirmed, false_suspected, retracted: incidents in all countries where nothing was blocked.
    """

    happening: str
    hours: float
    times: int
    confirmed: float | None
    found: float | None
    false_confirmed: int
    false_suspected: int
    retracted: int


@dataclass(frozen=True, slots=True)
class WeighedIncident:
    """What else one incident could have been, where its truth is known.

    Attributes:
        case: where it was found: a corpus, a case of the lab, a crowd.
        right: it belongs to something that happened.
        suspended: an explanation keeps it from being confirmed, or retracts it.
    """

    case: str
    right: bool
    suspended: bool
    explanations: tuple[Weighed, ...]


@dataclass(frozen=True, slots=True)
class ExplanationScore:
    """How often one explanation held, and could not be tested, among incidents that were right, and among others.

    Attributes:
        weighed_right, weighed_false: incidents of its kind of evidence, however it stood.
        case: of an incident for which it held, or else was excluded, or else could not be tested.
        standing, because, params: how it stood there, and why.
    """

    code: str
    weighed_right: int
    weighed_false: int
    held_right: int
    held_false: int
    untested_right: int
    untested_false: int
    case: str
    standing: Standing
    because: str
    params: Mapping[str, Param]


@dataclass(frozen=True, slots=True)
class ExplanationRates:
    """How the table of explanations stood where the truth is known.

    Attributes:
        kind: of evidence: corpora, lab, adversary.
        right, false: incidents that belong to something that happened, and others, retracted or not.
        right_suspended, false_suspended: those that an explanation keeps from being confirmed, or retracts.
        rows: one for each explanation that was weighed, by code.
    """

    kind: str
    right: int
    right_suspended: int
    false: int
    false_suspended: int
    rows: tuple[ExplanationScore, ...]


EXAMPLES = (Standing.HOLDS, Standing.EXCLUDED, Standing.UNTESTED)
"""Which standing teaches most about a row, the best first."""


def explanation_rates(kind: str, weighed: Sequence[WeighedIncident]) -> ExplanationRates:
    """How often each row held, of what."""
    by_code: dict[str, list[tuple[WeighedIncident, Weighed]]] = defaultdict(list)
    for incident in weighed:
        for explanation in incident.explanations:
            by_code[explanation.code].append((incident, explanation))
    right, false = ([i.suspended for i in weighed if i.right is truth] for truth in (True, False))
    rows = tuple(_explanation_score(code, by_code[code]) for code in sorted(by_code))
    return ExplanationRates(kind, len(right), sum(right), len(false), sum(false), rows)


def suspended_of(kinds: Iterable[ExplanationRates]) -> tuple[int, int]:
    """How many true incidents an explanation holds back, of how many, over several kinds of evidence."""
    counts = [(kind.right_suspended, kind.right) for kind in kinds]
    return sum(suspended for suspended, _ in counts), sum(right for _, right in counts)


def _explanation_score(code: str, stood: Sequence[tuple[WeighedIncident, Weighed]]) -> ExplanationScore:
    counts = Counter((explanation.standing, incident.right) for incident, explanation in stood)
    incident, example = min(stood, key=lambda pair: (EXAMPLES.index(pair[1].standing), not pair[0].right))
    return ExplanationScore(
        code,
        sum(incident.right for incident, _ in stood),
        sum(not incident.right for incident, _ in stood),
        counts[Standing.HOLDS, True],
        counts[Standing.HOLDS, False],
        counts[Standing.UNTESTED, True],
        counts[Standing.UNTESTED, False],
        incident.case,
        example.standing,
        example.because.code,
        example.because.params,
    )


@dataclass(frozen=True, slots=True)
class Evaluation:
    """How Fanous did on one corpus.

    Attributes:
        country_months: exposure: the labelled window times the number of countries.
        series_months: that times the number of pairs of network and target measured.
        quantity_months: months of all quantity series that lie in the window.
        right_confirmed: incidents, confirmed at any time, that match an event.
        false_confirmed: incidents, confirmed at any time, that match no event.
        false_suspected: incidents, suspected or ended unconfirmed, that match none.
        retracted: suspicions that faded.
        stated: confidence of each incident that the labels call right or false.
        losses: those injected into quantities; quiet: what is raised on these series without them.
        plants: blocking planted in replays of quiet measurements.
        worlds: platforms that fail, or are blocked, in several countries.
        sensitivity: failures planted in quiet votes, compared with what is stated.
        quiet_intervals: labelled as such.
        is_real: everything was measured; nothing was generated, planted, replayed or made up.
        missing: files without which it could not be judged; then nothing else is known, and nothing counts.
        weighed: what else each incident could have been that the labels call right or false, retracted or not.
    """

    title: str
    measurements: int
    events: tuple[EventScore, ...]
    country_months: float
    series_months: float
    right_confirmed: int
    false_confirmed: int
    false_suspected: int
    retracted: int
    losses: tuple[LossScore, ...] = ()
    quiet: tuple[QuietScore, ...] = ()
    stated: tuple[Stated, ...] = ()
    plants: tuple[PlantScore, ...] = ()
    worlds: tuple[WorldScore, ...] = ()
    quantity_months: float = 0.0
    sensitivity: tuple[SensitivityScore, ...] = ()
    quiet_intervals: tuple[QuietIntervalScore, ...] = ()
    is_real: bool = False
    missing: tuple[str, ...] = ()
    weighed: tuple[WeighedIncident, ...] = ()

    @property
    def false_suspected_a_quantity_month(self) -> float | None:
        """False suspicions per month of a quantity series; None = the corpus has no such series."""
        return self.false_suspected / self.quantity_months if self.quantity_months else None

    @property
    def recall(self) -> float | None:
        return sum(e.confirmed for e in self.events) / len(self.events) if self.events else None

    @property
    def found(self) -> float | None:
        """Share of the events with an incident, confirmed or suspected."""
        return sum(e.found != "missed" for e in self.events) / len(self.events) if self.events else None

    @property
    def precision(self) -> float | None:
        claims = self.right_confirmed + self.false_confirmed
        return self.right_confirmed / claims if claims else None

    @property
    def false_confirmed_a_world_year(self) -> tuple[float, float]:
        """The rate seen, and its upper 95 % bound: with none seen in n country-years it may still be 3/n."""
        world_years = max(self.country_months, 1e-9) / 12 / WORLD
        n = self.false_confirmed + 1
        most = float(
            n * (1 - 1 / (9 * n) + 1.645 / (3 * n**0.5)) ** 3
        )  # of a Poisson count (Byar's approximation)
        return self.false_confirmed / world_years, most / world_years

    @property
    def false_suspected_a_country_month(self) -> float:
        return self.false_suspected / self.country_months


def together(title: str, every: Sequence[Evaluation]) -> Evaluation:
    """Several evaluations as one: counts and exposure, without their events."""
    return Evaluation(
        title=title,
        measurements=sum(e.measurements for e in every),
        events=(),
        country_months=sum(e.country_months for e in every),
        series_months=sum(e.series_months for e in every),
        right_confirmed=sum(e.right_confirmed for e in every),
        false_confirmed=sum(e.false_confirmed for e in every),
        false_suspected=sum(e.false_suspected for e in every),
        retracted=sum(e.retracted for e in every),
        weighed=tuple(incident for e in every for incident in e.weighed),
    )


def not_judged(title: str, is_real: bool, missing: Sequence[str]) -> Evaluation:
    """A corpus whose measurements are missing."""
    return Evaluation(title, 0, (), 0.0, 0.0, 0, 0, 0, 0, is_real=is_real, missing=tuple(missing))


@dataclass(frozen=True, slots=True)
class Total:
    """Several corpora together: real ones, or made-up ones, but never both.

    Attributes:
        missing: corpora that could not be judged, which count in nothing else.
        status_right: of the ``events``.
        onsets, onsets_inside: events whose true onset is known, and those of them whose bracket meets it.
        ends, ends_inside: the same for the end, of events whose end was found; levels, levels_inside: for the level.
        onset_error_minutes, end_error_minutes: median distance from the label; None = none was found.
        quiet: quiet intervals in which something was measured; quiet_right: of these, without a confirmed incident.
    """

    is_real: bool
    corpora: int
    missing: int
    events: int
    status_right: int
    onsets: int
    onsets_inside: int
    levels: int
    levels_inside: int
    onset_error_minutes: float | None
    end_error_minutes: float | None
    quiet: int
    quiet_right: int
    false_confirmed: int
    false_suspected: int
    country_months: float
    ends: int
    ends_inside: int


def total(every: Sequence[Evaluation], *, is_real: bool) -> Total:
    """The sums over the real corpora, or over the others."""
    evaluations = [e for e in every if e.is_real is is_real]
    judged = [e for e in evaluations if not e.missing]
    events = [event for e in judged for event in e.events]
    quiet = [i for e in judged for i in e.quiet_intervals if i.measured]
    return Total(
        is_real=is_real,
        corpora=len(judged),
        missing=len(evaluations) - len(judged),
        events=len(events),
        status_right=sum(event.status_right for event in events),
        onsets=sum(event.truth.onset is not None for event in events),
        onsets_inside=sum(event.onset_inside is True for event in events),
        ends=sum(event.end_inside is not None for event in events),
        ends_inside=sum(event.end_inside is True for event in events),
        levels=sum(event.truth.level is not None for event in events),
        levels_inside=sum(event.level_inside is True for event in events),
        onset_error_minutes=middle([event.onset_error_minutes for event in events]),
        end_error_minutes=middle([event.end_error_minutes for event in events]),
        quiet=len(quiet),
        quiet_right=sum(not interval.confirmed for interval in quiet),
        false_confirmed=sum(evaluation.false_confirmed for evaluation in judged),
        false_suspected=sum(evaluation.false_suspected for evaluation in judged),
        country_months=sum(evaluation.country_months for evaluation in judged),
    )


def middle(values: Sequence[float | None]) -> float | None:
    """Median distance from the label, in either direction; None = none is known."""
    sizes = [abs(value) for value in values if value is not None]
    return median(sizes) if sizes else None


# --- attacks --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Attack:
    """One attack and its break-even.

    Attributes:
        goal: ``make`` a confirmed incident of this scope or wider, or ``unmake`` a real national one, so that
            none of the networks attacked is named any more.
        networks: in the country, with ``honest`` probes each.
        days: how long the liars keep it up.
        spread: number of networks with liars.
        liars: the fewest with which it succeeds; None = not even with four times as many as the honest probes
            there.
    """

    goal: str
    scope: Scope
    strategy: str
    networks: int
    honest: int
    days: float
    spread: int
    liars: int | None

    @property
    def share(self) -> float | None:
        """Share of liars among the probes on the networks attacked; None = it never works."""
        return None if self.liars is None else self.liars / (self.liars + self.honest * self.spread)


@dataclass(frozen=True, slots=True)
class Price:
    """What a lie costs.

    Attributes:
        attack: ``T1`` (a false report by a collector's door), ``T2`` (denials of what own probes see), ``T3`` (failures
            reported for the days before a true event), ``T4`` (the same for the hours before it), ``T5`` (an event that
            never was, dated back), ``T6`` (a name as a message), ``T7`` (a false report through OONI, from anywhere),
            ``T8`` (a lying publisher) or ``silence`` (denials of what volunteers alone see).
        by: whose lie it is: ``line`` (of a stranger to a collector), ``laptop`` (through OONI, from anywhere),
            ``operator`` (of one of the networks, with addresses in plenty), ``publisher`` or ``mirror`` (of all of
            them).
        lines: internet connections on each network, or publishers that lie.
        networks: that it takes, or claims.
        hours: for which it is kept up.
        names: under which one connection sends at a time.
        honest: volunteers on each network who measure the target; 0 = no one does.
        country: of ``silence``; otherwise empty.
    """

    attack: str
    by: str
    lines: int
    networks: int
    hours: float
    names: int
    honest: int
    country: str = ""


@dataclass(frozen=True, slots=True)
class Draw:
    """What one attempt came to.

    Attributes:
        worked: confirmed what never was, or took back or narrowed what was; for T4: moved its onset by more than a bin;
            for T6: readers saw the name; for ``silence``: kept it from confirmation.
        reported: something is published of it, at least a suspicion.
        changed: a true event is not confirmed, lost a network, or was moved by more than a bin.
        hours: from the first lie to the confirmation that it brought about.
        is_counted: false = a true event is not confirmed where no one lies, so there was nothing to win.
    """

    worked: bool
    reported: bool
    changed: bool = False
    hours: float | None = None
    is_counted: bool = True


@dataclass(frozen=True, slots=True)
class PriceScore:
    """How often a lie at a price worked.

    Attributes:
        draws: attempts, each with its own seed.
        counted: of these, with something to win (``Draw.is_counted``).
        worked, reported, changed: of those that count (``Draw``).
        hours: median time to the confirmation that it brought about; ``None`` = it never did.
        soonest: the shortest.
    """

    price: Price
    draws: int
    counted: int
    worked: int
    reported: int
    changed: int
    hours: float | None
    soonest: float | None

    @property
    def is_too_cheap(self) -> bool:
        """Did one line, or one publisher, do what it must never do?"""
        is_least = self.price.by in ("line", "publisher", "mirror") and self.price.lines == 1
        return is_least and self.price.attack != "silence" and self.worked > 0


def price_score(price: Price, draws: Sequence[Draw]) -> PriceScore:
    """The counts of a row's draws."""
    counted = [draw for draw in draws if draw.is_counted]
    hours = [draw.hours for draw in counted if draw.hours is not None]
    return PriceScore(
        price,
        len(draws),
        len(counted),
        sum(draw.worked for draw in counted),
        sum(draw.reported for draw in counted),
        sum(draw.changed for draw in counted),
        round(median(hours), 1) if hours else None,
        round(min(hours), 1) if hours else None,
    )


@dataclass(frozen=True, slots=True)
class VolunteerPrice:
    """What it costs to become known volunteers for a lie, and how often that is confirmed.

    Attributes:
        lines: internet connections on each network.
        networks: on which the lie is told.
        names: pseudonyms on each network, one for each block of addresses of a line (IPv4 and IPv6).
        days: for which each of them measured before.
        hours: for which the lie is told.
        draws: attempts, each with its own seed.
        worked: of these: something was confirmed that never was; reported: a suspicion was published.
    """

    lines: int
    networks: int
    names: int
    days: int
    hours: float
    draws: int
    worked: int
    reported: int


@dataclass(frozen=True, slots=True)
class VolunteerSpeed:
    """How soon volunteers alone confirm a true block.

    Attributes:
        volunteers: on each network.
        draws: true blocks, each with its own seed.
        known, strangers: median minutes until it is confirmed if they have had a credential for long, and without;
            ``None`` = most are not confirmed within a day.
    """

    volunteers: int
    networks: int
    draws: int
    known: float | None
    strangers: float | None


@dataclass(frozen=True, slots=True)
class Fifth:
    """How often an attack by a fifth of the probes on one of five networks works, for twelve hours.

    Attributes:
        goal: ``make``: a confirmed incident names the network; ``unmake``: a real incident no longer does.
        strategy: empty = no one lies.
        times: attacks, each with its own seed.
        worked: attacks that succeeded; national: of these, those that made or unmade a national claim.
    """

    goal: str
    strategy: str
    honest: int
    liars: int
    times: int
    worked: int
    national: int


@dataclass(frozen=True, slots=True)
class Spared:
    """What is concluded if a national restriction of twelve hours spares an organisation's own probes.

    Attributes:
        honest, own: users' probes, and own ones, on each of five networks.
        times: runs, each with its own seed.
        confirmed, national: runs with a confirmed incident, and with one of the nation.
        told: runs in which an incident says that sources disagree.
        missed: runs without an incident.
    """

    honest: int
    own: int
    times: int
    confirmed: int
    national: int
    told: int
    missed: int
