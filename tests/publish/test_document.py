"""The JSON of an incident, on which other people's scripts depend."""

import json
from datetime import UTC, datetime
from pathlib import Path

from fanous.model.incident import Estimate, Interval, Stage
from fanous.model.reason import as_written
from fanous.publish.document import detailed_document, incident_document, users_of
from fanous.store.local import open_store
from tests.charts.events import END, EXPLAINED, NATION, ONGOING, START, SUSPECTED, incident
from tests.commands import document as printed
from tests.each import each

KEYS = [
    "id", "provenance", "basis", "kind", "status", "scope", "access", "entities", "targets", "mechanisms", "parts",
    "onset", "onset_earliest", "onset_latest", "end", "end_earliest", "end_latest", "reached", "reached_earliest",
    "reached_latest", "intervals", "confirmed_at",
    "first_published_at", "confidence", "users_affected_share", "kbps", "level", "levels", "lasting_since", "reason",
    "reasons", "explanations", "share_tested", "evidence", "rules_version", "detector_version",
]  # fmt: skip


def test_the_keys_are_those_of_the_design_in_its_order() -> None:
    document = incident_document(incident(**NATION))
    assert list(document) == KEYS
    assert list(document["parts"][0]) == [
        "target",
        "kind",
        "mechanisms",
        "entities",
        "named",
        "intervals",
        "roles",
    ]
    assert list(document["evidence"]) == [
        "measurements",
        "probes",
        "probes_are",
        "networks",
        "controls",
        "families",
        "probes_at_least",
    ]
    assert list(document["users_affected_share"]) == ["mean", "low", "high", "observed", "share_of"]


def test_explanations_stand_in_readers_order_with_the_figures_that_decided_them() -> None:
    own_page, host, route, _ = incident_document(incident(**EXPLAINED))["explanations"]
    assert own_page == {
        "code": "site.own_page",
        "standing": "holds",
        "params": {},
        "because": "site.own_page",
    }
    assert (host["standing"], host["because"], host["params"]) == (
        "untested",
        "few_sites",
        {"some": 1, "needed": 3},
    )
    assert (route["code"], route["standing"], route["because"]) == (
        "route.may_fail",
        "excluded",
        "several_networks",
    )


def test_a_share_of_networks_is_never_called_one_of_users() -> None:
    """Kenya, for which no user figures are included, stood in the CSV with a share of users affected of 0.195."""
    counted, uncounted = (incident_document(incident(**NATION, country=code)) for code in ("PK", "KE"))
    assert counted["users_affected_share"]["share_of"] == "users"
    assert users_of(counted)["mean"] == 0.834
    assert uncounted["users_affected_share"]["share_of"] == "networks"
    assert users_of(uncounted) == {}


def test_the_detailed_form_begins_with_the_same_and_adds_what_each_network_saw() -> None:
    one = incident()
    document = detailed_document(one)
    assert {key: document[key] for key in KEYS} == incident_document(one)
    assert list(document)[: len(KEYS)] == KEYS
    assert document["country"] == "PK"
    assert document["rule"] == "C2"
    assert document["reason"] == (
        "Rule C2 is met by 23 test runs on 7 networks. Control: the same request from outside the country."
    )
    params = {"probes": 23, "networks": 7, "control": "helper"}
    assert document["reasons"] == [{"code": "rule.c2", "params": params}]
    assert document["networks"] == [
        {
            "entity": "AS59257",
            "targets": ["x"],
            "intervals": [["2023-12-17T14:45:00Z", "2023-12-17T17:55:00Z"]],
            "measurements": 104,
            "probes": 28,
            "probability": 0.9999,
        }
    ]


def test_times_are_in_utc_to_the_second() -> None:
    document = incident_document(incident(intervals=(Interval(START, END), Interval(END + 0.9, None))))
    assert document["onset"] == "2023-12-17T14:45:00Z"
    assert document["onset_earliest"] == "2023-12-17T14:30:00Z"
    assert document["onset_latest"] == "2023-12-17T15:00:00Z"
    assert document["end"] == "2023-12-17T17:55:00Z"
    assert document["confirmed_at"] == "2023-12-17T15:15:00Z"
    assert document["intervals"][1] == ["2023-12-17T17:55:00Z", None]


