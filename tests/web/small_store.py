"""A store for tests of pages: it answers from lists, so that a test states only what it is about."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from math import inf
from statistics import median
from typing import Any, TypeVar, cast

from fanous.model.alert import Delivery
from fanous.model.claim import Claim
from fanous.model.coverage import MeasurementCount, Outcomes
from fanous.model.event import AnnouncedEvent
from fanous.model.incident import Incident, Status
from fanous.model.measurement import Observation, Provenance
from fanous.model.place import Place
from fanous.model.reason import Reason, as_written
from fanous.model.series import BinnedSeries, Series, SeriesKey, Spread, Votes
from fanous.model.verdict import Verdict
from fanous.store.archive import Location
from fanous.store.coverage import Freshness, Heard, Insufficient, KnownNetwork
from fanous.store.database import Lease
from fanous.store.facts import StoredMeasurement
from fanous.store.ledger import Method, Revision
from fanous.store.protocol import Store
from fanous.store.series import KnownSignal
from fanous.store.votes import AxisValue, CountedMeasurement, CountScope
from fanous_lab.evaluation.votes import series_of
from tests.analysis.incidents.events import HOUR, MONDAY, Ballot, votes
from tests.counted import counted, listed

T = TypeVar("T")


@dataclass
class SmallStore:
    """What pages read of a ``Store``; a method that a page needs and that is not here fails its test."""

    known: list[Incident] = field(default_factory=list)
    names: dict[int, str] = field(default_factory=dict)
    country: str = "PK"
    heard_networks: list[Heard] = field(default_factory=list)
    fresh: list[Freshness] = field(default_factory=list)
    ballots: tuple[Ballot, ...] = ()
    unsure: list[Insufficient] = field(default_factory=list)
    revised_at: float = 1_702_900_000.0
    said: list[Claim] = field(default_factory=list)
    announced: list[AnnouncedEvent] = field(default_factory=list)
    quantity_series: list[Series] = field(default_factory=list)
    stored: dict[str, tuple[StoredMeasurement, list[Verdict], list[Observation], bytes]] = field(
        default_factory=dict
    )
    questions: int = 0
    now_is: float = 1_702_900_000.0

    @property
    def archive(self) -> Any:
        return self

    @property
    def facts(self) -> Any:
        return self

    engine: Any = None

    is_synthetic: bool = False
    staged = False

    def for_readers(self, _memory: Any = None) -> Any:
        return self

    def of(self, provenance: Provenance) -> "SmallStore":
        """It holds one kind of record, and none of the other."""
        if provenance.is_synthetic is self.is_synthetic:
            return self
        return replace(
            self,
            ballots=(),
            heard_networks=[],
            fresh=[],
            quantity_series=[],
            stored={},
            is_synthetic=not self.is_synthetic,
        )

    def sides(self) -> "tuple[SmallStore, SmallStore]":
        return self.of(Provenance.REAL), self.of(Provenance.SYNTHETIC)

    def about(self, _country: str | None = None) -> "SmallStore":
        return self

    @property
    def ledger(self) -> Any:
        return self

    def now(self) -> float:
        return self.now_is

    def incidents(
        self,
        country: str | None = None,
        since: float | None = None,
        until: float | None = None,
        *,
        synthetic: bool | None = None,
        retracted: float | None = None,
    ) -> list[Incident]:
        low, high = -inf if since is None else since, inf if until is None else until
        return [
            one
            for one in self.known
            if synthetic in (None, one.provenance.is_synthetic)
            and country in (None, one.country)
            and one.onset < high
            and (one.end or inf) >= low
            and (retracted is None or (one.status is Status.RETRACTED and self.revised_at >= retracted))
        ]

    def incident(self, incident_id: str) -> Incident | None:
        return next((one for one in self.known if one.id == incident_id), None)

    def watches(self, _incident: Incident) -> Callable[[str], bool]:
        return lambda _: True

    def methods(self) -> list[Method]:
        return []

    def revisions(self, incident_id: str) -> list[Revision]:
        one = self.incident(incident_id)
        return [Revision(1, self.revised_at, as_written("first seen"), one)] if one else []

    def outcomes(
        self, _country: str, since: float, until: float, targets: Sequence[str], edges: Sequence[float]
    ) -> list[MeasurementCount]:
        made = Counter(
            one.asn
            for one in self.ballots
            for hour in one.hours
            if one.target in targets and since <= MONDAY + hour * HOUR < until
        )
        return [MeasurementCount(asn, edges[0], count, 0) for asn, count in made.items()]

    def written(self) -> tuple[int, ...]:
        return hash(repr(self.known)), len(self.said), len(self.announced)

    def brought_in(self) -> dict[str, tuple[int, int]]:
        return {self.country: (len(self.ballots), hash(repr((self.ballots, self.names))))}

    def holds_national(self) -> bool:
        return True

    leaves_out_held = False

    def hides_held(self) -> bool:
        return False

    def networks(self, country: str) -> dict[int, str]:
        return self.names if country == self.country else {}

    def heard(self, since: float, until: float) -> Sequence[Heard]:
        return [one for one in self.heard_networks if since <= one.at < until]

    def freshness(self, since: float, until: float) -> list[Freshness]:
        return [one for one in self.fresh if since <= one.at < until]

    def heard_in(self, country: str, since: float, until: float) -> Sequence[Heard]:
        return [one for one in self.heard(since, until) if one.country == country]

    def votes(self, country: str, since: float, until: float, targets: Sequence[str] | None = None) -> Votes:
        every = votes(*self.ballots) if country == self.country else votes()
        inside = every.where((every.times >= since) & (every.times < until))
        return inside if targets is None else inside.of(targets, inside.by_target())

    def series(
        self,
        country: str,
        since: float,
        until: float,
        _step: int,
        targets: Sequence[str] | None = None,
        *,
        vouched_step: int,
    ) -> list[Series]:
        assert vouched_step
        every = self.votes(country, since, until, targets)
        return [
            replace(one, key=replace(one.key, target=target))
            for target, rows in every.by_target().items()
            for one in series_of(every.where(rows), country)
        ]

    def series_of_targets(
        self,
        country: str,
        since: float,
        until: float,
        step: int,
        targets: Sequence[str] | None,
        vouched_step: int,
    ) -> list[Series]:
        return self.series(country, since, until, step, targets, vouched_step=vouched_step)

    def tally(
        self, scope: CountScope, axes: Sequence[str], edges: Sequence[float], most: int
    ) -> list[tuple[tuple[AxisValue, ...], Outcomes]]:
        if scope.countries and self.country not in scope.countries:
            return []
        return counted(votes(*self.ballots), scope, axes, edges, self.country)[:most]

    def counted_ones(
        self, scope: CountScope, most: int, after: tuple[int, str, str] | None = None
    ) -> list[CountedMeasurement]:
        if scope.countries and self.country not in scope.countries:
            return []
        every = listed(votes(*self.ballots), scope, self.country)
        return [one for one in every if after is None or (one.micros, one.uid, one.target) < after][:most]

    def verdicts_within(self, _scope: CountScope) -> int:
        return len(self.ballots)

    def known_networks(self) -> list[KnownNetwork]:
        asns = votes(*self.ballots).asns.tolist()
        return [
            KnownNetwork(self.country, asn, self.names.get(asn, ""), asns.count(asn), self.now_is)
            for asn in sorted({*asns, *self.names})
        ]

    def known_targets(self) -> dict[str, int]:
        return dict(Counter(votes(*self.ballots).targets.tolist()))

    def measured(self, country: str) -> tuple[float, float] | None:
        times = votes(*self.ballots).times
        return (times[0], times[-1]) if len(times) and country == self.country else None

    def ends(
        self, country: str, since: float, until: float, targets: Sequence[str]
    ) -> tuple[float, float] | None:
        times = self.votes(country, since, until, targets).times
        return (times[0], times[-1]) if len(times) else None

    def volume(self, _country: str, _since: float, _until: float, _step: int = 3600) -> list[Series]:
        return []

    @property
    def outbox(self) -> Any:
        return _NothingToTell()

    def insufficient(self, country: str, since: float, until: float) -> list[Insufficient]:
        return [one for one in self.unsure if country == self.country and since < until]

    def countries(self) -> list[str]:
        return [self.country] if self.ballots or self.heard_networks else []

    def claims(self, country: str | None = None, since: float = -inf, until: float = inf) -> list[Claim]:
        found = [one for one in self.said if country in (None, one.country)]
        return [one for one in found if one.since < until and one.until > since]

    def add_claim(self, claim: Claim) -> Claim:
        self.said.append(replace(claim, id=f"{claim.country}-claim-{len(self.said) + 1}"))
        return self.said[-1]

    def events(
        self, country: str | None = None, since: float = -inf, until: float = inf
    ) -> list[AnnouncedEvent]:
        found = [one for one in self.announced if country in (None, one.country)]
        return [one for one in found if one.start < until and one.end > since]

    def levels(
        self,
        country: str,
        since: float = -inf,
        until: float = inf,
        signals: Sequence[str] | None = None,
        entities: Sequence[Place] | None = None,
        *,
        settled: bool = False,
    ) -> list[Series]:
        del settled  # every bin of it has settled
        return [
            one
            for one in self.quantity_series
            if one.key.place.country == country
            and (entities is None or one.key.place in entities)
            and (signals is None or one.key.signal in signals)
            and one.times[-1] >= since
            and one.times[0] < until
        ]

    def series_licences(self, country: str) -> dict[tuple[SeriesKey, int], tuple[str, ...]]:
        return {(one.key, one.step): () for one in self.levels(country)}

    def series_keys(self, country: str, since: float, until: float) -> list[SeriesKey]:
        return [one.key for one in self.levels(country, since, until) if len(one)]

    def known_signals(self) -> list[KnownSignal]:
        found: dict[tuple[str, str, str], list[int]] = {}
        for one in self.quantity_series:
            place = one.key.place
            kind = "network" if place.asn else "region" if place.region else "country"
            found.setdefault((place.country, one.key.signal, kind), []).extend(one.times.tolist())
        return [KnownSignal(*which, min(times), max(times)) for which, times in found.items()]

    def known_regions(self, country: str) -> list[str]:
        places = (one.key.place for one in self.quantity_series)
        return sorted({place.region for place in places if place.country == country and place.region})

    def binned(self, country: str, signal: str, edges: Sequence[float]) -> list[BinnedSeries]:
        found = []
        for one in self.levels(country, edges[0], edges[-1], [signal]):
            bins: dict[int, list[float]] = {}
            for at, value in zip(one.times.tolist(), one.values.tolist(), strict=True):
                if edges[0] <= at < edges[-1]:
                    bins.setdefault(int(edges[bisect_right(edges, at) - 1]), []).append(value)
            told = {at: Spread(median(own), min(own), max(own), len(own)) for at, own in bins.items()}
            if told:
                found.append(BinnedSeries(one.key, one.step, told))
        return found

    def series_fetched(self, country: str) -> dict[str, float]:
        return {one.key.source: float(one.times[-1]) for one in self.levels(country)}

    series_latest = series_fetched

    def span(self, _country: str) -> tuple[float, float] | None:
        return None

    def measurement(self, uid: str) -> StoredMeasurement | None:
        return self.stored[uid][0] if uid in self.stored else None

    def verdicts(self, uid: str) -> list[Verdict]:
        return self.stored[uid][1]

    def observations(self, uid: str) -> list[Observation]:
        return self.stored[uid][2]

    def read(self, location: Location) -> bytes:
        return next(own[3] for own in self.stored.values() if own[0].location == location)

    def retract(
        self,
        incident_id: str,
        reasons: tuple[Reason, ...],
        *,
        at: float | None = None,
        withdrawn_by: str = "",
    ) -> Incident:
        (old,) = [one for one in self.known if one.id == incident_id]
        gone = replace(old, status=Status.RETRACTED, reasons=reasons, withdrawn_by=withdrawn_by)
        self.known[self.known.index(old)] = gone
        self.revised_at = self.revised_at if at is None else at
        return self.known[-1]

    def lease(self, country: str) -> Lease:
        return Lease(country, None, "test", 1)

    def holding(self, _lease: Lease) -> AbstractContextManager[None]:
        return nullcontext()

    def give_back(self, _lease: Lease) -> None:
        pass

    def check_whole(self) -> None:
        pass

    async def ask(self, question: Callable[[Store], T], /) -> T:
        self.questions += 1
        return question(cast(Any, self))


class _NothingToTell:
    def deliveries(self) -> list[Delivery]:
        return []
