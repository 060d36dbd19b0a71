"""Bundles crafted by someone with their own key: a sentence each, never a traceback, and never our words."""

import io
import json
import os
import socket
import tarfile
import tracemalloc
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pytest
from backports import zstd
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from fanous.model.series import SourceSeries
from fanous.pipeline.call import decoded, encoded
from fanous.publish.evidence import manifest
from fanous.publish.evidence.container import (
    MOST_BYTES,
    BundleRefused,
    LineWriter,
    RecordLine,
    SeriesLine,
    pack_parts,
    read_parts,
    unpack_parts,
)
from fanous.publish.evidence.recompute import Recomputed, RecomputeWindow
from fanous.publish.signer import OwnKey, Purpose, fingerprint
from tests.commands import fanous
from tests.each import each
from tests.hostile import FORGED, HOSTILE, planted
from tests.publish.evidence.test_golden_bundles import FOLDER

Parts = dict[str, bytes]
KEY = OwnKey(Ed25519PrivateKey.from_private_bytes(bytes(32)))
SIGNER = fingerprint(KEY.public)
ORDINARY = read_parts(FOLDER / "outage.fanous")
JSON_PARTS = (
    manifest.CLAIM,
    manifest.LEDGER,
    manifest.REFERENCE,
    manifest.USED,
    manifest.PARAMETERS,
    manifest.SOURCES,
)
LINES = (manifest.RECORDS, manifest.CONTROLS, manifest.LEVELS)

WRONG = {
    "empty": b"",
    "null": b"null",
    "number": b"0",
    "text": b'"x"',
    "list": b"[]",
    "object": b"{}",
    "list in an object": b'{"a": []}',
    "text in an object": b'{"a": {"b": 1}}',
    "not JSON": b"{",
    "NaN": b'{"since": NaN}',
    "beyond a float": b'{"since": 1e999}',
    "beyond 64 bits": b'{"since": ' + b"9" * 400 + b"}",
    "not UTF-8": b'{"\xff\xfe": "\xff"}',
    "half a character": rb'{"a": "\ud800"}',
    "deeper than C": b"[" * 100_000,
    "deeper than Python": b'{"a":' * 900 + b"0" + b"}" * 900,
    "large": b'{"a": "' + b"x" * 3_000_000 + b'"}',
    "hostile": json.dumps({HOSTILE: {HOSTILE: HOSTILE}}).encode(),
}
"""Contents that no part has."""


