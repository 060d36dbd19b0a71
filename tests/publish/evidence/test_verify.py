"""A bundle, recomputed by someone who never saw the store."""

import csv
import gzip
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from fanous.analysis.explanations.base_rates import base_rates, share_tested
from fanous.analysis.incidents.revision import held
from fanous.errors import FanousError
from fanous.model.explanation import Standing, Weighed
from fanous.model.incident import Scope
from fanous.model.measurement import Record
from fanous.model.reason import Reason, as_written
from fanous.model.threshold import _DECLARED, Threshold
from fanous.pipeline import ingest
from fanous.pipeline.judge import rules_version
from fanous.publish.evidence import manifest
from fanous.publish.evidence.container import BundleRefused, pack_parts, read_parts, unpack_lines
from fanous.publish.evidence.pack import Packed, gather, pack, source_terms
from fanous.publish.evidence.redact import redacted
from fanous.publish.evidence.verify import Result, Verification, verify
from fanous.publish.signer import OwnKey, make_key
from fanous.sources.publishers import SOURCES
from fanous.store.local import open_store
from tests.publish.evidence.parts import packed_lines
from tests.shared_data import shared_file
from tests.store.cases import incident

pytestmark = pytest.mark.usefixtures("computed_once")

Parts = dict[str, bytes]


def test_the_records_amount_to_the_claim(packed: Packed) -> None:
    done = verify(packed.path)
    assert done.result is Result.MATCH
    assert (done.differences, done.versions, done.ledger) == ([], [], [])
    assert done.records == packed.records + packed.controls > 400
    assert done.synthetic == done.records
    assert done.label == "PK-2023-0001"
    assert done.signer == packed.key
    assert done.sources["ooni"]["licence"] == "CC BY-NC-SA 4.0"


def test_a_signer_may_be_asked_for(packed: Packed) -> None:
    assert verify(packed.path, f"SHA256:{packed.key}").result is Result.MATCH
    with pytest.raises(BundleRefused, match="signed by the key"):
        verify(packed.path, "0" * 64)
    with pytest.raises(FanousError, match="does not identify a key"):
        verify(packed.path, packed.key[:31])


def test_only_minutes_leave(packed: Packed) -> None:
    parts = read_parts(packed.path)
    for name in (manifest.RECORDS, manifest.CONTROLS):
        for record in unpack_lines(parts[name], name):
            document = msgspec.json.decode(record.data)
            assert document["measurement_start_time"].endswith(":00Z")
            assert "probe_ip" not in document
            assert len(document["report_id"]) == len(document["measurement_uid"]) == 32


# --- changed by someone without the key ------------------------------------------------------------


