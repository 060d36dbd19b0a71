"""OONI's bucket, on a real S3 server: what is listed, fetched, stored, and read again."""

import gzip
import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from math import inf
from pathlib import Path
from threading import Thread
from typing import Any, ClassVar
from urllib.parse import unquote

import pytest

from fanous.errors import FanousError
from fanous.model.instant import DAY, HOUR
from fanous.model.measurement import Provenance
from fanous.pipeline import ingest
from fanous.pipeline.pull_ooni import (
    LISTED_AT_ONCE,
    UNREACHED,
    Wanted,
    fetched,
    plan,
    pull,
    pull_quick,
    pull_uids,
)
from fanous.sources.ooni.bucket import (
    AT_ONCE,
    LATE,
    MOST_BYTES,
    Bucket,
    PublishedObject,
    once_each,
    published,
)
from fanous.store.local import open_store
from fanous.store.protocol import Store
from tests.commands import fanous
from tests.shared_data import shared_file
from tests.sources.ooni.buckets import NAME, served, uid_of, upload, upload_day
from tests.sources.publisher import Answer as Told
from tests.sources.publisher import always, publishing
from tests.sources.records import document

T0 = datetime(2023, 12, 17, 14, tzinfo=UTC)
NOW = T0.timestamp() + 40 * DAY


def record(began: datetime, number: int = 0, **given: Any) -> dict[str, Any]:
    own = document(
        measurement_start_time=f"{began:%Y-%m-%d %H:%M:%S}",
        report_id=f"{began:%Y%m%dT%H%M%SZ}_webconnectivity_PK_17557_n1_{number:016}",
        **given,
    )
    del own["measurement_uid"]
    return own


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path / "store", clock=lambda: NOW) as opened:
        yield opened


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("bucket")


@pytest.fixture(scope="module")
def address(folder: Path) -> Iterator[str]:
    with served(folder) as found:
        yield found


@pytest.fixture
def bucket(folder: Path, address: str) -> Iterator[Bucket]:
    """An empty one."""
    yield Bucket(address)
    shutil.rmtree(folder / NAME)
    (folder / NAME).mkdir()


def wanted(hours: float = 2, **given: Any) -> Wanted:
    since = T0.timestamp()
    return replace(Wanted("PK", since, since + hours * HOUR), **given)


def brought(store: Store, bucket: Bucket, tmp_path: Path, asked: Wanted, now: float = NOW) -> Any:
    return pull(store, bucket, asked, tmp_path / "fetched", now=lambda: now)


def uids(store: Store) -> set[str]:
    return {uid for (uid,) in store.facts.engine.rows("SELECT uid FROM measurements")}


def test_an_hour_that_is_there_twice_is_read_once_with_its_uids(
    store: Store, bucket: Bucket, folder: Path, tmp_path: Path
) -> None:
    records = [record(T0 + timedelta(minutes=n), n) for n in range(3)]
    upload(folder, records, T0 + timedelta(minutes=50))
    done = brought(store, bucket, tmp_path, wanted())
    assert (done.objects, done.tally.stored, done.tally.rejected) == (1, 3, 0)
    assert uids(store) == {uid_of(one, T0 + timedelta(minutes=50)) for one in records}
    assert list((tmp_path / "fetched").glob("*")) == [], "nothing is left of what was fetched"
    assert not done.failures


def test_measurements_of_a_blackout_that_come_days_later_are_brought(
    store: Store, bucket: Bucket, folder: Path, tmp_path: Path
) -> None:
    late = T0 + timedelta(days=9)
    own, other = record(T0 + timedelta(minutes=30), 1), record(late, 2)
    upload(folder, [own, other], late)
    done = brought(store, bucket, tmp_path, wanted())
    assert uids(store) == {uid_of(own, late)}
    assert done.tally.outside == 1
    assert done.plan.late_size == done.size > 0
    assert done.may_come_until is None


