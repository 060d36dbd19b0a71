"""Language: how texts, numbers and times are written for readers of one language, and which language a reader gets.

The gettext catalogue of a language is compiled when first needed.  One of this size takes some milliseconds,
and there is no compiled file that could be older than its source.
"""

import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from gettext import GNUTranslations
from importlib.resources import files
from io import BytesIO
from math import ceil
from typing import TYPE_CHECKING, Any

from fanous.base.text import printable

if TYPE_CHECKING:
    from babel import Locale


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The translations into one language.

    Attributes:
        translations: gettext's translations.
        known: English texts that have a translation; a doubtful (fuzzy) one does not count.
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


ISOLATE, END_ISOLATE = "\u2068", "\u2069"
"""First strong isolate and its end (Unicode Annex 9): a Latin name inside Arabic script keeps its own order,
and does not disturb the text around it."""

ISOLATES = str.maketrans({ISOLATE: None, END_ISOLATE: None})
"""For ``str.translate``: a text without them."""

LATIN_DIGITS = "0123456789"
PERSIAN_SIGNS = str.maketrans({",": "٬", ".": "٫", "%": "٪"})

FEW = dict(enumerate(("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")))


@dataclass(frozen=True, slots=True)
class Language:
    """One language.

    Attributes:
        code: ISO 639-1; also what gettext, babel and HTML call it.
        name: in the language itself.
        direction: ``ltr`` or ``rtl``.
        digits: the ten digits that its readers expect in running text.
        comma: between two things, with its space; the same for ``semicolon`` and ``colon``.
        stop: at the end of a sentence.
        alphabet: its letters in order, where Unicode has them in another.
    """

    code: str
    name: str
    direction: str = "ltr"
    digits: str = LATIN_DIGITS
    comma: str = ", "
    semicolon: str = "; "
    colon: str = ": "
    stop: str = "."
    alphabet: str = ""

    def order(self, text: str) -> list[int]:
        """Sort key of a name, without regard to case and accents: with ``sorted``, Égypte follows Djibouti, and
        پاکستان stands before ترکی."""
        letters = "".join(
            one if one in self.alphabet else unicodedata.normalize("NFKD", one) for one in text.casefold()
        )
        return [
            ord("ا") + place if (place := self.alphabet.find(letter)) >= 0 else ord(letter)
            for letter in letters
            if not unicodedata.combining(letter)
        ]

    @property
    def locale(self) -> "Locale":
        return _locale(self.code)

    def knows(self, text: str) -> bool:
        """Is there a translation?  English has everything."""
        return self.code == "en" or text in catalogue(self.code).known

    def say(self, text: str, **values: Any) -> str:
        """The text in this language, otherwise in English; ``values`` fill its placeholders, isolated."""
        translated = catalogue(self.code).translations.gettext(text) if self.code != "en" else text
        return self._filled(translated, values)

    def known(self, text: str) -> str:
        """The translation if there is one, otherwise the text itself, isolated: for names and terms of sources, of
        which some are words of ours."""
        return self.say(text) if self.code != "en" and self.knows(text) else self.apart(printable(text))

    def count(self, one: str, many: str, n: float, decimals: int = 0, **values: Any) -> str:
        """The form for ``n`` things; the placeholder ``{n}`` gets the number as readers write it."""
        if self.code == "en":
            translated = one if n == 1 else many
        else:
            whole = int(n) if n == int(n) else max(2, ceil(n))  # 0.5 and 1.5 take the plural
            translated = catalogue(self.code).translations.ngettext(one, many, whole)
        return self._filled(translated, values | {"n": self.number(n, decimals)})

    def sentence(self, text: str, **values: Any) -> "Sentence":
        """The same, with the language that it is in."""
        return Sentence(self.say(text, **values), self if self.knows(text) else ENGLISH)

    def _filled(self, text: str, values: dict[str, Any]) -> str:
        return text.format(**{name: self.apart(str(value)) for name, value in values.items()})

    def apart(self, text: str) -> str:
        """In a right-to-left script, the text isolated so that it keeps its own direction."""
        return f"{ISOLATE}{text}{END_ISOLATE}" if self.direction == "rtl" and text else text

    def number(self, value: float, decimals: int = 0) -> str:
        if self.code == "en" and isinstance(value, int) and not decimals:
            return f"{value:,}"  # loading babel takes a tenth of a command's processor time
        from babel.numbers import format_decimal

        places = f".{'0' * decimals}" if decimals else ""
        return self.figure(format_decimal(value, f"#,##0{places}", locale=self.locale))

    def few(self, n: int) -> str:
        """A small number inside a sentence: English spells it out."""
        return FEW[n] if self.code == "en" and n in FEW else self.number(n)

    def percent(self, share: float, decimals: int = 0) -> str:
        """``0.834`` -> ``83%``: by default no more digits than the evidence of a survey justifies."""
        from babel.numbers import format_percent

        pattern = self.locale.percent_formats[None].pattern
        if decimals:
            pattern = pattern.replace("0", f"0.{'0' * decimals}")
        return self.figure(format_percent(share, pattern, locale=self.locale))

    def rough_percent(self, share: float) -> str:
        """``83%``; a small share is ``<1%``, not zero."""
        return self.apart(f"<{self.percent(0.01)}") if share < 0.01 else self.percent(share)

    def figure(self, text: str) -> str:
        """A number in the language's digits, with the separators and the percent sign that go with them."""
        return self.in_digits(text if self.digits == LATIN_DIGITS else text.translate(PERSIAN_SIGNS))

    def in_digits(self, text: str) -> str:
        if self.digits == LATIN_DIGITS:
            return text
        return text.translate(str.maketrans(LATIN_DIGITS, self.digits))