@pytest.fixture(autouse=True)
def nothing_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the records amount to is tested elsewhere; here it is nothing, once all of them were read.  Nor is a process
    started for each bundle: its answer takes the same way through MessagePack.
    """

    def recompute(
        records: Iterator[Any], levels: list[SourceSeries], _w: RecomputeWindow, *_: object
    ) -> Recomputed:
        return Recomputed(records=len(list(records)), series=len(levels))

    def answered(kind: type[Any], work: Callable[..., Any], *arguments: object, **_: object) -> Any:
        return decoded(encoded(work(io.BytesIO(), *arguments)), kind)

    monkeypatch.setattr("fanous.publish.evidence.verify.recompute", recompute)
    monkeypatch.setattr("fanous.publish.evidence.verify.answered", answered)


def said(folder: Path, content: bytes) -> str:
    """What ``verify`` prints, plain and as JSON; its exit code is 1, and it is one of its four answers."""
    path = folder / "crafted.fan"
    path.write_bytes(content)
    done = fanous("verify", path, code=1)
    assert ("REFUSED" in done.stderr) != done.stdout.startswith(("DIFFERS", "NOT COMPARABLE", "SYNTHETIC"))
    assert len(done.stderr.splitlines()) <= 1
    assert max(map(len, (done.stdout + done.stderr).splitlines()), default=0) < 700
    assert planted(done.stdout + done.stderr) == []
    as_json = fanous("verify", path, "--json", code=1).stdout
    assert planted(as_json) == []
    json.loads(as_json)
    return done.stdout + done.stderr


def bundle(**changed: bytes) -> bytes:
    """The ordinary bundle with other parts (``claim_json``), signed by ``KEY``."""
    parts = {name: ORDINARY[name] for name in manifest.PARTS}
    names = {name.replace(".", "_"): name for name in parts}
    parts |= {names[name]: content for name, content in changed.items()}
    return pack_parts(manifest.signed(parts, KEY, "fanous", "2024-01-01T00:00:00Z"))


def with_part(name: str, content: bytes) -> bytes:
    return bundle(**{name.replace(".", "_"): content})


@each("kind", WRONG)
@each("name", [*JSON_PARTS, *LINES])
def test_a_part_of_another_shape_is_a_sentence(tmp_path: Path, name: str, kind: str) -> None:
    said(tmp_path, with_part(name, WRONG[kind]))


@each("kind", WRONG)
@each("name", LINES)
def test_a_line_of_another_shape_is_a_sentence(tmp_path: Path, name: str, kind: str) -> None:
    said(tmp_path, with_part(name, manifest_lines(WRONG[kind])))


def manifest_lines(*lines: bytes) -> bytes:
    packed: bytes = zstd.compress(b"".join(line + b"\n" for line in lines))
    return packed


def edits(document: Any) -> Iterator[Any]:
    """Each member at any depth left out, and replaced by something of each type; lists only in their first."""
    if isinstance(document, dict):
        for name, value in document.items():
            yield {other: each for other, each in document.items() if other != name}
            for wrong in (None, -1, 1e300, "", HOSTILE, [], [HOSTILE], {}, {HOSTILE: HOSTILE}, True):
                yield document | {name: wrong}
            for other in edits(value):
                yield document | {name: other}
        yield document | {HOSTILE: HOSTILE}
    elif isinstance(document, list) and document:
        for other in edits(document[0]):
            yield [other, *document[1:]]
        yield document * 2
        yield [HOSTILE, *document]


@pytest.mark.parametrize("most", [12, pytest.param(60, marks=pytest.mark.matrix)], ids=["core", "many"])
@pytest.mark.parametrize("name", JSON_PARTS)
def test_any_member_of_a_part_may_be_anything(tmp_path: Path, name: str, most: int) -> None:
    every = list(edits(msgspec.json.decode(ORDINARY[name])))
    for document in Random(1).sample(every, min(len(every), most)):
        said(tmp_path, with_part(name, json.dumps(document).encode()))


@each("name", JSON_PARTS)
def test_members_given_twice_are_a_sentence(tmp_path: Path, name: str) -> None:
    once = ORDINARY[name].strip()
    said(tmp_path, with_part(name, once[:-1] + b"," + once[1:]))


def forged(**changed: Any) -> bytes:
    """A bundle whose manifest has other members, but is signed."""
    document = {
        "what": manifest.WHAT,
        "format": manifest.FORMAT,
        "made_by": "fanous",
        "made_at": "2024-01-01T00:00:00Z",
        "key": KEY.public,
        "parts": [
            {"name": name, "bytes": len(ORDINARY[name]), "sha256": sha256(ORDINARY[name]).hexdigest()}
            for name in manifest.PARTS
        ],
    }
    return around(json.dumps(document | changed).encode())


def around(content: bytes) -> bytes:
    signature = KEY.sign(Purpose.BUNDLE, sha256(content).digest()).hex().encode()
    head = {manifest.MANIFEST: content, manifest.SIGNATURE: signature}
    return pack_parts(head | {name: ORDINARY[name] for name in manifest.PARTS})


MEMBERS = ("what", "format", "made_by", "made_at", "key", "parts")


@each("name", MEMBERS)
@each("value", [None, 1, -1, HOSTILE, "x" * 100_000, [], [HOSTILE], {}, True])
def test_a_manifest_may_say_anything(tmp_path: Path, name: str, value: Any) -> None:
    said(tmp_path, forged(**{name: value}))


@each("kind", WRONG)
def test_a_manifest_of_another_shape_is_a_sentence(tmp_path: Path, kind: str) -> None:
    assert "REFUSED" in said(tmp_path, around(WRONG[kind]))


def test_our_words_come_first_and_the_packers_cannot_pass_for_them(tmp_path: Path) -> None:
    """Plain printing showed the forged line before the true one, which the packer's escapes then hid."""
    lines = said(tmp_path, forged(made_by=f"fanous\n  {FORGED}", made_at=HOSTILE)).splitlines()
    assert lines[0].startswith("NOT COMPARABLE")
    assert lines[1].startswith(f"  signed by SHA256:{SIGNER} ")
    theirs = lines.index("The bundle says, in the words of whoever packed it:")
    assert not any("feedface" in line for line in lines[:theirs])
    assert f'"fanous {FORGED}"' in lines[theirs + 1]


def test_terms_of_another_shape_are_a_sentence(tmp_path: Path) -> None:
    assert "gives no licence or no attribution" in said(tmp_path, with_part(manifest.SOURCES, b'{"a": {}}'))


# --- the file around the parts ----------------------------------------------------------------------


def tar_of(change: Callable[[tarfile.TarInfo], None]) -> bytes:
    """The ordinary bundle, the first header changed."""
    entry = tarfile.TarInfo(manifest.MANIFEST)
    entry.size = len(ORDINARY[manifest.MANIFEST])
    change(entry)
    return entry.tobuf(tarfile.GNU_FORMAT, "utf-8", "surrogateescape") + pack_parts(ORDINARY)[512:]


def named(name: str) -> Callable[[tarfile.TarInfo], None]:
    return lambda entry: setattr(entry, "name", name)


def linked(kind: bytes, target: str) -> Callable[[tarfile.TarInfo], None]:
    def change(entry: tarfile.TarInfo) -> None:
        entry.type, entry.linkname = kind, target

    return change


