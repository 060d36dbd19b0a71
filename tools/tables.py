"""Tables: the parts of the documents that follow from the thresholds and explanations that modules declare.

    python -m tools.tables

writes them anew.  An id that a table had and that no module declares any more joins the retired ones.
"""

import importlib
import pkgutil
import re
from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import msgspec

import fanous
from fanous.analysis.explanations import base_rates as base_rates_module
from fanous.analysis.explanations.explanation import Consequence, Explanation, Subject
from fanous.analysis.explanations.table import TABLE
from fanous.model.reason import Reason
from fanous.model.score import EXAMPLES, ExplanationRates, ExplanationScore, suspended_of
from fanous.model.threshold import Threshold, declared
from fanous.wording import ENGLISH
from fanous.wording.reasons import reasons_said

DOCS = Path(__file__).resolve().parents[1] / "docs"
DOCUMENTS = tuple(
    DOCS / name
    for name in ("methodology-reviewers.md", "methodology-appendix.md", "formats.md", "operate.md")
)
RETIRED = DOCS / "retired-thresholds.txt"
"""Ids that were in use once, one a line; they are never given away again."""

HEAD = "| threshold | value | why |\n|---|---|---|\n"
_TABLE = re.compile(r"(<!-- thresholds (\w+) -->\n\n)(?:\|.*\n)*")
_RETIRED = re.compile(r"(<!-- retired thresholds -->\n\n)(?:.+\n)*")
_EXPLANATIONS = re.compile(r"(<!-- explanations -->\n\n)(?:\|.*\n)*")
_RATES = re.compile(r"(<!-- explanation rates -->\n\n)(?:[^#\n].*\n|\n(?=\|))*")
RATES = DOCS / "explanations.json"
"""What ``fanous evaluate --explanations --json`` printed."""
BASE_RATES = Path(base_rates_module.__file__)
_BASE_RATES = re.compile(r"(BASE_RATES: .* = \{\n)(?:    .*\n)*")
_ROW = re.compile(r"^\| `(\w+\.[\w.]+)` \|", re.MULTILINE)

TIMES = {"d": 86_400, "h": 3_600, "min": 60, "s": 1}
SIZES = {"GiB": 1 << 30, "MiB": 1 << 20}


def every_threshold() -> tuple[Threshold, ...]:
    """Those of all modules of the package."""
    for module in pkgutil.walk_packages(fanous.__path__, "fanous."):
        if not module.name.endswith(".__main__"):
            importlib.import_module(module.name)
    return declared()


def retired() -> list[str]:
    return RETIRED.read_text(encoding="utf-8").split()


def documented(text: str) -> list[str]:
    """The ids in the tables of a document."""
    return [name for table in _TABLE.finditer(text) for name in _ROW.findall(table[0])]


def renewed(text: str, thresholds: Sequence[Threshold], former: Sequence[str]) -> str:
    """The document with its tables, each of one room, and the list of retired ids written anew."""

    def table(marker: re.Match[str]) -> str:
        own = [one for one in thresholds if one.id.startswith(f"{marker[2]}.")]
        return marker[1] + HEAD + "".join(f"| `{one.id}` | {value_of(one)} | {one.why} |\n" for one in own)

    text = _TABLE.sub(table, text)
    names = "".join(f"- `{name}`\n" for name in former)
    text = _EXPLANATIONS.sub(lambda marker: marker[1] + explanations(), text)
    text = _RATES.sub(lambda marker: marker[1] + rates_table(rates()), text)
    return _RETIRED.sub(lambda marker: marker[1] + names, text)


CONSEQUENCES = {
    Consequence.RETRACT: "retracts",
    Consequence.LEAVE_OUT: "leaves out",
    Consequence.RETRACT_ONCE_OVER: "suspends, and retracts once it is over",
    Consequence.SUSPECT: "suspends",
    Consequence.SAY: "is said",
}


def explanations() -> str:
    """The table of explanations, in the order in which readers are told of them, each with a case."""
    cases = examples(rates())
    rows = (
        f"| `{row.code}` | {row.says} | {CONSEQUENCES[row.consequence]} | {cases.get(row.code, 'none yet')} |\n"
        for row in by_group(TABLE)
    )
    return "| explanation | what it says | if it holds, it | a case |\n|---|---|---|---|\n" + "".join(rows)


class Printed(msgspec.Struct):
    """What ``fanous evaluate --explanations --json`` prints."""

    explanations: list[ExplanationRates]


