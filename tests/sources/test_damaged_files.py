"""Files that are damaged, endless or no files at all: what was whole is kept, and nothing waits indefinitely."""

import gzip
import json
import os
import signal
import socket
import subprocess
import sys
import time
import zlib
from contextlib import suppress
from pathlib import Path
from random import Random

import pytest

from fanous.base.files import check_regular, open_regular
from fanous.errors import FanousError
from fanous.probe.orders import new_key
from fanous.sources import stream
from fanous.sources.measurements import MEASUREMENT_SOURCES
from fanous.sources.stream import open_source
from fanous.store.local import open_store
from tests.children import child_environment
from tests.commands import fanous
from tests.each import each

RECORD = b'{"test_name":"web_connectivity","probe_cc":"PK","n":%d}\n'
PACKED = gzip.compress(b"".join(RECORD % n for n in range(2000)))


@pytest.mark.parametrize(
    ("packed", "why"),
    [
        (PACKED[:-6] + b"abcdef", "damaged here (its checksum does not match the content)"),
        (PACKED[:-8], "ends too early"),
        (PACKED + b"more", "damaged here (unexpected bytes follow"),
    ],
    ids=["wrong checksum", "no trailer", "bytes behind it"],
)
def test_all_records_before_a_bad_end_are_kept_as_the_message_says(
    tmp_path: Path, packed: bytes, why: str
) -> None:
    path, rejects = tmp_path / "r.jsonl.gz", []
    path.write_bytes(packed)
    read = MEASUREMENT_SOURCES["ooni"].read(path, lambda line, reason: rejects.append((line, reason)))
    assert len(list(read)) == 2000
    ((line, reason),) = rejects
    assert line == 2001
    assert why in reason and "what came before is kept" in reason


def test_all_whole_lines_before_damage_in_the_middle_are_kept(tmp_path: Path) -> None:
    """As many as zlib gives that is fed byte by byte.  The content is fixed: what comes of damaged bytes may look like
    a line."""
    dice = Random(7)
    lines = [
        b'{"test_name":"x","n":%d,"r":"%s"}\n' % (n, dice.randbytes(8).hex().encode()) for n in range(40_000)
    ]
    packed = bytearray(gzip.compress(b"".join(lines)))
    middle = len(packed) * 6 // 10
    packed[middle : middle + 40] = bytes(40)
    whole, unpacker = bytearray(), zlib.decompressobj(31)
    with suppress(zlib.error):
        for byte in packed:
            whole += unpacker.decompress(bytes([byte]))
    known = set(lines)
    sound = [line for line in bytes(whole).splitlines(keepends=True) if line in known]
    assert len(sound) > 20_000
    path, rejects = tmp_path / "r.jsonl.gz", []
    path.write_bytes(packed)
    read = MEASUREMENT_SOURCES["ooni"].read(path, lambda line, reason: rejects.append((line, reason)))
    kept = [json.loads(record.data)["n"] for record, _ in zip(read, sound, strict=False)]
    assert kept == [json.loads(line)["n"] for line in sound]
    assert all(record.line > len(sound) for record in read)  # to its end, where it is damaged
    assert "damaged here" in rejects[-1][1]


@pytest.fixture
def odd(tmp_path: Path) -> dict[str, Path]:
    """A path of each kind that is not a regular file; nothing is written to the pipe."""
    os.mkfifo(tmp_path / "pipe")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "s"))
    (tmp_path / "link").symlink_to("/dev/zero")
    return {
        "a pipe": tmp_path / "pipe",
        "a socket": tmp_path / "s",
        "a device": Path("/dev/zero"),
        "a link to one": tmp_path / "link",
        "a folder": tmp_path,
    }


KINDS = ("a pipe", "a socket", "a device", "a link to one", "a folder")


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_no_file_is_refused_by_its_name(odd: dict[str, Path], kind: str) -> None:
    for check in (check_regular, open_regular):
        with pytest.raises((FanousError, OSError)) as why:
            check(odd[kind])
        assert str(odd[kind]) in str(why.value) or kind == "a socket"


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """It can be opened, and reading it is an error, as on a failing disk."""
    path = Path("/proc/self/mem")
    with (
        pytest.raises(FanousError, match=r"^Cannot read /proc/self/mem: Input/output error"),
        open_source(path),
    ):
        pass


