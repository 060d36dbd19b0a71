"""What people read is plain English: a list of words and phrases that give a translation away.

The list grows with what a reader stumbles over; a text that needs one of these says why in ``ALLOWED``.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from fanous.analysis.rules import RULES
from tests.documents import ROOT
from tests.each import each
from tests.language_template import texts

GIVEAWAYS = (
    r"(?<!there )\bis no (address|site|store|page|country|source)\b",
    r"\bcould be had\b",
    r"\bgave nothing\b",
    r"\bin what we can see\b",
    r"\band over:",
    r"\bit was so\b",
    r"\bbear (it|them|this) out\b",
    r"\bsays nothing of\b",
    r"\banother one than\b",
    r"\bheld against less\b",
    r"\bto take away\b",
    r"\blikewise\b",
    r"\bmeanwhile\b",
    r"\bone's own\b",
    r"\bnobody\b",
    r"\bsomebody\b",
    r"\bnothing tells\b",
    r"\bbeside\b(?!:)",
    r"\bwhoever\b",
    r"\beverybody\b",
    r"\banybody\b",
    r"\bfor ever\b",
    r"\bof late\b",
    r"\bof before\b",
    r"\botherwise than\b",
    r"\bvantage points of others\b",
    r"\bin earnest\b",
    r"\bits like was\b",
    r"\b(there|where)of\b",
    r"\b(there|where)in\b",
    r"\bso as to\b",
    r"\bput in words\b",
    r"\bhow long what\b",
    r"\b(process|thread|store|folder|clock|interval) of (its|their) own\b",
    r"\bthat (is|are|was) none\b",
    r"\bbrings? (it|them) in\b",
    r"\bby the clock\b(?!\*)",
    r"\bwith your word\b",
    r"\bwhose word\b",
    r"\bnothing of it is\b",
)
LOOK = [re.compile(one, re.IGNORECASE) for one in GIVEAWAYS]
ANY = re.compile("|".join(GIVEAWAYS), re.IGNORECASE)
"""Tells in one pass which texts need a closer look."""

SOURCES = (ROOT / "src" / "fanous", ROOT / "lab" / "src" / "fanous_lab")

ALLOWED: dict[str, str] = {"Nobody should be asked": "as idiomatic as *no one*, and stronger"}
"""A piece of the text -> why it is right as it is."""


def said() -> Iterator[tuple[str, str]]:
    """Where, and what: texts of pages, rules, help and complaints; other docstrings are for colleagues."""
    for text in texts():
        for one in [text] if isinstance(text, str) else text:
            yield "a page", one
    for rule in RULES:
        yield rule.id, rule.why
    for file in sorted(path for source in SOURCES for path in source.rglob("*.py")):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if file.parent.name in {"cli", "commands"} and isinstance(node, ast.FunctionDef):
                yield str(file.relative_to(ROOT)), ast.get_docstring(node) or ""
            if isinstance(node, ast.keyword) and node.arg == "help" and isinstance(node.value, ast.Constant):
                yield str(file.relative_to(ROOT)), str(node.value.value)
            if isinstance(node, ast.Raise) and node.exc is not None:
                for part in ast.walk(node.exc):
                    if isinstance(part, ast.Constant) and isinstance(part.value, str):
                        yield str(file.relative_to(ROOT)), part.value


def written() -> Iterator[tuple[str, str]]:
    """Where, and what: docstrings, which are for colleagues, and whole lines of comment."""
    for file in sorted(path for source in SOURCES for path in source.rglob("*.py")):
        text = file.read_text(encoding="utf-8")
        where = str(file.relative_to(ROOT))
        for node in ast.walk(ast.parse(text)):
            if (
                isinstance(node, ast.Expr)
                and isinstance(node.value, ast.Constant)
                and isinstance(node.value.value, str)
            ):
                yield where, node.value.value
        for line in text.splitlines():
            if line.lstrip().startswith("#"):
                yield where, line


def found(text: str) -> list[str]:
    if not ANY.search(text) or any(one in text for one in ALLOWED):
        return []
    return [look.pattern for look in LOOK if look.search(text)]


def test_what_people_read_has_none_of_the_giveaways() -> None:
    assert [(where, text, hits) for where, text in said() if (hits := found(text))] == []


def test_nor_have_docstrings_and_comments() -> None:
    assert [(where, text, hits) for where, text in written() if (hits := found(text))] == []


DOCUMENTS = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]


@each("page", sorted(DOCUMENTS), ids=lambda page: str(page.relative_to(ROOT)))
def test_nor_have_the_documents(page: Path) -> None:
    lines = page.read_text(encoding="utf-8").splitlines()
    assert [(n, hits) for n, line in enumerate(lines, 1) if (hits := found(line))] == []


def test_the_check_would_notice() -> None:
    assert found("No disruption is open in what we can see")
    assert found("nothing could be had from ioda")
    assert found("a process of its own packs it")
    assert not found("No ongoing disruption in the 42 countries we measure")
