"""Compare: does this working tree still conclude, store and print what an earlier commit did?

    python -m tools.compare [COMMIT] [--only NAME]... [--shared-data FOLDER] [--whole]

Both sides are asked the same questions on the command line, each with its own empty home, and every
difference between their answers is printed.  The files given to both (a store, a spool, an inbox, a
bundle) are written by COMMIT.  Exit 0: nothing differs; 1: something does; 2: nothing could be compared.

Intended differences are listed, each with its reason, in ``tools/compare-expected.toml``.

To add a check, write a function ``ask(side, given)`` that returns documents by label, if need be a function
that makes what both sides are given, and add a row in ``checks``.
"""

import argparse
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
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from fnmatch import fnmatchcase
from functools import partial
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parents[1]
EXPECTED = Path(__file__).with_name("compare-expected.toml")

BASE = "f175a8e"
"""The last commit before the code was rearranged.  Moving and renaming must not change a result."""

SHARED = "FANOUS_SHARED_DATA"
SHARED_DEFAULT = ROOT.parent / "shared" / "data"
"""As the tests look for it (``tests/shared_data.py``)."""

VARIES: Mapping[str, str] = {
    "* / spool*: received.*.report_id": "a collector names each report by chance",
    "* / spool*: received.*.x_collector*": "says when the collector received it",
    "* / sent*: document.seconds": "how long it took",
    "* / *heard*: document.at": "the time of asking",
    "* / *: document.revisions.*.at": "when a detection ran, where each side runs its own",
}
"""Values that always differ.  Their presence is compared, their value is not."""

SHORTER: Mapping[str, str] = {
    r"^hours = \[[\d, ]+\]$": "hours = [12]",
    r"^days = \d+$": "days = 15",
    r"^density = \d+$": "density = 1",
    r"^networks = \[1, 4\]$": "networks = [4]",
    r"^signals = \[\[.*\]\]$": 'signals = [["ping-slash24", "gtr"]]',
    r"^times = .*$": "times = 1",
    r"^quiet = .*$": "quiet = 1",
    r"^techniques = .*$": 'techniques = ["tls.reset"]',
}
"""Lines of corpora that replay the same thing dozens of times.  One replay runs the same code; ``--whole``
runs them all, which takes half an hour."""

LISTENING = re.compile(r"listening host=\S+ port=(\d+)")
WAIT_SECONDS = 60.0
"""Time for a collector to start listening or to stop, on a busy machine."""


class Impossible(Exception):
    """Nothing can be compared; the text says why, and what to do."""


# --- differences ------------------------------------------------------------------------------------------


class _Absent:
    def __repr__(self) -> str:
        return "(absent)"


ABSENT = _Absent()


@dataclass(frozen=True, slots=True)
class Difference:
    """One field that differs.

    Attributes:
        where: ``check / label: path``; keys and indices of the path are joined by dots.
    """

    where: str
    old: Any
    new: Any

    def __str__(self) -> str:
        old, new = _shown(self.old, self.new)
        return f"{self.where}: {old} -> {new}"


def differences(old: Any, new: Any, where: str, path: str = "") -> Iterator[Difference]:
    """Compare field by field.  Items that were added to a list, or removed, do not make the others differ.

    Args:
        old, new: decoded JSON documents.
    """
    if isinstance(old, dict) and isinstance(new, dict):
        for key in [*old, *(key for key in new if key not in old)]:
            yield from differences(old.get(key, ABSENT), new.get(key, ABSENT), where, _below(path, key))
    elif isinstance(old, list) and isinstance(new, list):
        yield from _in_lists(old, new, where, path)
    elif type(old) is not type(new) or old != new:
        yield Difference(f"{where}: {path}" if path else where, old, new)


def _in_lists(old: list[Any], new: list[Any], where: str, path: str) -> Iterator[Difference]:
    matcher = SequenceMatcher(None, [_text(o) for o in old], [_text(n) for n in new], autojunk=False)
    for kind, a, a_end, b, b_end in matcher.get_opcodes():
        if kind == "equal":
            continue
        for n in range(max(a_end - a, b_end - b)):
            one = old[a + n] if a + n < a_end else ABSENT
            other = new[b + n] if b + n < b_end else ABSENT
            index = a + n if one is not ABSENT else b + n
            yield from differences(one, other, where, _below(path, index))


