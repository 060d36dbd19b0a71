"""Mutate: would the tests notice if this were broken?

    python -m tools.mutate [--only NAME]... [--list] [--json] [--workers N] [--limit SECONDS]

``tools/mutations.toml`` lists mistakes that a tired colleague could make.  Each is made by itself in a copy of
this working tree, the tests that should notice are run there (those of ``make test``, without the lab's and the
browser's), and a table says which of them did.  A test counts only if it passes again once the mistake is undone.
The working tree itself is never touched.

Exit 0: every mistake was caught, or is listed as one that survives; 1: one was not; 2: nothing could be run.

A mutation names a package and a piece of its source, not a file, so that code can move within the package.
The piece must occur there exactly once; how its lines are broken does not matter.
"""

import argparse
import ast
import importlib.util
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import tomllib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import msgspec

from tools.compare import search_path

ROOT = Path(__file__).resolve().parents[1]
MUTATIONS = Path(__file__).with_name("mutations.toml")

LEFT_OUT = (".*", "__pycache__", "build", "dist", "*.egg-info")
"""Left out of the copy: version control, the virtual environment, caches, and build output."""

SHARED = "FANOUS_SHARED_DATA"
SHARED_DEFAULT = ROOT.parent / "shared" / "data"
"""Where the tests look for it (``tests/shared_data.py``); a copy of the tree is elsewhere."""

LIMIT = 900.0
"""Seconds for one mutation.  The slowest tests of one package take four minutes on a busy machine."""

MOST_WORKERS = 2
"""Some tests measure time, and each opens a database engine: more at once would disturb one another."""

TOKEN = re.compile(r"\w+|[^\w\s]")
CLOSING = ")]}"

PASSED, FAILED, INTERRUPTED, NO_TESTS = 0, 1, 2, 5
"""pytest's exit codes; with ``-x``, a module that cannot be imported interrupts it."""


class Impossible(Exception):
    """Nothing can be run; the text says why, and what to do."""


