"""Stores of every format that was released open, lose nothing, and say what they said before.

``formats/N`` holds such a store as its own Fanous wrote it: the tables of facts and of the ledger as SQL, the
archive as it is.
"""

import json
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from math import nan
from pathlib import Path

import clickhouse_connect
import pytest

from fanous.errors import FanousError
from fanous.model.incident import MethodChange, Status
from fanous.model.measurement import Provenance
from fanous.model.reason import Reason, as_written
from fanous.pipeline import replay
from fanous.publish.alerts.channel import AlertRule
from fanous.publish.alerts.dispatch import route
from fanous.publish.alerts.settings import Alerting
from fanous.questions.claims import method_changes
from fanous.store.client import engine_at
from fanous.store.database import decode_incident, decode_reasons, encode_incident, encode_reasons, with_codes
from fanous.store.engine import bring_up_to_date
from fanous.store.local import open_store
from fanous.store.location import at_urls, in_folder
from fanous.store.protocol import Store
from fanous.store.schema import FACTS, FORMAT, MIGRATIONS, Layout
from tests.commands import fanous
from tests.store.cases import incident
from tests.store.servers import Server

FORMATS = Path(__file__).with_name("formats")
OLD = sorted(int(folder.name) for folder in FORMATS.iterdir())
WINDOW = 1_600_000_000.0, 1_800_000_000.0

_FILL = """
import sys, clickhouse_connect
client = clickhouse_connect.get_client(interface="chdb", path=sys.argv[1])
for statement in open(sys.argv[2]).read().split(";\\n"):
    if statement.strip():
        client.command(statement.rstrip(";"))
client.close()
"""


def old_store(format: int, folder: Path) -> Path:  # noqa: A002 - the word for it
    """A store of a format, written by what was current then."""
    source = FORMATS / str(format)
    shutil.copytree(source / "archive", folder / "archive")
    subprocess.run([sys.executable, "-c", _FILL, folder / "facts", source / "facts.sql"], check=True)
    with sqlite3.connect(folder / "ledger.sqlite") as ledger:
        ledger.executescript((source / "ledger.sql").read_text())
    ledger.close()
    return folder


def test_every_format_before_this_one_has_a_store_and_a_way() -> None:
    assert list(range(1, FORMAT)) == OLD
    assert sorted(MIGRATIONS) == list(range(2, FORMAT + 1))


def _ruled(store: Store, uid: str) -> list[str]:
    """What was ruled, as text, since NaN is no number, without the rules' sentences, which may improve, and without
    what older rules left out: rates of pages that came, and encrypted resolvers that answered."""
    ruled = (verdict for verdict in store.facts.verdicts(uid) if verdict.target != "encrypted_dns")
    return [str(replace(verdict, why="", kbps=nan)) for verdict in ruled]


def test_an_old_store_says_what_it_said_and_that_it_is_synthetic(tmp_path: Path) -> None:
    """The store of format 1 holds what a generator made."""
    folder = old_store(1, tmp_path / "store")
    with open_store(folder) as opened:
        assert opened.facts.countries() == []
        store = opened.of(Provenance.SYNTHETIC)
        assert store.facts.countries() == ["PK"]
        (segment,) = store.archive.segments()
        uids = sorted(set(store.facts.votes("PK", *WINDOW).uids))
        assert len(uids) == 3
        assert len(list(store.archive.records(segment))) == 3
        assert list(store.unfinished()) == []
        (revision,) = store.ledger.revisions("PK-2023-0001")
        assert revision.reasons == as_written("the first claim")
        assert revision.incident.provenance is Provenance.SYNTHETIC
        before = [_ruled(store, uid) for uid in uids]
        replay.rejudge(opened, everything=True)
        assert [_ruled(store, uid) for uid in uids] == before
    with open_store(folder) as store:
        assert set(store.of(Provenance.SYNTHETIC).facts.votes("PK", *WINDOW).uids) == set(uids)


