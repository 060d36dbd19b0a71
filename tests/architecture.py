"""What test_architecture.py looks at: the modules of Fanous, their imports, and the layers they stand in."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "src" / "fanous"

LAYERS: tuple[frozenset[str], ...] = (
    frozenset({"model", "errors"}),
    frozenset(
        {
            "signals",
            "sources",
            "table",
            "silence",
            "repeats",
            "slowness",
            "rules",
            "aggregate",
            "baselines",
            "heartbeats",
            "collapse",
            "detectors",
            "incidents",
            "cost",
        }
    ),
    frozenset({"refdata"}),
    frozenset(
        {
            "net",
            "probes",
            "connectors",
            "store",
            "publishers",
            "collector",
            "spool",
            "orders",
            "scan",
            "lab",
            "config",
            "progress",
            "screen",
            "logline",
            "languages",
            "ics",
            "testing",
        }
    ),
    frozenset(
        {
            "pipeline",
            "answering",
            "tally",
            "connecting",
            "interfering",
            "gathering",
            "pulling",
            "streaming",
            "scanning",
            "injecting",
            "planting",
            "failing",
            "worlds",
            "scheduler",
            "adversary",
            "evaluate",
            "corpus",
            "judging",
            "demonstration",
            "evidence",
            "export",
            "rehearsal",
            "statements",
            "retaining",
            "revising",
            "leasing",
            "recalling",
            "doctor",
            "vitals",
            "users",
            "voting",
            "calibration",
        }
    ),
    frozenset({"publish", "alerts", "reports"}),
    frozenset({"web", "live", "commands", "cli", "library", "__main__"}),
)
"""A part may import its own layer and those before it.  A new part is added here, on purpose."""

PURE = LAYERS[0] | LAYERS[1]
CONCLUDING = LAYERS[1] - {"signals", "sources", "table"}

OUTSIDE = frozenset(
    {
        "time",
        "socket",
        "ssl",
        "select",
        "selectors",
        "asyncio",
        "threading",
        "multiprocessing",
        "subprocess",
        "signal",
        "os",
        "io",
        "pathlib",
        "glob",
        "shutil",
        "tempfile",
        "fileinput",
        "sqlite3",
        "urllib",
        "http",
        "requests",
        "httpx",
        "logging",
        "importlib.resources",
        "platform",
        "locale",
    }
)
"""Modules that reach a clock, a socket, a file or the environment."""

OUTSIDE_CALLS = frozenset({"open", "input", "print", "breakpoint"})
CLOCK_CALLS = frozenset({"now", "utcnow", "today"})


@dataclass(frozen=True, slots=True)
class Module:
    """One source file.

    Attributes:
        name: dotted, ``fanous.rules.tls``; a package is named without ``__init__``.
    """

    name: str
    tree: ast.Module
    lines: int = 0

    @property
    def part(self) -> str:
        """The first name below ``fanous``; empty for ``fanous`` itself."""
        return self.name.partition(".")[2].partition(".")[0]

    def imports(self, *, only_at_import: bool = False) -> Iterator[str]:
        """Dotted names imported anywhere, or only those that importing the module itself runs."""
        for node in _at_import(self.tree) if only_at_import else ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module:
                yield node.module
                yield from (f"{node.module}.{alias.name}" for alias in node.names)


def modules() -> list[Module]:
    """All modules of ``src/fanous``."""
    return [_read(path) for path in sorted(SOURCE.rglob("*.py"))]


def parsed(name: str, source: str) -> Module:
    return Module(name, ast.parse(source), source.count("\n") + 1)


def layer_of(part: str) -> int | None:
    """Index in LAYERS; ``None`` = the part stands nowhere yet."""
    return next((index for index, parts in enumerate(LAYERS) if part in parts), None)


def parts_imported(module: Module) -> set[str]:
    """Parts of Fanous that it imports."""
    found = {name.split(".")[1] for name in module.imports() if name.startswith("fanous.")}
    return found - {"__version__"}


def upward_imports(module: Module) -> list[str]:
    """Imports against the flow, in words."""
    own = layer_of(module.part)
    if own is None:
        return [] if module.name == "fanous" else [f"{module.name}: {module.part!r} stands in no layer"]
    found = []
    for part in sorted(parts_imported(module) - {module.part}):
        other = layer_of(part)
        if other is None or other > own:
            found.append(f"{module.name} imports {part}")
        elif part == "testing" and own < 4:
            found.append(f"{module.name} imports testing: what runs in earnest stands on no fake")
    return found


def outside_reached(module: Module) -> list[str]:
    """Where a pure module reaches a clock, a socket, a file, the environment, or unseeded chance."""
    imported = set(module.imports())
    wanted = imported | {name.split(".")[0] for name in imported}
    found = [f"{module.name} imports {name}" for name in sorted(wanted & OUTSIDE)]
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call):
            found += [f"{module.name}:{node.lineno} calls {what}" for what in _outside_calls(node)]
    return found


def third_party(module: Module, stdlib: frozenset[str]) -> set[str]:
    """Packages outside the standard library and Fanous."""
    return {name.split(".")[0] for name in module.imports()} - stdlib - {"fanous"}


def loaded_with(parts: set[str], known: list[Module]) -> dict[str, set[str]]:
    """Top-level packages that importing any of ``parts`` loads -> the modules that ask for them."""
    by_name = {module.name: module for module in known}
    queue = [module.name for module in known if module.part in parts]
    seen: set[str] = set()
    loaded: dict[str, set[str]] = {}
    while queue:
        name = queue.pop()
        if name in seen or name not in by_name:
            continue
        seen.add(name)
        for wanted in by_name[name].imports(only_at_import=True):
            loaded.setdefault(wanted.split(".")[0], set()).add(name)
            pieces = wanted.split(".")
            queue += [".".join(pieces[:depth]) for depth in range(1, len(pieces) + 1)]
    return loaded


def broad_handlers(module: Module) -> list[int]:
    """Lines of ``except:``, ``except Exception`` and ``except BaseException`` that swallow."""
    return [
        node.lineno
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ExceptHandler) and _is_broad(node.type) and not _raises(node)
    ]


def _read(path: Path) -> Module:
    names = ["fanous", *path.relative_to(SOURCE).with_suffix("").parts]
    source = path.read_text(encoding="utf-8")
    return parsed(".".join(name for name in names if name != "__init__"), source)


def _at_import(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes that run on import: not the bodies of functions, not what is for types only."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            continue
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.dump(child.test):
            continue
        yield child
        yield from _at_import(child)


def _outside_calls(call: ast.Call) -> Iterator[str]:
    function = call.func
    seeded = bool(call.args or call.keywords)
    if isinstance(function, ast.Name):
        if function.id in OUTSIDE_CALLS or (function.id in {"default_rng", "Random"} and not seeded):
            yield function.id
        return
    if not isinstance(function, ast.Attribute):
        return
    owner = ast.unparse(function.value)
    if function.attr in CLOCK_CALLS and owner.split(".")[-1] in {"datetime", "date"}:
        yield f"{owner}.{function.attr}"
    if owner in {"random", "np.random", "numpy.random"} and not (
        function.attr in {"Random", "default_rng", "Generator", "SeedSequence"} and seeded
    ):
        yield f"{owner}.{function.attr} without a seed"


def _is_broad(kind: ast.expr | None) -> bool:
    kinds = kind.elts if isinstance(kind, ast.Tuple) else [kind]
    return any(each is None or ast.unparse(each) in {"Exception", "BaseException"} for each in kinds)


def _raises(handler: ast.ExceptHandler) -> bool:
    """Does the handler end by raising again, so that it swallows nothing?"""
    return isinstance(handler.body[-1], ast.Raise)
