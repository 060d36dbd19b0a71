"""The generated evening of 17 December 2023."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from fanous.model.instant import from_iso
from fanous_lab.evaluation.simulate.nettests import Fate
from fanous_lab.evaluation.simulate.pakistan import (
    GENERATORS,
    PORTAL_FOR,
    RESTRICTIONS,
    EventTruth,
    write,
    write_quiet,
)
from fanous_lab.evaluation.simulate.records import PLATFORMS

Made = tuple[list[dict[str, Any]], EventTruth]
URLS = {page.url: name for name, page in PLATFORMS.items()}


def read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="module")
def evening(tmp_path_factory: pytest.TempPathFactory) -> Made:
    path = tmp_path_factory.mktemp("pk") / "pk.jsonl"
    truth = write(path, 7)
    assert path.stat().st_size < 26_000_000
    return read(path), truth


def started(record: dict[str, Any]) -> float:
    return from_iso(record["measurement_start_time"])


def asn(record: dict[str, Any]) -> int:
    return int(record["probe_asn"].removeprefix("AS"))


def got_page(record: dict[str, Any]) -> bool:
    keys = record["test_keys"]
    lied_to = any(
        row.get("ipv4", "").startswith("10.") for q in keys["queries"] for row in q["answers"] or []
    )
    return not lied_to and any(request["failure"] is None for request in keys["requests"])


def visits(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [record for record in records if record["input"] in URLS]


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    write_quiet(tmp_path / "one.jsonl.gz", 3)
    write_quiet(tmp_path / "two.jsonl.gz", 3)
    write_quiet(tmp_path / "three.jsonl.gz", 4)
    one, two, three = ((tmp_path / f"{name}.jsonl.gz").read_bytes() for name in ("one", "two", "three"))
    assert one == two != three


def test_a_few_thousand_records_each_have_their_own_name(evening: Made) -> None:
    records, truth = evening
    assert len(records) == truth.measurements
    assert 2_000 < len(records) < 4_000
    assert len({record["measurement_uid"] for record in records}) == len(records)
    assert [started(record) for record in records] == sorted(started(record) for record in records)


def test_nothing_is_ever_taken_for_a_real_record(evening: Made) -> None:
    for record in evening[0]:
        assert record["annotations"]["synthetic"] == "fanous"
        assert record["software_name"] == "fanous-generator"


def test_platforms_fail_where_and_while_they_are_restricted(evening: Made) -> None:
    records, truth = evening
    inside, outside = Counter[bool](), Counter[bool]()
    for record in visits(records):
        each = truth.networks.get(asn(record))
        sound = record["annotations"]["network_type"] != "vpn"
        on = each is not None and each.start <= started(record) < each.end and sound
        in_portal = PORTAL_FOR[0] <= started(record) < PORTAL_FOR[1]
        if on:
            inside[got_page(record)] += 1
        elif not in_portal:
            outside[got_page(record)] += 1
    assert inside[False] / inside.total() > 0.85
    assert outside[True] / outside.total() > 0.95


@pytest.mark.parametrize("network", RESTRICTIONS)
def test_each_restricted_network_is_seen_by_three_reports_or_more(evening: Made, network: int) -> None:
    each = RESTRICTIONS[network]
    seen = {
        record["report_id"]
        for record in visits(evening[0])
        if asn(record) == network and each.start <= started(record) < each.end and not got_page(record)
    }
    assert len(seen) >= 3


def test_innocuous_sites_and_other_messengers_go_on(evening: Made) -> None:
    records, _ = evening
    rally = from_iso("2023-12-17T16:00Z"), from_iso("2023-12-17T21:00Z")
    during = [r for r in records if rally[0] <= started(r) < rally[1] and r["probe_cc"] == "PK"]
    wikipedia = [got_page(r) for r in during if r["input"] == "https://www.wikipedia.org/"]
    assert sum(wikipedia) / len(wikipedia) > 0.9
    telegram = [r for r in during if r["test_name"] == "telegram"]
    assert telegram
    assert all(
        any(q["request"]["url"] == "https://web.telegram.org/" for q in r["test_keys"]["requests"])
        for r in telegram
    )


def test_neighbours_reach_the_platforms(evening: Made) -> None:
    abroad = [got_page(record) for record in visits(evening[0]) if record["probe_cc"] != "PK"]
    assert len(abroad) > 50
    assert sum(abroad) / len(abroad) > 0.95


def test_who_tunnels_out_of_the_country_reaches_everything(evening: Made) -> None:
    each = RESTRICTIONS[17557]
    tunnelled = [
        got_page(record)
        for record in visits(evening[0])
        if record["annotations"]["network_type"] == "vpn" and each.start <= started(record) < each.end
    ]
    assert len(tunnelled) >= 4
    assert sum(tunnelled) / len(tunnelled) > 0.7


def test_ordinary_troubles_are_there(evening: Made) -> None:
    records, _ = evening
    web = [record for record in records if record["test_name"] == "web_connectivity"]
    assert any(record["test_keys"]["control_failure"] for record in web)
    assert any(record["annotations"]["network_type"] == "vpn" for record in web)
    assert any(
        r["failure"] == "ssl_invalid_hostname"
        for record in web
        for r in record["test_keys"]["tls_handshakes"]
    )
    codes = {r["response"]["code"] for record in web for r in record["test_keys"]["requests"]}
    assert 451 in codes
    unreachable = [r["status"]["failure"] for record in web for r in record["test_keys"]["tcp_connect"]]
    assert {"network_unreachable", "connection_refused"} <= set(unreachable)


def test_providers_do_it_differently() -> None:
    assert {each.fate for each in RESTRICTIONS.values()} == {
        Fate.TLS_RESET,
        Fate.TLS_TIMEOUT,
        Fate.THROTTLED,
        Fate.DNS_BOGON,
    }
    assert all(6 * 3600 < each.end - each.start < 8 * 3600 for each in RESTRICTIONS.values())


def test_a_quiet_country_has_the_same_troubles_and_no_restriction(tmp_path: Path) -> None:
    truth = write_quiet(tmp_path / "quiet.jsonl", 7)
    assert truth.networks == {} and truth.targets == ()
    at_rally = from_iso("2023-12-17T14:00Z"), from_iso("2023-12-17T23:00Z")
    seen = [
        got_page(r) for r in visits(read(tmp_path / "quiet.jsonl")) if at_rally[0] <= started(r) < at_rally[1]
    ]
    assert sum(seen) / len(seen) > 0.93


def test_generators_have_names() -> None:
    assert set(GENERATORS) == {"pakistan-2023-12-17", "pakistan-quiet"}
