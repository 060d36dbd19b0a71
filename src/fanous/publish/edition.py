"""Edition: what all that is published at one time shares - its language, its address, its moment."""

from dataclasses import dataclass
from urllib.parse import quote, urlencode

from fanous.wording.language import Language


@dataclass(frozen=True, slots=True)
class Edition:
    """Attributes:
    base: scheme and host for permanent addresses, without a slash at the end.
    now: unix seconds, UTC.
    named: the language stands in the address, so links carry it on.
    url: the address that the monitor's owner has set, which names its entries in feeds; empty = none is set.
    notice: said before everything else (a recorded event); empty = nothing.
    """

    language: Language
    base: str
    now: float
    named: bool = False
    url: str = ""
    notice: str = ""

    def link(self, path: str, **query: str) -> str:
        """An address on this site that keeps the reader's language."""
        if self.named and "lang" not in query:
            query["lang"] = self.language.code
        return quote(path, safe="/:,.-") + (f"?{urlencode(query)}" if query else "")

    def permanent(self, path: str) -> str:
        """The address that is cited: whole, and without a language."""
        return self.base + quote(path, safe="/:,.-")