def unvaried(document: Any, where: str, path: str = "") -> Any:
    """The document without the values of ``VARIES``."""
    if path and any(fnmatchcase(f"{where}: {path}", pattern) for pattern in VARIES):
        return "(varies)"
    if isinstance(document, dict):
        return {key: unvaried(value, where, _below(path, key)) for key, value in document.items()}
    if isinstance(document, list):
        return [unvaried(value, where, _below(path, n)) for n, value in enumerate(document)]
    return document


def _below(path: str, key: object) -> str:
    return f"{path}.{key}" if path else str(key)


def _text(value: Any) -> str:
    return repr(value) if value is ABSENT else json.dumps(value, ensure_ascii=False, sort_keys=True)


SHOWN = 300
BEFORE = 40


def _shown(old: Any, new: Any) -> tuple[str, str]:
    """Both in one line; of long ones only the part where they begin to differ."""
    texts = _text(old), _text(new)
    if max(map(len, texts)) <= SHOWN:
        return texts
    same = next((n for n, (a, b) in enumerate(zip(*texts, strict=False)) if a != b), min(map(len, texts)))
    start = max(0, same - BEFORE)
    return _part(texts[0], start), _part(texts[1], start)


def _part(text: str, start: int) -> str:
    end = start + SHOWN
    return f"{'...' if start else ''}{text[start:end]}{'...' if end < len(text) else ''}"


def in_vain(document: Any) -> str:
    """Why it is not an answer; empty = it is one.  A command that fails on both sides compares nothing."""
    if isinstance(document, dict) and document.get("exit") and not document.get("document"):
        return str(document.get("error"))
    return ""


# --- expected differences ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Expected:
    """Intended differences.

    Attributes:
        pattern: of the whole line ``check / label: path: old -> new``; ``*`` stands for anything.
    """

    pattern: str
    reason: str


def read_expected(text: str) -> list[Expected]:
    """From TOML.

    Raises:
        Impossible: an entry without a pattern or a reason.
    """
    try:
        entries = tomllib.loads(text).get("expected", [])
        found = [Expected(entry["difference"], entry["reason"]) for entry in entries]
    except (tomllib.TOMLDecodeError, KeyError, TypeError) as error:
        raise Impossible(
            f"{EXPECTED.name}: each [[expected]] needs `difference` and `reason`: {error}"
        ) from None
    if any(not one.reason.strip() for one in found):
        raise Impossible(f"{EXPECTED.name}: a difference without a reason is not expected")
    return found


def reason_for(difference: Difference, expected: Sequence[Expected]) -> str:
    """Why it is intended; empty = it is not."""
    line = str(difference)
    return next((one.reason for one in expected if fnmatchcase(line, one.pattern)), "")


# --- the two sides ----------------------------------------------------------------------------------------


