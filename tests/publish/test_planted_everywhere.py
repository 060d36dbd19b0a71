"""What names a person in measurements is found in nothing that is made of them: planted in every measurement of an
event, in all spellings and places, and looked for in the store, the spool, logs, bundles, exports, reports and pages.
"""

import json
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from fanous.probe.spool import Spool
from fanous.probe.trace import line
from fanous.publish.evidence.container import read_parts
from fanous.sources.ooni.keep import kept_own
from fanous.store.client import engine_at
from fanous.store.local import open_store
from fanous.store.location import in_folder
from fanous.store.protocol import OneThread
from fanous.store.schema import TABLES
from fanous.web.answers import Site
from fanous.web.application import application
from tests.commands import fanous
from tests.planted import (
    CAME_FROM,
    FREE,
    KINDS,
    NAMED,
    OF_PAGES,
    OWN,
    OWN_SIX,
    SPELLINGS,
    left_in,
    planted,
    spread,
)
from tests.web.visits import Reader

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

NOW = 1_702_900_000.0
EVENT = "PK-2023-0001"
PROBE = "b8f27c0e"
"""The store keeps the name under which OONI publishes a probe, to tell one from another; nothing public has it."""

OF_REQUESTS = "where it came from", "where the request came from"
"""What only a collector knows."""


FREELY = (
    set(FREE)
    - OF_PAGES
    - {"kind of line", "mark", "clock", "recorded", "control failure", "helper's failure"}
    - {"network name"}
)
"""Where one of ``KINDS`` is put in each measurement; a mark would take it out of the event, as would a failure of its
control."""


EVERY = 8
"""Of so many measurements of the event, one holds everything: to look through one takes a twentieth of a second."""


def spoiled(record: dict[str, Any], number: int = 0) -> dict[str, Any]:
    """A measurement of the event, with one of ``KINDS`` in addition to what it says about the target, and in some
    with everything that might name someone.

    The first pages are the helper's but for a name in their title.  One differs, and so its words are stored
    (``of_pages``), but are not in anything public.
    """
    kind = list(KINDS.values())[number % len(KINDS)]
    written, page = (
        spread(record, kind, FREELY),
        spread(record, kind[::-1], OF_PAGES)["test_keys"]["requests"],
    )
    whole = (written if number % EVERY else planted(written).document) | {"probe_ip": OWN}
    own, more, free = record["test_keys"], whole["test_keys"], written["test_keys"]
    mixed = more | own | {"requests": [*own["requests"], *more["requests"], *page], "control_failure": None}
    mixed |= {
        name: [*(own.get(name) or ()), *free[name]]
        for name in ("queries", "tcp_connect", "tls_handshakes", "network_events")
    }
    whole["probe_id"] = PROBE
    return whole | {"test_keys": mixed | {"control": dict(own.get("control") or {}) | more["control"]}}


@dataclass(frozen=True)
class Spoiled:
    """Attributes:
    store: of the event, detected.
    secrets: what may not be found in it, by name.
    of_pages: what may be found in the pages that it stores, and in nothing public.
    said: by the command that ingested the measurements.
    """

    store: Path
    secrets: dict[str, str]
    of_pages: dict[str, str]
    said: str

    def found_in(self, public: bytes) -> list[str]:
        """What of all that something public contains, by name."""
        pages = {f"{name} in a page": text for name, text in self.of_pages.items()}
        return left_in(public, self.secrets | pages | {"a probe": PROBE})


@pytest.fixture(scope="module")
def event(real_rally: Path, tmp_path_factory: pytest.TempPathFactory) -> Spoiled:
    folder = tmp_path_factory.mktemp("planted-everywhere")
    records = [json.loads(one) for one in real_rally.read_bytes().splitlines()]
    lines = [json.dumps(spoiled(one, n) if one["probe_cc"] == "PK" else one) for n, one in enumerate(records)]
    poor = json.dumps({"probe_ip": OWN, "test_keys": 5, **dict.fromkeys(SPELLINGS.values(), OWN)})
    (folder / "event.jsonl").write_text("\n".join([*lines, poor, OWN, f'{{"a": {OWN}']) + "\n")
    secrets = {
        name: text for name, text in planted(records[0]).secrets.items() if not name.startswith(OF_REQUESTS)
    }
    secrets |= KINDS
    of_pages = {name: text[::-1] for name, text in KINDS.items()}
    assert len(secrets) > 100
    given = (folder / "event.jsonl").read_bytes()
    assert len(left_in(given, secrets)) > 80, "they are there before"
    assert left_in(given, KINDS | of_pages) == [*KINDS]
    done = fanous("ingest", "ooni", folder / "event.jsonl", "--store", folder / "store")
    (folder / "event.jsonl").unlink()
    return Spoiled(folder / "store", secrets, of_pages, done.stdout + done.stderr)


