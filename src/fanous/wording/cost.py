"""Cost in words: dollars with two digits, the range of each method, every input with its source."""

from math import ceil, floor, log10
from typing import Any

from fanous.analysis.cost import Cost, Figure, Phrase, Range, percent
from fanous.refdata.economies import WORLD_BANK
from fanous.wording.language import ENGLISH, Language
from fanous.wording.reasons import COUNTED, listing
from fanous.wording.words import capitalised, named_title

OLD_AFTER = 5
"""Years: a figure older than this, compared with the newest in use, is marked as old."""

DISCLAIMER = (
    "These are results of published methods, not measured losses. The methods disagree, and none was tested on a "
    "shutdown here."
)
SENTENCE = "Published methods give {rate} an hour, and {total} in {hours}."
LIMIT = (
    "The cost is not known. By published methods, even a full shutdown for everyone affected would cost at most {rate} "
    "an hour, or {total} in {hours}."
)
LIMIT_IF_ALL = (
    "The cost is not known. By published methods, it is at most {rate} an hour, or {total} in {hours}, if "
    "everyone in the country was affected."
)
NO_SENTENCE = "No published method can be applied, because the figures for this country are not published."
PARTS = "Only a part of the service was cut: {parts}. People who used it in another way lost nothing by this."
CEILING = "Ceiling: {why}."
CANNOT_SAY = "{title}: not applicable; {why}."
SAYS = "{title}: {rate} an hour, {total} in all; {why}."
SAYS_CAPPED = "{title}: {rate} an hour, {total} in all (capped); {why}."
INPUT = "{name}: {value} ({source}, {year})"
OLD_INPUT = "{name}: {value} ({source}, {year}, old)"
RANGE, AMOUNT, PEOPLE = "US$ {low} to {high}", "US$ {amount}", "{n} people"
SIZES = (("{n} trillion", 1e12), ("{n} billion", 1e9), ("{n} million", 1e6))

TEXTS = (
    *(
        DISCLAIMER,
        SENTENCE,
        LIMIT,
        LIMIT_IF_ALL,
        NO_SENTENCE,
        PARTS,
        CEILING,
        CANNOT_SAY,
        SAYS,
        SAYS_CAPPED,
        INPUT,
        OLD_INPUT,
    ),
    *(RANGE, AMOUNT, PEOPLE, *(name for name, _ in SIZES)),
)
"""All texts of this module; the catalogues translate them."""


def cost_document(cost: Cost) -> dict[str, Any]:
    """As the command line's ``--json`` and the API give it; US$."""
    what, whole = cost.disruption, cost.per_hour
    return {
        "country": what.country,
        "kind": str(what.kind),
        "hours": round(what.hours, 2),
        "targets": list(what.targets),
        "parts": list(what.parts),
        "affected_share": _pair(what.affected, 4),
        "dependence_share": _pair(what.dependence, 4),
        "notes": [str(note) for note in what.notes],
        "currency": "USD",
        "per_hour": _pair(whole),
        "in_all": _pair(cost.in_all(whole)),
        "ceiling": {"share_of_gdp": cost.ceiling, "why": str(cost.ceiling_why)},
        "methods": [
            {
                "method": estimate.method,
                "title": str(estimate.title),
                "per_hour": _pair(estimate.per_hour),
                "in_all": _pair(cost.in_all(estimate.per_hour)),
                "capped": estimate.is_capped,
                "why": str(estimate.why),
                "inputs": [_input(figure) for figure in estimate.inputs],
            }
            for estimate in cost.estimates
        ],
        "disclaimer": DISCLAIMER,
    }


def cost_lines(cost: Cost, language: Language = ENGLISH) -> list[str]:
    """The estimate in lines, for a terminal, a report or a page."""
    what, whole = cost.disruption, cost.per_hour
    lines = [
        cost_sentence(cost, language),
        *(capitalised(said(note, language)) + language.stop for note in what.notes),
    ]
    if what.parts:
        parts = [named_title(name, language) for name in what.parts]
        lines.insert(1, language.say(PARTS, parts=listing(parts, language)))
    if whole is not None:
        lines.append(language.say(CEILING, why=said(cost.ceiling_why, language)))
    lines.append("")
    for estimate in cost.estimates:
        title, why = said(estimate.title, language), said(estimate.why, language)
        if estimate.per_hour is None:
            lines.append(language.say(CANNOT_SAY, title=title, why=why))
            continue
        rate, total = (
            dollars(estimate.per_hour, language),
            cost.in_all(estimate.per_hour) or estimate.per_hour,
        )
        text = SAYS_CAPPED if estimate.is_capped else SAYS
        lines.append(language.say(text, title=title, rate=rate, total=dollars(total, language), why=why))
        newest = max(figure.year for figure in estimate.inputs)
        lines += [f"    {_input_line(figure, newest, language)}" for figure in estimate.inputs]
    return [*lines, "", language.say(DISCLAIMER)]


