"""No command destroys what it did not create: each is tried on someone else's files, or writes nothing.

A new command, or a new option that takes a path, fails here until it is in one of the tables.
"""

import lzma
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from fanous.base.overwrite import RECORD
from fanous.model.reason import as_written
from fanous.monitor.recording import FORMAT
from fanous.probe.orders import new_key
from fanous.publish.signer import make_key
from fanous.store.local import open_store
from tests.charts.events import incident
from tests.collector.files import kept
from tests.commands import document, fanous
from tests.copies import copy_of
from tests.documents import found_command
from tests.store.cases import judged
from tests.test_docs import ROOT_COMMAND, leaves

pytestmark = pytest.mark.timeout(60)  # `run` and `collect` would never end if they were let in

INCIDENT = "PK-2023-0001"
LETTER = b"dear diary\n"

WRITES_NOTHING = {
    "alerts test": "sends messages",
    "incidents signer": "reads its key; its log and socket are next to it",
    "judge": "prints",
    "lab down": "removes labs, each with a folder of its own under /run",
    "lab list": "prints",
    "lab run": "plays in temporary folders",
    "lab shell": "opens a shell",
    "lab up": "makes a lab with a folder of its own under /run",
    "probe consent": "keeps consent in the folder of the user's data",
    "probe list": "prints",
    "probe serve": "answers",
    "queue": "prints",
    "refdata accept": "the same as refdata update",
    "refdata lists": "the same as refdata update",
    "refdata upstreams": "the same as refdata update",
    "refdata update": "installs into the folder of the user's data; see the test of a set that was changed by hand",
    "verify": "prints; --store is ignored",
}
"""Commands that write to no place that their user names, each with what they do instead."""

IN_A_STORE: dict[str, tuple[str, ...]] = {
    "alerts list": (),
    "alerts retry": ("--all",),
    "alerts send": (),
    "claims add": ("PK", "--who", "us", "--what", "normal", "--since", "2023-12-17", "--until", "2023-12-18"),
    "claims check": (),
    "claims list": (),
    "collect": ("--listen", "127.0.0.1:0"),
    "confirm": ("PK",),
    "cost": (INCIDENT,),
    "demo": ("--once",),
    "detect": (),
    "doctor": (),
    "drain": ("{inbox}",),
    "events add": ("--country", "PK", "--title", "x", "--since", "2023-12-17", "--until", "2023-12-18"),
    "events list": (),
    "events report": ("PK-watch-1",),
    "export": ("-o", "{new}"),
    "forget": ("report",),
    "incidents approve": (INCIDENT, "--by", "us"),
    "incidents bundle": (INCIDENT, "-o", "{new}", "--key", "{signer}"),
    "incidents corrections": (),
    "incidents hold": (INCIDENT, "--by", "us"),
    "incidents list": (),
    "incidents merge": (INCIDENT, "--into", "PK-2023-0002", "--by", "us", "--reason", "one event"),
    "incidents name": (INCIDENT, "--by", "us"),
    "incidents note": (INCIDENT, "--by", "us", "--note", "x"),
    "incidents report": (INCIDENT, "-o", "{new}"),
    "incidents retract": (INCIDENT, "--by", "us", "--reason", "x"),
    "incidents role": ("us", "--role", "the desk"),
    "incidents show": (INCIDENT,),
    "ingest": ("ooni", "{letter}"),
    "networks": (),
    "pull": ("ioda", "--country", "PK"),
    "rejudge": (),
    "retain": (),
    "run": ("--no-probe", "--no-collector"),
    "scan": (
        "--country",
        "PK",
        "--targets",
        "{targets}",
        "--control",
        "192.0.2.1",
        "--i-answer-for-this",
        "--lab",
    ),
    "signals": ("PK",),
}
"""Commands that open the store that --store names, and what else they need in order to do so."""

