"""Leaf certificates: whole, forged and broken."""

import json
from pathlib import Path
from typing import Any

import pytest

from fanous.model.measurement import Layer, Observer, Record
from fanous.sources.ooni.keep import take
from fanous.sources.ooni.parse import Identified, parse
from fanous.sources.ooni.read import read
from fanous.sources.ooni.steps import NO_LEAF, Leaf, leaf_of
from tests.each import each
from tests.sources.records import binary, certificate, document, encoded, handshake, web_keys

NAMES = "news.example.org", "www.example.org"
SOUND = certificate("news.example.org", "Example Authority R1", *NAMES)


def leaf(*chain: Any) -> Leaf:
    return leaf_of([*chain])


def test_a_leaf_has_its_names_and_what_is_known_of_its_issuer() -> None:
    assert leaf(binary(SOUND), binary(b"the issuer's own")) == Leaf(NAMES, "other")


@each("size", [0, 1, 5, 40, 100, 200, len(SOUND) - 90])
def test_a_certificate_that_breaks_off_has_fewer_names_at_most(size: int) -> None:
    assert set(leaf(binary(SOUND[:size])).names) <= {*NAMES}


@pytest.mark.parametrize(
    "der", [b"\x30\x84\xff\xff\xff\xff", b"\x30\x80" * 100, b"\x30" * 300, b"\x00" * 1000, b"\xff" * 1000]
)
def test_bytes_that_are_no_certificate_have_no_names(der: bytes) -> None:
    assert leaf(binary(der)) == NO_LEAF


@each("chain", [None, [], [None], [{}], ["?"], [7], {"a": 1}, "text", [{"format": "base64", "data": "AAA"}]])
def test_an_invalid_chain_shows_no_leaf(chain: Any) -> None:
    assert leaf_of(chain) == NO_LEAF


def test_names_cannot_flood_an_observation() -> None:
    names = [f"host{n}.example.org" for n in range(1000)]
    assert len(leaf(binary(certificate("a.example", "b", *names))).names) == 100


@each(
    ("issuer", "known"),
    [
        ("", ""),
        ("Example CA of Ayesha", "other"),
        ("Kaspersky Personal Root of AYESHA-LAPTOP", "kaspersky"),
        ("Let's Encrypt E6", "let's encrypt"),
        ("GTS CA of Google Trust Services", "google trust, gts ca"),
        ("Signal Messenger", "signal messenger"),
        ("a.example", "self-signed"),
        ("kaspersky.example", "kaspersky, self-signed"),
    ],
)
def test_of_an_issuer_only_what_rules_know_is_read_and_stored(issuer: str, known: str) -> None:
    """And what is stored says the same when it is stored again."""
    shown = certificate(
        "a.example", issuer, "b.example", "kaspersky.example", "*.example.org", "ayesha.example"
    )
    keys = web_keys(tls_handshakes=[handshake(peer_certificates=[binary(shown)])])
    data, names = encoded(document(keys)), ["*.example.org"]
    for _ in range(2):
        stored, parsed = take(Record("ooni", data))
        (tls,) = (
            one for one in parsed.observations if one.layer is Layer.TLS and one.vantage is Observer.PROBE
        )
        assert (tls.cert_issuer, tls.cert_subject) == (known, " ".join(names))
        (kept,) = json.loads(stored.data)["test_keys"]["tls_handshakes"][0]["peer_certificates"]
        assert kept == ({"x_issuer": known} if known else {}) | {"x_names": names}
        data = stored.data
    forged = [{"x_issuer": f"{issuer} of Ayesha", "x_names": ["ayesha.example", "*.EXAMPLE.org"]}]
    keys = web_keys(tls_handshakes=[handshake(peer_certificates=forged)])
    written = take(Record("ooni", encoded(document(keys))))[0].data
    assert b"yesha" not in written and b'"*.example.org"' in written


@each(
    "rest",
    [
        [binary(b"the issuer's own")],
        [None],
        ["?"],
        [{"data": "QUJD"}],
        [7],
        [{"data": 7, "format": "base64"}],
    ],
)
def test_a_chain_shows_the_same_leaf_by_whichever_way_it_was_decoded(rest: list[Any], tmp_path: Path) -> None:
    keys = web_keys(tls_handshakes=[handshake(peer_certificates=[binary(SOUND), *rest])])
    line = encoded(document(keys))
    file = tmp_path / "a.jsonl"
    file.write_bytes(line + b"\n")
    (record,) = read(file, lambda _line, why: pytest.fail(why))
    assert isinstance(record.decoded, Identified)
    assert parse(record).observations == parse(Record("ooni", line)).observations


STEPS = {"tls_handshakes": [handshake(peer_certificates=[binary(SOUND), binary(SOUND)])]}


@each("test_name", ["web_connectivity", "telegram", "tor", "fanous_health", "ndt", "psiphon"])
@each("keys", [STEPS, {"targets": {"relay": STEPS}}, {"targets": [STEPS]}, {"queries": 7, **STEPS}, {}])
def test_what_was_decoded_for_its_identity_is_taken_as_the_bytes_are(
    test_name: str, keys: dict[str, Any], tmp_path: Path
) -> None:
    file = tmp_path / "a.jsonl"
    file.write_bytes(encoded(document(keys, test_name=test_name)) + b"\n")
    (record,) = read(file, lambda _line, why: pytest.fail(why))
    plain = Record(record.source, record.data, record.file, record.line)
    assert take(record) == take(plain)
