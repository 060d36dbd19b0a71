"""What import-linter does not see: the pure parts reach nothing outside, errors are not swallowed, and names in
docstrings exist."""

import ast
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from fanous.cli.main import COMMANDS, all_commands
from tests.each import each

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "src" / "fanous"
LAB = ROOT / "lab" / "src" / "fanous_lab"
SOURCES = (SOURCE, LAB)

OUTSIDE = {
    *(
        "time",
        "socket",
        "ssl",
        "select",
        "selectors",
        "asyncio",
        "threading",
        "multiprocessing",
        "subprocess",
    ),
    *(
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
    ),
    *("requests", "httpx", "logging", "importlib.resources", "platform", "locale"),
}
"""Modules that reach a clock, a socket, a file or the environment."""

OUTSIDE_CALLS = frozenset({"open", "input", "print", "breakpoint"})
CLOCK_CALLS = frozenset({"now", "utcnow", "today"})
SEEDED = frozenset({"Random", "default_rng", "Generator", "SeedSequence"})

ARRAY_NOUNS = {"evidence", "series"}
LAST_STOPS = {
    "pipeline/scheduler.py",
    "pipeline/child.py",
    "cli/main.py",
    "base/forkserver.py",
    "base/threads.py",
}
"""The supervisor restarts a task; the command line says that it is our bug and exits with 70; a thread and a child
process hand an error to whoever awaits it."""

HEAVY = {
    "numpy",
    "pyarrow",
    "pandas",
    "chdb",
    "clickhouse_connect",
    "babel",
    "jinja2",
    "starlette",
}
"""What a light probe (`pip install fanous` without extras) does not have."""

DOTTED = re.compile(r"``([a-z_]\w*(?:\.\w+)+)(?:\(\))?``")
NOT_OURS = re.compile(r"\.(?:com|org|css)$")
"""``web.telegram.org`` and ``fanous.css``: hosts and files, not names in a package."""


def files(*rooms: str) -> list[Path]:
    return sorted(path for room in rooms for path in (SOURCE / room).rglob("*.py"))


def everything() -> list[Path]:
    """The files of both packages."""
    return sorted(path for source in SOURCES for path in source.rglob("*.py"))


def label(path: Path) -> str:
    return str(path.relative_to(LAB if path.is_relative_to(LAB) else SOURCE))


@cache
def tree_of(source: str) -> ast.Module:
    """Each file is looked at by several tests."""
    return ast.parse(source)


def found_in(paths: list[Path], look: Callable[[str], list[Any]]) -> dict[str, list[Any]]:
    """The complaints about each file; files without any are left out."""
    complaints = {label(path): look(path.read_text(encoding="utf-8")) for path in paths}
    return {name: found for name, found in complaints.items() if found}


def imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def packages_of_others(source: str) -> list[str]:
    packages = {name.split(".")[0] for name in imported(tree_of(source))}
    return sorted(packages - sys.stdlib_module_names - {"fanous"})


def reached(source: str) -> list[str]:
    """What a file reaches of the outside: modules that it imports, and calls."""
    tree = tree_of(source)
    names = set(imported(tree))
    found = sorted((names | {name.split(".")[0] for name in names}) & OUTSIDE)
    return found + [
        what for node in ast.walk(tree) if isinstance(node, ast.Call) for what in outside_call(node)
    ]


def outside_call(call: ast.Call) -> Iterator[str]:
    function, has_seed = call.func, bool(call.args or call.keywords)
    if isinstance(function, ast.Name):
        if function.id in OUTSIDE_CALLS or (function.id in {"default_rng", "Random"} and not has_seed):
            yield function.id
    elif isinstance(function, ast.Attribute):
        owner = ast.unparse(function.value)
        if function.attr in CLOCK_CALLS and owner.split(".")[-1] in {"datetime", "date"}:
            yield f"{owner}.{function.attr}"
        if owner in {"random", "np.random", "numpy.random"} and not (function.attr in SEEDED and has_seed):
            yield f"{owner}.{function.attr}"


def swallows_everything(source: str) -> list[int]:
    """Lines of handlers that catch every exception and do not raise it again."""
    return [
        node.lineno
        for node in ast.walk(tree_of(source))
        if isinstance(node, ast.ExceptHandler)
        and is_broad(node.type)
        and not isinstance(node.body[-1], ast.Raise)
    ]


def is_broad(kind: ast.expr | None) -> bool:
    kinds = kind.elts if isinstance(kind, ast.Tuple) else [kind]
    return any(each is None or ast.unparse(each) in {"Exception", "BaseException"} for each in kinds)


@cache
def modules() -> dict[str, Path]:
    """Every module and package, by its dotted name."""
    found = {
        ".".join(path.relative_to(source.parent).with_suffix("").parts): path
        for source in SOURCES
        for path in source.rglob("*.py")
    }
    return {name.removesuffix(".__init__"): path for name, path in found.items()}