class Children:
    """Processes that run for us; none outlives us."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: set[subprocess.Popen[bytes]] = set()
        self._is_over = False

    @contextmanager
    def started(self, argv: Sequence[str], **options: Any) -> Iterator[subprocess.Popen[bytes]]:
        with self._lock:
            if self._is_over:
                raise Impossible("interrupted")
            process = subprocess.Popen(argv, **options)
            self._running.add(process)
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
            with self._lock:
                self._running.discard(process)

    def end(self) -> None:
        """End all of them; no more are started."""
        with self._lock:
            self._is_over = True
            for process in self._running:
                process.kill()


@dataclass(frozen=True, slots=True)
class Ran:
    code: int
    out: bytes
    err: str


@dataclass(frozen=True)
class Side:
    """One version of Fanous, used through its command line.

    Attributes:
        name: ``old`` or ``new``.
        tree: a checkout.
        home: instead of the user's.
        work: current folder of its commands, so that paths in answers are relative and the same.
    """

    name: str
    tree: Path
    home: Path
    work: Path
    shared: Path | None
    children: Children = field(repr=False)

    def inside(self, name: str) -> "Side":
        """The same with an empty home and folder for one check."""
        home, work = self.home / name, self.work / name
        home.mkdir(parents=True)
        work.mkdir(parents=True)
        return Side(self.name, self.tree, home, work, self.shared, self.children)

    @property
    def data(self) -> Path:
        """Where it keeps the user's data."""
        return self.home / "data" / "fanous"

    @property
    def environment(self) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("FANOUS_", "XDG_", "PYTHON"))}
        shared = {SHARED: str(self.shared)} if self.shared else {}
        own = {
            f"XDG_{name.upper()}_HOME": str(self.home / name) for name in ("data", "config", "cache", "state")
        }
        plain = {"HOME": str(self.home), "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8", "TZ": "UTC", "NO_COLOR": "1"}
        return kept | shared | own | plain | {"PYTHONPATH": search_path(self.tree), "COLUMNS": "120"}

    @property
    def python(self) -> str:
        return python_of(self.tree)

    def run(self, argv: Sequence[str]) -> Ran:
        pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        with self.children.started(argv, cwd=self.work, env=self.environment, **pipes) as process:
            out, err = process.communicate()
        return Ran(process.returncode, out, err.decode(errors="replace"))

    def script(self, code: str, *arguments: str) -> None:
        """Run Python with this side's modules.

        Raises:
            Impossible: it failed.
        """
        # Its tests too: the golden measurements are there.
        begin = f"import sys; sys.path.append({str(self.tree)!r})\n"
        ran = self.run([self.python, "-c", begin + code, *arguments])
        if ran.code:
            raise Impossible(f"the {self.name} side could not write it: {_last_line(ran.err)}")

    def fanous(self, *commands: str) -> dict[str, Any]:
        """What a command answers, as a document.

        Args:
            commands: alternatives, oldest name first; the first one that this side knows is used.
        """
        for command in commands:
            ran = self.run([self.python, "-m", "fanous", *command.split()])
            if not (ran.code == 2 and "No such command" in ran.err):
                break
        return {"exit": ran.code, "document": _document(ran.out)} | (
            {"error": _last_line(ran.err)} if ran.code else {}
        )

    def make(self, *commands: str) -> None:
        """Run a command that has to succeed; see ``fanous``.

        Raises:
            Impossible: it did not.
        """
        answer = self.fanous(*commands)
        if answer["exit"]:
            raise Impossible(f"`fanous {commands[-1]}` failed on the {self.name} side: {answer['error']}")

    @contextmanager
    def collector(self, inbox: Path) -> Iterator[str]:
        """URL of its collector, on loopback, until the inbox is sealed."""
        argv = [self.python, "-m", "fanous", "collect", "--inbox", str(inbox), "--listen", "127.0.0.1:0"]
        argv += ["--per-address", "100000"]
        pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE}
        with self.children.started(argv, cwd=self.work, env=self.environment, **pipes) as process:
            assert process.stderr is not None
            lines: list[str] = []
            for line in process.stderr:
                lines.append(line.decode(errors="replace"))
                if found := LISTENING.search(lines[-1]):
                    break
            else:
                raise Impossible(
                    f"the {self.name} side's collector did not start: {_last_line(''.join(lines))}"
                )
            rest = threading.Thread(target=process.stderr.read, daemon=True)
            rest.start()  # a full pipe would stop it
            yield f"http://127.0.0.1:{found[1]}"
            process.send_signal(signal.SIGTERM)
            process.wait(WAIT_SECONDS)


def search_path(tree: Path) -> str:
    """``PYTHONPATH`` for the packages of a checkout; older ones have no ``lab``."""
    return os.pathsep.join((str(tree / "src"), str(tree / "lab" / "src")))


def _document(out: bytes) -> Any:
    """The parsed JSON if it is JSON, otherwise lines of text."""
    try:
        return json.loads(out)
    except ValueError:
        return out.decode(errors="replace").splitlines()


def _last_line(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1].strip() if lines else "(it said nothing)"


# --- what is asked ----------------------------------------------------------------------------------------

Documents = dict[str, Any]