A_FILE, A_GENERATOR, A_RECORDING, THE_LAB, A_PROBE = (
    {f"20231217160000.000000_PK_webconnectivity_00000000000000{name}" for name in names}
    for names in (("a1", "a2"), ("b1",), ("c1",), ("d1",), ("e1",))
)
"""What the store of format 2 holds: records without and with a mark, and one that met a server of the lab."""


@pytest.mark.parametrize(
    "again", [pytest.param(False, marks=pytest.mark.matrix), True], ids=["at once", "rejudged"]
)
def test_what_an_old_store_holds_is_told_apart(tmp_path: Path, again: bool) -> None:
    folder = old_store(2, tmp_path / "store")
    with open_store(folder) as store:
        if again:
            replay.rejudge(store, everything=True)
            THE_LAB_TOLD: set[str] = set()  # its certificate stands in the facts alone in this store
        else:
            THE_LAB_TOLD = THE_LAB
        synthetic = A_GENERATOR | A_RECORDING | THE_LAB_TOLD
        facts, staged = store.facts, store.of(Provenance.SYNTHETIC).facts
        every = A_FILE | A_GENERATOR | A_RECORDING | THE_LAB | A_PROBE
        assert staged.known(every) == synthetic
        assert set(store.ledger.undetected()) == (set() if again else {"PK"}), "they were mixed: found anew"
        doubles = A_PROBE | THE_LAB if again else set()  # the same content as A_FILE, under other names
        assert facts.known(every) == every - synthetic - doubles
        assert set(staged.votes("PK", *WINDOW).uids) == synthetic
        for table in FACTS:
            told = store.facts.engine.rows(f"SELECT DISTINCT uid, provenance FROM {table}")
            assert {uid for uid, name in told if name == "imported"} == (
                set() if table == "observations" and not again else A_FILE
            )
        (series,) = facts.levels("PK", *WINDOW)
        assert series.values.tolist() == [10.0, 11.0]
        assert staged.levels("PK", *WINDOW) == []


STRANGERS, A_PRIVATE_ADDRESS, OUR_PROBE, A_COLLECTORS_FILE, OONIS = (
    f"AS{asn}" for asn in (23674, 59257, 24499, 17557, 56167)
)
"""Who measured what the store of format 3 holds, by network.  The collector took the first for a stranger, and the
second for one of ours, since its address was private."""

PROVENANCES = {
    STRANGERS: Provenance.UNVOUCHED,
    A_PRIVATE_ADDRESS: Provenance.UNVOUCHED,
    OUR_PROBE: Provenance.REAL,
    A_COLLECTORS_FILE: Provenance.UNVOUCHED,
    OONIS: Provenance.REAL,
}


@pytest.mark.parametrize("again", [False, True], ids=["at once", "rejudged"])
def test_what_a_collector_took_before_is_unvouched(tmp_path: Path, again: bool) -> None:
    folder = old_store(3, tmp_path / "store")
    with open_store(folder) as store:
        if again:
            replay.rejudge(store, everything=True)
        for table in FACTS:
            told = store.facts.engine.rows(f"SELECT DISTINCT asn, provenance FROM {table} WHERE asn > 0")
            assert {f"AS{asn}": Provenance(name) for asn, name in told} == PROVENANCES
            assert len(told) == len(PROVENANCES), "each has one"


def test_what_cannot_be_read_of_a_collectors_is_unvouched(tmp_path: Path) -> None:
    folder = old_store(3, tmp_path / "store")
    for path in (folder / "archive").rglob("*.edge.real.*"):
        path.write_bytes(b"damaged")
    with open_store(folder) as store:
        told = store.facts.engine.rows("SELECT DISTINCT asn, provenance FROM measurements")
        unread = {OUR_PROBE: Provenance.UNVOUCHED}
        assert {f"AS{asn}": Provenance(name) for asn, name in told} == PROVENANCES | unread


