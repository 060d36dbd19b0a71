"""The recipes of ``fanous.sources`` and ``fanous.analysis.series``, performed on a copy of the package.

A source is one new file and its line in a registry, a signal one row; then it is used from the command line.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.children import child_environment
from tests.documents import ROOT
from tests.sources.publisher import Answer, always, publishing
from tests.sources.records import document, encoded, web_keys

HERE = Path(__file__).parent / "recipes"
MEASUREMENTS, PUBLISHERS = "sources/measurements.py", "sources/publishers.py"
NETTESTS = "sources/ooni/parse.py"
FIRST = {
    MEASUREMENTS: "MEASUREMENT_SOURCES: dict[str, MeasurementSource] = registered(",
    PUBLISHERS: "PUBLISHERS: dict[str, Source] = registered(",
    NETTESTS: "NETTESTS = registered(",
}
"""The line of each registry behind which an entry stands."""

T0 = 1_702_771_200
"""17 December 2023, 00:00 UTC."""


def add(package: Path, registry: str, after: str, *lines: str) -> None:
    """Insert lines behind the only line that begins so."""
    path = package / registry
    before, found, behind = path.read_text().partition(f"\n{after}")
    assert found and f"\n{after}" not in behind
    rest, _, more = behind.partition("\n")
    path.write_text(before + found + rest + "\n" + "".join(f"{line}\n" for line in lines) + more)


def add_source(package: Path, registry: str, room: str, name: str) -> None:
    """A new file, and its import and entry in the registry."""
    shutil.copy(HERE / f"{name}.py", package / "sources" / room / f"{name}.py")
    module = ".".join(filter(None, ("fanous.sources", room, name)))
    above = "from fanous.refdata" if registry == NETTESTS else "from fanous.sources.connector import"
    plug_in, entry = (name.upper(),) * 2 if registry == NETTESTS else (name.title(), f"{name.title()}()")
    add(package, registry, above, f"from {module} import {plug_in}")
    add(package, registry, FIRST[registry], f"    {entry},")


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A copy of the package with all plug-ins of the recipes."""
    copy = tmp_path_factory.mktemp("copy") / "fanous"
    shutil.copytree(ROOT / "src" / "fanous", copy, ignore=shutil.ignore_patterns("__pycache__"))
    add_source(copy, MEASUREMENTS, "", "harbour")
    add_source(copy, PUBLISHERS, "signals", "ferries")
    add_source(copy, PUBLISHERS, "signals", "tides")
    add_source(copy, PUBLISHERS, "claims", "pilots")
    add_source(copy, NETTESTS, "ooni", "buoys")
    add(
        copy,
        "analysis/series/signals.py",
        "_USAGE = (",
        '    _usage("tide_gauge", "Height of the tide", "cm", 600, 0.5),',
    )
    add(
        copy,
        "analysis/series/signals.py",
        "_TABLE = (",
        '    Signal("blocked_tls", "Handshakes cut", "share", Direction.UP, (Kind.BLOCKING,), Family.OONI, '
        "(Layer.TLS,), (State.BLOCKED,)),",
    )
    yield copy


PROGRAM = """
import json, os, sys
from pathlib import Path
import fanous
assert fanous.__file__.startswith(sys.argv[1])
from typer.testing import CliRunner
from fanous.cli.main import app
from fanous.store.local import open_store
from fanous.analysis.incidents.confirm import (families_that_saw)
from fanous.analysis.series.aggregate import series
from fanous.model.measurement import Record
from fanous.publish.evidence.pack import source_terms
from fanous.publish.evidence.redact import redacted
from fanous.publish.export import is_open
from fanous.sources.measurements import FAMILY_OF
for line in sys.stdin:
    asked = json.loads(line)
    folder = asked["folder"]
    os.environ |= {"FANOUS_STORE": f"{folder}/store", "XDG_DATA_HOME": folder, "XDG_CACHE_HOME": folder}
    if "code" in asked:
        with open_store(Path(folder) / "store") as store:
            print(json.dumps(eval(asked["code"])), flush=True)
    else:
        ran = CliRunner().invoke(app, asked["words"])
        print(json.dumps([ran.exit_code, ran.stdout, ran.stderr]), flush=True)
"""
"""Runs the commands of the copied package, one after another, on the store in the folder that is named."""


