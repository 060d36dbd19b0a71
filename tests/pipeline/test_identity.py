"""The same measurements, delivered in every way and order, count once; what stands and what goes can be foreseen."""

import gzip
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from fanous.model.measurement import ParsedMeasurement, Provenance, Record
from fanous.model.verdict import Judged
from fanous.pipeline import ingest, replay
from fanous.pipeline.judge import judge_record
from fanous.sources.measurements import MEASUREMENT_SOURCES
from fanous.sources.ooni.content import canonical_hash, digest_of, stamped, unstamped
from fanous.sources.ooni.keep import kept_own
from fanous.store.facts import admit, candidate, rank
from fanous.store.local import open_store
from fanous.store.protocol import Store
from tests.each import each
from tests.sources.ooni.test_tarball import tar_of
from tests.sources.records import document, web_keys
from tests.sources.test_costs import grows_linearly

HOW_MANY = 3


def uid(number: int) -> str:
    return f"2023121714{number:02}00.000000_PK_webconnectivity_{number:016x}"


def record(number: int, **given: Any) -> dict[str, Any]:
    """One of a few measurements of one report, without a UID."""
    own = document(
        input=f"https://site{number}.example/",
        measurement_start_time=f"2023-12-17 14:{number:02}:00",
        measurement_uid=None,
        **given,
    )
    return {key: value for key, value in own.items() if value is not None}


RECORDS = [record(number) for number in range(HOW_MANY)]
# The same report, input and second as the first, and another content.
RECORDS.append(RECORDS[0] | {"test_keys": web_keys(x_twin=1)})


def lines(folder: Path) -> tuple[str, Path]:
    path = folder / "n0.0.jsonl.gz"
    path.write_bytes(
        gzip.compress(b"".join(json.dumps(one, sort_keys=True).encode() + b"\n" for one in RECORDS))
    )
    return "ooni", path


def members(folder: Path) -> tuple[str, Path]:
    bodies = [json.dumps({"format": "json", "content": one}).encode() for one in RECORDS]
    path = folder / "n0.0.tar.gz"
    path.write_bytes(gzip.compress(tar_of(*((f"x/{uid(n)}.post", body) for n, body in enumerate(bodies)))))
    return "ooni", path


def answers(folder: Path) -> tuple[str, Path]:
    path = folder / "answers.jsonl"
    told = ({"measurement_uid": uid(n), "raw_measurement": json.dumps(one)} for n, one in enumerate(RECORDS))
    path.write_text("".join(json.dumps(one) + "\n" for one in told))
    return "ooni", path


def table(folder: Path) -> tuple[str, Path]:
    """OONI's rows of the same, but for the twin."""
    path = folder / "rows.csv"
    names = "measurement_uid,report_id,input,probe_cc,probe_asn,measurement_start_time,test_name,hostname,tls_failure"
    rows = [
        f"{uid(n)},{one['report_id']},{one['input']},PK,17557,{one['measurement_start_time']},web_connectivity,"
        f"site{n}.example,"
        for n, one in enumerate(RECORDS[:HOW_MANY])
    ]
    path.write_text("\n".join([names, *rows]) + "\n")
    return "ooni-csv", path


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path / "store") as opened:
        yield opened


def stored(store: Store) -> dict[str, str]:
    """uid -> source of all that count."""
    return dict(store.facts.engine.rows("SELECT uid, source FROM measurements ORDER BY uid"))


def votes(store: Store) -> int:
    return len(set(store.facts.votes("PK", 0, 4e9).uids))


def orders(*ways: Callable[..., Any]) -> list[Any]:
    """All orders in which they come; those in `make test` in which each is before and after each other."""
    in_turn = [(*ways[n:], *ways[:n]) for n in range(len(ways))]
    return [
        order if order in in_turn else pytest.param(order, marks=pytest.mark.matrix)
        for order in permutations(ways)
    ]


@pytest.mark.parametrize(
    "order",
    orders(members, lines, answers, table),
    ids=lambda order: "-".join(one.__name__ for one in order),
)
def test_four_deliveries_give_one_vote_each(store: Store, tmp_path: Path, order: Any) -> None:
    for deliver in order:
        tally = ingest.ingest(store, *_as_arguments(deliver(tmp_path)))
        assert not tally.rejected
    assert set(stored(store).values()) == {"ooni"}, "a full record stands before rows"
    assert len(stored(store)) == votes(store) == len(RECORDS)
    for number in range(len(RECORDS)):
        found = store.facts.measurement(uid(number))
        assert found is not None, "its UID is known by now, whatever came first"
        assert found.measurement.input == RECORDS[number]["input"]
    before = stored(store)
    replay.rejudge(store, everything=True)
    assert stored(store) == before
    assert ingest.ingest(store, *_as_arguments(lines(tmp_path))).stored == 0