@cache
def packages() -> dict[str, list[str]]:
    """Dotted names of the packages by their last part, as docstrings call them."""
    found: dict[str, list[str]] = {}
    for name, path in modules().items():
        if path.stem == "__init__":
            found.setdefault(name.rpartition(".")[2], []).append(name)
    return found


def defined(body: list[ast.stmt]) -> dict[str, list[ast.stmt]]:
    """Names that statements define or import, each with the body of a class (empty for all else)."""
    found: dict[str, list[ast.stmt]] = {}
    for node in body:
        if isinstance(node, ast.ClassDef):
            found[node.name] = node.body
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            found[node.name] = []
        elif isinstance(node, ast.Import | ast.ImportFrom):
            found |= {(alias.asname or alias.name).split(".")[0]: [] for alias in node.names}
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names = [each for target in targets for each in ast.walk(target)]
            found |= {each.id: [] for each in names if isinstance(each, ast.Name)}
    return found


def exists(name: str, known: dict[str, Path]) -> bool:
    """Is a full dotted name a module, or something that a module or a class in it defines?"""
    if name in known:
        return True
    module, rest = name, list[str]()
    while module not in known:
        module, _, last = module.rpartition(".")
        rest.insert(0, last)
    names = defined_in(known[module])
    for part in rest:
        if part not in names:
            return False
        names = defined(names[part])
    return True


@cache
def defined_in(file: Path) -> dict[str, list[ast.stmt]]:
    return defined(tree_of(file.read_text(encoding="utf-8")).body)


def names_that_are_gone(source: str) -> list[str]:
    """Dotted names in the docstrings of a file that begin with a package of ours and lead nowhere."""
    texts = [
        node.value.value
        for node in ast.walk(tree_of(source))
        if isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    ]
    known, rooms = modules(), packages()
    gone = []
    for name in (found for text in texts for found in DOTTED.findall(text) if not NOT_OURS.search(found)):
        first, _, rest = name.partition(".")
        if first in rooms and not any(exists(f"{room}.{rest}", known) for room in rooms[first]):
            gone.append(name)
    return gone


def test_dotted_names_in_docstrings_exist() -> None:
    assert found_in(everything(), names_that_are_gone) == {}


@each(
    ("text", "gone"),
    [
        ("``store.protocol`` and ``store.protocol.Store``", []),
        ("``probe.settings.Settings`` is a class, ``fanous.model.place.Place.region`` a field of one", []),
        ("``store.embedded`` has moved", ["store.embedded"]),
        ("``store.protocol.Shop``", ["store.protocol.Shop"]),
        ("``fanous.publishers.grid``", ["fanous.publishers.grid"]),
        ("``record.data`` and ``time.time`` begin with no package of ours", []),
        ("``web.telegram.org`` is a host", []),
    ],
)
def test_a_name_that_is_gone_is_found(text: str, gone: list[str]) -> None:
    assert names_that_are_gone(f'"""{text}"""') == gone


def test_what_concludes_reaches_no_clock_socket_file_or_environment() -> None:
    assert found_in(files("analysis", "model"), reached) == {}


def test_the_model_needs_the_standard_library_numpy_for_arrays_and_msgspec_for_numerous_nouns() -> None:
    arrays = [path for path in files("model") if path.stem in ARRAY_NOUNS]
    scalars = [path for path in files("model") if path.stem not in ARRAY_NOUNS]
    assert list(found_in(scalars, packages_of_others).values()) == [["msgspec"]]
    assert set().union(*found_in(arrays, packages_of_others).values()) == {"numpy"}


def test_only_the_last_stops_catch_everything() -> None:
    stops = [path for path in everything() if label(path) not in LAST_STOPS]
    assert found_in(stops, swallows_everything) == {}


def test_a_light_probe_loads_no_arrays_no_engine_and_no_pages() -> None:
    commands = {entry.module or f"fanous.cli.{entry.name}" for entry in COMMANDS}
    loaded = ", ".join(
        [
            "fanous.probe.run",
            "fanous.probe.outcome",
            "fanous.probe.upload",
            *commands,
        ]
    )
    code = f"import sys, {loaded}; print(*sys.modules)"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert {name.split(".")[0] for name in said.split()} & HEAVY == set()


NOUNS = {
    "anomaly",
    "finding",
    "policing",
    "filtering",
    "globalping",
    "jsonfeed",
    "need",
    "packaging",
    "ping",
    "probing",
    "recording",
    "reply",
    "routing",
    "speed",
    "tally",
}
"""Nouns that end like a gerund, a participle or an adverb."""

OTHER_WORDS = {"told", "here", "now", "beside", "meanwhile", "elsewhere", "seen", "heard", "drawn", "known"}