TO_A_FILE: dict[str, tuple[str, ...]] = {
    "evaluate": ("--adversary", "--attack", "T8", "--draws", "1", "--draws-file", "{place}"),
    "incidents bundle": (INCIDENT, "-o", "{place}", "--key", "{signer}"),
    "incidents key": ("--new", "--key", "{place}"),
    "init": ("PK", "--config", "{place}"),
    "lab record": ("pakistan-2023-12-17", "-o", "{place}"),
    "orders key": ("{place}",),
    "orders revoke": (f"fanous-orders:{'A' * 43}=", "--root", "{key}", "--out", "{place}"),
    "orders sign": ("{draft}", "--key", "{key}", "--out", "{place}"),
    "probe run": ("-i", "https://127.0.0.1:9/", "--yes", "--no-health", "--out", "{place}"),
    "probe stream": ("https://127.0.0.1:9/a.m3u8", "--yes", "--out", "{place}"),
}

TO_A_FOLDER: dict[str, tuple[str, ...]] = {
    "collect": ("--listen", "127.0.0.1:0", "--inbox", "{place}"),
    "drain": ("{place}", "--store", "{new}"),
    "export": ("-o", "{place}"),
    "forget": ("report", "--inbox", "{place}", "--store", "{new}"),
    "incidents report": (INCIDENT, "-o", "{place}"),
}

READ = {
    *(
        "--ca-file",
        "--modules",
        "--config",
        "--counts",
        "--during",
        "--from",
        "--ics",
        "--lifts",
        "--networks",
        "--opt-out",
        "--orders",
        "--series",
        "--revocation",
    ),
    *(
        "--data",
        "--settings",
        "--table",
        "--targets",
        "--truth-table",
        "--urls",
        "bundle",
        "corpus",
        "draft",
        "files",
        "paths",
    ),
}
"""Options and arguments that name what is read."""

READ_KEYS = {
    ("collect", "--credentials"),
    ("incidents bundle", "--key"),
    ("incidents signer", "--key"),
    ("orders revoke", "--root"),
    ("orders sign", "--key"),
}
"""Keys that are read; only `incidents key --new`, `orders key` and `collect` make one, and never over another file."""

CONFIGURATION = """
[run]
listen = "127.0.0.1:0"
[alerts.channels.desk]
webhook = "http://127.0.0.1:9/"
secret = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
[[alerts.rules]]
channels = ["desk"]
"""


# --- every command --------------------------------------------------------------------------------


def test_every_command_is_in_a_table() -> None:
    written = {*IN_A_STORE, *TO_A_FILE, *TO_A_FOLDER}
    assert {" ".join(words) for words in leaves()} == {*written, *WRITES_NOTHING}
    assert not written & WRITES_NOTHING.keys()


def parameters(command: str) -> list[Any]:
    _, found, _ = found_command(command.split(), ROOT_COMMAND)
    return list(found.params)


@pytest.mark.parametrize("words", leaves(), ids=" ".join)
def test_every_option_that_takes_a_path_is_read_from_or_tried(words: tuple[str, ...]) -> None:
    command = " ".join(words)
    paths = {name for one in parameters(command) if one.type.name == "path" for name in one.opts[:1]}
    places = {one for table in (TO_A_FILE, TO_A_FOLDER) for one in table.get(command, ())}
    left = {name for name in paths - READ if (command, name) not in READ_KEYS}
    left -= {"--store"} if command in {*IN_A_STORE, "verify", "probe run"} else set()
    assert not left or "{place}" in places, left
    assert len(left) <= 1, "one place a command is tried"


# --- what is there --------------------------------------------------------------------------------

Seen = dict[str, tuple[str, bytes]]