def test_an_incident_that_turns_out_to_rest_on_strangers_gets_one_revision(tmp_path: Path) -> None:
    folder = old_store(3, tmp_path / "store")
    for _ in range(2):
        with open_store(folder) as store:
            found = {one.networks[0].entity: one for one in store.ledger.incidents()}
            assert {entity: one.provenance for entity, one in found.items()} == PROVENANCES
            before, last = store.ledger.revisions(found[STRANGERS].id)[-2:]
            assert (last.n, before.incident.provenance) == (3, Provenance.REAL), "what was published stays"
            assert last.incident == replace(before.incident, provenance=Provenance.UNVOUCHED)
            assert last.reasons == (Reason("unvouched"), *before.incident.reasons)
            assert len(store.ledger.revisions(found[OUR_PROBE].id)) == 1
            assert len(store.ledger.revisions(found[OONIS].id)) == 1


def test_an_upgrade_is_one_notice_and_no_alert(tmp_path: Path) -> None:
    soon = 1_702_918_800.0  # an hour after they were written, so that none of them is history
    with open_store(old_store(3, tmp_path / "store"), clock=lambda: soon) as store:
        assert method_changes(store) == [MethodChange(soon, revised=3, corrected=0, unvouched=3)]
        route(store, Alerting(rules=(AlertRule(("desk",)),)))
        sent = {one.incident: one.n for one in store.ledger.outbox.deliveries()}
        assert sent == {one.id: 1 for one in store.ledger.incidents()}, "each is told once: when it was new"


def test_an_old_incident_has_the_provenance_of_what_it_was_seen_in(tmp_path: Path) -> None:
    folder = old_store(2, tmp_path / "store")
    for _ in range(2):
        with open_store(folder) as store:
            told = {one.networks[0].entity: one.provenance for one in store.ledger.incidents()}
            assert told["AS59257"] is Provenance.SYNTHETIC
            assert told["AS56167"] is Provenance.IMPORTED
            first = store.ledger.revisions("PK-2023-0001")
            assert [(one.n, one.reasons, one.incident.provenance) for one in first] == [
                (1, as_written("a staged one"), Provenance.SYNTHETIC),
                (2, as_written("again"), Provenance.SYNTHETIC),
            ]


@pytest.mark.parametrize("old", OLD)
def test_an_old_store_has_the_tables_of_a_new_one(old: int, tmp_path: Path) -> None:
    shapes = []
    for folder in (old_store(old, tmp_path / "old"), tmp_path / "new"):
        folder.mkdir(exist_ok=True)
        engine = engine_at(in_folder(folder))
        assert engine.rows("SELECT max(version) FROM versions") == [(FORMAT,)]
        columns = engine.rows(
            "SELECT table, name, type FROM system.columns WHERE database = 'default' ORDER BY table, position"
        )
        indexes = engine.rows(
            "SELECT table, name, expr FROM system.data_skipping_indices ORDER BY table, name"
        )
        shapes.append((columns, indexes))
        engine.close()
    assert shapes[0] == shapes[1]
    assert len([name for _, name, _ in shapes[1][1] if name == "find_segment"]) == len(FACTS)


def test_a_migration_that_was_killed_half_way_is_done_by_the_next(tmp_path: Path) -> None:
    engine = engine_at(in_folder(old_store(1, tmp_path / "store")))
    engine.run("DELETE FROM versions WHERE version > 1")
    engine.run("ALTER TABLE verdicts DROP INDEX find_segment")
    bring_up_to_date(engine, Layout())
    assert engine.rows("SELECT max(version) FROM versions") == [(FORMAT,)]
    found = engine.rows("SELECT count() FROM system.data_skipping_indices WHERE name = 'find_segment'")
    assert found == [(len(FACTS),)]
    engine.close()


