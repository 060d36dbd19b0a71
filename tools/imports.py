"""Imports: how the code hangs together - files, entries, circles, and the longest chain of imports.

    python -m tools.imports            this checkout
    PYTHONPATH=OTHER/src python -m tools.imports    another one

Imports inside functions count; the package's own ``__init__``, which loads the public API lazily, does not.
"""

import signal
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from statistics import median, quantiles

import grimp

PACKAGE = "fanous"


def graph_of(package: str) -> dict[str, set[str]]:
    """Module -> the modules that it imports."""
    graph = grimp.build_graph(package)
    return {
        module: graph.find_modules_directly_imported_by(module) - {package}
        for module in sorted(graph.modules)
        if module != package
    }


def circles(graph: Mapping[str, set[str]]) -> list[tuple[str, ...]]:
    """Groups of modules that import each other, directly or not (Tarjan)."""
    order: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[tuple[str, ...]] = []

    def visit(module: str) -> None:
        order[module] = low[module] = len(order)
        stack.append(module)
        for other in graph[module]:
            if other not in order:
                visit(other)
            if other in stack:
                low[module] = min(low[module], low[other])
        if low[module] == order[module]:
            cut = stack.index(module)
            found.append(tuple(sorted(stack[cut:])))
            del stack[cut:]

    for module in graph:
        if module not in order:
            visit(module)
    return found


def longest_chain(graph: Mapping[str, set[str]]) -> list[tuple[str, ...]]:
    """The longest chain of imports, in which the modules of a circle count as one step."""
    group_of = {module: group for group in circles(graph) for module in group}

    @cache
    def chain(group: tuple[str, ...]) -> list[tuple[str, ...]]:
        below = {group_of[other] for module in group for other in graph[module]} - {group}
        none: list[tuple[str, ...]] = []
        return [group, *max([none, *(chain(other) for other in sorted(below))], key=len)]

    return max([chain(group) for group in sorted(set(group_of.values()))], key=len)


def main() -> None:
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # end silently once `| head` has its lines
    graph = graph_of(PACKAGE)
    import fanous

    root = Path(str(fanous.__file__)).parent
    lines = sorted(path.read_text(encoding="utf-8").count("\n") for path in root.rglob("*.py"))
    entries = [path for path in root.iterdir() if path.name != "__pycache__"]
    knots = [group for group in circles(graph) if len(group) > 1]
    steps = longest_chain(graph)
    print(f"{len(entries)} entries directly under {PACKAGE}")
    print(
        f"{len(lines)} files, median {median(lines):.0f} lines, 90th percentile {quantiles(lines, n=10)[-1]:.0f}"
    )
    print(f"{len(knots)} circles, of {', '.join(str(len(knot)) for knot in knots) or 'no'} modules")
    print(f"longest chain: {len(steps)} steps")
    for group in steps:
        print(f"  {group[0]}" + (f" and {len(group) - 1} more in a circle" if len(group) > 1 else ""))


if __name__ == "__main__":
    main()