@pytest.mark.parametrize("by_chance", [100, pytest.param(1000, marks=pytest.mark.matrix)])
def test_any_changed_byte_is_refused(packed: Packed, tmp_path: Path, by_chance: int) -> None:
    """Each part's header, first, last and middle bytes, its padding, and other places by chance."""
    content = packed.path.read_bytes()
    chance, at = Random(1), 0
    places = {0, 40, len(content) - 60, len(content) - 1, *chance.choices(range(len(content)), k=by_chance)}
    for part in read_parts(packed.path).values():
        start, end = at + 512, at + 512 + len(part)
        places |= {at, at + 124, at + 148, at + 500, start, (start + end) // 2, end - 1, end}
        at = end + -len(part) % 512
    for place in sorted(p for p in places if p < len(content)):
        changed = bytearray(content)
        changed[place] ^= 1 << chance.randrange(8)
        _refused(tmp_path, bytes(changed))


def _refused(folder: Path, content: bytes) -> None:
    path = folder / "changed.fan"
    path.write_bytes(content)
    with pytest.raises(BundleRefused):
        manifest.checked(read_parts(path))


def _without_claim(parts: Parts) -> Parts:
    return {name: part for name, part in parts.items() if name != manifest.CLAIM}


def _turned_round(parts: Parts) -> Parts:
    return dict(
        sorted(
            parts.items(), key=lambda item: (item[0] not in (manifest.MANIFEST, manifest.SIGNATURE), item[0])
        )
    )


@pytest.mark.parametrize(
    "change",
    [
        _without_claim,
        _turned_round,
        lambda parts: parts | {"more.json": b"{}"},
        lambda parts: {"more.json": b"{}"} | parts,
        lambda parts: parts | {manifest.CLAIM: parts[manifest.CLAIM] + b" "},
        lambda parts: parts | {manifest.SIGNATURE: parts[manifest.SIGNATURE][::-1]},
        lambda parts: parts | {manifest.RECORDS: parts[manifest.CONTROLS]},
        lambda parts: {manifest.CLAIM: parts[manifest.CLAIM]},
    ],
)
def test_parts_that_are_missing_added_moved_or_changed_are_refused(
    packed: Packed, tmp_path: Path, change: Callable[[Parts], Parts]
) -> None:
    _refused(tmp_path, pack_parts(change(read_parts(packed.path))))


# --- changed by someone with a key -----------------------------------------------------------------


def resigned(packed: Packed, folder: Path, **changed: bytes) -> Path:
    """The bundle with other parts (``claim_json`` for ``claim.json``), signed by another key."""
    parts = {name: part for name, part in read_parts(packed.path).items() if name in manifest.PARTS}
    names = {name.replace(".", "_"): name for name in parts}
    parts |= {names[name]: part for name, part in changed.items()}
    path = folder / "resigned.fan"
    key = Ed25519PrivateKey.generate()
    path.write_bytes(pack_parts(manifest.signed(parts, OwnKey(key), "somebody", "2023-12-18T00:00:00Z")))
    return path


def edited(packed: Packed, name: str, edit: Callable[[Any], None]) -> bytes:
    document = msgspec.json.decode(read_parts(packed.path)[name])
    edit(document)
    return msgspec.json.encode(document)


def test_a_claim_that_the_records_do_not_bear_out_is_named_field_by_field(
    packed: Packed, tmp_path: Path
) -> None:
    claim = edited(packed, manifest.CLAIM, lambda c: c["incident"].update(confidence=0.5, reason="because"))
    done = verify(resigned(packed, tmp_path, claim_json=claim))
    assert done.result is Result.DIFFERS
    assert [line.partition(":")[0] for line in done.differences] == ["confidence"]
    assert done.signer != packed.key


def restated(standing: str) -> Callable[[Any], None]:
    """An edit of a claim: the first explanation that is excluded stands otherwise."""

    def edit(document: Any) -> None:
        table = document["incident"]["explanations"]
        next(one for one in table if one["standing"] == "excluded")["standing"] = standing

    return edit


def test_an_explanation_said_to_hold_is_weighed_again(packed: Packed, tmp_path: Path) -> None:
    held = edited(packed, manifest.CLAIM, restated("holds"))
    (difference,) = verify(resigned(packed, tmp_path, claim_json=held)).differences
    assert difference.startswith("explanations that hold: ['")


def test_what_was_tested_follows_from_the_bundles_own_base_rates(packed: Packed, tmp_path: Path) -> None:
    """What excluded an explanation may be a record that the bundle lacks, so it may be untested here."""
    claim = msgspec.json.decode(edited(packed, manifest.CLAIM, restated("untested")))
    table = [
        Weighed(one["code"], Standing(one["standing"]), Reason("because"))
        for one in claim["incident"]["explanations"]
    ]
    rates = base_rates(table)
    own = {"base_rates": rates, "share_tested": share_tested(table)}

    def verified(**used: object) -> Verification:
        part = edited(packed, manifest.USED, lambda document: document.update(used))
        return verify(resigned(packed, tmp_path, claim_json=msgspec.json.encode(claim), used_json=part))

    assert verified(**own).result is Result.MATCH
    assert verified(base_rates=None).result is Result.MATCH, "as in bundles from before"
    (share,) = verified(**own | {"share_tested": 0.99}).differences
    assert share == f"share_tested: 0.99, not {share_tested(table)}"
    (unlike,) = verified().differences
    assert unlike.startswith("explanations with base rates: "), "one is untested that has no rate"
    milder = {code: rate / 2 for code, rate in rates.items()}
    (share,) = verified(**own | {"base_rates": milder}).differences
    assert share.startswith("share_tested")


def test_records_left_out_are_noticed(packed: Packed, tmp_path: Path) -> None:
    every = list(unpack_lines(read_parts(packed.path)[manifest.RECORDS], manifest.RECORDS))
    done = verify(resigned(packed, tmp_path, records_jsonl_zst=packed_lines(every[: len(every) // 2])))
    assert done.result is Result.DIFFERS
    done = verify(resigned(packed, tmp_path, records_jsonl_zst=packed_lines([])))
    assert done.differences == ["the records amount to no such incident"]


@pytest.mark.parametrize("part", ["claim_json", "ledger_json", "sources_json", "reference_json"])
def test_a_signed_part_that_makes_no_sense_is_refused(packed: Packed, tmp_path: Path, part: str) -> None:
    with pytest.raises(BundleRefused):
        verify(resigned(packed, tmp_path, **{part: b"[" * 100_000}))


def test_other_versions_prove_nothing(packed: Packed, tmp_path: Path) -> None:
    older = edited(packed, manifest.REFERENCE, lambda r: r.update(rules_version="2020.01"))
    done = verify(resigned(packed, tmp_path, reference_json=older))
    assert done.result is Result.OTHER_VERSIONS
    assert done.versions == [("rules_version", "2020.01", rules_version())]


def test_other_user_figures_are_those_of_the_bundle_and_are_named(
    packed: Packed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fanous.publish.evidence.verify.user_weights", lambda _: None)
    done = verify(packed.path)
    assert done.result is Result.MATCH
    assert done.claim.scope is Scope.NATION
    assert done.figures.startswith("user figures of Pakistan Telecommunication Authority")


def test_user_figures_changed_by_the_packer_change_the_claim(packed: Packed, tmp_path: Path) -> None:
    none = edited(packed, manifest.USED, lambda used: used.update(user_shares=None))
    done = verify(resigned(packed, tmp_path, used_json=none))
    assert done.result is Result.DIFFERS
    assert "scope" in [line.partition(":")[0] for line in done.differences]
    assert done.figures == "no user figures"


def test_other_thresholds_prove_nothing(packed: Packed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(_DECLARED, "incidents.probes", Threshold("incidents.probes", 2, ""))
    assert verify(packed.path).result is Result.OTHER_VERSIONS


# --- packing ------------------------------------------------------------------------------------------


def test_an_incident_that_is_not_there_cannot_be_packed(tmp_path: Path) -> None:
    with open_store(tmp_path / "store") as store, pytest.raises(FanousError, match="no incident PK-1"):
        gather(store, "PK-1")


def test_what_is_held_or_retracted_cannot_be_packed(tmp_path: Path) -> None:
    with open_store(tmp_path / "store") as store:
        waiting = store.ledger.put(held(incident(scope=Scope.NATION)), as_written("held"))
        with pytest.raises(FanousError, match="held for a person's review"):
            gather(store, waiting.id)
        store.ledger.retract(waiting.id, as_written("an error"))
        with pytest.raises(FanousError, match="was retracted"):
            gather(store, waiting.id)


def test_a_source_without_a_redaction_does_not_leave() -> None:
    with pytest.raises(FanousError, match="may leave the store"):
        redacted(Record("secret", b"{}"))


_GTRC = "(c) Georgia Tech Research Corporation"
_OONI = "OONI, Open Observatory of Network Interference, https://ooni.org"
STATED = {
    "edge": ("set by the operator of the monitor", "Fanous", "measurements of our own probes"),
    "ooni": ("CC BY-NC-SA 4.0", _OONI, "measurements of OONI's network"),
    "ooni-csv": ("CC BY-NC-SA 4.0", _OONI, "a table of OONI's observations"),
    "ioda": (_GTRC, "IODA, Georgia Tech", "series of IODA"),
    "ioda-outages": (_GTRC, "IODA, Georgia Tech", "series of IODA, its events and alerts"),
    "ioda-csv": (_GTRC, "IODA, Georgia Tech", "series of IODA, a file of its dashboard"),
    "ripestat": ("RIPE NCC terms of service", "RIPE NCC", "series of RIPEstat"),
    "ris": ("RIPE NCC terms of service", "RIPE NCC", "series of RIPE RIS Live"),
    "mrt": (
        "RIPE NCC or RouteViews terms, by who collected the file",
        "",
        "series of Routing tables and updates as MRT files",
    ),
    "radar": ("CC BY-NC 4.0", "Cloudflare Radar", "series of Cloudflare Radar"),
    "radar-outages": (
        "CC BY-NC 4.0",
        "Cloudflare Radar",
        "series of Cloudflare Radar, its outages and anomalies",
    ),
    "tor": ("CC0", "The Tor Project", "series of Tor Metrics"),
    "google": ("page terms", "Google", "series of Google Transparency Report"),
    "ndt": ("CC0, not verified", "M-Lab", "series of M-Lab NDT, rows of a query"),
    "csv": ("not stated", "", "series of a table of the user's"),
    "globalping": (
        "none stated for results (terms: https://github.com/jsdelivr/globalping)",
        "Globalping, jsDelivr, https://globalping.io",
        "measurements from Globalping's vantage points",
    ),
    "atlas-measurements": (
        "RIPE Atlas service terms and conditions",
        "RIPE NCC, RIPE Atlas, https://atlas.ripe.net",
        "measurements from RIPE Atlas probes",
    ),
    "atlas": (
        "RIPE Atlas service terms and conditions",
        "RIPE NCC, RIPE Atlas, https://atlas.ripe.net",
        "series of RIPE Atlas",
    ),
    "scan": ("set by the operator of the monitor", "Fanous", "series of our own active probing"),
    "another": ("none stated", "", "ask whoever packed it before passing it on"),
}
"""What bundles have stated about each source since they were first packed."""


def test_a_bundle_states_the_same_terms_as_ever() -> None:
    assert STATED.keys() >= SOURCES.keys()
    for name, terms in STATED.items():
        assert tuple(source_terms(name).values()) == terms


def test_a_record_of_no_known_source_is_refused(packed: Packed, tmp_path: Path) -> None:
    strange = packed_lines([Record("strange", b"{}")])
    with pytest.raises(BundleRefused, match='no source "strange"'):
        verify(resigned(packed, tmp_path, records_jsonl_zst=strange))


def test_records_that_cannot_be_used_are_differences(packed: Packed, tmp_path: Path) -> None:
    every = list(unpack_lines(read_parts(packed.path)[manifest.RECORDS], manifest.RECORDS))
    broken = packed_lines([*every, Record("ooni", b"[]"), Record("ooni", b"{}")])
    done = verify(resigned(packed, tmp_path, records_jsonl_zst=broken))
    assert done.result is Result.DIFFERS
    assert len(done.differences) == 2
    assert all("a record cannot be used" in line for line in done.differences)


@pytest.mark.parametrize(
    "change",
    [
        {"onset": 1e300, "end": 1e300},
        {"country": "no country"},
        {"entities": ["AS1"] * 100_000},
        {"networks": [], "parts": [], "intervals": []},
    ],
)
def test_a_claim_beyond_all_reason_differs_and_breaks_nothing(
    packed: Packed, tmp_path: Path, change: dict[str, Any]
) -> None:
    claim = edited(packed, manifest.CLAIM, lambda c: c["incident"].update(change))
    assert verify(resigned(packed, tmp_path, claim_json=claim)).result is Result.DIFFERS


@pytest.mark.parametrize("change", [{"since": -1e300}, {"until": 1e300}, {"since": 2e9, "until": 1e9}])
def test_a_window_beyond_all_reason_breaks_nothing(
    packed: Packed, tmp_path: Path, change: dict[str, Any]
) -> None:
    claim = edited(packed, manifest.CLAIM, lambda c: c.update(change))
    path = resigned(packed, tmp_path, claim_json=claim, records_jsonl_zst=packed_lines([]))
    assert verify(path).result is Result.DIFFERS


def test_the_manifest_lists_each_part_by_its_content(packed: Packed) -> None:
    parts = read_parts(packed.path)
    for part in manifest.checked(parts).parts:
        assert part.sha256 == sha256(parts[part.name]).hexdigest()


def four_days(table: Path, folder: Path) -> Path:
    """The rows of 8 to 11 November: the block begins on the 8th and is confirmed on the 10th."""
    with gzip.open(table, "rt", encoding="utf-8", newline="") as file:
        rows = csv.reader(file)
        names = next(rows)
        when = names.index("measurement_start_time")
        kept = [row for row in rows if "2023-11-08" <= row[when] < "2023-11-12"]
    with (folder / "four-days.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([names, *kept])
    return folder / "four-days.csv"


@pytest.mark.shared_data
@pytest.mark.matrix
@pytest.mark.parametrize("whole", [False, True])
def test_the_kenyan_blocks_of_2023_are_proved_from_a_csv(tmp_path: Path, whole: bool) -> None:
    table = shared_file("ooni/2023-KE-telegram.csv.gz")
    with open_store(tmp_path / "store") as store:
        ingest.ingest(store, "ooni-csv", [table if whole else four_days(table, tmp_path)])
        (found,) = (i for i in store.ledger.incidents("KE") if i.confirmed_at is not None)
        gathered = gather(store, found.id)
    done = pack(gathered, tmp_path / "ke.fan", make_key(tmp_path / "key"), 0.0)
    assert done.differences == []
    assert done.bytes < 1 << 20
    assert verify(done.path).result is Result.MATCH