class Mutation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A mistake, and where to make it.

    Attributes:
        package: below ``src/fanous``, such as ``analysis/rules``.
        text: source that occurs exactly once in the package.
        replacement: what a tired colleague writes instead.  Lines after the first are indented like the line in
            which the text begins.
        first: pytest's ``-k`` expression for the tests that are tried before the others.
        tests: files or folders; empty = those of the package.
        survives: no test notices, and ``reason`` says why that is acceptable.
    """

    name: str
    package: str
    text: str
    replacement: str
    first: str = ""
    tests: tuple[str, ...] = ()
    survives: bool = False
    reason: str = ""


class Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``tools/mutations.toml``.

    Attributes:
        tests: package -> the tests that should notice a mistake in it.
    """

    tests: dict[str, tuple[str, ...]]
    mutation: tuple[Mutation, ...]

    def tests_of(self, one: Mutation) -> tuple[str, ...]:
        return one.tests or self.tests[one.package]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a mutation's text is.

    Attributes:
        file: relative to the root.
        begin, end: characters.
        line: counted from 1.
    """

    file: Path
    begin: int
    end: int
    line: int


class Outcome(StrEnum):
    """The outcome of a mutation."""

    CAUGHT = "caught"
    SURVIVED = "survived"
    UNFINISHED = "not finished in time"
    UNCLEAR = "unclear"


@dataclass(frozen=True, slots=True)
class Result:
    """What the tests said.

    Attributes:
        said: the test that failed, or why nothing can be concluded.
    """

    mutation: Mutation
    place: Place
    outcome: Outcome
    said: str
    seconds: float

    @property
    def is_expected(self) -> bool:
        return self.outcome is Outcome.CAUGHT or (self.outcome is Outcome.SURVIVED and self.mutation.survives)


# --- the table --------------------------------------------------------------------------------------------


def read_table(path: Path = MUTATIONS) -> Table:
    """Read the mutations in the order of the file.

    Raises:
        Impossible: the file is not valid.
    """
    try:
        table = msgspec.convert(tomllib.loads(path.read_text()), Table)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as why:
        raise Impossible(f"{path.name}: {why}") from None
    names = [one.name for one in table.mutation]
    for one in table.mutation:
        if names.count(one.name) > 1:
            raise Impossible(f"{path.name}: two mutations are called {one.name!r}")
        if one.survives != bool(one.reason):
            raise Impossible(f"{one.name}: `survives` and `reason` go together")
        if not one.tests and one.package not in table.tests:
            raise Impossible(f"{one.name}: no tests are named for {one.package}")
    return table


def pattern(text: str) -> re.Pattern[str]:
    """Matches the text however its lines are broken, and with or without a comma before a closing bracket."""
    tokens = TOKEN.findall(text)
    found = ""
    for n, token in enumerate(tokens):
        before, after = tokens[n - 1] if n else "", tokens[n + 1] if n + 1 < len(tokens) else ""
        if token == "," and after and after in CLOSING:
            continue
        if n:
            found += r"\s+" if _is_word(before) and _is_word(token) else r"\s*"
        if n and token in CLOSING:
            found += r"(?:,\s*)?"
        found += re.escape(token)
    edges = (r"\b" if tokens and _is_word(tokens[at]) else "" for at in (0, -1))
    return re.compile(next(edges) + found + next(edges))


def _is_word(token: str) -> bool:
    return token.isidentifier() or token.isalnum()


def find(one: Mutation, root: Path = ROOT) -> Place:
    """Where the mutation's text stands.

    Raises:
        Impossible: nowhere in its package, or more than once.
    """
    folder = root / "src" / "fanous" / one.package
    wanted = pattern(one.text)
    places = [
        Place(file.relative_to(root), hit.start(), hit.end(), source.count("\n", 0, hit.start()) + 1)
        for file, source in _sources(folder)
        for hit in wanted.finditer(source)
    ]
    if len(places) != 1:
        where = ", ".join(f"{place.file}:{place.line}" for place in places) or "nowhere"
        raise Impossible(
            f"{one.name}: its text must occur exactly once in {one.package}, but is found {where}; "
            f"give another in {MUTATIONS.name}"
        )
    return places[0]


@cache
def _sources(folder: Path) -> list[tuple[Path, str]]:
    return [(file, file.read_text()) for file in sorted(folder.rglob("*.py"))]


def mutated(source: str, place: Place, replacement: str) -> str:
    """The source with the mistake in it.

    Raises:
        Impossible: it is no longer valid Python, or has not changed.
    """
    line = source.rfind("\n", 0, place.begin) + 1
    indent = source[line : place.begin]
    indent = indent[: len(indent) - len(indent.lstrip())]
    after = source[: place.begin] + replacement.replace("\n", f"\n{indent}") + source[place.end :]
    try:
        same = ast.dump(ast.parse(after)) == ast.dump(ast.parse(source))
    except SyntaxError as why:
        raise Impossible(f"the replacement at {place.file}:{place.line} is not Python: {why}") from None
    if same:
        raise Impossible(f"the replacement at {place.file}:{place.line} changes nothing")
    return after


# --- running ----------------------------------------------------------------------------------------------


class Children:
    """Test runs that are under way; none outlives us."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: set[subprocess.Popen[str]] = set()
        self._is_over = False

    @contextmanager
    def started(self, argv: Sequence[str], **options: Any) -> Iterator[subprocess.Popen[str]]:
        with self._lock:
            if self._is_over:
                raise Impossible("interrupted")
            process = subprocess.Popen(argv, start_new_session=True, text=True, **options)
            self._running.add(process)
        try:
            yield process
        finally:
            _end(process)
            with self._lock:
                self._running.discard(process)

    @property
    def is_over(self) -> bool:
        return self._is_over

    def end(self) -> None:
        """End all of them, and start no more."""
        with self._lock:
            self._is_over = True
            for process in self._running:
                _end(process)