def test_a_store_of_a_newer_fanous_is_refused(tmp_path: Path) -> None:
    location = in_folder(tmp_path)
    engine = engine_at(location)
    bring_up_to_date(engine, Layout(), {FORMAT + 1: _one_more}, FORMAT + 1)
    engine.close()
    with pytest.raises(FanousError, match=rf"newer Fanous \(format {FORMAT + 1}, this one knows {FORMAT}\)"):
        engine_at(location)


def test_tables_on_a_server_are_led_on_while_another_process_writes(
    two_shards: Server, tmp_path: Path
) -> None:
    location = at_urls(str(tmp_path / "a"), two_shards.new_database(), str(tmp_path / "l"))
    writer, newer = engine_at(location), engine_at(location)
    bring_up_to_date(newer, Layout(location.cluster), {FORMAT + 1: _one_more}, FORMAT + 1)
    writer.insert("segments", {"segment": ["a", "b"], "country": ["PK", "PK"]})
    assert writer.rows("SELECT count() FROM segments_rows") < [(2,)]  # the other is on the other shard
    shown = clickhouse_connect.get_client(dsn=location.server).query("SELECT note FROM segments_rows LIMIT 1")
    assert shown.result_rows == [("-",)]
    writer.close()
    newer.close()


def _one_more(layout: Layout) -> Iterator[str]:
    yield f"ALTER TABLE {layout.rows_of('segments')} ADD COLUMN IF NOT EXISTS note String DEFAULT '-'"


def test_what_an_old_incident_said_in_words_alone_is_a_field(tmp_path: Path) -> None:
    with open_store(old_store(2, tmp_path / "store")) as store:
        found = {one.networks[0].asn: one for one in store.ledger.incidents()}
        told = {asn: (one.held_by, one.withdrawn_by, one.merged_into) for asn, one in found.items()}
        assert told == {
            59257: ("", "", ""),
            56167: ("", "", ""),
            64501: ("", "Ayesha", ""),
            64502: ("", "", "PK-2023-0001"),
            64503: ("review", "", ""),
            64504: ("", "", ""),
        }


@pytest.mark.parametrize(
    ("status", "text", "fields"),
    [
        (
            Status.RETRACTED,
            "taken back by Ayesha: the platform itself was down",
            {
                "withdrawn_by": "Ayesha",
                "reasons": (Reason("withdrawn", {"by": "Ayesha", "why": "the platform itself was down"}),),
            },
        ),
        (
            Status.RETRACTED,
            "2 late measurements from AS1; it is told as a part of PK-2023-0001",
            {"merged_into": "PK-2023-0001", "reasons": (Reason("merged", {"incident": "PK-2023-0001"}),)},
        ),
        (
            Status.SUSPECTED,
            "suspected: held for a person's review, as every national claim is here; it would be confirmed: C2",
            {"held_by": "review"},
        ),
        (Status.CONFIRMED, "C2: 23 independent probes on 7 networks saw it", {}),
    ],
)
def test_what_only_the_words_of_a_reason_said_becomes_codes(
    status: Status, text: str, fields: dict[str, object]
) -> None:
    """As format 2 wrote it: a `reason`, and no `reasons`."""
    document = json.loads(encode_incident(incident(status=status, reasons=())))
    old = decode_incident(json.dumps(document | {"reason": text}))
    assert old.reasons == as_written(text)
    assert with_codes(old) == replace(old, **fields)  # type: ignore[arg-type]  # each of its own type


def test_the_hints_of_an_old_incident_are_its_text() -> None:
    one = incident(hints=(Reason("hint.steady"),))
    document = json.loads(encode_incident(one))
    assert decode_incident(json.dumps(document)) == one
    old = decode_incident(json.dumps(document | {"hints": ["speeds hardly vary meanwhile"]}))
    assert old == replace(one, hints=as_written("speeds hardly vary meanwhile"))
    older = decode_incident(json.dumps(document | {"hints": ["a"], "reasons": [], "reason": "C2: seen"}))
    assert (older.hints, older.reasons) == (as_written("a"), as_written("C2: seen"))