@dataclass
class Given:
    """What both sides of a check are given.

    Attributes:
        folder: for files.
        left_out: what is not compared, and why.
    """

    folder: Path
    shared: Path | None
    left_out: list[str] = field(default_factory=list)

    def real(self, name: str) -> Path | None:
        """A file of real measurements; noted if it is missing."""
        path = self.shared / name if self.shared else None
        if path is None or not path.exists():
            self.left_out.append(f"{name}: not present (set {SHARED} or pass --shared-data)")
            return None
        return path


def _nothing(_old: Side, _new: Side, _given: Given) -> None:
    """The check needs no files."""


@dataclass(frozen=True, slots=True)
class Check:
    """Attributes:
    ask: each side, at the same time.
    make: what both are given, made before.
    """

    name: str
    about: str
    ask: Callable[[Side, Given], Documents]
    make: Callable[[Side, Side, Given], None] = _nothing


# Labelled events.


def evaluate(side: Side, given: Given, *, whole: bool) -> Documents:
    """Evaluate each corpus of the side's own tree whose measurements are available."""
    found: Documents = {}
    for source in sorted((side.tree / "corpora").iterdir()):
        text = (source / "events.toml").read_text(encoding="utf-8")
        if missing := _missing(tomllib.loads(text), side.shared):
            given.left_out.append(f"{source.name}: not present: {', '.join(missing)}")
            continue
        corpus = side.work / source.name
        shutil.copytree(source, corpus)
        if not whole:
            for line, shorter in SHORTER.items():
                text = re.sub(line, shorter, text, flags=re.MULTILINE)
            (corpus / "events.toml").write_text(text, encoding="utf-8")
        found[source.name] = side.fanous(f"evaluate {source.name} --json")
    return found


def _missing(corpus: dict[str, Any], shared: Path | None) -> list[str]:
    names = [file["shared"] for file in corpus["corpus"].get("files", []) if "shared" in file]
    return [name for name in names if shared is None or not (shared / name).exists()]


# Stores.

STORE = "store"
QUESTIONS: Mapping[str, tuple[str, ...]] = {
    "list": ("incidents list --json",),
    "corrections": ("incidents corrections --json",),
    "signals": ("signals PK --at 2023-12-18 --json",),
    "heard": ("heard PK --json", "networks PK --json"),
    "cost": ("cost PK-2023-0001 --json",),
    "claims": ("claims list --json",),
    "claim checked": ("claims check PK-claim-1 --json",),
    "events": ("watch list --json", "events list --json"),
    "event report": ("watch report PK-watch-1 --json", "events report PK-watch-1 --json"),
    "export": ("export -o export --json",),
}
"""What else is asked about the demonstration's store, with each name that a command has had."""


def answers(side: Side, store: str, country: str, before: str = "") -> Documents:
    """What a store says about a country and each of its incidents.

    Args:
        store: in the side's folder.
        before: the words in front of each label.
    """
    confirmed = side.fanous(f"confirm {country} --json --store {store}")
    found = {f"{before}confirm": confirmed}
    for incident in _ids(confirmed):
        shown = side.fanous(f"incidents show {incident} --json --store {store}")
        found[f"{before}show {incident}"] = shown
    return found


def _ids(answer: dict[str, Any]) -> list[str]:
    document = answer["document"]
    return [one["id"] for one in document["incidents"]] if isinstance(document, dict) else []


def demo_store(old: Side, given: Given) -> Path:
    """The demonstration's store as the old side made it, with an event and a claim."""
    store = given.folder / "demo"
    old.make(f"demo --once --store {store}")
    since, until = "2023-12-17T13:00Z", "2023-12-17T19:00Z"
    event = f"add --country PK --start {since} --end {until} --title rally --targets x --store {store}"
    old.make(f"watch {event}", f"events {event}")
    said = f"claims add PK --who somebody --what normal --since {since} --until {until} --target x"
    old.make(f"{said} --store {store}")
    return store


def copied(given: Given, side: Side, name: str, to: str = STORE) -> None:
    """Copy it into the side's folder; a store together with the mark next to it that says it was made up."""
    shutil.copytree(given.folder / name, side.work / to, symlinks=True)
    for mark in given.folder.glob(f"{name}.made-by-*"):
        shutil.copy(mark, side.work / mark.name.replace(name, to, 1))