@each(
    ("given", "key"),
    [
        (ONGOING, "end"),
        (SUSPECTED, "confirmed_at"),
        ({"onset_earliest": None}, "onset_earliest"),
        ({"users": None}, "users_affected_share"),
        ({"kbps": None}, "kbps"),
        ({"level": None}, "level"),
    ],
)
def test_what_is_not_known_is_null(given: dict[str, object], key: str) -> None:
    assert incident_document(incident(**given))[key] is None


def test_no_rule_met_is_null_too() -> None:
    assert detailed_document(incident(**SUSPECTED))["rule"] is None


def test_figures_are_rounded_to_what_they_are_worth() -> None:
    document = incident_document(
        incident(kbps=Estimate(137.00049, 128.4567, 146.0), level=Estimate(0, 0, 0.1))
    )
    assert document["confidence"] == 0.9877
    assert document["kbps"] == {"mean": 137.0, "low": 128.457, "high": 146.0}
    unknown = dict.fromkeys(("worst", "now", "now_at", "now_of", "last", "last_at"))
    assert document["level"] == {"mean": 0, "low": 0, "high": 0.1} | unknown
    level = Estimate(
        0.5, 0.2, 0.8, 0.12345, 0.98765, now_at=7200.0, now_of="routing", last=0.0123, last_at=60.0
    )
    whole = incident_document(incident(level=level))["level"]
    assert (whole["worst"], whole["now"], whole["last"]) == (0.123, 0.988, 0.012)
    assert (whole["now_at"], whole["last_at"]) == ("1970-01-01T02:00:00Z", "1970-01-01T00:01:00Z")
    assert whole["now_of"] == "routing"


def test_the_levels_of_an_outage_are_next_to_its_intervals() -> None:
    start = datetime(2024, 8, 1, tzinfo=UTC).timestamp()
    levels = (Stage(start, start + 3600, 0.90909), Stage(start + 3600, None, 0.6))
    assert incident_document(incident(levels=levels))["levels"] == [
        {"start": "2024-08-01T00:00:00Z", "end": "2024-08-01T01:00:00Z", "left": 0.909},
        {"start": "2024-08-01T01:00:00Z", "end": None, "left": 0.6},
    ]


def test_targets_and_mechanisms_are_each_named_once() -> None:
    document = incident_document(
        incident(targets=("x", "youtube"), mechanisms=("tls.reset.sni", "tls.timeout"))
    )
    assert document["targets"] == ["x", "youtube"]
    assert document["mechanisms"] == ["tls.reset.sni", "tls.timeout"]


def test_the_command_that_shows_one_adds_its_revisions(tmp_path: Path) -> None:
    with open_store(tmp_path / "store") as store:
        label = store.ledger.put(incident(id="", **ONGOING), as_written("seen"), at=START).id
        store.ledger.put(incident(id="", confirmed_at=None), as_written("over"), known_as=label, at=END)
        known = store.ledger.incident(label)
    shown = printed("incidents", "show", label, "--store", tmp_path / "store")
    assert known is not None
    more = [
        "rule",
        "held_by",
        "withdrawn_by",
        "merged_into",
        "note",
        "networks",
        "opinions",
        "hints",
        "hint_reasons",
        "known_until",
        "witnesses",
        "slowed_how",
        "lacking",
        "sensitivity",
        "revisions",
    ]
    assert list(shown) == [*KEYS, "country", *more]
    added = ("known_until", "witnesses", "slowed_how", "lacking", "sensitivity", "revisions")
    assert {key: shown[key] for key in shown if key not in added} == detailed_document(known)
    assert shown["revisions"] == [
        revision(1, "2023-12-17T14:45:00Z", "confirmed", "seen"),
        revision(2, "2023-12-17T17:55:00Z", "ended", "over"),
    ]


def revision(n: int, at: str, status: str, text: str) -> dict[str, object]:
    reasons = [{"code": "as_written", "params": {"text": text}}]
    return {"n": n, "at": at, "status": status, "reason": f"{text.capitalize()}.", "reasons": reasons}


def test_it_is_plain_json() -> None:
    document = detailed_document(incident(**NATION))
    assert json.loads(json.dumps(document, allow_nan=False)) == document