def everything(folder: Path) -> Seen:
    """Each file with its bytes, each link with its aim, each folder, below ``folder``."""
    seen: Seen = {}
    for path in sorted(folder.rglob("*")):
        if path.is_symlink():
            seen[str(path)] = "link", str(path.readlink()).encode()
        else:
            seen[str(path)] = ("folder", b"") if path.is_dir() else ("file", path.read_bytes())
    return seen


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """What the commands read."""
    folder = tmp_path_factory.mktemp("given")
    found = {
        name: folder / name
        for name in ("letter", "draft", "key", "signer", "targets", "configuration", "inbox")
    }
    found["letter"].write_bytes(LETTER)
    found["draft"].write_text('urls = ["https://example.org/"]\n')
    found["targets"].write_text("".join(f"192.0.2.{n}\n" for n in range(1, 31)))
    found["configuration"].write_text(CONFIGURATION)
    (found["inbox"] / "apart").mkdir(parents=True)
    new_key(found["key"])
    make_key(found["signer"])
    return found


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with a measurement and an incident."""
    folder = tmp_path_factory.mktemp("filled") / "store"
    with open_store(folder) as store:
        store.append([judged("a")], rules_version="1")
        store.ledger.put(incident(id=""), as_written("seen"))
    return folder


@pytest.fixture(autouse=True)
def no_lab(monkeypatch: pytest.MonkeyPatch) -> None:
    """A recording that is not refused must fail here, rather than play for minutes."""
    monkeypatch.setattr("fanous_lab.commands.lab._played", lambda *_: pytest.fail("it was not refused"))


def typed(command: str, words: tuple[str, ...], given: dict[str, Path], **places: Path) -> list[str]:
    return [*command.split(), *(word.format(**given, **places) for word in words)]


NOT_OURS = "a file that this command did not write is already there"


def refused(words: list[str], theirs: Path) -> str:
    """What the command says; it must end with 1, and everything below ``theirs`` must be unchanged."""
    before = everything(theirs)
    assert before, "there must be something to destroy"
    said = fanous(*words, code=1).stderr
    assert everything(theirs) == before
    return " ".join(said.split())


# --- a file ---------------------------------------------------------------------------------------


def letter(place: Path) -> None:
    place.write_bytes(LETTER)


def folder_of_letters(place: Path) -> None:
    place.mkdir()
    letter(place / "letter.txt")


def link_to_a_letter(place: Path) -> None:
    letter(place.with_name("letter.txt"))
    place.symlink_to("letter.txt")


def link_to_nothing(place: Path) -> None:
    place.symlink_to("nothing")


FILES = (letter, folder_of_letters, link_to_a_letter, link_to_nothing)
Put = Callable[[Path], None]


@pytest.mark.parametrize("put", FILES)
@pytest.mark.parametrize("command", TO_A_FILE)
def test_a_file_of_someone_else_is_not_written_to(
    command: str, put: Put, given: dict[str, Path], tmp_path: Path
) -> None:
    put(tmp_path / "place")
    said = refused(typed(command, TO_A_FILE[command], given, place=tmp_path / "place"), tmp_path)
    assert f"cannot write {tmp_path}/place: " in said
    assert "already there. Nothing was changed: name another place, or move it away." in said


# --- a folder -------------------------------------------------------------------------------------


def measurements(place: Path) -> None:
    """A file that someone is still downloading."""
    place.mkdir()
    letter(place / "mine.jsonl")
    (place / "mine.jsonl.part").write_bytes(b"no line yet")
    (place / "old.jsonl.new").write_bytes(LETTER)


def linked_folder(place: Path) -> None:
    folder_of_letters(place.with_name("theirs"))
    place.symlink_to("theirs")


def sums(place: Path) -> None:
    """A folder with another program's record of digests."""
    folder_of_letters(place)
    (place / RECORD).write_text(f"{'0' * 64}  letter.txt\n")


def files_of_a_store(place: Path) -> None:
    (place / "archive" / "raw").mkdir(parents=True)
    letter(place / "ledger.sqlite")


FOLDERS = (letter, folder_of_letters, linked_folder, measurements, sums, files_of_a_store)