def make_demo(old: Side, _new: Side, given: Given) -> None:
    demo_store(old, given)


def confirm(side: Side, given: Given) -> Documents:
    """The old side's store, upgraded, exported and judged again; and the demonstration that each side makes itself."""
    copied(given, side, "demo")
    side.make(f"detect --store {STORE}")
    found = answers(side, STORE, "PK")
    for label, commands in QUESTIONS.items():
        found[label] = side.fanous(*(f"{one} --store {STORE}" for one in commands))
    for path in sorted((side.work / "export").glob("*.csv")):
        found[f"export {path.name}"] = path.read_text(encoding="utf-8").splitlines()
    found["rejudge"] = side.fanous(f"rejudge PK --all --store {STORE}")
    found |= answers(side, STORE, "PK", "rejudged, ")
    found["demo"] = side.fanous("demo --once --store demo")
    return found | answers(side, "demo", "PK", "demo, ")


REAL = (
    ("ooni-csv", "KE", ("ooni/2023-KE-telegram.csv.gz",)),
    ("ooni", "PK", ("ooni/real_measurements.jsonl.gz",)),
)
"""Source, country, and the files."""


def ingest(side: Side, given: Given) -> Documents:
    """Real measurements, ingested by each side."""
    found: Documents = {}
    for source, country, names in REAL:
        paths = [path for name in names if (path := given.real(name))]
        if len(paths) == len(names):
            store = f"{STORE}-{source}"
            done = side.fanous(f"ingest {source} {' '.join(map(str, paths))} --json --store {store}")
            found |= {f"{source}, ingest": done} | answers(side, store, country, f"{source}, ")
    return found


# Single measurements.
# Code that runs on COMMIT imports modules by their present names or those from before the code was rearranged.

GOLDEN_CASES = """
import importlib, json, pkgutil
try:
    import tests.analysis.rules.golden as package
    from tests.analysis.rules.golden.case import Golden
except ImportError:
    import tests.rules.golden as package
    from tests.rules.golden.case import Golden
cases = {}
for module in sorted(one.name for one in pkgutil.iter_modules(package.__path__)):
    for value in vars(importlib.import_module(f"{package.__name__}.{module}")).values():
        if isinstance(value, (list, tuple)):
            cases |= {id(one): one for one in value if isinstance(one, Golden)}
with open(sys.argv[1], "w") as file:
    for one in cases.values():
        file.write(json.dumps(one.web.document()) + "\\n")
assert len(cases) > 50, f"only {len(cases)} golden cases"
"""

RECORDING = """
from pathlib import Path
try:
    from fanous.monitor.recording import unpack
except ImportError:
    from fanous.rehearsal.recording import unpack
unpack("pakistan-2023-12-17", Path(sys.argv[1]))
"""


def make_measurements(old: Side, _new: Side, given: Given) -> None:
    old.script(GOLDEN_CASES, str(given.folder / "rules.jsonl"))
    old.script(RECORDING, str(given.folder / "demo.jsonl"))
    (given.folder / "lab.jsonl").write_text("\n".join(lab_measurements(old.tree)), encoding="utf-8")
    if real := given.real("ooni/real_measurements.jsonl.gz"):
        shutil.copy(real, given.folder / "real.jsonl.gz")


def lab_measurements(tree: Path) -> list[str]:
    paths = sorted((tree / "tests" / "golden" / "lab").glob("*.json"))
    if not paths:
        raise Impossible("the old side has no measurements in tests/golden/lab")
    return [json.dumps(json.loads(path.read_bytes())) for path in paths]


def judge(side: Side, given: Given) -> Documents:
    paths = sorted(given.folder.glob("*.jsonl*"))
    return {path.name.partition(".")[0]: side.fanous(f"judge {path} --json") for path in paths}


# Evidence.


KEY = """
from pathlib import Path
try:
    from fanous.publish.evidence import manifest as signing
except ImportError:
    from fanous.evidence import signing
(getattr(signing, "make_key", None) or signing.signing_key)(Path(sys.argv[1]))
"""