def test_what_may_still_come_is_reported(store: Store, bucket: Bucket, folder: Path, tmp_path: Path) -> None:
    upload(folder, [record(T0)], T0)
    now = T0.timestamp() + 3 * DAY
    done = brought(store, bucket, tmp_path, wanted(), now)
    assert done.may_come_until == T0.timestamp() + 2 * HOUR + LATE


def test_a_second_pull_fetches_nothing_and_lists_little(
    store: Store, bucket: Bucket, folder: Path, tmp_path: Path
) -> None:
    upload(folder, [record(T0)], T0)
    first = brought(store, bucket, tmp_path, wanted())
    second = brought(store, bucket, tmp_path, wanted())
    assert (first.objects, second.objects) == (1, 0)
    assert second.plan.hours == ()
    wider = brought(store, bucket, tmp_path, wanted(3))
    assert wider.objects == 0, "what was uploaded in that hour was measured before its end"


def test_an_hour_that_was_rewritten_is_read_again(
    store: Store, bucket: Bucket, folder: Path, tmp_path: Path
) -> None:
    now = T0.timestamp() + 20 * HOUR
    upload(folder, [record(T0)], T0)
    brought(store, bucket, tmp_path, wanted(until=inf), now)
    upload(folder, [record(T0), record(T0, 1)], T0)
    done = brought(store, bucket, tmp_path, wanted(until=inf), now + HOUR)
    assert (done.objects, done.tally.stored, done.tally.duplicate) == (1, 1, 1)
    upload(folder, [record(T0, 2)], T0, number=1)
    assert brought(store, bucket, tmp_path, wanted(until=inf), now + 2 * HOUR).tally.stored == 1


def test_lines_first_and_bodies_later_are_the_same_measurements(
    store: Store, bucket: Bucket, folder: Path, tmp_path: Path
) -> None:
    upload(folder, [record(T0)], T0, kinds=["jsonl"])
    brought(store, bucket, tmp_path, wanted(), T0.timestamp() + 2 * HOUR)
    upload(folder, [record(T0)], T0)
    done = brought(store, bucket, tmp_path, wanted(), T0.timestamp() + 3 * HOUR)
    assert (done.objects, done.tally.duplicate) == (1, 1)
    assert store.facts.measurement(uid_of(record(T0), T0)) is not None


def test_only_the_tests_that_were_asked_for(
    store: Store, bucket: Bucket, folder: Path, tmp_path: Path
) -> None:
    upload(folder, [record(T0)], T0)
    upload(folder, [record(T0, 1, test_name="telegram", test_keys={})], T0)
    upload(folder, [record(T0, 2, test_name="tor", test_keys={})], T0)
    brought(store, bucket, tmp_path, wanted(tests=("web_connectivity",)))
    assert len(uids(store)) == 1
    brought(store, bucket, tmp_path, wanted(tests=("web_connectivity", "telegram")))
    assert len(uids(store)) == 2
    assert brought(store, bucket, tmp_path, wanted()).objects == 1


def test_days_before_uploads_stood_by_the_hour(
    store: Store, bucket: Bucket, folder: Path, tmp_path: Path
) -> None:
    day = datetime(2019, 11, 16, tzinfo=UTC)
    upload_day(folder, [record(day + timedelta(hours=5))], day)
    asked = Wanted("PK", day.timestamp(), day.timestamp() + DAY)
    assert brought(store, bucket, tmp_path, asked).tally.stored == 1
    named = Wanted("PK", day.timestamp(), day.timestamp() + DAY, ("web_connectivity",))
    assert plan(bucket, named, (), NOW).size > 0


def test_an_object_that_cannot_be_read_stops_no_other(
    store: Store, bucket: Bucket, folder: Path, tmp_path: Path
) -> None:
    upload(folder, [record(T0)], T0)
    (broken,) = upload(folder, [record(T0, 1)], T0, number=1, kinds=["tar"])
    broken.write_bytes(b"\0" * 3000)
    (strange,) = upload(folder, [record(T0, 1)], T0, number=2, kinds=["jsonl"])
    strange.write_bytes(b"measurement_uid,probe_cc\n1,PK\n")
    done = brought(store, bucket, tmp_path, wanted())
    assert done.tally.stored == 1
    assert any(strange.name in name for name, _ in done.failures)
    assert brought(store, bucket, tmp_path, wanted()).plan.hours != (), "it is looked at again"