@dataclass(frozen=True, slots=True)
class Sentence:
    """A text, and the language that it is in: English if a translation is missing."""

    text: str
    language: Language


@lru_cache(maxsize=16)
def _locale(code: str) -> "Locale":
    from babel import Locale

    return Locale.parse(code)


URDU = "آابپتٹثجچحخدڈذرڑزژسشصضطظعغفقکگلمنںوہھةءیے"
PERSIAN = "آابپتثجچحخدذرزژسشصضطظعغفقکگلمنوهی"

ENGLISH = Language("en", "English")

LANGUAGES: dict[str, Language] = {
    language.code: language
    for language in (
        ENGLISH,
        Language("ur", "اردو", "rtl", comma="، ", semicolon="؛ ", stop="۔", alphabet=URDU),
        Language("fa", "فارسی", "rtl", "۰۱۲۳۴۵۶۷۸۹", comma="، ", semicolon="؛ ", alphabet=PERSIAN),
        Language("ar", "العربية", "rtl", comma="، ", semicolon="؛ "),
        Language("fr", "Français", colon="\u00a0: "),
        Language("es", "Español"),
    )
}


MOST_WISHES = 20
"""Most languages of an ``Accept-Language`` header that are read; no browser sends more."""


def chosen(code: str | None) -> Language | None:
    """The language of ``?lang=CODE``; ``None`` = none given, or one that we do not have."""
    return LANGUAGES.get((code or "").lower())


def preferred(header: str) -> Language:
    """The best of an ``Accept-Language`` header (RFC 9110, section 12.5.4); English if none fits."""
    wishes = []
    for place, item in enumerate(header.split(",")[:MOST_WISHES]):
        tag, _, weight = item.partition(";")
        code = tag.strip().lower().partition("-")[0]
        quality = _quality(weight)
        if code in LANGUAGES and quality > 0:
            wishes.append((-quality, place, code))
    return LANGUAGES[min(wishes)[2]] if wishes else ENGLISH


def _quality(weight: str) -> float:
    name, _, value = weight.strip().partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        return min(max(float(value), 0.0), 1.0)
    except ValueError:
        return 0.0
