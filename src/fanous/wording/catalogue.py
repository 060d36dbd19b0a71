"""Catalogue: the gettext file of a language, compiled when it is first needed.

A catalogue of this size compiles in some milliseconds, so that no compiled file can be older than its source.
"""

from dataclasses import dataclass
from functools import lru_cache
from gettext import GNUTranslations
from importlib.resources import files
from io import BytesIO


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Attributes:
    translations: what gettext reads.
    known: English texts that have a translation; a doubtful (fuzzy) one is none.
    """

    translations: GNUTranslations
    known: frozenset[str]


@lru_cache(maxsize=16)
def catalogue(code: str) -> Catalogue:
    """The catalogue ``catalogues/CODE.po`` of this package."""
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    source = (files(__package__) / "catalogues" / f"{code}.po").read_bytes()
    read = read_po(BytesIO(source), locale=code)
    compiled = BytesIO()
    write_mo(compiled, read)
    compiled.seek(0)
    known = {
        (message.id if isinstance(message.id, str) else message.id[0])
        for message in read
        if message.id and message.string and not message.fuzzy and _whole(message.string)
    }
    return Catalogue(GNUTranslations(compiled), frozenset(known))


def _whole(text: str | tuple[str, ...] | list[str]) -> bool:
    """Are all plural forms there?"""
    return bool(text) if isinstance(text, str) else all(text)
