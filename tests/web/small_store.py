"""A store for tests of pages: it answers from lists, so that a test states only what it is about."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import Any, TypeVar, cast

from fanous.model.incident import Incident
from fanous.store import Store
from fanous.store.ledger import Revision
from fanous.store.rows import Heard

T = TypeVar("T")


@dataclass
class SmallStore:
    """What pages read of a ``Store``; a method that a page needs and that is not here fails its test."""

    known: list[Incident] = field(default_factory=list)
    names: dict[int, str] = field(default_factory=dict)
    country: str = "PK"
    heard_networks: list[Heard] = field(default_factory=list)
    revised_at: float = 1_702_900_000.0
    questions: int = 0

    def incidents(
        self, country: str | None = None, since: float | None = None, until: float | None = None
    ) -> list[Incident]:
        low, high = -inf if since is None else since, inf if until is None else until
        return [
            one
            for one in self.known
            if country in (None, one.country) and one.onset < high and (one.end or inf) >= low
        ]

    def incident(self, incident_id: str) -> Incident | None:
        return next((one for one in self.known if one.id == incident_id), None)

    def revisions(self, incident_id: str) -> list[Revision]:
        one = self.incident(incident_id)
        return [Revision(1, self.revised_at, "first seen", one)] if one else []

    def networks(self, country: str) -> dict[int, str]:
        return self.names if country == self.country else {}

    def heard(self, since: float, until: float) -> Sequence[Heard]:
        return [one for one in self.heard_networks if since <= one.at < until]

    async def ask(self, question: Callable[[Store], T], /) -> T:
        self.questions += 1
        return question(cast(Any, self))
