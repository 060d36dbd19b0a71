"""The import rule of DESIGN.md: the tree is the flow, and pure parts reach nothing outside."""

import sys
from pathlib import Path

import pytest

from tests.architecture import (
    CONCLUDING,
    LAYERS,
    PURE,
    ROOT,
    Module,
    broad_handlers,
    layer_of,
    loaded_with,
    modules,
    outside_reached,
    parsed,
    parts_imported,
    third_party,
    upward_imports,
)

MOST_LINES = 400
MODULES = modules()
STDLIB = frozenset(sys.stdlib_module_names)
ARRAY_NOUNS = {"fanous.model.levels", "fanous.model.series", "fanous.model.votes"}
LAST_STOPS = {"fanous.scheduler", "fanous.cli"}
"""The supervisor restarts a task; the command line says that it is our bug and leaves with 70."""

ARRAYS_AND_ENGINES = {"numpy", "pyarrow", "chdb", "clickhouse_connect", "sqlalchemy"}


def test_there_is_something_to_look_at() -> None:
    assert len(MODULES) > 20
    assert len({name for layer in LAYERS for name in layer}) == sum(len(layer) for layer in LAYERS)


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.name)
def test_a_part_imports_only_parts_before_it(module: Module) -> None:
    assert upward_imports(module) == []


@pytest.mark.parametrize("module", [m for m in MODULES if m.part in PURE], ids=lambda module: module.name)
def test_a_pure_part_reaches_no_clock_socket_file_or_environment(module: Module) -> None:
    assert outside_reached(module) == []


@pytest.mark.parametrize("module", [m for m in MODULES if m.part == "model"], ids=lambda module: module.name)
def test_the_model_needs_the_standard_library_and_array_nouns_numpy(module: Module) -> None:
    allowed = {"numpy"} if module.name in ARRAY_NOUNS else set()
    assert third_party(module, STDLIB) <= allowed


@pytest.mark.parametrize(
    "module", [m for m in MODULES if m.part == "testing"], ids=lambda module: module.name
)
def test_what_generates_an_event_knows_nothing_of_what_finds_it(module: Module) -> None:
    assert parts_imported(module) & CONCLUDING == set()


def test_a_probe_loads_neither_arrays_nor_engines() -> None:
    loaded = loaded_with({"net", "probes", "rules"}, MODULES)
    assert {name: loaded[name] for name in ARRAYS_AND_ENGINES & loaded.keys()} == {}


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.name)
def test_only_the_last_stops_catch_everything(module: Module) -> None:
    assert module.name in LAST_STOPS or broad_handlers(module) == []


def test_no_file_is_longer_than_a_reader_can_hold() -> None:
    files = [*(ROOT / "src").rglob("*.py"), *(ROOT / "tests").rglob("*.py")]
    lengths = {path.relative_to(ROOT): _lines(path) for path in files}
    assert {path: lines for path, lines in lengths.items() if lines > MOST_LINES} == {}


@pytest.mark.parametrize(
    ("name", "source", "fault"),
    [
        ("fanous.rules.tls", "from fanous.store import open_store", "imports store"),
        ("fanous.rules.tls", "from fanous.refdata.platforms import target_of", "imports refdata"),
        ("fanous.model.entity", "from fanous.rules import RULES", "imports rules"),
        ("fanous.store.facts", "import fanous.pipeline", "imports pipeline"),
        ("fanous.pipeline", "def f():\n    from fanous import cli", "imports cli"),
        ("fanous.connectors.ooni", "from fanous.testing.builders import verdict", "stands on no fake"),
        ("fanous.newcomer", "x = 1", "stands in no layer"),
    ],
)
def test_an_import_against_the_flow_is_found(name: str, source: str, fault: str) -> None:
    (found,) = upward_imports(parsed(name, source))
    assert fault in found


@pytest.mark.parametrize(
    "source",
    [
        "from fanous.model import entity\nfrom fanous.errors import FanousError",
        "from fanous.detectors.blocking import find",
    ],
)
def test_an_import_with_the_flow_is_none(source: str) -> None:
    assert upward_imports(parsed("fanous.incidents.scope", source)) == []


@pytest.mark.parametrize(
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
    assert len(outside_reached(parsed("fanous.detectors.drop", source))) == 1


@pytest.mark.parametrize(
    "source",
    [
        "import numpy as np\nnp.random.default_rng(7)",
        "from datetime import UTC, datetime\ndatetime.fromtimestamp(0, UTC)",
        "import math\nmath.log(2)",
    ],
)
def test_what_gives_the_same_answer_every_time_is_pure(source: str) -> None:
    assert outside_reached(parsed("fanous.detectors.drop", source)) == []


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
    assert bool(broad_handlers(parsed("fanous.store.facts", source))) == swallows


def test_a_package_loaded_through_another_module_is_seen() -> None:
    known = [
        parsed("fanous.probes.tls", "from fanous.model.series import Series\ndef f():\n    import chdb"),
        parsed("fanous.model", ""),
        parsed("fanous.model.series", "import numpy as np"),
    ]
    loaded = loaded_with({"probes"}, known)
    assert loaded["numpy"] == {"fanous.model.series"}
    assert "chdb" not in loaded


def test_every_part_that_stands_has_a_layer() -> None:
    parts = {module.part for module in MODULES} - {""}
    assert {part for part in parts if layer_of(part) is None} == set()


def _lines(path: Path) -> int:
    return path.read_text(encoding="utf-8").count("\n")
