"""Page: what a page needs from the store, and the template that shows it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from fanous.store.protocol import Store
from fanous.web.visit import Visit

Facts = Mapping[str, Any]
"""Names for a template."""


@dataclass(frozen=True, slots=True)
class Page:
    """Attributes:
    path: as Starlette writes routes, ``/{country}``.
    gather: reads the store, in the store's thread; ``None`` = there is no such page.
    """

    path: str
    template: str
    gather: Callable[[Store, Visit], Facts | None]
