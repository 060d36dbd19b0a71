"""Names: what people call a country or a target.

Names of countries are known in the languages of the pages; all names are compared without case, accents and the
variants of Arabic letters.
"""

import re
import unicodedata
from collections.abc import Mapping
from difflib import get_close_matches
from functools import lru_cache

from fanous.base.text import printable
from fanous.errors import FanousError
from fanous.refdata.countries import cldr_name, country_codes, country_name, other_names, shared_names
from fanous.refdata.platforms import platforms, target_of, title
from fanous.wording.language import LANGUAGES

_ARABIC = str.maketrans(
    {
        "ي": "ی",
        "ى": "ی",
        "ك": "ک",
        "أ": "ا",
        "إ": "ا",
        "آ": "ا",
        "ٱ": "ا",
        "ة": "ه",
        "ہ": "ه",
        "ھ": "ه",
        "ۀ": "ه",
        "ؤ": "و",
        "ئ": "ی",
        "ـ": None,
        "\u200c": None,
        "\u200d": None,
    }
)
"""One letter for each group that writers of Arabic, Persian and Urdu use interchangeably."""


def folded(text: str) -> str:
    """``Côte d’Ivoire`` -> ``cote d ivoire``; the forms that people type become one."""
    plain = unicodedata.normalize("NFKD", printable(text).translate(_ARABIC).casefold())
    letters = "".join(c for c in plain if not unicodedata.combining(c)).translate(_ARABIC)
    return " ".join(re.findall(r"[\w.-]+", letters))


def loose(text: str) -> str:
    """Folded, and without dots and hyphens, for names in tables."""
    return " ".join(re.findall(r"\w+", folded(text)))


@lru_cache(maxsize=1)
def countries_by_name() -> Mapping[str, str]:
    """Folded name, in every language and as people abbreviate it -> code."""
    codes = {
        loose(name(code, language)): code
        for language in LANGUAGES
        for code in country_codes()
        for name in (cldr_name, country_name)
    }
    return codes | {loose(name): code for code, names in other_names().items() for name in names}


@lru_cache(maxsize=1)
def targets_by_name() -> Mapping[str, str]:
    """Folded name or title of a platform -> its name."""
    targets: dict[str, str] = {}
    for name in platforms():
        first, _, second = title(name).partition("(")
        for text in (name, name.replace("_", " "), title(name), f"{second} {first}", first, second):
            if loose(text):
                targets.setdefault(loose(text), name)
    return targets


def target_named(text: str) -> str:
    """``Twitter``, ``twitter.com`` or ``https://x.com/home`` -> ``x``; any other host is its own target; empty =
    neither."""
    known = targets_by_name().get(loose(text))
    if known:
        return known
    host = target_of(_ADDRESS.sub(r"\1", text.strip()))
    return host if re.fullmatch(r"[\w-]+(\.[\w-]+)+|[0-9a-f.:]+", host) or host in platforms() else ""


def target_wanted(text: str) -> str:
    """``target_named`` of what a person typed in a question or a record: a name that no measurement has would
    read as "not measured".

    Raises:
        FanousError: it is neither a platform nor a domain.
    """
    found = target_named(text)
    if not found:
        near = get_close_matches(loose(text), targets_by_name(), n=1)
        hint = f"; did you mean {title(targets_by_name()[near[0]])}?" if near else ""
        raise FanousError(f"{text!r} is neither a platform nor a domain, such as x or bbc.com{hint}")
    return found


_ADDRESS = re.compile(r"(?i)https?://([^/?#]+).*")


def country_named(text: str) -> str:
    """``pakistan``, ``PK``, ``پاکستان`` -> ``PK``; empty = no country."""
    code = text.strip().upper()
    name = loose(text)
    return (
        code
        if code in country_codes()
        else ""
        if name in shared_names()
        else countries_by_name().get(name, "")
    )


def not_a_country(text: str) -> str:
    """Why a text names no country, as a sentence."""
    several = shared_names().get(loose(text), [])
    if several:
        return f"{text!r} may mean {' or '.join(f'{code} ({country_name(code)})' for code in several)}: give the code"
    near = get_close_matches(loose(text), countries_by_name(), n=1)
    hint = f"; did you mean {country_name(countries_by_name()[near[0]])}?" if near else ""
    return f"{text!r} is neither the code nor the name of a country, such as PK or Pakistan{hint}"


def countries_named(text: str) -> dict[str, str]:
    """``Pakistan, IN`` or ``PK IN``: each name -> its country's code; empty = it is none."""
    parts = [text] if country_named(text) else text.split(",") if "," in text else text.split()
    return {name.strip(): country_named(name) for name in parts if name.strip()}