class Bench:
    """The copied package on a store of the test's own."""

    def __init__(self, program: subprocess.Popen[str], folder: Path) -> None:
        self._program, self._folder = program, folder

    def _asked(self, **question: Any) -> Any:
        assert self._program.stdin and self._program.stdout
        print(json.dumps({"folder": str(self._folder)} | question), file=self._program.stdin, flush=True)
        return json.loads(self._program.stdout.readline())

    def fanous(self, *words: str) -> str:
        code, out, err = self._asked(words=words)
        assert code == 0, out + err
        return str(out)

    def ask(self, code: str) -> Any:
        """What an expression is worth; ``store`` is the open store."""
        return self._asked(code=code)


@pytest.fixture(scope="module")
def program(package: Path) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(package)],
        env=child_environment() | {"PYTHONPATH": str(package.parent)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as running:
        yield running


@pytest.fixture
def bench(program: subprocess.Popen[str], tmp_path: Path) -> Bench:
    return Bench(program, tmp_path)


BLOCKED = web_keys(
    tls_handshakes=[
        {
            "address": "203.0.113.10:443",
            "server_name": "news.example.org",
            "failure": "connection_reset",
            "peer_certificates": [],
            "t0": 0.25,
            "t": 0.4,
            "transaction_id": 1,
        }
    ],
    requests=[],
)


def test_a_source_of_measurements_is_one_file_and_its_line(bench: Bench, tmp_path: Path) -> None:
    line, *others = (
        encoded(document(BLOCKED, measurement_uid=f"m{n}", report_id=f"r{n}", probe_ip="198.51.100.7"))
        for n in range(5)
    )
    (tmp_path / "day.jsonl").write_bytes(b"\n".join([line, *others]) + b"\n")
    done = json.loads(bench.fanous("ingest", "harbour", str(tmp_path / "day.jsonl"), "--json"))
    assert (done["read"], done["stored"], done["rejected"]) == (5, 5, 0)
    votes = f'(votes := store.facts.votes("PK", {T0}, {T0 + 86_400}))'
    saw = 'votes.where(votes.signals == "blocked_path")'
    signals, counted = bench.ask(f"[{votes}.signals.tolist(), list(families_that_saw({saw}, FAMILY_OF))]")
    assert set(signals) == {"blocked_dns", "blocked_path", "blocked_tls"}  # with that of the recipe below
    assert counted == [], "its senders are strangers, whom no operator answers for"
    kept, terms, leaves = bench.ask(
        f'[redacted(Record("harbour", {line!r})).data.decode(), source_terms("harbour"), is_open("harbour")]'
    )
    assert "2023-12-17 14:30:00" not in kept and "2023-12-17T14:30:00Z" in kept
    assert "198.51.100.7" not in kept
    assert terms == {
        "licence": "CC BY 4.0",
        "attribution": "Harbour Observatory",
        "remark": "measurements of the harbour's vantage points",
    }
    assert leaves
    assert "harbour: measurements of the Harbour Observatory" in bench.fanous("ingest", "--help")


def test_a_nettest_is_one_file_and_its_line(bench: Bench, tmp_path: Path) -> None:
    buoys = [{"address": "203.0.113.10:443", "failure": "connection_refused", "keeper": "Ali"}]
    (tmp_path / "day.jsonl").write_bytes(encoded(document({"buoys": buoys}, test_name="buoys")) + b"\n")
    (judged,) = json.loads(bench.fanous("judge", str(tmp_path / "day.jsonl"), "--json"))["measurements"]
    assert (judged["target"], [one["layer"] for one in judged["verdicts"]]) == ("buoys", ["tcp"])
    bench.fanous("ingest", "ooni", str(tmp_path / "day.jsonl"), "--json")
    (stored,) = bench.ask(
        "[one.data.decode() for at in store.archive.segments() for one in store.archive.records(at)]"
    )
    assert json.loads(stored)["test_keys"] == {
        "buoys": [{key: buoys[0][key] for key in ("address", "failure")}]
    }


def pulled(bench: Bench, source: str, mirror: str) -> dict[str, Any]:
    day = ("--country", "PK", "--since", "2023-12-17", "--until", "2023-12-18")
    done: dict[str, Any] = json.loads(bench.fanous("pull", source, *day, "--mirror", mirror, "--json"))
    return done


@pytest.mark.matrix
def test_a_live_source_is_one_file_and_its_line(bench: Bench, tmp_path: Path) -> None:
    answer = json.dumps({"from": T0, "step": 600, "values": [3.0, None, 5.0]}).encode()
    with publishing(always(Answer(answer))) as server:
        done = pulled(bench, "ferries", server.address)
    assert (done["fetched"], done["new"], done["failures"]) == (1, 3, [])
    assert [path.partition("?")[0] for path in server.asked] == ["/PK"]
    (shown,) = json.loads(bench.fanous("signals", "PK", "--json", "--at", "2023-12-17T00:30"))["signals"]
    assert (shown["source"], shown["signal"], shown["value"]) == ("ferries", "tide_gauge", 5.0)
    assert (shown["licence"], shown["credit"]) == ("CC0", "Ferries")
    assert bench.ask('is_open("ferries")')
    (tmp_path / "saved.json").write_bytes(answer)
    again = bench.fanous("ingest", "ferries", str(tmp_path / "saved.json"), "--country", "PK", "--json")
    assert json.loads(again)["duplicate"] == 3
    assert "ferries: sailings of a country's ferries" in bench.fanous("pull", "--help")


@pytest.mark.matrix
def test_a_source_of_series_files_is_one_file_and_its_line(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "gauge.csv").write_text("time,value\n2023-12-17T00:00Z,120\n2023-12-17T00:10Z,high\n")
    done = json.loads(
        bench.fanous("ingest", "tides", str(tmp_path / "gauge.csv"), "--country", "PK", "--json")
    )
    assert (done["stored"], done["rejected"]) == (1, 1)
    (shown,) = json.loads(bench.fanous("signals", "PK", "--json", "--at", "2023-12-17T00:30"))["signals"]
    assert (shown["source"], shown["licence"]) == ("tides", "not stated")
    assert not bench.ask('is_open("tides")')


def test_a_source_of_claims_is_one_file_and_its_line(bench: Bench) -> None:
    answer = json.dumps({"reports": [{"since": T0, "until": T0 + 7200}]}).encode()
    with publishing(always(Answer(answer))) as server:
        done = pulled(bench, "pilots", server.address)
    assert (done["fetched"], done["claims"], done["rejects"]) == (1, 1, [])
    assert "Pilots" in bench.fanous("claims", "list")


def test_a_signal_is_one_row(bench: Bench, tmp_path: Path) -> None:
    """Of a quantity, and of verdicts: the store's queries count it as the reference does."""
    (tmp_path / "day.jsonl").write_bytes(encoded(document(BLOCKED)) + b"\n")
    bench.fanous("ingest", "ooni", str(tmp_path / "day.jsonl"), "--json")
    (tmp_path / "gauge.csv").write_text("time,value\n2023-12-17T00:00Z,120\n")
    bench.fanous("ingest", "tides", str(tmp_path / "gauge.csv"), "--country", "PK", "--json")
    counted = (
        f'{{one.key.signal: one.values.tolist() for one in store.facts.series("PK", {T0}, {T0 + 86_400})}}'
    )
    assert bench.ask(counted) == {"blocked_dns": [0.0], "blocked_path": [1.0], "blocked_tls": [1.0]}
    (shown,) = json.loads(bench.fanous("signals", "PK", "--json", "--at", "2023-12-17T00:30"))["signals"]
    assert (shown["signal"], shown["unit"], shown["family"]) == ("tide_gauge", "cm", "usage")


@pytest.mark.parametrize(
    ("registry", "name", "declared", "instead", "missing"),
    [
        (MEASUREMENTS, "harbour", "    family = Family.EDGE\n", "", "family"),
        pytest.param(
            PUBLISHERS, "signals/ferries", "    every = 600\n", "", "every", marks=pytest.mark.matrix
        ),
        (PUBLISHERS, "signals/tides", "    def read(", "    def reads(", "abstract method 'read'"),
        (PUBLISHERS, "claims/pilots", '    licence = "CC BY 4.0"\n', "", "licence"),
        (
            MEASUREMENTS,
            "ooni/buoys",
            "    address: ",
            "    keeper: str | None = None\n    address: ",
            "keeper may be any text",
        ),
    ],
)
def test_a_plug_in_that_leaves_something_out_stops_everything(
    registry: str, name: str, declared: str, instead: str, missing: str, package: Path, tmp_path: Path
) -> None:
    """Or one that would store a text of which nothing says what it may contain."""
    copy = tmp_path / "fanous"
    shutil.copytree(package, copy, ignore=shutil.ignore_patterns("refdata", "__pycache__"))
    (copy / "refdata").symlink_to(package / "refdata")
    plug_in = copy / "sources" / f"{name}.py"
    plug_in.write_text(plug_in.read_text().replace(declared, instead))
    module = f"fanous.{registry.removesuffix('.py').replace('/', '.')}"
    done = subprocess.run(
        [sys.executable, "-c", f"import {module}"],
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("TypeError:")
    assert missing in done.stderr.splitlines()[-1]