def _as_arguments(delivered: tuple[str, Path]) -> tuple[str, list[Path]]:
    return delivered[0], [delivered[1]]


def sent(folder: Path, name: str, records: list[dict[str, Any]]) -> tuple[str, list[Path]]:
    """What probes sent to a collector of ours, which names the report itself."""
    path = folder / f"{name}.jsonl"
    written = []
    for n, one in enumerate(records):
        content = json.dumps(one | {"report_id": f"ours of {name}"}).encode()
        written.append(
            stamped(content, digest_of(one), f"20231217140000.000000_PK_webconnectivity_{name}{n:012x}")
        )
    path.write_bytes(b"\n".join(written) + b"\n")
    return "edge", [path]


def spooled(folder: Path) -> tuple[str, list[Path]]:
    """As the probe's spool and a monitor's journal keep it."""
    path = folder / "spooled.jsonl"
    path.write_bytes(b"".join(kept_own(json.dumps(one).encode()) + b"\n" for one in MEASURED_HERE))
    return "edge", [path]


def uploaded(folder: Path) -> tuple[str, list[Path]]:
    """What a collector of ours made of what the spool sent."""
    (path,) = spooled(folder)[1]
    return sent(folder, "upload", [json.loads(unstamped(line)) for line in path.read_bytes().splitlines()])


def written_out(folder: Path) -> tuple[str, list[Path]]:
    """What ``fanous probe run --out`` wrote."""
    path = folder / "out.jsonl"
    path.write_text("".join(json.dumps(one) + "\n" for one in MEASURED_HERE))
    return "edge", [path]


def republished(folder: Path) -> tuple[str, list[Path]]:
    """The same where the spool sent it to OONI, which published it."""
    (path,) = spooled(folder)[1]
    again = folder / "published.jsonl"
    lines = [json.loads(unstamped(line)) | {"report_id": "ooni's"} for line in path.read_bytes().splitlines()]
    again.write_text("".join(json.dumps(one) + "\n" for one in lines))
    return "ooni", [again]


PAGE = {"code": 200, "body": "<title>Page</title>" + "words " * 400, "headers_list": [["Set-Cookie", "me"]]}
MEASURED_HERE = [
    record(
        n, test_keys=web_keys(requests=[{"request": {"url": f"https://site{n}.example/"}, "response": PAGE}])
    )
    for n in range(2)
]


@pytest.mark.parametrize(
    "order",
    orders(spooled, uploaded, written_out, republished),
    ids=lambda order: "-".join(one.__name__ for one in order),
)
def test_what_a_probe_keeps_writes_and_sends_is_one_measurement(
    store: Store, tmp_path: Path, order: Any
) -> None:
    for deliver in order:
        assert not ingest.ingest(store, *deliver(tmp_path)).rejected
    assert len(stored(store)) == votes(store) == len(MEASURED_HERE)


@pytest.mark.parametrize("first", ["probe", "ooni"])
def test_what_ooni_published_replaces_what_was_sent_to_us(store: Store, tmp_path: Path, first: str) -> None:
    """Or a censor could keep OONI's measurements out by sending them to our collector first."""
    deliveries = [sent(tmp_path, "aaaa", RECORDS), _as_arguments(members(tmp_path))]
    for source, paths in deliveries if first == "probe" else deliveries[::-1]:
        ingest.ingest(store, source, paths, provenance=Provenance.REAL)
    assert set(stored(store).values()) == {"ooni"}
    assert votes(store) == len(RECORDS)
    found = store.facts.measurement("20231217140000.000000_PK_webconnectivity_aaaa000000000001")
    assert found is not None
    assert found.measurement.uid == uid(1)


@pytest.mark.parametrize("last", [lines, members], ids=["a line", "a member"])
def test_a_record_takes_the_place_of_rows_and_of_what_was_sent(
    store: Store, tmp_path: Path, last: Any
) -> None:
    ingest.ingest(store, *sent(tmp_path, "aaaa", RECORDS), provenance=Provenance.REAL)
    ingest.ingest(store, *_as_arguments(table(tmp_path)))
    ingest.ingest(store, *_as_arguments(last(tmp_path)))
    assert len(stored(store)) == votes(store) == len(RECORDS)
    assert set(stored(store).values()) == {"ooni"}


def test_a_row_is_not_replaced_by_another_measurement_of_its_second(store: Store, tmp_path: Path) -> None:
    ingest.ingest(store, *_as_arguments(table(tmp_path)))
    path = tmp_path / "twin.jsonl"
    path.write_text(json.dumps(RECORDS[-1] | {"measurement_uid": uid(len(RECORDS) - 1)}))
    ingest.ingest(store, "ooni", [path])
    assert len(stored(store)) == HOW_MANY + 1


def test_two_probes_that_sent_the_same_are_two(store: Store, tmp_path: Path) -> None:
    for name in ("aaaa", "bbbb"):
        source, paths = sent(tmp_path, name, RECORDS)
        ingest.ingest(store, source, paths, provenance=Provenance.REAL)
    assert votes(store) == 2 * len(RECORDS)