def _input_line(figure: Figure, newest: int, language: Language) -> str:
    is_old = figure.source == WORLD_BANK and figure.year < newest - OLD_AFTER
    return language.say(
        OLD_INPUT if is_old else INPUT,
        name=said(figure.name, language),
        value=_written(figure, language),
        source=figure.source,
        year=language.in_digits(str(figure.year)),
    )


def cost_sentence(cost: Cost, language: Language = ENGLISH) -> str:
    """What could be quoted: a range only if it has a lower end, since "US$ 0 to 63 million" is read as 63 million."""
    whole, what = cost.per_hour, cost.disruption
    if whole is None:
        return language.say(NO_SENTENCE)
    text = SENTENCE
    if whole.low <= 0 < whole.high:
        whole, text = Range(whole.high, whole.high), LIMIT_IF_ALL if what.dependence.low > 0 else LIMIT
    total = cost.in_all(whole) or whole
    if text is not SENTENCE:
        whole, total = _at_most(whole.high), _at_most(total.high)
    # Two significant digits, or all before the decimal point.
    count = f"{what.hours:.0f}" if what.hours >= 10 else f"{what.hours:.2g}"
    hours = language.count(*COUNTED["hours"], float(count), len(count.partition(".")[2]))
    return language.say(text, rate=dollars(whole, language), total=dollars(total, language), hours=hours)


def _at_most(value: float) -> Range:
    """A limit, rounded up to two digits: rounded down, it would be none."""
    size = 10.0 ** (floor(log10(value)) - 1)
    limit = ceil(round(value / size, 6)) * size
    return Range(limit, limit)


def said(phrase: Phrase, language: Language) -> str:
    """A phrase in a language."""

    def filled(value: str | float | Phrase) -> str:
        if isinstance(value, Phrase):
            return said(value, language)
        return _share(value, language) if isinstance(value, float) else language.in_digits(value)

    return language.say(phrase.text, **{name: filled(value) for name, value in phrase.values.items()})


def dollars(amount: Range, language: Language = ENGLISH) -> str:
    """``US$ 3.7 million to 9.3 million``; two digits, since no method is more precise."""
    if amount.high == 0:
        return language.say(AMOUNT, amount=_digits("0", language))
    low, high = _short(amount.low, language), _short(amount.high, language)
    return language.say(AMOUNT, amount=high) if low == high else language.say(RANGE, low=low, high=high)


def _short(value: float, language: Language, digits: int = 2) -> str:
    if value <= 0:
        return _digits("0", language)
    rounded = round(value, digits - 1 - floor(log10(value)))
    for text, size in SIZES:
        if rounded >= size:
            return language.say(text, n=_digits(f"{rounded / size:.3g}", language))
    return language.number(rounded) if rounded >= 10 else _digits(f"{rounded:.2g}", language)


def _digits(text: str, language: Language) -> str:
    """A plain number such as ``7.2`` as the language writes it."""
    whole, _, part = text.partition(".")
    return language.number(float(text), len(part)) if whole.isdigit() else language.in_digits(text)


def _share(share: float, language: Language) -> str:
    """``5.3%``: at most one digit after the decimal point."""
    from babel.numbers import format_percent

    if language.code == "en":
        return percent(share)
    text = format_percent(round(share, 3), locale=language.locale, decimal_quantization=False)
    return language.figure(text)


def _pair(amount: Range | None, digits: int = 0) -> dict[str, float] | None:
    if amount is None:
        return None
    return {"low": round(amount.low, digits), "high": round(amount.high, digits)}


def _input(figure: Figure) -> dict[str, Any]:
    return {
        "name": str(figure.name),
        "value": figure.value,
        "unit": figure.unit,
        "year": figure.year,
        "source": figure.source,
    }


def _written(figure: Figure, language: Language) -> str:
    if figure.unit == "share":
        return _share(figure.value, language)
    if figure.unit.startswith("US$"):
        return language.say(AMOUNT, amount=_short(figure.value, language, 3))
    return language.say(PEOPLE, n=language.number(figure.value))