def test_messages_name_no_one(event: Spoiled) -> None:
    assert "rejected" in event.said
    assert left_in(event.said.encode(), event.secrets) == []


def test_the_store_names_no_one(event: Spoiled) -> None:
    """Its files, and what its engine, which compresses them, says that they hold."""
    for path in event.store.rglob("*"):
        if path.is_file() and not path.is_symlink():
            assert left_in(path.read_bytes(), event.secrets) == [], path
    with open_store(event.store, read_only=True) as store:
        stored = [one.data for segment in store.archive.segments() for one in store.archive.records(segment)]
    assert len(stored) > 100
    assert {name for data in stored for name in left_in(data, event.secrets)} == set()
    engine = engine_at(in_folder(event.store))
    try:
        for table in TABLES:
            rows = repr(engine.rows(f"SELECT * FROM {table}")).encode()
            assert left_in(rows, event.secrets) == [], table
        assert len(engine.rows("SELECT * FROM observations")) > 1000
    finally:
        engine.close()


def test_what_our_probe_leaves_on_its_machine_names_no_one(
    event: Spoiled, small_rally: Path, tmp_path: Path
) -> None:
    records = [json.loads(one) for one in small_rally.read_bytes().splitlines()]
    record = next(one for one in records if one["probe_cc"] == "PK")
    secrets = planted(record).secrets
    spool = Spool(tmp_path / "spool")
    written = line(spoiled(record), {OWN, OWN_SIX, CAME_FROM})
    unwritten = {"a device", "a resolver at home"}
    assert set(NAMED) - set(left_in(written, secrets)) == unwritten, "all else is there before"
    spool.put(kept_own(written))
    files = [path for path in (tmp_path / "spool").rglob("*") if path.is_file()]
    assert files
    for path in files:
        assert left_in(path.read_bytes(), secrets) == [], path


def test_a_bundle_its_verification_and_exports_name_no_one(event: Spoiled, tmp_path: Path) -> None:
    bundle = tmp_path / "event.fan"
    key = ("--key", tmp_path / "key.pem")
    said = [
        fanous("incidents", "key", "--new", *key),
        fanous("incidents", "bundle", EVENT, "-o", bundle, *key, "--store", event.store),
    ]
    parts = read_parts(bundle)
    opened = {name: plain(content) for name, content in parts.items()}
    assert any(b"test_keys" in content for content in opened.values())
    for name, content in [*opened.items(), *parts.items()]:
        assert event.found_in(content) == [], name
    said.append(fanous("verify", bundle))
    assert said[-1].stdout.startswith("MATCH")
    said += [
        fanous("export", *more, "-o", tmp_path / f"out{len(more)}", "--store", event.store)
        for more in ((), ("--private",))
    ]
    said.append(fanous("incidents", "report", EVENT, "-o", tmp_path / "report", "--store", event.store))
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(written) > 10
    for path in written:
        assert event.found_in(path.read_bytes()) == [], path
    for done in said:
        assert event.found_in((done.stdout + done.stderr).encode()) == []


def plain(content: bytes) -> bytes:
    """A part of a bundle, unpacked where it is packed."""
    return zstd.decompress(content) if content[:4] == b"\x28\xb5\x2f\xfd" else content


ABOUT = ("", "/measurements", "/report.md", "/report.html", "/chart.svg", "/card.svg")


def pages(visitor: Reader) -> Iterator[str]:
    for one in visitor.get("/api/v1/incidents").json()["incidents"]:
        yield from (f"/PK/{one['id']}{form}" for form in (*ABOUT, ".json", ".cap", ".bib", ".ris"))
        yield from (f"/embed/PK/{one['id']}", f"/api/v1/incidents/{one['id']}")
    yield from ("/", "/PK", "/PK/AS17557", "/feed.atom", "/feed.json", "/PK/feed.atom", "/PK/feed.json")
    yield from ("/corrections", "/target/x", "/metrics", "/data", "/api/v1/incidents?country=PK", "/nowhere")


def test_pages_feeds_and_documents_name_no_one(event: Spoiled) -> None:
    with OneThread(lambda: open_store(event.store, read_only=True, clock=lambda: NOW)) as owner:
        visitor = Reader(application(owner.ask, Site(clock=lambda: NOW)))
        asked, seen = list(pages(visitor)), 0
        assert asked[0] == f"/PK/{EVENT}"
        measurements = visitor.get(f"/PK/{EVENT}/measurements").text
        asked += [
            found.replace("&amp;", "&")
            for found in re.findall(r'href="(/[^"]*measurement[^"]*)"', measurements)
        ]
        for path in dict.fromkeys(asked):
            answer = visitor.get(path)
            seen += answer.status_code == 200
            told = answer.content + repr(answer.headers).encode()
            assert event.found_in(told) == [], path
        assert seen > 25