@pytest.mark.timeout(10)
def test_a_pipe_that_takes_the_place_of_a_file_is_not_waited_for(
    odd: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is checked is what was opened, not what the name meant before."""
    monkeypatch.setattr(Path, "is_file", lambda _: True)
    with pytest.raises(FanousError, match="pipe"), open_source(odd["a pipe"]):
        pass


COMMANDS = {
    "ingest ooni": ("ingest", "ooni", "{}", "--store", "{store}"),
    "ingest ooni-csv": ("ingest", "ooni-csv", "{}", "--store", "{store}"),
    "ingest ioda-csv": ("ingest", "ioda-csv", "{}", "--country", "PK", "--store", "{store}"),
    "ingest ioda": ("ingest", "ioda", "{}", "--country", "PK", "--store", "{store}"),
    "ingest tor": ("ingest", "tor", "{}", "--country", "PK", "--store", "{store}"),
    "ingest mrt": ("ingest", "mrt", "{}", "--country", "PK", "--store", "{store}"),
    "ingest csv": (
        *("ingest", "csv", "{}", "--country", "PK", "--time", "t", "--value", "v", "--store", "{store}"),
    ),
    "judge": ("judge", "{}"),
    "verify": ("verify", "{}"),
    "events add --ics": ("events", "add", "--country", "PK", "--ics", "{}", "--store", "{store}"),
    "networks --counts": ("networks", "--counts", "{}"),
    "orders sign": ("orders", "sign", "{}", "--key", "{}", "--out", "{store}.json"),
    "orders sign --key": ("orders", "sign", "{file}", "--key", "{}", "--out", "{store}.json"),
    "orders sign --lifts": (
        "orders",
        "sign",
        "{file}",
        "--key",
        "{key}",
        "--lifts",
        "{}",
        "--out",
        "{store}.json",
    ),
    "--config": ("incidents", "list", "--config", "{}"),
    "probe list": ("probe", "list", "{}"),
    "pull ris --table": ("pull", "ris", "--country", "PK", "--table", "{}", "--store", "{store}"),
    "refdata upstreams": ("refdata", "upstreams", "{}"),
    "refdata update --from": ("refdata", "update", "--from", "{}"),
    "scan --targets": (
        "scan",
        "--targets",
        "{}",
        "--country",
        "PK",
        "--control",
        "1.1.1.1",
        "--i-answer-for-this",
    ),
    "evaluate": ("evaluate", "{}"),
}
"""Commands that read a file; ``{}`` is the odd one."""


@pytest.mark.timeout(30)
@pytest.mark.parametrize("name", COMMANDS)
def test_no_command_waits_for_what_never_ends(odd: dict[str, Path], tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_text("days = 1\n")
    new_key(tmp_path / "key")
    for kind in ("a pipe", "a device"):
        values = {"store": tmp_path / "store", "file": tmp_path / "file", "key": tmp_path / "key"}
        words = [word.replace("{}", str(odd[kind])).format(**values) for word in COMMANDS[name]]
        done = fanous(*words, code=(1, 2))
        assert str(odd[kind]) in " ".join(done.stderr.split()) or done.returncode == 2, done.stderr


@pytest.mark.matrix
@each("name", COMMANDS)
def test_no_command_reads_a_disk_of_zeros_to_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """A sparse file of 4 TB; a gzip file of a gigabyte can unpack to as much."""
    monkeypatch.setattr(stream, "ENDLESS", 80 << 20)
    (tmp_path / "file").write_text("days = 1\n")
    new_key(tmp_path / "key")
    with (tmp_path / "zeros").open("wb") as file:
        file.truncate(4 << 40)
    values = {"store": tmp_path / "store", "file": tmp_path / "file", "key": tmp_path / "key"}
    words = [word.replace("{}", str(tmp_path / "zeros")).format(**values) for word in COMMANDS[name]]
    done = fanous(*words, code=1)
    assert "memory" not in done.stderr
    assert "zeros" in done.stderr or "usable" in done.stderr, done.stderr


@pytest.mark.parametrize("name", ["endless.jsonl", "endless.csv"])
def test_ctrl_c_ends_the_reading_of_an_endless_file_and_releases_the_store(tmp_path: Path, name: str) -> None:
    """A sparse file of 4 TB: it takes no room, and hours to read."""
    with (tmp_path / name).open("wb") as file:
        file.truncate(4 << 40)
    source = "ooni" if name.endswith("jsonl") else "ooni-csv"
    words = ("ingest", source, tmp_path / name, "--store", tmp_path / "store")
    reading = subprocess.Popen(
        [sys.executable, "-m", "fanous", *map(str, words)],
        stderr=subprocess.PIPE,
        text=True,
        env=child_environment(),
    )
    lock = tmp_path / "store" / "facts.lock"
    try:
        _interrupted(reading, lock)
    finally:
        reading.kill()  # where nothing interrupts it, as in a shell's background job, it would read for hours
    with open_store(tmp_path / "store") as store:
        assert store.facts.countries() == []


def _interrupted(reading: "subprocess.Popen[str]", lock: Path) -> None:
    for _ in range(200):
        if lock.exists() or reading.poll() is not None:
            break
        time.sleep(0.1)
    time.sleep(1.5)
    if reading.poll() is None:
        reading.send_signal(signal.SIGINT)
        said = reading.communicate(timeout=120)[1]
        assert reading.returncode == 130
        assert said.splitlines()[-1].startswith("fanous: interrupted; what was acknowledged is kept.")
        assert "Traceback" not in said
    else:
        said = reading.communicate()[1]
        assert reading.returncode == 1 and "Traceback" not in said


@pytest.mark.parametrize("name", [b"other\xff\xfebytes.jsonl", b"two\nlines.jsonl", b"esc\x1b]0;x\x07.jsonl"])
def test_a_file_of_any_name_is_read_and_its_name_acts_on_nothing(tmp_path: Path, name: bytes) -> None:
    """The lock of the store says what holds it, and a name on Linux is any bytes but two."""
    path = tmp_path / os.fsdecode(name)
    path.write_bytes(RECORD % 1 + b"broken\n")
    for words in (("judge", path), ("ingest", "ooni", path, "--store", tmp_path / "store")):
        done = fanous(*words, "--json", code=(0, 1))
        json.loads(done.stdout)
        assert all(one.isprintable() or one == "\n" for one in done.stdout + done.stderr)
        assert not done.stderr.startswith("lines.jsonl")