class _Parts(BaseHTTPRequestHandler):
    """Answers ``Range: bytes=N-`` with 206 and the rest, as S3 does (Amazon S3 API reference, GetObject).

    ``rclone serve s3`` answers with 200.
    """

    content = b""
    asked: ClassVar[list[str | None]] = []

    def do_GET(self) -> None:
        self.asked.append(self.headers["Range"])
        begins = int((self.headers["Range"] or "bytes=0-")[6:-1])
        self.send_response(206 if begins else 200)
        self.send_header("Content-Length", str(len(self.content) - begins))
        self.send_header("Content-Range", f"bytes {begins}-{len(self.content) - 1}/{len(self.content)}")
        self.send_header("ETag", '"e"')
        self.send_header("Last-Modified", "Sun, 17 Dec 2023 15:00:00 GMT")
        self.end_headers()
        self.wfile.write(self.content[begins:])

    def log_message(self, *_: object) -> None:
        """Nothing on stderr."""


@pytest.fixture
def in_parts() -> Iterator[str]:
    _Parts.content, _Parts.asked = bytes(range(256)) * 40, []
    with ThreadingHTTPServer(("127.0.0.1", 0), _Parts) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_an_object_continues_where_it_broke_off(in_parts: str, tmp_path: Path) -> None:
    one = published("raw/20231217/14/PK/tor/2023121714_PK_tor.n1.0.tar.gz", len(_Parts.content), '"e"')
    assert one is not None
    (tmp_path / f"{one.file_name}.part").write_bytes(_Parts.content[:100])
    (tmp_path / "of another run.tar.gz.part").write_bytes(b"x")
    ((_, found),) = fetched(Bucket(in_parts), [one], tmp_path)
    assert isinstance(found, Path)
    assert found.read_bytes() == _Parts.content
    assert _Parts.asked == ["bytes=100-"]
    assert [each.name for each in tmp_path.iterdir()] == [one.file_name]


def test_a_server_that_knows_no_parts_is_asked_for_the_whole(
    bucket: Bucket, folder: Path, tmp_path: Path
) -> None:
    (path,) = upload(folder, [record(T0, n) for n in range(9)], T0, kinds=["tar"])
    (one,) = plan(bucket, wanted(), (), NOW).objects
    (tmp_path / f"{one.file_name}.part").write_bytes(b"no part of it")
    assert bucket.save(one, tmp_path).read_bytes() == path.read_bytes()


def test_an_object_that_vanished_or_changed_is_named(bucket: Bucket, folder: Path, tmp_path: Path) -> None:
    (path,) = upload(folder, [record(T0)], T0, kinds=["tar"])
    (one,) = plan(bucket, wanted(), (), NOW).objects
    path.unlink()
    with pytest.raises(FanousError, match="no longer has it"):
        bucket.save(one, tmp_path)
    upload(folder, [record(T0, 5), record(T0, 6)], T0, kinds=["tar"])
    with pytest.raises(FanousError, match=r"rewritten|instead of"):
        bucket.save(one, tmp_path)


PREFIX = "raw/20231217/14/PK/"


def listing(*keys: str, more: str = "", size: int = 10) -> Told:
    """As S3 answers ListObjectsV2 (Amazon S3 API reference)."""
    each = "".join(
        f"<Contents><Key>{key}</Key><LastModified>2023-12-17T15:00:00.000Z</LastModified><ETag>e</ETag>"
        f"<Size>{size}</Size></Contents>"
        for key in keys
    )
    goes_on = f"<NextContinuationToken>{more}</NextContinuationToken>" if more else ""
    return Told(
        f'<?xml version="1.0"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>b</Name>'
        f"<IsTruncated>{str(bool(more)).lower()}</IsTruncated>{goes_on}{each}</ListBucketResult>".encode()
    )


