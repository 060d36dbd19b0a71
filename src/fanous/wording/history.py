"""History in words: "Seventh restriction of X (Twitter) in Pakistan since 2022."."""

from fanous.wording.headline import place
from fanous.wording.language import Language
from fanous.wording.words import target_title

NTH = (
    *("", "First", "Second", "Third", "Fourth", "Fifth", "Sixth", "Seventh", "Eighth", "Ninth", "Tenth"),
    *("Eleventh", "Twelfth"),
)
"""English ordinals at the start of a sentence; other languages write the number and its ending."""

RESTRICTION = "{nth} restriction of {target} in {country} since {year}."
FIRST_RESTRICTION = "First restriction of {target} in {country} on record."
DISRUPTION = "{nth} disruption of internet access in {country} since {year}."
FIRST_DISRUPTION = "First disruption of internet access in {country} on record."


def ordinal(n: int, language: Language) -> str:
    """``Seventh``, ``21st``; in other languages the number, to which the sentence adds the ending."""
    if language.code != "en":
        return language.number(n)
    if n < len(NTH):
        return NTH[n]
    ending = "th" if n % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(n % 10, "th")
    return f"{language.number(n)}{ending}"


def nth_sentence(target: str, n: int, year: int, country: str, language: Language) -> str:
    """How often this happened, this time included.

    Args:
        target: empty = internet access itself.
        year: of the first.
    """
    values = {
        "country": place(country, language),
        "year": language.in_digits(str(year)),
        "nth": ordinal(n, language),
    }
    if target:
        values["target"] = target_title(target)
        return language.say(RESTRICTION if n > 1 else FIRST_RESTRICTION, **values)
    return language.say(DISRUPTION if n > 1 else FIRST_DISRUPTION, **values)