@each(
    "change",
    [
        named("/etc/passwd"),
        named("../../etc/passwd"),
        named("C:\\manifest.json"),
        named(HOSTILE[:40]),
        named("\x1b[31mmanifest.json"),
        named("\u202enosj"),
        named(""),
        named("x" * 300),
        linked(tarfile.SYMTYPE, "/etc/passwd"),
        linked(tarfile.LNKTYPE, "../manifest.json"),
        linked(tarfile.FIFOTYPE, ""),
        linked(tarfile.CHRTYPE, ""),
        linked(tarfile.DIRTYPE, ""),
        linked(tarfile.GNUTYPE_SPARSE, ""),
        lambda entry: setattr(entry, "size", 1 << 29),
        lambda entry: setattr(entry, "size", 8 << 30),
        lambda entry: setattr(entry, "mode", 0o777),
        lambda entry: setattr(entry, "uname", "root"),
        lambda entry: setattr(entry, "mtime", 1.0),
    ],
)
def test_a_header_of_another_kind_is_refused(
    tmp_path: Path, change: Callable[[tarfile.TarInfo], None]
) -> None:
    assert "REFUSED" in said(tmp_path, tar_of(change))


def test_parts_of_any_name_are_refused_by_a_name_in_quotation_marks(tmp_path: Path) -> None:
    strange = {"\x1b]0;mine\x07": b"1", "more": b""}
    once = pack_parts(strange)[:-1024]
    assert "REFUSED" in said(tmp_path, once + once + bytes(1024))
    assert "REFUSED" in said(tmp_path, pack_parts(strange))


def test_a_refusal_quotes_what_it_names() -> None:
    once = pack_parts({HOSTILE[:9]: b"1"})[:-1024]
    for content in (once + once + bytes(1024), once[:600]):
        with pytest.raises(BundleRefused) as why:
            unpack_parts(content)
        assert planted(str(why.value)) == []
        assert '"' in str(why.value)


def test_a_compressed_or_foreign_archive_is_refused(tmp_path: Path) -> None:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        archive.addfile(tarfile.TarInfo("manifest.json"))
    assert "REFUSED" in said(tmp_path, packed.getvalue())
    assert "REFUSED" in said(tmp_path, Random(1).randbytes(10_000))


def test_a_gigabyte_of_zeros_is_refused_by_its_first_block(tmp_path: Path) -> None:
    with (tmp_path / "zeros").open("wb") as file:
        file.truncate(MOST_BYTES)
    tracemalloc.start()
    with pytest.raises(BundleRefused, match="not an evidence bundle"):
        read_parts(tmp_path / "zeros")
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 1 << 20


def test_what_is_no_file_is_named_and_never_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "s"))
        for path in (tmp_path, tmp_path / "pipe", tmp_path / "s", Path("/dev/zero")):
            sentence = fanous("verify", path, code=1).stderr
            assert len(sentence.splitlines()) == 1
            assert str(path) in sentence


# --- lines ------------------------------------------------------------------------------------------


def series_line(**changed: Any) -> bytes:
    line = SeriesLine("ioda", "bgp", "", "XK", "", 0, "any", "", 300, [0, 300], [1.0, 2.0])  # type: ignore[arg-type]
    return msgspec.json.encode(msgspec.to_builtins(line) | changed)


@pytest.mark.parametrize(
    "changed",
    [
        {"source": HOSTILE},
        {"signal": HOSTILE},
        {"country": HOSTILE},
        {"asn": -1},
        {"asn": 1 << 70},
        {"step": 0},
        {"step": -1 << 62},
        {"times": [0]},
        {"times": [1 << 62, 1 << 63]},
        {"times": [300, 0]},
        {"values": [1e308, -1e308]},
        {"access": HOSTILE},
        {HOSTILE: 1},
    ],
)
def test_a_series_beyond_all_reason_is_a_sentence(tmp_path: Path, changed: dict[str, Any]) -> None:
    said(tmp_path, with_part(manifest.LEVELS, manifest_lines(series_line(**changed))))


def test_a_record_beyond_all_reason_is_a_sentence(tmp_path: Path) -> None:
    for record in (b"null", b"[" * 400 + b"]" * 400, json.dumps({"a": HOSTILE}).encode()):
        writer = LineWriter()
        writer.add_line(RecordLine(HOSTILE, msgspec.Raw(record)))
        said(tmp_path, with_part(manifest.RECORDS, writer.packed()))


@pytest.mark.parametrize("trouble", [RecursionError, MemoryError])
def test_a_bundle_that_takes_too_much_is_refused_by_its_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trouble: type[Exception]
) -> None:
    def fail(*_: object) -> Recomputed:
        raise trouble

    monkeypatch.setattr("fanous.publish.evidence.verify.recompute", fail)
    assert "REFUSED" in said(tmp_path, bundle())