def test_a_listing_names_nothing_but_what_was_asked_for() -> None:
    own = f"{PREFIX}tor/2023121714_PK_tor.n1.0.tar.gz"
    strange = (
        "raw/20231217/14/IR/tor/2023121714_IR_tor.n1.0.tar.gz",
        f"{PREFIX}tor/2023121714_IR_tor.n1.0.tar.gz",
        f"{PREFIX}tor/2023121714_PK_tor.{'a' * 5000}.tar.gz",
        f"{PREFIX}tor/2023999999_PK_tor.n1.0.tar.gz",
        "etc/passwd",
    )
    with publishing(always(listing(own, *strange))) as server:
        assert [one.key for one in Bucket(server.address).list(PREFIX)] == [own]


@pytest.mark.parametrize(
    ("answer", "seconds", "why"),
    [
        (Told(listing(f"{PREFIX}tor/2023121714_PK_tor.n1.0.tar.gz").body[:180]), 0.5, "cannot list"),
        (listing(f"{PREFIX}../2023121714_PK_tor.n1.0.tar.gz"), 0.5, "cannot list"),
        (
            listing(*(f"{PREFIX}tor/2023121714_PK_tor.n1.{n}.tar.gz" for n in range(1000)), more="on"),
            30,
            "it was given up",
        ),
        (listing(more="on"), 0.5, "was not complete in 1 s; it has been given up"),
    ],
    ids=["cut", "out of its folder", "for ever", "for ever without objects"],
)
def test_a_listing_that_is_broken_is_given_up(answer: Told, seconds: float, why: str) -> None:
    with (
        publishing(always(answer)) as server,
        pytest.raises(FanousError, match=why),
    ):
        Bucket(server.address, timedelta(seconds=seconds)).list(PREFIX)


