"""``fanous confirm --fail-on``: the exit code tells a script whether there is a disruption."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from fanous.cli.main import app
from fanous.model.incident import Incident, Status
from fanous.questions import country as query
from fanous.store.local import open_store
from tests.commands import document, fanous
from tests.copies import copy_of


@pytest.fixture(scope="module")
def filled(small_rally_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_of(small_rally_folder, tmp_path_factory.mktemp("fail") / "store")


CONFIRMED_AT = 1_702_830_000.0

CASES = [
    ("confirmed", Status.CONFIRMED, CONFIRMED_AT, 3),
    ("confirmed", Status.ENDED, CONFIRMED_AT, 3),
    ("confirmed", Status.ENDED, None, 0),
    ("confirmed", Status.SUSPECTED, None, 0),
    ("confirmed", Status.RETRACTED, CONFIRMED_AT, 0),
    ("suspected", Status.CONFIRMED, CONFIRMED_AT, 3),
    ("suspected", Status.ENDED, None, 3),
    ("suspected", Status.SUSPECTED, None, 3),
    ("suspected", Status.RETRACTED, CONFIRMED_AT, 0),
]


@pytest.fixture(scope="module")
def answer(filled: Path) -> query.CountryAnswer:
    """What the store says, asked once."""
    with open_store(filled) as store:
        return query.confirm(store, "PK", [], None, None)


@pytest.fixture
def answered(answer: query.CountryAnswer, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, object]]:
    """Changes to every incident of the answer."""
    changes: dict[str, object] = {}

    def confirm(*_: object, **__: object) -> query.CountryAnswer:
        return replace(answer, incidents=[_changed(one, changes) for one in answer.incidents])

    monkeypatch.setattr(query, "confirm", confirm)
    yield changes


def _changed(incident: Incident, changes: dict[str, object]) -> Incident:
    return replace(incident, **changes)  # type: ignore[arg-type]  # of the fields' types


@pytest.mark.parametrize(("wanted", "status", "confirmed_at", "code"), CASES)
def test_what_was_found_decides_the_exit_code(
    filled: Path,
    answered: dict[str, object],
    wanted: str,
    status: Status,
    confirmed_at: float | None,
    code: int,
) -> None:
    answered |= {"status": status, "confirmed_at": confirmed_at}
    words = ["confirm", "PK", "--store", str(filled), "--fail-on", wanted, "--json"]
    ran = CliRunner().invoke(app, words)
    assert ran.exit_code == code
    assert ran.stdout.startswith("{"), "the answer is printed all the same"


def test_nothing_in_the_time_asked_about_is_not_a_failure(filled: Path) -> None:
    words = ["confirm", "PK", "--store", str(filled), "--fail-on", "suspected", "--since", "2024-01-01"]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0
    assert "nothing was measured in this time" in done.output


def test_without_the_option_a_disruption_is_not_a_failure(filled: Path) -> None:
    assert CliRunner().invoke(app, ["confirm", "PK", "--store", str(filled)]).exit_code == 0


def test_a_target_by_its_former_name_is_found_and_no_other_word_is_taken_for_one(filled: Path) -> None:
    """``--target Twitter`` answered "twitter was not measured" while X was blocked."""
    asked = ("confirm", "PK", "--store", filled, "--target")
    assert document(*asked, "Twitter") == document(*asked, "x")
    told = fanous(*asked, "Meta", code=1).stderr
    assert "'Meta' is neither a platform nor a domain, such as x or bbc.com" in told
    assert "did you mean X (Twitter)?" in fanous(*asked, "Twtter", code=1).stderr
    claimed = fanous(
        "claims",
        "add",
        "PK",
        "--store",
        filled,
        "--who",
        "A",
        "--what",
        "blocking",
        "--since",
        "2023-12-17",
        "--until",
        "2023-12-18",
        "--target",
        "Meta",
        code=1,
    ).stderr
    assert "'Meta' is neither" in claimed
