"""What a suspicion lacks: the networks with too few measurements, and how people there can measure."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from fanous.cli.incidents import _lines_of_lacking
from fanous.model.incident import BACKFILL, Incident, Status
from fanous.model.reason import Reason
from fanous.questions.claims import LEAST_SHARE, MOST_NAMED, Lacking, lacking, run_link, urls_of
from fanous.refdata.users import user_weights
from fanous.store.local import open_store
from fanous.store.protocol import Store
from tests.copies import copy_of

FEW = (Reason("lacks.probes", {"probes": 2, "needed": 3}),)


@pytest.fixture(scope="module")
def store(small_rally_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with open_store(copy_of(small_rally_folder, tmp_path_factory.mktemp("vantage") / "store")) as opened:
        yield opened


def suspicion(store: Store, *targets: str) -> Incident:
    (incident,) = store.ledger.incidents("PK")
    parts = tuple(replace(incident.parts[0], target=target) for target in targets)
    return replace(incident, status=Status.SUSPECTED, reasons=FEW, parts=parts)


def test_the_largest_networks_on_which_too_few_measured_are_named(store: Store) -> None:
    found = lacking(store, suspicion(store, "vimeo.com"))
    weights = user_weights("PK")
    assert weights is not None
    largest = sorted(
        (one for one in weights.networks if one.share >= LEAST_SHARE), key=lambda one: -one.share
    )
    assert [one.asn for one in found.networks] == [one.asn for one in largest[:MOST_NAMED]]
    assert {one.measurements for one in found.networks} == {0}
    assert found.networks[0].name and found.urls == ("https://vimeo.com/",)


def test_a_network_on_which_enough_measured_is_not_named(store: Store) -> None:
    measured = {one.asn for one in lacking(store, suspicion(store, "x")).networks}
    unmeasured = {one.asn for one in lacking(store, suspicion(store, "vimeo.com")).networks}
    assert unmeasured - measured, "those of the rally measured X"


@pytest.mark.parametrize(
    "changes",
    [
        {"status": Status.CONFIRMED},
        {"reasons": (Reason("lacks.control", {}),)},
        {"reasons": (Reason("faded", {}),)},
        {"parts": ()},
        {"held_by": BACKFILL},  # what is lacking may be on its way
    ],
)
def test_what_vantage_points_would_not_settle_lacks_none(changes: dict[str, Any], store: Store) -> None:
    assert lacking(store, replace(suspicion(store, "vimeo.com"), **changes)) == Lacking()


def test_the_link_is_one_that_ooni_probe_opens() -> None:
    """Host, path and arguments as ooni/probe-cli checks them (internal/oonirun/v1.go at 7cb22410)."""
    parts = urlsplit(run_link(urls_of(["x", "example.org"])))
    assert (parts.scheme, parts.hostname, parts.path) == ("https", "run.ooni.io", "/nettest")
    query = parse_qs(parts.query)
    assert query["mv"] == ["1.2.0"] and query["tn"] == ["web_connectivity"]
    assert json.loads(query["ta"][0]) == {"urls": ["https://x.com/", "https://example.org/"]}


def test_people_read_who_could_settle_it_and_that_measuring_has_risks(store: Store) -> None:
    lines = _lines_of_lacking(lacking(store, suspicion(store, "vimeo.com")))
    assert any("AS45669" in line and "% of users: 0 so far" in line for line in lines)
    assert any("fanous probe run -i https://vimeo.com/ --country PK --asn 45669" in line for line in lines)
    assert any("dangerous" in line for line in lines)
    assert _lines_of_lacking(Lacking()) == []
