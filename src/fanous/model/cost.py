"""Cost: what a disruption may cost an economy: a range by method, with everything that it was computed from."""

from dataclasses import dataclass, field

from fanous.model.incident import Kind


@dataclass(frozen=True, slots=True)
class Phrase:
    """A text with placeholders and their values, to be shown in the reader's language.

    Attributes:
        text: English, ``"tiers {low} to {high}"``.
        values: placeholder -> text as it is, another phrase, or a share (0..1).
    """

    text: str
    values: "dict[str, str | float | Phrase]" = field(default_factory=dict, hash=False)

    def __str__(self) -> str:
        """In English."""
        filled = {name: percent(v) if isinstance(v, float) else str(v) for name, v in self.values.items()}
        return self.text.format(**filled)


def percent(share: float) -> str:
    """``5.3%``, ``20%``."""
    return f"{100 * share:.1f}".removesuffix(".0") + "%"


@dataclass(frozen=True, slots=True)
class Range:
    """Low and high; equal where a method gives one figure."""

    low: float
    high: float

    def times(self, other: "Range") -> "Range":
        """The product; neither may be negative."""
        return Range(self.low * other.low, self.high * other.high)


WHOLE = Range(1.0, 1.0)


@dataclass(frozen=True, slots=True)
class Figure:
    """A published figure.

    Attributes:
        year: to which it refers.
    """

    name: Phrase
    value: float
    unit: str
    year: int
    source: str


@dataclass(frozen=True, slots=True)
class Economy:
    """What is known about a country; None = not published.

    Attributes:
        gdp: current US$ a year.
        population: people.
        users: share of people who use the internet, 0..1.
        digital: share of GDP that is digital, 0..1, as a study cites it.
        cipesa: US$ a day of a national shutdown, as CIPESA publishes it.
        in_cipesa: does that study cover the country's part of the world?
    """

    country: str
    gdp: Figure | None
    population: Figure | None
    users: Figure | None
    digital: Figure | None
    cipesa: Figure | None
    in_cipesa: bool


@dataclass(frozen=True, slots=True)
class Disruption:
    """The disruption whose cost is computed.

    Attributes:
        hours: how long it lasted.
        targets: empty = the line itself.
        parts: of the services among them only these parts were stopped (``telegram/client``).
        affected: share of users affected, 0..1.
        dependence: share of online activity that it stopped, 0..1; 1 for an outage.
        notes: where these shares come from, or why nothing narrower can be said.
    """

    country: str
    kind: Kind
    hours: float
    targets: tuple[str, ...] = ()
    affected: Range = WHOLE
    dependence: Range = WHOLE
    notes: tuple[Phrase, ...] = ()
    parts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CostEstimate:
    """The estimate of one method.

    Attributes:
        method: a stable name.
        title: the study.
        per_hour: US$; None = it has no figure for this country, and ``why`` says why not.
        why: what to know about the figure.
        inputs: figures from which it was computed.
        is_capped: did the ceiling make it smaller?
    """

    method: str
    title: Phrase
    per_hour: Range | None
    why: Phrase
    inputs: tuple[Figure, ...] = ()
    is_capped: bool = False


@dataclass(frozen=True, slots=True)
class Cost:
    """All methods side by side.

    Attributes:
        ceiling: share of GDP that no estimate exceeds.
        ceiling_why: why this ceiling.
    """

    disruption: Disruption
    estimates: tuple[CostEstimate, ...]
    ceiling: float
    ceiling_why: Phrase

    @property
    def per_hour(self) -> Range | None:
        """From the lowest to the highest figure of any method; None = no method has one."""
        said = [one.per_hour for one in self.estimates if one.per_hour is not None]
        return Range(min(r.low for r in said), max(r.high for r in said)) if said else None

    def in_all(self, per_hour: Range | None) -> Range | None:
        """US$ for the whole disruption."""
        hours = Range(self.disruption.hours, self.disruption.hours)
        return None if per_hour is None else per_hour.times(hours)
