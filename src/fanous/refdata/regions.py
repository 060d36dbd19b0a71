"""Regions: a place inside a country by its ISO 3166-2 code, from the names that sources write.

Names are compared without accents and words such as "province".  No guess by likeness is made: one letter
lies between provinces; what is not known keeps the source's own name.
"""

import lzma
import re
import unicodedata
from functools import lru_cache

from fanous.refdata.tables import bytes_of, toml_table

_KINDS = re.compile(
    r"\b(province|state|region|district|governorate|territory|division|county|oblast|prefecture|ostan|of)\b"
)


@lru_cache(maxsize=1)
def _names() -> dict[str, str]:
    lines = lzma.decompress(bytes_of("regions.tsv.xz")).decode("utf-8").splitlines()
    return dict(line.split("\t") for line in lines if line and not line.startswith("#"))


@lru_cache(maxsize=16)
def _codes(country: str) -> dict[str, str]:
    """Folded name -> code; a name that two places of the country share leads to neither."""
    found: dict[str, str] = {}
    for code, name in _names().items():
        if code.startswith(f"{country}-"):
            key = folded(name)
            found[key] = "" if key in found else code
    also = toml_table("region_names.toml")["names"].get(country, {})
    return found | {folded(name): code for code, names in also.items() for name in names}


def folded(name: str) -> str:
    """``Balōchistān Province`` -> ``balochistan``."""
    plain = unicodedata.normalize("NFKD", name.casefold())
    letters = "".join(c for c in plain if not unicodedata.combining(c))
    return re.sub(r"[^\w]+", " ", _KINDS.sub(" ", letters)).strip()


def region_of(country: str, name: str) -> str:
    """``("PK", "Punjab")`` -> ``PK-PB``; a place without a known code is ``PK:name`` (``Place.region``).

    A name that is empty is the whole country: the empty text.
    """
    text = " ".join(name.split())
    if not text:
        return ""
    if text.upper() in _names() and text.upper().startswith(f"{country}-"):
        return text.upper()
    return _codes(country).get(folded(text)) or f"{country}:{text[:80]}"


def region_name(region: str) -> str:
    """The name for people."""
    country, colon, name = region.partition(":")
    return name if colon else _names().get(country, region)
