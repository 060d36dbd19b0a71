"""Negotiate: which language a reader gets - the one named in the URL, else what the browser prefers."""

from fanous.wording.language import ENGLISH, LANGUAGES, Language

MOST_WISHES = 20
"""Languages of an ``Accept-Language`` header that are looked at; no browser sends more."""


def chosen(code: str | None) -> Language | None:
    """The language of ``?lang=CODE``; ``None`` = none named, or one that we do not have."""
    return LANGUAGES.get((code or "").lower())


def preferred(header: str) -> Language:
    """The best of an ``Accept-Language`` header (RFC 9110, section 12.5.4); English where none fits."""
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