def test_an_object_that_is_larger_than_it_was_fills_no_disk(tmp_path: Path) -> None:
    with publishing(always(Told(b"x" * (8 << 20)))) as server:
        bucket = Bucket(server.address)
        one = published(f"{PREFIX}tor/2023121714_PK_tor.n1.0.tar.gz", 100, "")
        assert one is not None
        with pytest.raises(FanousError, match=r"bytes instead of 100"):
            bucket.save(one, tmp_path)
        with pytest.raises(FanousError, match="more than any object"):
            bucket.save(replace(one, size=MOST_BYTES + 1), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_an_hour_that_failed_is_listed_again_and_the_others_are_not(
    store: Store, bucket: Bucket, folder: Path, tmp_path: Path
) -> None:
    upload(folder, [record(T0)], T0)
    (strange,) = upload(folder, [record(T0, 1)], T0 + timedelta(hours=1), kinds=["jsonl"])
    strange.write_bytes(b"measurement_uid,probe_cc\n1,PK\n")
    brought(store, bucket, tmp_path, wanted())
    again = plan(bucket, wanted(), store.facts.pulled("ooni", "PK"), NOW)
    assert again.hours == ((T0 + timedelta(hours=1)).timestamp(),)


@pytest.mark.matrix  # it waits as long as a pull does
def test_a_bucket_without_any_object_is_asked_again(
    store: Store, bucket: Bucket, folder: Path, tmp_path: Path
) -> None:
    """A page that a network puts in its place reads like an empty listing."""
    with publishing(always(Told(b"<html>log in to the network</html>"))) as portal:
        done = brought(store, Bucket(portal.address), tmp_path, wanted())
    assert (done.objects, done.missing, [name for name, _ in done.failures]) == (0, 1, ["raw/"])
    upload(folder, [record(T0)], T0)
    assert brought(store, bucket, tmp_path, wanted()).tally.stored == 1


def test_a_country_of_which_nothing_is_uploaded_is_listed_once(
    store: Store, bucket: Bucket, folder: Path, tmp_path: Path
) -> None:
    """Another country's uploads show that the empty listing is the bucket's."""
    upload(folder, [record(T0, probe_cc="IN")], T0)
    done = brought(store, bucket, tmp_path, wanted())
    assert (done.objects, done.failures) == (0, [])
    assert plan(bucket, wanted(), store.facts.pulled("ooni", "PK"), NOW).hours == ()


def test_a_connection_that_is_lost_on_the_way_ends_the_pull_and_the_rest_comes_with_the_next_one(
    store: Store, bucket: Bucket, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(20):
        began = T0 + timedelta(hours=number)
        upload(folder, [record(began)], began)
    asked = wanted(20)
    reached, save = [], Bucket.save

    def lost(self: Bucket, one: PublishedObject, *more: Any) -> Path:
        reached.append(one)
        if len(reached) > 3:
            raise FanousError("no connection", permanent=False)
        return save(self, one, *more)

    now = T0.timestamp() + 3 * DAY
    with monkeypatch.context() as cut:
        cut.setattr(Bucket, "save", lost)
        part = brought(store, bucket, tmp_path, asked, now)
    assert part.objects == 3 and part.missing == len(part.failures) == 17
    assert len(reached) <= 3 + UNREACHED + AT_ONCE + 1
    assert "not tried, since 8 objects" in part.failures[-1][1]
    going = store.ledger.backfill("PK")
    assert going is not None, "what rests on a part stays provisional"
    assert going.since == T0.timestamp() and going.back_to >= T0.timestamp() + 17 * HOUR
    rest = brought(store, bucket, tmp_path, asked, now)
    assert (rest.objects, rest.missing) == (17, 0)
    assert store.ledger.backfill("PK") is None


def test_one_prefix_that_cannot_be_listed_stops_no_other() -> None:
    """The oldest one is asked for last and alone."""

    def answer(path: str, _number: int) -> Told:
        return Told(b"<x") if PREFIX in unquote(path) else listing()

    with publishing(answer) as server:
        planned = plan(Bucket(server.address), wanted(1), (), NOW)
    assert len(planned.hours) % LISTED_AT_ONCE == 1
    assert [name for name, _ in planned.failures] == [PREFIX]


def test_an_address_without_a_server_is_said_at_once(store: Store, tmp_path: Path) -> None:
    with pytest.raises(FanousError, match="is not https"):
        Bucket("http://192.0.2.1")
    with pytest.raises(
        FanousError, match=r"cannot list raw/.* at http://127.0.0.1:1: .*; check the connection"
    ):
        brought(store, Bucket("http://127.0.0.1:1"), tmp_path, wanted(24 * 60))


def answer(uid: str, raw: str) -> bytes:
    """As OONI's API answers ``measurement_meta`` with ``full=true``: fields and types of ooni/explorer,
    tests/e2e/fixtures/measurement_meta, commit d6f8ad8f; an unknown UID is answered with an empty text alone."""
    if not raw:
        return json.dumps({"raw_measurement": ""}).encode()
    told = {
        "input": "https://x.com/",
        "measurement_start_time": "2023-12-17T14:00:00Z",
        "measurement_uid": uid,
        "report_id": "20231217T140000Z_webconnectivity_PK_17557_n1_x",
        "test_name": "web_connectivity",
        "test_start_time": "2023-12-17T13:59:00Z",
        "probe_asn": 17557,
        "probe_cc": "PK",
        "scores": '{"blocking_general": 0.0}',
        "anomaly": False,
        "confirmed": False,
        "failure": False,
        "raw_measurement": raw,
        "category_code": "",
        "verification_status": "unverified",
    }
    return json.dumps(told).encode()


def test_single_measurements_come_over_the_api(store: Store) -> None:
    own = record(T0)
    known = {uid_of(own, T0): answer(uid_of(own, T0), json.dumps(own)), "unknown": answer("unknown", "")}
    asked: list[str] = []

    def get(url: str) -> bytes:
        asked.append(url)
        return known[url.rpartition("=")[2]]

    tally = pull_uids(store, list(known), get, is_ooni=True)
    assert (tally.stored, tally.rejected) == (1, 1)
    assert "knows none with this UID" in tally.rejects[0].why
    assert uids(store) == {uid_of(own, T0)}
    assert asked[0].startswith("https://api.ooni.io/api/v1/measurement_meta?full=true&")
    found = store.facts.measurement(uid_of(own, T0))
    assert found is not None
    assert found.provenance is Provenance.REAL


def test_a_mirror_in_the_configuration_is_asked_for_single_measurements_too(tmp_path: Path) -> None:
    uid = uid_of(record(T0), T0)
    with publishing(lambda _path, _number: Told(answer(uid, json.dumps(record(T0))))) as server:
        config = tmp_path / "own.toml"
        config.write_text(f'[sources.ooni]\ncountries = ["PK"]\nmirror = "{server.address}"\n')
        words = ["pull", "ooni", "--uid", uid, "--config", str(config), "--store", str(tmp_path / "own")]
        said = fanous(*words)
        assert len(server.asked) == 1
    assert "stored 1" in said.stdout, said.stderr
    with open_store(tmp_path / "own") as own:
        found = own.facts.measurement(uid)
    assert found is not None
    assert found.provenance is Provenance.IMPORTED


@pytest.mark.shared_data
def test_every_answer_that_was_recorded_of_the_api_is_read_or_rejected_by_name(
    store: Store, tmp_path: Path
) -> None:
    recorded = gzip.decompress(shared_file("answers/ooni_api_explorer.jsonl.gz").read_bytes())
    told = [json.loads(line) for line in recorded.splitlines()]
    metas = [one["body"] for one in told if "measurement_meta" in one["path"]]
    texts = [one if isinstance(one, str) else json.dumps(one) for one in metas]
    path = tmp_path / "answers.jsonl"
    path.write_text("\n".join(text.replace("\n", " ") for text in texts))
    tally = ingest.ingest(store, "ooni", [path])
    assert tally.rejected == 1, "one asks for a measurement that does not exist"
    assert tally.stored + tally.duplicate == len(metas) - 1
    empty = (
        "SELECT count() FROM measurements WHERE test_name IN ('web_connectivity', 'tor') AND observations = 0"
    )
    assert store.facts.engine.rows(empty) == [(0,)]


def test_names_of_objects() -> None:
    name = "raw/20231217/14/PK/webconnectivity/2023121714_PK_webconnectivity.n1.0"
    both = [published(f"{name}.{kind}.gz", 1, "e") for kind in ("tar", "jsonl")]
    assert all(both)
    assert [one.is_bodies for one in once_each(one for one in both if one)] == [True]
    for odd in ("raw/20231217/14/PK/x/2023121799_PK_x.n1.0.tar.gz", "raw/readme.txt", f"{name}.tar.lz4"):
        assert published(odd, 1, "e") is None


def test_the_command_says_how_much_and_brings_it(
    folder: Path, address: str, tmp_path: Path, bucket: Bucket
) -> None:
    upload(folder, [record(T0, n) for n in range(4)], T0)
    words = [
        "pull",
        "ooni",
        "--country",
        "PK",
        "--since",
        "2023-12-17T14:00Z",
        "--until",
        "2023-12-17T16:00Z",
    ]
    words += ["--mirror", address, "--store", str(tmp_path / "own")]
    assert "1 objects to fetch" in fanous(*words, "--estimate").stderr
    assert "stored 4" in fanous(*words).stdout
    said = fanous(*words, "--json")
    assert '"had": 0' in said.stdout, "the hours were listed for good"
    assert '"stored": 0' in said.stdout


def told(number: int, **given: Any) -> dict[str, Any]:
    """A row as the API lists it: types and empty values as in ooni/backend, list_observations.py,
    ``WebObservationEntry``, commit 01f75112."""
    began = T0 + timedelta(minutes=number)
    own = record(began, number, input="https://x.com/")
    row = {
        "measurement_uid": uid_of(own, T0), "input": "https://x.com/", "report_id": own["report_id"],
        "ooni_run_link_id": "", "measurement_start_time": f"{began:%Y-%m-%dT%H:%M:%SZ}",
        "software_name": "ooniprobe-android", "software_version": "3.8.2", "test_name": "web_connectivity",
        "test_version": "0.4.3", "bucket_date": "2023-12-17", "probe_asn": 17557, "probe_cc": "PK",
        "probe_as_org_name": "PTCL", "probe_as_cc": "PK", "probe_as_name": "PKTELECOM", "network_type": "wifi",
        "platform": "android", "resolver_ip": "39.32.0.1", "resolver_asn": 17557, "resolver_cc": "PK",
        "observation_idx": 1, "created_at": None, "target_id": "x.com", "hostname": "x.com", "transaction_id": 10,
        "ip": "104.244.42.1", "port": 443, "ip_asn": 13414, "ip_is_bogon": False, "dns_failure": None,
        "tcp_failure": None, "tcp_success": True, "tls_failure": "connection_reset", "tls_server_name": "x.com",
        "tls_is_certificate_valid": None, "tls_end_entity_certificate_san_list": [], "tls_handshake_time": None,
        "http_request_url": None, "http_failure": None, "probe_analysis": "false",
    }  # fmt: skip
    return row | given


def test_a_quick_answer_comes_over_the_api_and_whole_records_take_its_place(
    store: Store, bucket: Bucket, folder: Path, tmp_path: Path
) -> None:
    rows = [told(n) for n in range(5, 0, -1)]
    asked: list[str] = []

    def get(url: str) -> bytes:
        asked.append(url)
        at = int(url.rpartition("offset=")[2].partition("&")[0])
        return json.dumps({"metadata": {"count": -1}, "results": rows[at : at + 2]}).encode()

    found = pull_quick(store, wanted(), get, NOW, is_ooni=True, page=2, pages=9)
    assert found.is_whole and found.back_to == "2023-12-17T14:01:00Z"
    assert (found.tally.stored, found.tally.rejected) == (5, 0)
    first, *_ = asked
    assert first.startswith(
        "https://api.ooni.io/api/v1/observations?probe_cc=PK&since=2023-12-17&until=2023-12-18&"
    )
    assert len(asked) == 3
    assert uids(store) == {row["measurement_uid"] for row in rows}
    (sources,) = store.facts.engine.rows(
        "SELECT groupUniqArray(source), groupUniqArray(software) FROM measurements"
    )
    assert sources == (["ooni-csv"], ["ooniprobe-android 3.8.2"])
    upload(folder, [record(T0 + timedelta(minutes=n), n, input="https://x.com/") for n in range(1, 6)], T0)
    brought(store, bucket, tmp_path, wanted())
    rest = store.facts.engine.rows("SELECT source, count() FROM measurements GROUP BY source")
    assert rest == [("ooni", 5)]


def test_a_quick_answer_that_is_cut_leaves_out_the_measurement_that_may_be_cut_and_says_so(
    store: Store,
) -> None:
    rows = [told(3), told(2), told(1), told(1, observation_idx=2)]
    found = pull_quick(
        store,
        wanted(),
        lambda _url: json.dumps({"results": rows[:3]}).encode(),
        NOW,
        is_ooni=True,
        page=3,
        pages=1,
    )
    assert not found.is_whole
    assert uids(store) == {rows[0]["measurement_uid"], rows[1]["measurement_uid"]}


def test_an_answer_in_another_shape_is_reported(store: Store) -> None:
    with pytest.raises(FanousError, match="no longer answers as it used to"):
        pull_quick(store, wanted(), lambda _url: b'{"observations": []}', NOW, is_ooni=True)
    assert pull_quick(store, wanted(), lambda _url: b'{"results": []}', NOW, is_ooni=True).back_to == ""
