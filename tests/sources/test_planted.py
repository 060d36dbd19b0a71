"""What docs/ethics.md promises: no address of a probe is kept, and public records name no one."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from fanous.errors import Rejected
from fanous.model.measurement import Record
from fanous.pipeline import ingest
from fanous.pipeline.judge import judge_record
from fanous.probe.trace import line
from fanous.publish.evidence.redact import redacted
from fanous.sources.measurements import MEASUREMENT_SOURCES
from fanous.sources.ooni.content import MOST_LINK_LOCAL, scrub
from fanous.sources.ooni.keep import kept, take
from fanous.sources.ooni.page import without_readers
from fanous.store.local import open_store
from tests.each import each
from tests.planted import (
    CAME_FROM,
    FREE,
    KINDS,
    OF_PAGES,
    OWN,
    OWN_SIX,
    SPELLINGS,
    Planted,
    addresses_of,
    left_in,
    planted,
    spread,
    with_bodies,
)
from tests.sources.records import document, encoded, handshake, web_keys


@pytest.fixture(scope="module")
def whole() -> Planted:
    return planted(document(web_keys()))


def escaped(data: bytes) -> bytes:
    """The same JSON with each letter of each text as an escape."""

    def spelled(value: object) -> str:
        if isinstance(value, dict):
            return "{" + ",".join(f"{spelled(key)}:{spelled(one)}" for key, one in value.items()) + "}"
        if isinstance(value, list):
            return "[" + ",".join(map(spelled, value)) + "]"
        if isinstance(value, str):
            return '"' + "".join(f"\\u{ord(letter):04x}" for letter in value) + '"'
        return json.dumps(value)

    return spelled(json.loads(data)).encode()


def test_at_least_sixty_spellings_and_places_are_planted(whole: Planted) -> None:
    assert len(SPELLINGS) >= 60
    assert len(left_in(encoded(whole.document), whole.secrets)) >= 80


@each("name", SPELLINGS)
@each("where", ["a value", "a key", "escapes"])
def test_an_address_goes_in_every_spelling(name: str, where: str) -> None:
    text = SPELLINGS[name]
    given = {"as_value": text} if where != "a key" else {text: 1}
    data = encoded(document({"client_ip": OWN_SIX, "x": [given]}, probe_ip=OWN))
    data = escaped(data) if where == "escapes" else data
    clean = scrub(data, [CAME_FROM])
    assert left_in(json.dumps(json.loads(clean), ensure_ascii=False).encode(), {name: text}) == []
    assert scrub(clean, [CAME_FROM]) == clean


def test_scrubbing_leaves_none_and_a_record_that_is_still_one(whole: Planted) -> None:
    clean = scrub(encoded(whole.document), [CAME_FROM])
    json.loads(clean)
    assert left_in(clean, addresses_of(whole)) == []


def test_addresses_like_the_probe_s_stay() -> None:
    others = ["198.51.100.70", "1198.51.100.7", "1198.51.100.7.9", "198.51.100.8"]
    others += [str(int.from_bytes(bytes([198, 51, 100, 7])) + 1), "0.3325256711", "c63364071", "7.100.51.198"]
    others += ["2001:db8:0:2::abcd", "10:00:00", "2023-10-10", "64:ff9b::1"]
    for other in others:
        data = encoded(document({"client_ip": OWN_SIX}, probe_ip=OWN, input=other))
        assert json.loads(scrub(data))["input"] == other
    for version in ("8.1.2.3", "1.8.1.2.3", "8.1.2.3.9"):
        data = encoded(document({"client_ip": OWN_SIX}, probe_ip="8.1.2.3", input=version))
        kept = version if version != "8.1.2.3" else "127.0.0.1"
        assert json.loads(scrub(data))["input"] == kept, "an address of few figures may be part of a version"


def test_a_link_local_address_keeps_no_number_of_a_network_card() -> None:
    for text in (
        "fe80::a2b1:c2ff:fed3:e4f5",
        "[FE80::A2B1:C2FF:FED3:E4F5%wlan0]:53",
        "fe80:0:0:0:a2b1:c2ff:fed3:e4f5",
    ):
        found = scrub(encoded(document({"queries": [{"answers": [{"ipv6": text}]}], "x": f"from {text}!"})))
        assert b"d3" not in found.lower() and b"%wlan0" not in found
        assert found.lower().count(b"fe80::") == 2
    with pytest.raises(Rejected, match="too costly"):
        scrub(encoded(document({"x": "fe80:1 " * (MOST_LINK_LOCAL + 1)})))
    for other in ("cafe80:1", "2001:db8:fe80:1::2", "fe80"):
        assert json.loads(scrub(encoded(document({"x": other}))))["test_keys"]["x"] == other


def test_the_probe_writes_none(whole: Planted) -> None:
    written = line(dict(whole.document), {OWN, OWN_SIX, CAME_FROM})
    assert left_in(written, addresses_of(whole)) == []


@pytest.mark.parametrize("source", ["ooni", "edge"])
def test_the_archive_holds_none(source: str, whole: Planted, tmp_path: Path) -> None:
    """No address, and no one's name, on a page that is the helper's but for a name in its title.  ``probe_id``, under
    which OONI publishes a probe, stays: it tells one from another."""
    file = tmp_path / "in.jsonl"
    secrets = {k: v for k, v in whole.secrets.items() if "came from" not in k}
    given = {name: value for name, value in whole.document.items() if name != "probe_id"}
    file.write_bytes(encoded(given) + b"\n" + escaped(encoded(given | {"report_id": "b"})) + b"\n")
    with open_store(tmp_path / "store") as store:
        tally = ingest.ingest(store, source, [file])
        assert (tally.rejected, tally.read) == (0, 2)
        stored = [r.data for segment in store.archive.segments() for r in store.archive.records(segment)]
    file.unlink()
    assert stored and all(left_in(with_bodies(data), secrets) == [] for data in stored)
    for path in tmp_path.rglob("*"):
        if path.is_file():
            assert left_in(path.read_bytes(), secrets) == [], path


def test_what_is_kept_of_a_page_that_differs_names_no_one_but_in_its_title(whole: Planted) -> None:
    given = json.loads(encoded(whole.document))
    given["test_keys"]["control"]["http_request"] |= {"title": "Another page", "status_code": 404}
    stored = kept(scrub(encoded(given), [CAME_FROM]))
    words = ("a name in a title", "an unforeseen header", "a device")
    assert left_in(stored, {k: v for k, v in whole.secrets.items() if k not in words}) == []
    assert b"Parveen" in stored and b"nginx" in stored and b"unforeseen-3" in stored


def test_a_notice_keeps_the_words_that_it_is_known_by() -> None:
    notice = (
        "<title>Restricted</title> write to helpdesk@isp.example, gtag('UA-102574946-1') "
        "<img src='/wbs_access_deny_2.gif'> http://zapret.2090000.example/ law 149-FZ of 27.07.2006"
    )
    assert without_readers(notice) == notice
    named = (
        "<p>Dear k.parveen@mail.example</p><a href='/pay?msisdn=923001234567&sid=a1b2c3d4e5f6a7b8c9'>pay</a>"
    )
    assert without_readers(named) == (
        "<p>Dear **********************</p><a href='/pay?msisdn=************&sid=******************'>pay</a>"
    )


def test_a_number_after_a_mark_is_hidden_however_long() -> None:
    """Sixteen letters or more after such a mark are a token only if they are mixed, which those of a card are not."""
    for mark in "=:\"'":
        assert (
            without_readers(f"{mark}4929123456789012 {mark}4929-1234-5678-9012")
            == f"{mark}{'*' * 16} {mark}{'*' * 19}"
        )


def test_a_page_that_is_the_helper_s_leaves_its_title_and_length(whole: Planted) -> None:
    page = "<html><head><title>Welcome</title>" + "x" * 5000
    control = {"http_request": {"title": "Welcome", "status_code": 200, "body_length": 5100, "failure": None}}
    request = {"request": {"url": "https://example.org/"}, "response": {"code": 200, "body": page}}
    record = Record("ooni", encoded(document(web_keys(requests=[request], control=control))))
    stored, parsed = take(record)
    assert b"xxx" not in stored.data and len(stored.data) < len(record.data) - 4000
    again = MEASUREMENT_SOURCES["ooni"].parse(stored)
    assert again.without_pages() == parsed.without_pages()
    assert take(stored)[0].data == stored.data
    assert judge_record(stored)[1] == judge_record(record)[1]


def test_a_public_record_names_no_one(whole: Planted) -> None:
    clean = scrub(encoded(whole.document), [CAME_FROM])
    public = with_bodies(redacted(Record("ooni", clean)).data)
    assert left_in(public, whole.secrets) == []
    assert b"<title>Welcome to the example *</title>" in public


def public_of(given: dict[str, Any]) -> bytes:
    """Of a measurement, the record as it may leave the store, as it was sent and as it was stored."""
    data = encoded(given)
    first, second = (redacted(Record("ooni", one)).data for one in (data, kept(data)))
    return with_bodies(first) + with_bodies(second)


@each("name", KINDS)
@each("is_known", [False, True])
def test_a_public_record_has_nothing_of_what_was_written_freely(name: str, is_known: bool) -> None:
    """Nor has one whose page is a known block page; the passages that identify it stay."""
    given = spread(document(web_keys()), KINDS[name])
    page = given["test_keys"]["requests"][0]["response"]
    notice = "Surf Safely! " + KINDS[name] + " This website is not accessible."
    page["body"] += notice if is_known else ""
    public = public_of(given)
    assert left_in(public, {name: KINDS[name]}) == []
    assert (b"surf safely" in public.lower()) is is_known
    known = Record("ooni", encoded(given))
    assert verdicts_of(redacted(known)) == verdicts_of(known)


def verdicts_of(record: Record) -> list[tuple[object, ...]]:
    return [(v.rule_id, v.state, v.mechanism) for v in judge_record(record)[1]]


@each("name", KINDS)
def test_what_is_stored_has_nothing_but_in_the_pages_that_differ(name: str) -> None:
    """The words of such a page are stored; only ``redacted`` reduces them to what rules read."""
    given = spread(document(web_keys()), KINDS[name], set(FREE) - OF_PAGES - {"network name"})
    assert left_in(with_bodies(kept(encoded(given))), {name: KINDS[name]}) == []


def test_names_of_a_users_own_network_are_numbered_alike() -> None:
    """A portal's redirect to the user's router, whose name may be its owner's."""
    router = "http://ali.lan:8080/start"
    keys = web_keys(
        queries=[{"hostname": "ali.lan", "answers": [{"ipv4": "192.168.1.1"}], "engine": "system"}],
        tls_handshakes=[handshake(server_name="ali.lan")],
        requests=[
            {"request": {"url": router}, "response": {"code": 200, "body": "x"}, "failure": None},
            {
                "request": {"url": "https://n.example/"},
                "response": {"code": 302, "headers_list": [["Location", router]]},
                "failure": None,
            },
        ],
    )
    public = redacted(Record("ooni", encoded(document(keys)))).data
    assert b"ali" not in public.lower()
    assert public.count(b"name-1.local") == 4
    assert public.count(b"http://name-1.local:8080/*1") == 2


def test_verdicts_are_those_of_the_whole_record(whole: Planted) -> None:
    data = encoded(whole.document)
    _, before = judge_record(Record("ooni", data))
    _, after = judge_record(Record("ooni", scrub(data)))
    assert [(v.rule_id, v.state) for v in before] == [(v.rule_id, v.state) for v in after]
    assert msgspec.json.decode(scrub(data))["test_name"] == "web_connectivity"