@pytest.mark.parametrize("put", FOLDERS)
@pytest.mark.parametrize("command", TO_A_FOLDER)
def test_a_folder_of_someone_else_is_not_written_to(
    command: str, put: Put, given: dict[str, Path], tmp_path: Path
) -> None:
    theirs, new = tmp_path / "theirs", tmp_path / "new"
    theirs.mkdir()
    put(theirs / "place")
    said = refused(typed(command, TO_A_FOLDER[command], given, place=theirs / "place", new=new), theirs)
    assert str(theirs / "place") in said
    assert not new.exists(), "refused before a store is made"


# --- a store --------------------------------------------------------------------------------------


def ledger_of_another_program(place: Path) -> None:
    place.mkdir()
    with closing(sqlite3.connect(place / "ledger.sqlite")) as database, database:
        database.execute("CREATE TABLE meta (accounts TEXT)")
        database.execute("INSERT INTO meta VALUES ('1,000 pounds')")


def letter_for_a_ledger(place: Path) -> None:
    place.mkdir()
    letter(place / "ledger.sqlite")


def letter_for_a_lock(place: Path) -> None:
    folder_of_letters(place)
    (place / "letter.txt").rename(place / "facts.lock")


def letters_for_facts(place: Path) -> None:
    place.mkdir()
    folder_of_letters(place / "facts")


STORES = (
    *(letter, folder_of_letters, linked_folder),
    *(ledger_of_another_program, letter_for_a_ledger, letter_for_a_lock, letters_for_facts),
)


@pytest.mark.parametrize("command", IN_A_STORE)
def test_what_is_not_a_store_is_not_made_one(command: str, given: dict[str, Path], tmp_path: Path) -> None:
    takes_configuration = "--config" in {name for one in parameters(command) for name in one.opts}
    for put in STORES:
        theirs, new = tmp_path / put.__name__, tmp_path / f"new-{put.__name__}"
        theirs.mkdir()
        put(theirs / "place")
        words = [*typed(command, IN_A_STORE[command], given, new=new), "--store", str(theirs / "place")]
        said = refused([*words, *(["--config", str(given["configuration"])] * takes_configuration)], theirs)
        assert str(theirs) in said, put.__name__
        assert not new.exists()


def test_the_three_places_of_a_configuration_are_looked_at_too(tmp_path: Path) -> None:
    for name, put in (("ledger", letter), ("facts", folder_of_letters), ("facts.lock", letter)):
        theirs = tmp_path / name
        theirs.mkdir()
        put(theirs / name)
        file = tmp_path / "fanous.toml"
        places = {"archive": theirs / "archive", "facts": theirs / "facts", "ledger": theirs / "ledger"}
        file.write_text("\n".join(["[store]", *(f'{key} = "{place}"' for key, place in places.items())]))
        before = everything(theirs)
        said = fanous("rejudge", "--config", file, code=1).stderr
        assert str(theirs) in said
        after = everything(theirs)
        assert {path: after[path] for path in before} == before


def test_the_demonstration_leaves_a_store_of_real_measurements_as_it_is(filled: Path, tmp_path: Path) -> None:
    store = copy_of(filled, tmp_path / "store")

    def held() -> tuple[Seen, list[str]]:
        with closing(sqlite3.connect(store / "ledger.sqlite")) as database:
            return everything(store / "archive"), list(database.iterdump())

    before = held()
    assert "left unchanged" in fanous("demo", "--once", "--store", store, code=1).stderr
    assert held() == before


# --- of the same kind, and yet not ours -----------------------------------------------------------


def test_orders_are_replaced_only_by_their_signer(given: dict[str, Path], tmp_path: Path) -> None:
    place, other = tmp_path / "orders.json", tmp_path / "other.pem"
    new_key(other)
    mine = typed("orders sign", TO_A_FILE["orders sign"], given, place=place)
    fanous(*mine)
    fanous(*mine)
    theirs = typed("orders sign", TO_A_FILE["orders sign"], given | {"key": other}, place=place)
    assert NOT_OURS in refused(theirs, tmp_path)
    place.write_bytes(place.read_bytes().replace(b"example.org", b"example.com"))
    assert NOT_OURS in refused(mine, tmp_path)