def make_bundles(old: Side, new: Side, given: Given) -> None:
    """Golden bundles, those that a release signed, and one that each side packs of the same incident."""
    demo_store(old, given)
    old.script(KEY, str(given.folder / "key.pem"))
    for path in sorted((ROOT / "tests" / "golden" / "bundles").glob("*.fanous")):
        if path.name != "demo.fanous":  # each side packs the same event
            shutil.copy(path, given.folder / f"golden-{path.name}")
    signed = sorted((given.shared.parent / "acceptance" / "data").glob("*.fanous")) if given.shared else []
    for path in signed:
        shutil.copy(path, given.folder / path.name)
    if not signed:
        given.left_out.append("bundles signed by release 0.1.0: not present")
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda side: pack(side, given), (old, new)))


def pack(side: Side, given: Given) -> None:
    """``old.fanous`` or ``new.fanous``, and the command's output about it, without the name."""
    copied(given, side, "demo")
    bundle = given.folder / f"{side.name}.fanous"
    command = f"incidents bundle PK-2023-0001 -o {bundle} --key {given.folder / 'key.pem'} --json"
    answer = side.fanous(f"{command} --store {STORE}")
    said = json.dumps(answer).replace(str(bundle), "BUNDLE")
    bundle.with_suffix(".json").write_text(said, encoding="utf-8")


SMALL_BYTES = 200_000


def verify(side: Side, given: Given) -> Documents:
    """Verify as a document; small bundles also as text, which is made from the same data."""
    found: Documents = {"pack": json.loads((given.folder / f"{side.name}.json").read_bytes())}
    for path in sorted(given.folder.glob("*.fanous")):
        found[path.stem] = side.fanous(f"verify {path} --json")
        if path.stat().st_size < SMALL_BYTES:
            found[f"{path.stem}, as text"] = side.fanous(f"verify {path}")
    return found


# Spools and inboxes.

SPOOL = """
from pathlib import Path
try:
    from fanous.probe.spool import Spool
except ImportError:
    from fanous.spool.spool import Spool
spool = Spool(Path(sys.argv[1]))
for line in Path(sys.argv[2]).read_bytes().splitlines():
    spool.put(line)
"""


def make_waiting(old: Side, _new: Side, given: Given) -> None:
    """A spool of the lab's golden measurements, and an inbox of the demonstration's."""
    lines = given.folder / "lab.jsonl"
    lines.write_text("\n".join(lab_measurements(old.tree)), encoding="utf-8")
    old.script(SPOOL, str(given.folder / "spool"), str(lines))
    recording = given.folder / "demo.jsonl"
    old.script(RECORDING, str(recording))
    with old.collector(given.folder / "inbox") as url:
        report(url, recording.read_bytes().splitlines())
    if not list((given.folder / "inbox").glob("*.jsonl")):
        raise Impossible("the old side's collector kept nothing of what it was sent")


OPENED_BY = (
    *("data_format_version", "probe_asn", "probe_cc", "software_name", "software_version", "test_name"),
    *("test_start_time", "test_version"),
)


def report(url: str, measurements: Sequence[bytes]) -> None:
    """Send to a collector by OONI's protocol: each report is opened once, then its measurements are sent."""
    parts = urlsplit(url)
    connection = HTTPConnection(parts.hostname or "", parts.port, timeout=WAIT_SECONDS)

    def post(path: str, body: dict[str, Any]) -> dict[str, Any]:
        connection.request("POST", path, json.dumps(body | {"format": "json"}))
        reply = connection.getresponse()
        content = reply.read()
        if reply.status != 200:
            raise Impossible(f"a collector answered {reply.status} to {path}: {content[:200]!r}")
        return dict(json.loads(content))

    opened: dict[str, str] = {}
    for line in measurements:
        content = json.loads(line)
        if content["report_id"] not in opened:
            head = {key: content[key] for key in OPENED_BY}
            opened[content["report_id"]] = post("/report", head)["report_id"]
        content["report_id"] = opened[content["report_id"]]
        post(f"/report/{content['report_id']}", {"content": content})
    connection.close()