def test_a_staged_record_keeps_no_real_one_out(store: Store, tmp_path: Path) -> None:
    source, path = lines(tmp_path)
    ingest.ingest(store, source, [path], provenance=Provenance.SYNTHETIC)
    assert ingest.ingest(store, source, [path]).stored == len(RECORDS)


@pytest.mark.parametrize("deliver", [lines, table], ids=["a line", "a row"])
def test_what_is_deleted_leaves_no_copy_that_gave_way(store: Store, tmp_path: Path, deliver: Any) -> None:
    source, paths = sent(tmp_path, "aaaa", RECORDS)
    ingest.ingest(store, source, paths, provenance=Provenance.REAL)
    for one in (deliver, members):
        ingest.ingest(store, *_as_arguments(one(tmp_path)))
    replay.rejudge(store, everything=True)
    replay.forget(store, [str(RECORDS[0]["report_id"])])
    assert stored(store) == {}
    assert list(store.archive.segments()) == []
    assert store.facts.engine.rows("SELECT count() FROM identities") == [(0,)]


def test_doubles_of_an_older_store_go_when_it_is_judged_again(store: Store, tmp_path: Path) -> None:
    """Until November 2026 a line and a member were two measurements."""
    for deliver in (lines, members):
        ingest.ingest(store, *_as_arguments(deliver(tmp_path)))
    first = stored(store)
    for table_name in ("identities", "segments"):
        store.facts.engine.remove(table_name, "1")  # as if nothing had been known
    replay.rejudge(store, everything=True)
    assert stored(store) == first


def _as_before(one: Judged) -> Judged:
    data = unstamped(one.record.data)
    header = replace(one.parsed.measurement, uid=canonical_hash(data), content="")
    return replace(one, record=replace(one.record, data=data), parsed=replace(one.parsed, measurement=header))


def test_a_line_is_known_again_that_an_older_version_stored(store: Store, tmp_path: Path) -> None:
    source, path = lines(tmp_path)
    whole = MEASUREMENT_SOURCES[source].read(path, lambda line, why: pytest.fail(f"{line}: {why}"))
    judged = [Judged(record, *judge_record(record)) for record in whole]
    store.append([_as_before(one) for one in judged], rules_version="of before")
    store.facts.engine.remove("identities", "1")
    assert ingest.ingest(store, source, [path]).stored == 0
    assert ingest.ingest(store, *_as_arguments(members(tmp_path))).stored == 0
    assert votes(store) == len(RECORDS)


def test_names_of_any_letters_are_known_again(store: Store, tmp_path: Path) -> None:
    """Names are given to the engine in one text."""
    path = tmp_path / "odd.jsonl"
    odd = [
        record(n, report_id="\\n'`") | {"measurement_uid": name}
        for n, name in enumerate(("a'b", "a\\tb", "سؤ\\"))
    ]
    path.write_text("".join(json.dumps(one) + "\n" for one in odd))
    for stored_now in (len(odd), 0):
        assert ingest.ingest(store, "ooni", [path], detects=False).stored == stored_now


def test_the_order_of_sources_is_as_documented() -> None:
    assert rank("ooni-csv") < rank("edge") < rank("ooni")


@each(
    ("sources", "is_named"),
    [(("ooni",), True), (("ooni",), False), (("ooni", "edge"), True), (("ooni", "ooni-csv"), False)],
)
def test_copies_of_one_measurement_cost_no_more_than_others(sources: tuple[str, ...], is_named: bool) -> None:
    """Anyone may upload the same content to OONI under any number of reports."""
    parsed, verdicts = judge_record(Record("ooni", json.dumps(RECORDS[0]).encode()))

    def copies(count: int) -> list[Judged]:
        headers = (
            replace(
                parsed.measurement,
                uid=uid(n) if is_named else f"{n:032x}",
                report=f"report {n}",
                content="0" * 32,
            )
            for n in range(count)
        )
        return [
            Judged(Record(sources[n % len(sources)], b"{}"), replace(parsed, measurement=header), verdicts)
            for n, header in enumerate(headers)
        ]

    def admitted(batch: list[Judged]) -> None:
        led = {"0" * 32: [one.parsed.measurement.uid for one in batch]}
        stored = {one.parsed.measurement.uid: "ooni" for one in batch}
        admit([candidate(one, older=False) for one in batch], {}, {})
        arriving = [replace(one, parsed=_renamed(one.parsed)) for one in batch]
        admit([candidate(one, older=False) for one in arriving], led, stored)

    assert grows_linearly(admitted, copies, 250)


def _renamed(parsed: ParsedMeasurement) -> ParsedMeasurement:
    return replace(parsed, measurement=replace(parsed.measurement, uid=parsed.measurement.uid[::-1]))