def test_a_recording_of_another_scenario_stays(given: dict[str, Path], tmp_path: Path) -> None:
    head = (
        f'{{"format":"{FORMAT}","title":"another","country":"PK"}}'  # whole: a line more would be no record
    )
    (tmp_path / "place").write_bytes(lzma.compress(head.encode()))
    words = typed("lab record", TO_A_FILE["lab record"], given, place=tmp_path / "place")
    assert NOT_OURS in refused(words, tmp_path), "a lab that cannot be set up here ends with 1 as well"


def test_measurements_of_another_program_are_not_added_to(given: dict[str, Path], tmp_path: Path) -> None:
    (tmp_path / "place").write_text('{"software_name":"ooniprobe-cli","test_name":"web_connectivity"}\n')
    words = typed("probe run", TO_A_FILE["probe run"], given, place=tmp_path / "place")
    assert NOT_OURS in refused(words, tmp_path)


@pytest.mark.parametrize("words", [("export",), ("incidents", "report", INCIDENT)], ids=" ".join)
def test_a_folder_is_written_again_until_a_file_in_it_was_changed(
    words: tuple[str, ...], filled: Path, tmp_path: Path
) -> None:
    place = tmp_path / "out"
    all_words = [*words, "-o", str(place), "--store", str(filled)]
    fanous(*all_words)
    names = {path.name for path in place.iterdir()}
    letter(place / "notes.txt")
    fanous(*all_words)
    assert {path.name for path in place.iterdir()} == names | {"notes.txt"}
    assert (place / "notes.txt").read_bytes() == LETTER
    changed = next(path for path in sorted(place.iterdir()) if path.name not in (RECORD, "notes.txt"))
    changed.write_bytes(changed.read_bytes() + LETTER)
    assert f"cannot write {changed}" in refused(all_words, place)


def test_an_inbox_is_drained_of_what_collectors_wrote_and_of_nothing_else(
    tmp_path: Path,
) -> None:
    inbox = tmp_path / "inbox"
    (inbox / "apart").mkdir(parents=True)
    letter(inbox / kept(1))  # whatever it holds, a collector wrote it
    letter(inbox / "mine.jsonl")
    fanous("drain", inbox, "--store", tmp_path / "store")
    assert {path.name for path in inbox.iterdir()} == {"apart", "mine.jsonl"}


def test_a_set_that_was_changed_by_hand_is_not_updated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    own = tmp_path / "own.toml"
    pattern = (
        '[[pattern]]\nid = "own-1"\nkind = "blockpage"\nwhere = "body"\nsource = "a test"\n'
        'pattern = "this page is kept from you"\n'
    )
    own.write_text(pattern)
    fanous("refdata", "update", "--from", own)
    own.write_text(pattern.replace("kept", "hidden"))
    fanous("refdata", "update", "--from", own)
    (waiting,) = (tmp_path / "data").rglob("own.toml")
    assert waiting.read_bytes() == own.read_bytes()
    waiting.write_text(pattern.replace("kept", "mine"))
    assert "already there" in fanous("refdata", "update", "--from", own, code=1).stdout
    assert "mine" in waiting.read_text()
    waiting.write_bytes(own.read_bytes())
    (one,) = document("refdata", "update", "--list")["on_trial"]
    fanous("refdata", "accept", one["sha256"], "--by", "editor")
    accepted = waiting.parent.parent / "own.toml"
    accepted.write_text(pattern.replace("kept", "mine"))
    fanous("refdata", "update", "--from", own)
    assert (
        "by what is not accepted"
        in fanous("refdata", "accept", one["sha256"], "--by", "editor", code=1).stderr
    )
    assert "mine" in accepted.read_text()