def waiting(side: Side, given: Given) -> Documents:
    """A collector's waiting files are drained, and a probe's are sent and then drained."""
    copied(given, side, "inbox", "inbox")
    found: Documents = {"inbox": side.fanous(f"drain inbox --store {STORE}")}
    found["inbox, left"] = sorted(path.name for path in (side.work / "inbox").iterdir())
    found |= answers(side, STORE, "PK", "inbox, ")
    spool = side.data / "probe" / "spool"
    shutil.copytree(given.folder / "spool", spool)
    found["withdrawn"] = side.fanous("probe consent --withdraw")
    shutil.rmtree(spool)
    shutil.copytree(given.folder / "spool", spool)
    with side.collector(side.work / "received") as url:
        # With a cap of zero, what waits is sent and nothing is measured.
        command = f"probe run -i {url}/ --collector {url} --cap-mb 0 --no-health --yes --json"
        found["sent"] = json.loads(json.dumps(side.fanous(command)).replace(url, "http://collector"))
    received = sorted((side.work / "received").rglob("*.jsonl"))
    lines = [line for path in received for line in path.read_bytes().splitlines()]
    found["spool"] = {"received": [json.loads(line) for line in lines]}
    found["spool, drained"] = side.fanous("drain received --store spooled")
    return found | answers(side, "spooled", "PK", "spool, ")


def checks(*, whole: bool) -> tuple[Check, ...]:
    return (
        Check("judge", "single measurements", judge, make_measurements),
        Check("confirm", "a store, and the demonstration", confirm, make_demo),
        Check("verify", "evidence bundles", verify, make_bundles),
        Check("waiting", "a spool and an inbox", waiting, make_waiting),
        Check("ingest", "real measurements", ingest),
        Check("evaluate", "labelled events", partial(evaluate, whole=whole)),
    )


# --- running ----------------------------------------------------------------------------------------------


@contextmanager
def checked_out(commit: str, folder: Path) -> Iterator[Path]:
    """A work tree of the commit, with the packages that it needs; removed at the end.

    Raises:
        Impossible: no repository, no such commit, or its packages cannot be installed.
    """
    if _git("rev-parse", "--git-dir").returncode:
        raise Impossible(f"{ROOT} is not a git checkout: the other side is taken from its history")
    found = _git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{commit}^{{commit}}")
    if found.returncode:
        raise Impossible(f"there is no commit {commit!r} in this repository; `git log --oneline` lists them")
    tree = folder / "old-tree"
    try:
        added = _git("worktree", "add", "--quiet", "--detach", str(tree), found.stdout.strip())
        if added.returncode:
            raise Impossible(f"cannot check out {commit}: {_last_line(added.stderr)}")
        _furnish(tree)
        yield tree
    finally:
        _git("worktree", "remove", "--force", str(tree))


def python_of(tree: Path) -> str:
    """The Python with the packages that a checkout needs: that of its own ``.venv``, else this one."""
    own = tree / ".venv" / "bin" / "python"
    return str(own) if tree.resolve() != ROOT and own.exists() else sys.executable


def _furnish(tree: Path) -> None:
    """Install what its lock file names, unless it is what ours does."""
    lock = tree / "requirements.lock"
    if not lock.exists() or lock.read_bytes() == (ROOT / lock.name).read_bytes():
        return
    uv, own = str(Path(sys.executable).with_name("uv")), str(tree / ".venv")
    sync = [uv, "pip", "sync", "--quiet", "--compile-bytecode", "--require-hashes", str(lock)]
    for command in ([uv, "venv", "--quiet", "--python", sys.executable, own], sync):
        done = subprocess.run(command, capture_output=True, text=True, env=os.environ | {"VIRTUAL_ENV": own})
        if done.returncode:
            raise Impossible(f"the packages of {lock} cannot be installed: {_last_line(done.stderr)}")


def _git(*words: str) -> "subprocess.CompletedProcess[str]":
    try:
        return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True)
    except OSError:
        raise Impossible("git is needed, and is not there") from None


