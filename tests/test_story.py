"""The story of 17 December 2023, claim by claim, on the event that was recorded in the lab.

The recording cuts X and Instagram, slows Facebook and YouTube down, and leaves everything else alone: what it
does not show, it must not support.
"""

import json
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fanous.model.claim import Claim, ClaimCheck, Said
from fanous.model.incident import Kind, Scope, Status
from fanous.model.instant import from_iso
from fanous.questions.claims import check
from fanous.store.local import open_store
from fanous.store.protocol import Store
from fanous.wording.reasons import reasons_text
from tests.commands import document, fanous
from tests.copies import copy_of
from tests.documents import ROOT, commands_of, section, text_of

SINCE, UNTIL = from_iso("2023-12-17T14:00Z"), from_iso("2023-12-18T00:00Z")
RALLY = from_iso("2023-12-17T21:00+05:00")
RESTRICTED = ("facebook", "instagram", "x", "youtube")


@pytest.fixture(scope="module")
def folder(demo_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The store of a demonstration; no test adds to it."""
    return copy_of(demo_folder, tmp_path_factory.mktemp("story") / "store")


@pytest.fixture
def store(folder: Path) -> Iterator[Store]:
    with open_store(folder, read_only=True) as opened:
        yield opened


def of(who: str, said: Said, **given: object) -> Claim:
    return Claim(who, said, "PK", SINCE, UNTIL, **given)  # type: ignore[arg-type]


def test_it_is_one_nation_wide_incident_of_four_parts_confirmed_before_the_rally(store: Store) -> None:
    (incident,) = store.ledger.incidents("PK")
    assert (incident.kind, incident.scope, incident.status) == (Kind.BLOCKING, Scope.NATION, Status.ENDED)
    assert {part.target: part.kind for part in incident.parts} == {
        "facebook": Kind.THROTTLING,
        "instagram": Kind.BLOCKING,
        "x": Kind.BLOCKING,
        "youtube": Kind.THROTTLING,
    }
    assert incident.confirmed_at is not None
    assert incident.confirmed_at < RALLY
    assert incident.kbps is not None
    assert incident.kbps.mean == pytest.approx(128, rel=0.15)


def test_the_example_in_the_formats_is_the_answer_about_it(folder: Path) -> None:
    text = "\n".join(section(text_of(ROOT / "docs" / "formats.md"), "### `fanous confirm --json`"))
    example = json.loads(text.partition("```json")[2].partition("```")[0])
    del example["insufficient"]  # of another target, which the example asks for as well
    for incident in example["incidents"]:
        del incident["rules_version"], incident["detector_version"]  # they rise while the answer stays
        del incident["first_published_at"]  # when this store was filled
    answer = document("confirm", "PK", "--json", "--store", folder)
    assert list(differences(example, answer, "")) == []


def differences(example: Any, answer: Any, at: str) -> Iterator[str]:
    """Where an example with shortened lists does not hold."""
    if isinstance(example, dict):
        for key, value in example.items():
            yield from differences(value, answer.get(key, "missing"), f"{at}.{key}")
    elif isinstance(example, list) and isinstance(answer, list):
        for value in example:
            if all(any(differences(value, one, at)) for one in answer):
                yield f"{at}: no {value}"
    elif example != answer:
        yield f"{at}: {example}, not {answer}"


@pytest.mark.parametrize(
    ("claim", "answer", "because"),
    [
        (of("the story", Said.SLOWDOWN), ClaimCheck.CANNOT_TELL, "Whether everything else was slow too"),
        (
            of("the story", Said.THROTTLING),
            ClaimCheck.SUPPORTED,
            "YouTube (PK-2023-0001). The speed was about 126 kbit/s.",
        ),
        (
            of("the story", Said.DISRUPTED, targets=RESTRICTED),
            ClaimCheck.SUPPORTED,
            "Each target named is confirmed",
        ),
        (
            of("the story", Said.DISRUPTED, targets=("whatsapp", *RESTRICTED)),
            ClaimCheck.CANNOT_TELL,
            "Nothing is confirmed about WhatsApp.",
        ),
        (
            of("the story", Said.DISRUPTED, scope=Scope.NATION),
            ClaimCheck.SUPPORTED,
            "Extent as measured: nation-wide.",
        ),
        (
            of("the story", Said.DISRUPTED, began_before=RALLY),
            ClaimCheck.SUPPORTED,
            "before the time claimed (17 December 2023, 21:00 PKT (16:00 UTC))",
        ),
        (of("NetBlocks", Said.DISRUPTED, hours=7), ClaimCheck.SUPPORTED, "so 7 hours fits"),
        (of("ISOC Pulse", Said.DISRUPTED, hours=10.5), ClaimCheck.CONTRADICTED, "not 10.5 hours"),
        (of("the regulator", Said.NORMAL), ClaimCheck.CONTRADICTED, "Confirmed in that time: PK-2023-0001."),
        (
            of("the party", Said.DISRUPTED, began_before=RALLY),
            ClaimCheck.SUPPORTED,
            "before the time claimed (17 December 2023, 21:00 PKT (16:00 UTC))",
        ),
    ],
)
def test_the_recorded_event_answers_what_was_said(
    store: Store, claim: Claim, answer: ClaimCheck, because: str
) -> None:
    checked = check(store, claim)
    why = reasons_text(checked.reasons)
    assert checked.answer is answer, why
    assert because in why


def test_the_commands_of_the_document_give_the_answers_that_it_prints(
    demo_folder: Path, tmp_path: Path
) -> None:
    """docs/claims.md, typed unchanged."""
    where = copy_of(demo_folder, tmp_path / "demo")
    for command in commands_of(ROOT / "docs" / "claims.md"):
        _, *words = shlex.split(command)
        if words[:2] == ["claims", "add"]:
            fanous(*words[: words.index("--store")], "--store", where)
    answers = {one["who"]: one["answer"] for one in document("claims", "check", "--store", where)["claims"]}
    assert answers == {
        "NetBlocks": "supported",
        "ISOC Pulse": "contradicted",
        "the regulator": "contradicted",
        "the party": "supported",
        "the story: speeds": "supported",
        "the story: speeds of everything": "cannot_tell",
        "the story: four platforms": "supported",
        "the story: nation-scale": "supported",
        "the story: before the rally": "supported",
    }
