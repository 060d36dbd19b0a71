"""Score: how what Fanous says of a labelled corpus compares with its labels."""

from dataclasses import dataclass

YEAR = 365.25 * 86400.0

WORLD = 195
"""Countries that a monitor of the world watches."""


@dataclass(frozen=True, slots=True)
class NetworkScore:
    """One network of one labelled event.

    Attributes:
        found: ``confirmed``, ``suspected`` or ``missed``.
        overlap: bins in which both the label and Fanous say *on*, of those in which either does, counted
            over the bins in which the network was measured; ``None`` = never measured during the label.
        onset_error_minutes: found minus labelled; ``None`` = not found, or an open onset.
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
        minutes_to_confirm: from the labelled onset to the first ``confirmed_at``; ``None`` = never.
        incidents: that were made of it: one event should be one.
        extra_networks: named in those incidents, but not labelled.
    """

    id: str
    confirmed: bool
    minutes_to_confirm: float | None
    onset_error_minutes: float | None
    end_error_minutes: float | None
    incidents: int
    scope_right: bool | None
    extra_networks: tuple[int, ...]
    networks: tuple[NetworkScore, ...]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One corpus.

    Attributes:
        country_months: exposure, the labelled window times countries.
        series_months: the same times (network, target) pairs measured.
        right_confirmed: incidents, confirmed at any time, that match an event.
        false_confirmed: incidents, confirmed at any time, that match no event.
        false_suspected: incidents, suspected or ended unconfirmed, that match none.
        retracted: suspicions that faded.
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

    @property
    def recall(self) -> float | None:
        return sum(e.confirmed for e in self.events) / len(self.events) if self.events else None

    @property
    def precision(self) -> float | None:
        claims = self.right_confirmed + self.false_confirmed
        return self.right_confirmed / claims if claims else None

    @property
    def false_confirmed_a_world_year(self) -> tuple[float, float]:
        """The rate seen, and its upper 95 % bound (none seen in n country-years is still up to 3/n)."""
        world_years = max(self.country_months, 1e-9) / 12 / WORLD
        return self.false_confirmed / world_years, _at_most(self.false_confirmed) / world_years

    @property
    def false_suspected_a_country_month(self) -> float:
        return self.false_suspected / self.country_months


def _at_most(count: int) -> float:
    """Upper 95 % bound of a Poisson count (Byar's approximation)."""
    n = count + 1
    return float(n * (1 - 1 / (9 * n) + 1.645 / (3 * n**0.5)) ** 3)