def check_side(side: Side) -> None:
    """It must run its own code, not an installed package.

    Raises:
        Impossible: it runs other code.
    """
    ran = side.run([side.python, "-c", "import fanous; print(fanous.__file__)"])
    place = ran.out.decode().strip()
    if ran.code or not Path(place).is_relative_to(side.tree):
        raise Impossible(
            f"the {side.name} side would run {place or _last_line(ran.err)}, not {side.tree}/src"
        )


def compared(check: Check, old: Side, new: Side, given: Given) -> list[Difference]:
    """Ask both sides at once.

    Raises:
        Impossible: the files for both sides could not be made.
    """
    sides = old.inside(check.name), new.inside(check.name)
    check.make(*sides, given)
    with ThreadPoolExecutor(2) as pool:
        futures = [pool.submit(check.ask, side, given) for side in sides]
        try:
            one, other = (future.result() for future in futures)
        except BaseException:
            old.children.end()
            raise
    found: list[Difference] = []
    for label in [*one, *(label for label in other if label not in one)]:
        where = f"{check.name} / {label}"
        pair = [unvaried(document.get(label, ABSENT), where) for document in (one, other)]
        found += differences(pair[0], pair[1], where)
        if pair[0] == pair[1] and (why := in_vain(pair[0])):
            found.append(Difference(f"{where}: failed on both sides", why, why))
    return found


def run(commit: str, names: Sequence[str], shared: Path | None, *, whole: bool) -> int:
    """Print what differs; returns how many differences are not intended."""
    expected = read_expected(EXPECTED.read_text(encoding="utf-8"))
    known = checks(whole=whole)
    wrong, meant = 0, 0
    with tempfile.TemporaryDirectory(prefix="fanous-compare-") as temporary:
        scratch, children = Path(temporary), Children()
        with checked_out(commit, scratch) as tree:
            old, new = (
                Side(name, where, scratch / name / "home", scratch / name / "work", shared, children)
                for name, where in (("old", tree), ("new", ROOT))
            )
            for side in (old, new):
                check_side(side.inside("start"))
            for check in known:
                if names and check.name not in names:
                    continue
                began = time.monotonic()
                _progress(f"{check.name}: {check.about} ...")
                given = Given(scratch / "given" / check.name, shared)
                given.folder.mkdir(parents=True)
                found = compared(check, old, new, given)
                reasons = [reason_for(one, expected) for one in found]
                for difference, reason in zip(found, reasons, strict=True):
                    print(f"{difference}{f'  [expected: {reason}]' if reason else ''}")
                for why in dict.fromkeys(given.left_out):
                    print(f"{check.name}: left out: {why}")
                unmeant = reasons.count("")
                wrong, meant = wrong + unmeant, meant + len(found) - unmeant
                print(f"{check.name}: {unmeant} differences, {len(found) - unmeant} expected", flush=True)
                _progress(f"{check.name}: {time.monotonic() - began:.0f} s")
    print(f"{wrong} differences between {commit} and the working tree, and {meant} that are expected")
    return wrong


def _progress(text: str) -> None:
    print(f"compare: {text}", file=sys.stderr, flush=True)


def main() -> int:
    names = [check.name for check in checks(whole=False)]
    parser = argparse.ArgumentParser(
        prog="python -m tools.compare", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("commit", nargs="?", default=BASE, metavar="COMMIT", help=f"default: {BASE}")
    parser.add_argument(
        "--only", action="append", default=[], choices=names, metavar="NAME", help=", ".join(names)
    )
    parser.add_argument(
        "--shared-data", type=Path, metavar="FOLDER", help=f"real measurements; default: {SHARED}"
    )
    parser.add_argument(
        "--whole", action="store_true", help="corpora that replay, at full length: 15 minutes more"
    )
    given = parser.parse_args()
    named = given.shared_data or Path(os.environ.get(SHARED) or SHARED_DEFAULT)
    shared = named.resolve() if named.is_dir() else None
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that temporary files are removed
    try:
        if given.shared_data and shared is None:
            raise Impossible(f"there is no folder {given.shared_data}")
        return 1 if run(given.commit, given.only, shared, whole=given.whole) else 0
    except Impossible as why:
        print(f"compare: {why}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