def _end(process: subprocess.Popen[str]) -> None:
    """Together with everything that its tests started."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@dataclass(frozen=True, slots=True)
class Ran:
    """How a test run ended.

    Attributes:
        code: pytest's exit code; ``None`` = it was still running at the limit.
        failed: the first test, or module, that failed; empty = none did.
    """

    code: int | None
    failed: str
    out: str


@dataclass(frozen=True, slots=True)
class Copy:
    """A copy of a working tree, for one mutation at a time.

    Attributes:
        folder: of the copy and of everything that its tests leave behind.
        sound: a test that caught something -> whether it passes without any mutation.
    """

    root: Path
    folder: Path
    children: Children
    sound: dict[str, bool] = field(default_factory=dict)

    @property
    def tree(self) -> Path:
        return self.folder / "tree"

    def make(self) -> None:
        shutil.copytree(self.root, self.tree, symlinks=True, ignore=shutil.ignore_patterns(*LEFT_OUT))

    def judge(self, one: Mutation, tests: Sequence[str], limit: float) -> Result:
        """Make the mistake, run the tests, and undo it."""
        place, began = find(one, self.tree), time.monotonic()
        file = self.tree / place.file
        source = file.read_text()
        write(file, mutated(source, place, one.replacement))
        try:
            ran = self._noticed(one, tests, began + limit)
        finally:
            write(file, source)
        outcome, said = self._concluded(ran, began + limit)
        return Result(one, place, outcome, said, time.monotonic() - began)

    def _noticed(self, one: Mutation, tests: Sequence[str], until: float) -> Ran:
        if one.first:
            ran = self._pytest([*tests, "-k", one.first], until)
            if ran.code not in (PASSED, NO_TESTS):
                return ran
        return self._pytest(tests, until)

    def _concluded(self, ran: Ran, until: float) -> tuple[Outcome, str]:
        if ran.code is None:
            return Outcome.UNFINISHED, ""
        if ran.code == PASSED:
            return Outcome.SURVIVED, ""
        if ran.code not in (FAILED, INTERRUPTED) or not ran.failed:
            said = ran.out.strip().splitlines()[-1:] or [""]
            return Outcome.UNCLEAR, f"pytest ended with {ran.code}: {said[0]}"
        if ran.failed not in self.sound:
            self.sound[ran.failed] = self._pytest([ran.failed], until).code == PASSED
        if not self.sound[ran.failed]:
            return Outcome.UNCLEAR, f"fails without the mutation too: {ran.failed}"
        return Outcome.CAUGHT, ran.failed

    def _pytest(self, arguments: Sequence[str], until: float) -> Ran:
        """The names of failed tests are read from pytest's cache: its output is for people."""
        scratch = Path(tempfile.mkdtemp(dir=self.folder))
        argv = [sys.executable, "-m", "pytest", "-x", "-q", "-m", "not lab and not browser and not matrix"]
        argv += ["-o", f"cache_dir={scratch / 'cache'}", f"--basetemp={scratch / 't'}", *arguments]
        environment = os.environ | {"PYTHONPATH": search_path(self.tree)}
        if SHARED not in environment and SHARED_DEFAULT.is_dir():
            environment[SHARED] = str(SHARED_DEFAULT)
        log = scratch / "log"
        with (
            log.open("w") as out,
            self.children.started(
                argv, cwd=self.tree, env=environment, stdout=out, stderr=out, stdin=subprocess.DEVNULL
            ) as process,
        ):
            try:
                code = process.wait(max(0.0, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                return Ran(None, "", "")
        last = scratch / "cache" / "v" / "cache" / "lastfailed"
        failed = next(iter(json.loads(last.read_text())), "") if last.exists() else ""
        ran = Ran(code, failed, log.read_text(errors="replace"))
        shutil.rmtree(scratch, ignore_errors=True)
        return ran


def write(file: Path, source: str) -> None:
    """Write without the old compiled file: Python distinguishes it by seconds and size alone."""
    file.write_text(source)
    Path(importlib.util.cache_from_source(file)).unlink(missing_ok=True)


def judge_all(
    table: Table, chosen: Sequence[Mutation], *, workers: int, limit: float, root: Path = ROOT
) -> Iterator[Result]:
    """Yield the results as they are completed.

    Args:
        limit: seconds for each.
    """
    children, done = Children(), SimpleQueue[Result | BaseException]()
    with tempfile.TemporaryDirectory(prefix="fanous-mutate-", ignore_cleanup_errors=True) as temporary:
        Path(temporary).chmod(0o755)  # some tests start the program as a user who may do little
        free = SimpleQueue[Copy]()
        for n in range(min(workers, len(chosen))):
            copy = Copy(root, Path(temporary) / str(n), children)
            copy.folder.mkdir()
            copy.make()
            free.put(copy)

        def judge(one: Mutation) -> None:
            if children.is_over:
                return
            copy = free.get()
            try:
                done.put(copy.judge(one, table.tests_of(one), limit))
            except BaseException as error:  # reported by the waiting thread
                done.put(error)
            finally:
                free.put(copy)

        with ThreadPoolExecutor(workers) as pool:
            try:
                for one in chosen:
                    pool.submit(judge, one)
                for _ in chosen:
                    result = done.get()
                    if isinstance(result, BaseException):
                        raise result
                    yield result
            finally:
                children.end()
                pool.shutdown(cancel_futures=True)


# --- what is said -----------------------------------------------------------------------------------------


def verdict(result: Result) -> str:
    """The third column of the table."""
    known = f" (listed: {result.mutation.reason})" if result.mutation.survives else ""
    if result.outcome is Outcome.CAUGHT:
        return result.said + (" (listed as one that survives: take that out)" if known else "")
    return result.outcome.upper() + (f": {result.said}" if result.said else "") + known


def summary(results: Sequence[Result]) -> str:
    counts = {outcome: sum(one.outcome is outcome for one in results) for outcome in Outcome}
    told = ", ".join(f"{count} {outcome}" for outcome, count in counts.items() if count)
    known = sum(one.outcome is Outcome.SURVIVED and one.mutation.survives for one in results)
    return f"{len(results)} mutations: {told}" + (f" ({known} of these listed)" if known else "")


def document(results: Sequence[Result]) -> dict[str, Any]:
    return {
        "mutations": [
            {
                "name": one.mutation.name,
                "package": one.mutation.package,
                "file": str(one.place.file),
                "line": one.place.line,
                "outcome": str(one.outcome),
                "test": one.said if one.outcome is Outcome.CAUGHT else None,
                "why": one.mutation.reason or (one.said if one.outcome is not Outcome.CAUGHT else "") or None,
                "seconds": round(one.seconds, 1),
            }
            for one in results
        ],
        "outcomes": {str(outcome): sum(one.outcome is outcome for one in results) for outcome in Outcome},
    }


def printed(rows: Sequence[Sequence[str]]) -> None:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        print("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip())


def run(given: argparse.Namespace) -> int:
    table = read_table()
    chosen = [
        one
        for one in table.mutation
        if not given.only or any(fnmatchcase(one.name, wanted) for wanted in given.only)
    ]
    if not chosen:
        raise Impossible(f"no mutation is called {' or '.join(given.only)}: see --list")
    places = {one.name: find(one) for one in chosen}
    for one in chosen:
        mutated((ROOT / places[one.name].file).read_text(), places[one.name], one.replacement)
    if given.list:
        printed([(one.name, f"{places[one.name].file}:{places[one.name].line}") for one in chosen])
        return 0
    results = []
    for result in judge_all(table, chosen, workers=given.workers, limit=given.limit):
        results.append(result)
        told = f"{len(results)}/{len(chosen)} {result.mutation.name}: {verdict(result)}"
        print(f"{told} ({result.seconds:.0f} s)", file=sys.stderr, flush=True)
    results.sort(key=lambda one: chosen.index(one.mutation))
    if given.json:
        print(json.dumps(document(results), indent=2))
    else:
        printed(
            [
                ("mutation", "where", "caught by", "seconds"),
                *(
                    (
                        one.mutation.name,
                        f"{one.place.file}:{one.place.line}",
                        verdict(one),
                        f"{one.seconds:.0f}",
                    )
                    for one in results
                ),
            ]
        )
        print(summary(results))
    return 0 if all(one.is_expected for one in results) else 1


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tools.mutate", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument(
        "--only", action="append", default=[], metavar="NAME", help="this mutation; * stands for anything"
    )
    parser.add_argument("--list", action="store_true", help="say which there are and where, and run nothing")
    parser.add_argument("--json", action="store_true", help="one JSON document instead of the table")
    parser.add_argument(
        "--workers",
        type=int,
        default=MOST_WORKERS,
        choices=range(1, MOST_WORKERS + 1),
        help=f"mutations at once; default: {MOST_WORKERS}",
    )
    parser.add_argument(
        "--limit", type=float, default=LIMIT, metavar="SECONDS", help=f"for each; default: {LIMIT:.0f}"
    )
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that temporary files are removed
    try:
        return run(parser.parse_args())
    except Impossible as why:
        print(f"mutate: {why}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
