"""Attack: what lying probes try, the least number with which it works, and how often a fifth of them does."""

from dataclasses import dataclass

from fanous.model.incident import Scope


@dataclass(frozen=True, slots=True)
class Attack:
    """One attack and its break-even.

    Attributes:
        goal: ``make`` a confirmed incident of this scope (or wider), or ``unmake`` a real national one (none
            of the networks attacked is named any more).
        networks: of the country, with ``honest`` probes each.
        days: for which the liars keep it up.
        spread: networks on which the liars sit.
        liars: least number with which it works; ``None`` = not with four times the honest ones there.
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
        """Of the probes on the networks attacked."""
        return None if self.liars is None else self.liars / (self.liars + self.honest * self.spread)


@dataclass(frozen=True, slots=True)
class Fifth:
    """How often an attack works by a fifth of the probes on one network of five, for twelve hours.

    Attributes:
        goal: ``make``: a confirmed incident names the network; ``unmake``: that of a real one does not.
        strategy: empty = nobody lies.
        times: attacks, each on a seed of its own.
        worked: of them; national: of them, those that made, or unmade, a national claim.
    """

    goal: str
    strategy: str
    honest: int
    liars: int
    times: int
    worked: int
    national: int