def rates() -> list[ExplanationRates]:
    return msgspec.json.decode(RATES.read_bytes(), type=Printed).explanations


def examples(kinds: Sequence[ExplanationRates]) -> dict[str, str]:
    """The case that teaches most about each row: real and made-up events first, then the lab, then crowds."""
    best: dict[str, ExplanationScore] = {}
    for row in (row for kind in kinds for row in kind.rows):
        known = best.setdefault(row.code, row)
        if EXAMPLES.index(row.standing) < EXAMPLES.index(known.standing):
            best[row.code] = row
    return {code: example(row) for code, row in best.items()}


def example(row: ExplanationScore) -> str:
    (because,) = reasons_said([Reason(row.because, row.params)], ENGLISH)
    return f"{row.case.partition(':')[0]}: {row.standing}. {because.text}"


def rates_table(kinds: Sequence[ExplanationRates]) -> str:
    """How often each row held, of incidents of what happened and of others, for each kind of evidence."""
    sums = " ".join(
        f"{kind.kind.capitalize()}: {kind.right_suspended} of {kind.right} true incidents and "
        f"{kind.false_suspended} of {kind.false} others are suspended or retracted."
        for kind in kinds
    )
    suspended, right = suspended_of(kinds)
    sums += f" Together: {suspended} of {right} true incidents ({suspended / right:.1%})."
    rows = {kind.kind: {row.code: row for row in kind.rows} for kind in kinds}
    table = "".join(
        f"| `{row.code}` | {' | '.join(held(rows[kind.kind].get(row.code)) for kind in kinds)} |\n"
        for row in by_group(TABLE)
    )
    head = " | ".join(f"{kind.kind}: true, others" for kind in kinds)
    return f"{sums}\n\n| holds for | {head} |\n|{'---|' * (1 + len(kinds))}\n{table}"


def base_rates(kinds: Sequence[ExplanationRates]) -> str:
    """Of how many incidents whose cause is known each row was the cause, as ``BASE_RATES`` has it."""
    behind, events = Counter[str](), Counter[str]()
    for row in (row for kind in kinds for row in kind.rows):
        behind[row.code] += row.held_false
        events[row.code] += row.weighed_right + row.weighed_false - row.untested_false
    return "".join(f'    "{code}": BaseRate({behind[code]}, {events[code]}),\n' for code in sorted(events))


def held(row: ExplanationScore | None) -> str:
    return "not weighed" if row is None else f"{row.held_right}, {row.held_false}"


def by_group(rows: Sequence[Explanation[Any]]) -> list[Explanation[Any]]:
    """The rows by what they are about."""
    return sorted(rows, key=lambda row: (list(Subject).index(row.subject), row.code))


def value_of(one: Threshold) -> str:
    """``3 h``, ``1/3``, ``10,000 and 24,000``."""
    if isinstance(one.value, tuple):
        *values, last = map(number, one.value)
        return f"{', '.join(values)} and {last}"
    units = TIMES if one.id.endswith("_seconds") else SIZES
    unit = next((name for name, size in units.items() if one.value % size == 0), "")
    if unit and one.value:
        return f"{number(one.value / units[unit])} {unit}"
    return f"{number(one.value)} s" if units is TIMES else number(one.value)


def number(value: Any) -> str:
    """With at most ten decimals; a fraction if that is shorter and exact."""
    if value == round(value, 10):
        text = f"{value:,.10f}"
        return text.rstrip("0").rstrip(".")
    return str(Fraction(value).limit_denominator(1000))


def renewed_base_rates(source: str) -> str:
    """The module with its table written anew."""
    return _BASE_RATES.sub(lambda marker: marker[1] + base_rates(rates()), source)


def main() -> None:
    BASE_RATES.write_text(renewed_base_rates(BASE_RATES.read_text(encoding="utf-8")), encoding="utf-8")
    thresholds = every_threshold()
    texts = {page: page.read_text(encoding="utf-8") for page in DOCUMENTS}
    gone = {name for text in texts.values() for name in documented(text)} - {one.id for one in thresholds}
    former = sorted({*retired(), *gone})
    RETIRED.write_text("".join(f"{name}\n" for name in former), encoding="utf-8")
    for page, text in texts.items():
        page.write_text(renewed(text, thresholds, former), encoding="utf-8")


if __name__ == "__main__":
    main()
