"""Ontology tables: the parts of docs/ontology.md that follow from the code, row by row.

    python -m tests.ontology_tables

writes them anew into the document; what a mechanism means stays as a person wrote it.
"""

import ast
import inspect
import re
from collections.abc import Iterator

from fanous.analysis.detectors.registry import DETECTORS
from fanous.analysis.rules import RULES, RULES_BY_ID, Rule, connection, dns, http, quic, transfer
from fanous.analysis.series.signals import SIGNALS, Signal
from fanous.model import verdict
from fanous.model.measurement import Layer
from fanous.wording.words import mechanism_words
from tests.documents import ROOT, section

ONTOLOGY = ROOT / "docs" / "ontology.md"
WHOLE = "The whole measurement"

LEVELS_RULE = "|" + "---|" * 8

_MECHANISM = re.compile(r"(dns|encdns|ip|tcp|tls|quic|http|server)(\.[a-z_]+)*")
_ROW = re.compile(r"\| `([a-z0-9_.]+)` \| (.*) \| (.*?) ?\|")


def rule_row(rule: Rule) -> str:
    mechanism = f"`{rule.mechanism}`" if isinstance(rule.mechanism, str) else "by the case"
    state = f"{rule.state}, symptom" if rule.symptom else str(rule.state)
    return f"| `{rule.id}` | {state} | {mechanism if rule.mechanism else '-'} | {rule.why} |"


def _first_cells(signal: Signal) -> tuple[str, ...]:
    proves = ", ".join(signal.proves)
    return f"`{signal.name}`", signal.title, signal.unit, signal.bad, proves, signal.family


def signal_row(signal: Signal) -> str:
    cells = [
        *_first_cells(signal),
        ", ".join(signal.layers),
        ", ".join(signal.states),
        ", ".join(f"`{name}`" for name, one in DETECTORS.items() if signal.name in one.signals),
        "yes" if signal.by_resolver else "no",
    ]
    return f"| {' | '.join(cells)} |"


def level_row(signal: Signal) -> str:
    cells = [
        *_first_cells(signal),
        f"{signal.step:,} s",
        f"{signal.least_drop:.0%}",
    ]
    return f"| {' | '.join(cells)} |"


def series_rows() -> list[str]:
    """All ready-made series, in the order of the table."""
    return [level_row(signal) for signal in SIGNALS.values() if signal.is_quantity]


def rule_sections() -> list[str]:
    """A heading, the head of a table and the rows, for each layer in the order of the rules."""
    lines = []
    for prefix, heading in (("measurement", WHOLE), *((layer, layer) for layer in Layer)):
        rows = [rule_row(rule) for rule in RULES if rule.id.startswith(f"{prefix}.")]
        lines += ["", f"### {heading}", "", "| rule | state | mechanism | why |", "|---|---|---|---|", *rows]
    return lines


def mechanisms_named() -> set[str]:
    """All that a verdict can carry: constants of the rules, of the functions that name one, and of the model."""
    named: set[str] = set()
    for module in (verdict, dns, connection, quic, http, transfer):
        tree = ast.parse(inspect.getsource(module))
        constants = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}
        named |= {text for text in constants if isinstance(text, str) and _MECHANISM.fullmatch(text)}
    stated = {rule.mechanism for rule in RULES if isinstance(rule.mechanism, str) and rule.mechanism}
    return named - RULES_BY_ID.keys() | stated


def words_of(mechanism: str) -> str:
    """What a sentence says of it; ``-`` = it has no words of its own."""
    words = mechanism_words(mechanism)
    return "-" if words == mechanism else words


def mechanism_rows(text: str) -> dict[str, tuple[str, str]]:
    """Mechanism -> (meaning, words in a sentence), as the document has them."""
    rows = (_ROW.fullmatch(line) for line in section(text, "## Mechanisms"))
    return {row[1]: (row[2], row[3]) for row in rows if row}


def renewed(text: str) -> str:
    """The document with the tables of signals, mechanisms and rules written anew."""
    return "\n".join(_renewed_lines(text)) + "\n"


def _renewed_lines(text: str) -> Iterator[str]:
    meanings = mechanism_rows(text)
    signals = section(text, "## Signals")
    for line in text[: text.index("\n### " + WHOLE)].rstrip().splitlines():
        row = _ROW.fullmatch(line)
        name = line.split("`")[1] if line.startswith("| `") else ""
        if name in SIGNALS and line in signals:
            if not SIGNALS[name].is_quantity:
                yield signal_row(SIGNALS[name])
        elif line == LEVELS_RULE:
            yield line
            yield from series_rows()
        elif row and name in meanings and line in section(text, "## Mechanisms"):
            yield f"| `{name}` | {row[2]} | {words_of(name)} |"
        else:
            yield line
    yield from rule_sections()


if __name__ == "__main__":
    ONTOLOGY.write_text(renewed(ONTOLOGY.read_text(encoding="utf-8")), encoding="utf-8")
