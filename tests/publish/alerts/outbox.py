"""A ledger that can be asked like a store, and the configuration of channels, for tests of alerts."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar, cast

from fanous.model.incident import Incident
from fanous.model.measurement import Provenance
from fanous.publish.alerts.dispatch import Dispatcher, Done
from fanous.publish.alerts.message import Sender
from fanous.publish.alerts.settings import Alerting, read_alerting
from fanous.store.ledger import Ledger
from fanous.store.protocol import Store
from tests.charts.events import END

T = TypeVar("T")
SECRET = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
NOW = END + 600

_OPEN: list[Ledger] = []


@dataclass
class Told:
    """Attributes:
    now_is: unix seconds; what the ledger calls now.
    is_synthetic: as of a store with no staged events.
    """

    folder: Path
    now_is: float = NOW
    is_synthetic: bool = False
    ledger: Ledger = field(init=False)

    def __post_init__(self) -> None:
        self.ledger = Ledger(f"sqlite:///{self.folder / 'ledger.sqlite'}", self.now)
        _OPEN.append(self.ledger)

    def now(self) -> float:
        return self.now_is

    @property
    def facts(self) -> "Told":
        return self

    def for_readers(self) -> "Told":
        return self

    def of(self, _provenance: Provenance) -> "Told":
        return self

    def networks(self, _country: str) -> dict[int, str]:
        return {}

    async def ask(self, question: Callable[[Store], T], /) -> T:
        return question(cast(Store, self))

    def put(self, claim: Incident, known_as: str | None = None) -> Incident:
        return self.ledger.put(claim, claim.reasons, known_as=known_as)

    def tell(self, alerting: Alerting, name: str = "desk") -> None:
        """One pass over one channel, as `fanous run` makes it."""
        asyncio.run(Dispatcher(self.ask, alerting, Sender()).tell(alerting.channels[name]))

    def look(self, alerting: Alerting, sender: Sender | None = None) -> Done:
        return asyncio.run(Dispatcher(self.ask, alerting, sender or Sender()).look())


def close_ledgers() -> None:
    """Of all that were told in a test."""
    while _OPEN:
        _OPEN.pop().close()


def configured(folder: Path, channels: str, rules: str = "") -> Alerting:
    """Args:
    channels: TOML below ``[alerts.channels]``; one channel is named ``desk``.
    rules: TOML of the first rule, less its channels.
    """
    file = folder / "fanous.toml"
    file.write_text(f'{channels}\n[[alerts.rules]]\nchannels = ["desk"]\n{rules}\n')
    return read_alerting(file)
