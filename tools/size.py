"""Size: how much there is to read, by package and room.

    python -m tools.size                    this checkout
    python -m tools.size --against COMMIT   and how it differs from a commit

What is counted:

- A line of code holds code: no blank line, no comment, no docstring.
- A function is a ``def``, methods included.
- *Once* is the share of functions that are private and named in one other place of their file: a reader jumps to them
  and back.
- *Weak* is the share of bindings (assignments, parameters, loop variables) whose name says nothing of what they hold.
"""

import argparse
import ast
import io
import subprocess
import tarfile
import tempfile
import tokenize
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import astuple, dataclass
from pathlib import Path

from tools.compare import ROOT

WEAK = frozenset(
    {"one", "own", "told", "found", "left", "made", "got", "given", "said", "some", "each", "known", "item"}
)

LAYOUT = frozenset(
    {
        tokenize.COMMENT,
        tokenize.NL,
        tokenize.NEWLINE,
        tokenize.INDENT,
        tokenize.DEDENT,
        tokenize.ENDMARKER,
        tokenize.ENCODING,
    }
)
"""Tokens that hold no code."""


@dataclass(frozen=True, slots=True)
class Size:
    """Counts of one file or of several."""

    lines: int = 0
    functions: int = 0
    once: int = 0
    bindings: int = 0
    weak: int = 0

    def __add__(self, other: "Size") -> "Size":
        return Size(*(mine + its for mine, its in zip(astuple(self), astuple(other), strict=True)))


def size_of(source: str) -> Size:
    """The size of one file's source."""
    tree = ast.parse(source)
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    uses = Counter(_names_used(tree))
    private = [f.name for f in functions if f.name.startswith("_") and not f.name.endswith("__")]
    bindings = Counter(_names_bound(tree))
    return Size(
        lines=len(_lines_of_code(source) - _lines_of_docstrings(tree)),
        functions=len(functions),
        once=sum(uses[name] == 1 for name in private),
        bindings=bindings.total(),
        weak=sum(bindings[name] for name in WEAK),
    )


def _lines_of_code(source: str) -> set[int]:
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    return {
        line
        for token in tokens
        if token.type not in LAYOUT
        for line in range(token.start[0], token.end[0] + 1)
    }


def _lines_of_docstrings(tree: ast.AST) -> set[int]:
    return {
        line
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
        for line in range(node.lineno, (node.end_lineno or node.lineno) + 1)
    }


def _names_used(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            yield node.id
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
            yield node.attr


def _names_bound(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.arg) and node.arg not in ("self", "cls"):
            yield node.arg


PACKAGES = {"fanous": Path("src/fanous"), "fanous_lab": Path("lab/src/fanous_lab")}
"""Package -> its folder in a checkout."""


def packages(root: Path) -> dict[str, dict[str, Size]]:
    """Package -> its rooms; an older checkout lacks some packages."""
    folders = {name: root / folder for name, folder in PACKAGES.items()}
    return {name: rooms(folder) for name, folder in folders.items() if folder.is_dir()}


def rooms(package: Path) -> dict[str, Size]:
    """Room -> its size; files directly in the package are one room."""
    sizes: dict[str, Size] = defaultdict(Size)
    for path in sorted(package.rglob("*.py")):
        parts = path.relative_to(package).parts
        sizes[parts[0] if len(parts) > 1 else "(top)"] += size_of(path.read_text(encoding="utf-8"))
    return dict(sizes)


def of_commit(commit: str) -> dict[str, dict[str, Size]]:
    """The packages of a commit of this repository."""
    packed = subprocess.run(["git", "archive", commit], cwd=ROOT, capture_output=True, check=True).stdout
    with tempfile.TemporaryDirectory() as folder, tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        archive.extractall(folder, filter="data")
        return packages(Path(folder))


def table(package: str, here: dict[str, Size], before: dict[str, Size] | None = None) -> Iterator[str]:
    """The lines of a package's table: rooms by size, and all of them."""
    yield f"{package:14} {'code':>7} {'functions':>9} {'once':>6} {'weak':>6}" + (
        "   before" if before else ""
    )
    ranked = sorted(here, key=lambda room: -here[room].lines)
    for room in ranked:
        yield _row(room, here[room], None if before is None else before.get(room, Size()))
    every = sum(here.values(), Size())
    yield _row("all", every, None if before is None else sum(before.values(), Size()))


def _row(room: str, size: Size, before: Size | None) -> str:
    shares = _share(size.once, size.functions), _share(size.weak, size.bindings)
    row = f"{room:14} {size.lines:7,} {size.functions:9,} {' '.join(shares)}"
    return row if before is None else f"{row} {before.lines:8,} ({size.lines - before.lines:+,})"


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole if whole else 0:5.1f}%"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.size", description="How much there is to read, by room."
    )
    parser.add_argument("--against", metavar="COMMIT", help="compare with this commit")
    chosen = parser.parse_args()
    before = of_commit(chosen.against) if chosen.against else None
    for name, here in packages(ROOT).items():
        print(*table(name, here, None if before is None else before.get(name, {})), sep="\n")


if __name__ == "__main__":
    main()