def test_a_file_is_called_by_a_noun_or_a_verb() -> None:
    """Not a gerund, adverb or participle: a reader looks for a thing, or for what is done."""
    wrong = {
        label(path): word
        for path in everything()
        for word in set(path.stem.split("_")) - NOUNS
        if word.endswith(("ing", "ed", "ly")) or word in OTHER_WORDS
    }
    assert wrong == {}


def test_every_module_is_used_by_another_or_is_a_program() -> None:
    """A plug-in without its line in the registry would never run, and nothing would say so."""
    known = modules()
    used = {name for path in known.values() for name in imported(tree_of(path.read_text(encoding="utf-8")))}
    used |= {entry.module or f"fanous.cli.{entry.name}" for entry in all_commands()}
    used.add("fanous_lab.needs")
    unused = [
        name
        for name, path in known.items()
        if name not in used and path.stem not in {"__init__", "__main__"} and PROGRAM not in path.read_text()
    ]
    assert unused == []


PROGRAM = 'if __name__ == "__main__":'

API_TYPES = "web/api/types.py"
"""The API's form of a noun is named as the noun: the OpenAPI document gives these names to programs."""


def test_no_class_name_means_two_things() -> None:
    """But `Store`: what `import fanous` gives under that name is the store, opened for reading."""
    where: dict[str, list[str]] = {}
    for path in everything():
        for node in ast.walk(tree_of(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_") and label(path) != API_TYPES:
                where.setdefault(node.name, []).append(label(path))
    assert {name: paths for name, paths in where.items() if len(paths) > 1 and name != "Store"} == {}


def test_there_is_something_to_look_at() -> None:
    assert len(files("analysis")) > 40
    assert len(files("model")) > 10


@each(
    "source",
    [
        "import time",
        "from os import environ",
        "import urllib.request",
        "def f():\n    import socket",
        "from pathlib import Path",
        "import importlib.resources",
        "from importlib import resources",
        "open('x')",
        "from datetime import datetime\ndatetime.now()",
        "import datetime\ndatetime.datetime.utcnow()",
        "import random\nrandom.random()",
        "import numpy as np\nnp.random.default_rng()",
        "import numpy as np\nnp.random.normal(0, 1)",
        "from random import Random\nRandom()",
    ],
)
def test_a_reach_outside_is_found(source: str) -> None:
    assert len(reached(source)) == 1


@pytest.mark.parametrize(
    "source",
    [
        "import numpy as np\nnp.random.default_rng(7)",
        "from datetime import UTC, datetime\ndatetime.fromtimestamp(0, UTC)",
        "import math\nmath.log(2)",
    ],
)
def test_what_gives_the_same_answer_every_time_is_pure(source: str) -> None:
    assert reached(source) == []


@pytest.mark.parametrize(
    ("source", "swallows"),
    [
        ("try:\n    f()\nexcept Exception:\n    pass", True),
        ("try:\n    f()\nexcept:\n    pass", True),
        ("try:\n    f()\nexcept (ValueError, Exception) as e:\n    log(e)", True),
        ("try:\n    f()\nexcept BaseException:\n    undo()\n    raise", False),
        ("try:\n    f()\nexcept ValueError:\n    pass", False),
    ],
)
def test_a_handler_that_swallows_everything_is_found(source: str, swallows: bool) -> None:
    assert bool(swallows_everything(source)) == swallows


def test_the_package_lists_its_public_api_and_loads_nothing_for_it() -> None:
    code = "import sys, fanous; print(*dir(fanous)); print(*sys.modules)"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    listed, loaded = (line.split() for line in said.splitlines())
    assert set(listed) == {"Store", "__version__", "confirm", "incidents", "judge", "sentences", "series"}
    assert {name for name in loaded if name.startswith("fanous.")} == set()


def test_importing_the_rooms_loads_nothing_heavy() -> None:
    """One after the other, in one program: each is asked what it added."""
    rooms = sorted(path.parent.name for path in SOURCE.glob("*/__init__.py"))
    code = "import importlib, sys\nfor room in sys.argv[1:]:\n"
    code += "    before = set(sys.modules); importlib.import_module(f'fanous.{room}')\n"
    code += "    print(room, *set(sys.modules) - before)"
    said = subprocess.run(
        [sys.executable, "-c", code, *rooms], capture_output=True, text=True, check=True
    ).stdout
    loaded = {
        room: {name.split(".")[0] for name in names} for room, *names in map(str.split, said.splitlines())
    }
    assert sorted(loaded) == rooms
    assert {room: names & HEAVY for room, names in loaded.items() if names & HEAVY} == {}


def test_a_stranger_finds_the_rooms_at_a_glance() -> None:
    entries = [one.name for one in SOURCE.iterdir() if one.name != "__pycache__"]
    assert len(entries) <= 25, "put it into a room, or what every room needs into `base`"