def test_the_reasons_of_an_old_revision_are_its_text() -> None:
    assert decode_reasons("12 late measurements from AS1; C2: seen") == as_written(
        "12 late measurements from AS1; C2: seen"
    )
    assert decode_reasons(encode_reasons(())) == ()


@pytest.mark.parametrize("old", OLD)
def test_what_only_reads_an_old_store_leaves_it_as_it_is(old: int, tmp_path: Path) -> None:
    """The older Fanous can go on with it until a command that writes has upgraded it."""
    folder = old_store(old, tmp_path / "store")
    before = _content(folder)
    for words in (("incidents", "list"), ("confirm", "PK"), ("networks", "PK")):
        said = fanous(*words, "--store", folder, code=1).stderr
        assert "written by an older Fanous" in said
        assert "`fanous run` upgrades it" in said
    assert _content(folder) == before
    fanous("detect", "--store", folder)
    assert fanous("incidents", "list", "--store", folder).stdout
    assert _content(folder) != before


@pytest.mark.parametrize("old", OLD)
def test_the_history_of_an_old_store_begins_with_what_it_holds(old: int, tmp_path: Path) -> None:
    folder = old_store(old, tmp_path / "store")
    with open_store(folder) as store:
        history = store.ledger.history()
        revisions = sum(len(store.ledger.revisions(incident.id)) for incident in store.ledger.incidents())
    assert history.defects == ()
    assert history.entries >= revisions > 0


def _content(folder: Path) -> tuple[list[str], list[str]]:
    """The ledger as SQL, and the columns of the tables of facts, read by the engine alone."""
    with closing(sqlite3.connect(folder / "ledger.sqlite")) as ledger:
        rows = list(ledger.iterdump())
    asks = (
        "SELECT concat(table, '.', name, ' ', type) FROM system.columns WHERE database = 'default' ORDER BY 1"
    )
    asked = [sys.executable, "-c", _ASK, str(folder / "facts"), asks]
    columns = subprocess.run(asked, check=True, capture_output=True, text=True).stdout
    return rows, columns.splitlines()


_ASK = """
import sys, clickhouse_connect
client = clickhouse_connect.get_client(interface="chdb", path=sys.argv[1])
for row in client.query(sys.argv[2]).result_rows:
    print(*row)
client.close()
"""


@pytest.mark.parametrize(
    ("undone", "said"),
    [
        ("DROP TABLE roles", "written by an older Fanous"),
        ("DELETE FROM meta WHERE key = 'provenance'", "written by an older Fanous"),
        ("UPDATE meta SET value = '99' WHERE key = 'format'", "written by a newer Fanous"),
    ],
)
def test_a_ledger_that_would_have_to_change_is_not_read(tmp_path: Path, undone: str, said: str) -> None:
    with open_store(tmp_path):
        pass
    with closing(sqlite3.connect(tmp_path / "ledger.sqlite")) as ledger, ledger:
        ledger.execute(undone)
    with pytest.raises(FanousError, match=said):
        open_store(tmp_path, read_only=True)


def test_a_store_without_facts_or_ledger_is_not_shown_as_one_in_which_nothing_happened(
    tmp_path: Path,
) -> None:
    with open_store(tmp_path / "store"):
        pass
    shutil.rmtree(tmp_path / "store" / "facts")
    with (
        open_store(tmp_path / "store", read_only=True) as store,
        pytest.raises(FanousError, match=r"no facts.*run `fanous rejudge`"),
    ):
        store.facts.countries()
    missing = tmp_path / "none.sqlite"
    place = at_urls(str(tmp_path / "archive"), str(tmp_path / "facts"), str(missing))
    with pytest.raises(FanousError, match="there is no ledger"):
        open_store(place, read_only=True)
    assert not missing.exists()
