"""The archive in a bucket of a real S3 server (``rclone serve s3``), and what goes wrong with one."""

from pathlib import Path

import obstore
import pytest

from fanous.errors import FanousError
from fanous.model.measurement import Record
from fanous.store.archive import DamagedSegment, Received
from fanous.store.bucket import BucketArchive
from fanous.store.local import open_store
from fanous.store.location import at_urls
from tests.store.cases import NOON, judged


@pytest.fixture
def archive(served: tuple[str, Path], request: pytest.FixtureRequest) -> BucketArchive:
    return BucketArchive(f"s3://raw/{request.node.name}?endpoint={served[0]}", Path("/nowhere"))


def received(data: bytes, country: str = "PK") -> Received:
    return Received(Record("ooni", data), country, "web_connectivity")


def test_records_come_back_from_where_the_archive_says(archive: BucketArchive) -> None:
    places = archive.append([received(b"1", "PK"), received(b"2", "IR"), received(b"3", "PK")], NOON + 12.5)
    assert [archive.read(place) for place in places] == [b"1", b"2", b"3"]
    assert [record.data for record in archive.records(places[0].segment)] == [b"1", b"3"]
    assert archive.received_at(places[0].segment) == NOON + 12.5
    assert archive.sweep() == 0


def test_the_same_content_is_one_object_with_its_first_time(archive: BucketArchive) -> None:
    first = archive.append([received(b"1")], NOON + 1)
    assert archive.append([received(b"1")], NOON + 60) == first
    assert archive.received_at(first[0].segment) == NOON + 1
    assert len(list(archive.segments())) == 1


def test_segments_are_listed_in_order_of_receipt_without_foreign_objects(
    archive: BucketArchive, served: tuple[str, Path], request: pytest.FixtureRequest
) -> None:
    for at in (NOON + 86400, NOON, NOON + 3600):
        archive.append([received(b"1", "PK"), received(b"1", "AE")], at)
    folder = served[1] / request.node.name
    (folder / "raw" / "notes.txt").write_text("mine")
    found = list(archive.segments())
    assert found == sorted(found)
    assert len(found) == 6


def test_an_object_that_is_damaged_or_gone_is_named(archive: BucketArchive) -> None:
    bad, gone = (archive.append([received(data)], NOON)[0].segment for data in (b"1", b"2"))
    obstore.put(archive._store, str(bad.path), b"not zstd at all")
    obstore.delete(archive._store, str(gone.path))
    for segment in (bad, gone):
        with pytest.raises(DamagedSegment, match=segment.digest):
            next(archive.records(segment))
    with pytest.raises(DamagedSegment, match="has no raw/"):
        archive.received_at(gone)


def test_a_store_with_its_archive_in_a_bucket_is_a_store(served: tuple[str, Path], tmp_path: Path) -> None:
    url = f"s3://raw/whole?endpoint={served[0]}"
    location = at_urls(url, str(tmp_path / "facts"), str(tmp_path / "l.sqlite"))
    with open_store(location) as store:
        assert store.append([judged("a"), judged("b")], rules_version="1", received_at=NOON).stored == 2
        (segment,) = store.archive.segments()
        assert list(store.unfinished()) == []
        assert len(list(store.archive.records(segment))) == 2
        store.finish(segment, [judged("a")], rules_version="2")
        assert store.facts.known(["a", "b"]) == {"a"}


def test_what_is_removed_is_gone_and_removing_it_again_does_no_harm(archive: BucketArchive) -> None:
    gone, stays = (archive.append([received(data)], NOON)[0].segment for data in (b"1", b"2"))
    archive.remove(gone)
    archive.remove(gone)
    assert list(archive.segments()) == [stays]
    with pytest.raises(DamagedSegment, match="has no raw/"):
        next(archive.records(gone))


def test_wrong_keys_and_a_bucket_that_is_not_there_are_reported(
    served: tuple[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    nowhere = BucketArchive(f"s3://nothing?endpoint={served[0]}", Path("/nowhere"))
    with pytest.raises(FanousError, match="create the bucket first") as error:
        nowhere.append([received(b"1")], NOON)
    assert not isinstance(error.value, DamagedSegment)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    locked = BucketArchive(f"s3://raw?endpoint={served[0]}", Path("/nowhere"))
    with pytest.raises(FanousError, match="AWS_SECRET_ACCESS_KEY have read and write") as error:
        locked.append([received(b"1")], NOON)
    assert "secret" not in str(error.value).replace("AWS_SECRET_ACCESS_KEY", "")


@pytest.mark.parametrize("url", ["s3:///prefix", "s3://key:secret@bucket/x", "s3://bucket?endpont=http://h"])
def test_an_address_that_is_no_bucket_says_how_one_looks(url: str) -> None:
    with pytest.raises(FanousError, match="write s3://bucket/prefix"):
        at_urls(url, "/f", "/l")
