"""Review and corrections on the command line."""

from pathlib import Path

from tests.commands import document, fanous
from tests.copies import copy_of


def test_a_held_claim_is_shown_with_its_reason_and_approved_by_name(
    small_rally: Path, tmp_path: Path
) -> None:
    store, config = tmp_path / "store", tmp_path / "fanous.toml"
    config.write_text(f'[store]\nfolder = "{store}"\n[review]\nnational = true\n', "utf-8")
    fanous("ingest", "ooni", small_rally, "--config", config)
    (waiting,) = document("confirm", "PK", "--store", store)["incidents"]
    assert (waiting["status"], waiting["confirmed_at"]) == ("suspected", None)
    shown = document("incidents", "show", waiting["id"], "--store", store)
    assert shown["reason"].startswith("Held until a person has reviewed it")
    assert shown["reasons"][0] == {"code": "held.review", "params": {}}
    done = fanous("incidents", "approve", waiting["id"], "--by", "Ayesha", "--store", store).stdout
    assert f"{waiting['id']}  ended" in done
    again = fanous("incidents", "approve", waiting["id"], "--by", "Ayesha", "--store", store, code=1)
    assert "not held for review" in again.stderr
    assert document("incidents", "corrections", "PK", "--store", store) == {"by_month": {}, "corrections": []}
    assert "no corrections" in fanous("incidents", "corrections", "--store", store).stdout


def test_people_decide_from_the_command_line(small_rally_folder: Path, tmp_path: Path) -> None:
    store = copy_of(small_rally_folder, tmp_path / "store")
    (label, *_) = [one["id"] for one in document("incidents", "list", "--store", store)["incidents"]]
    held = fanous(
        "incidents", "hold", label, "--by", "Ayesha", "--reason", "is it ours?", "--store", store
    ).stdout
    assert held.startswith(f"{label}  suspected")
    assert "Suspected, not confirmed" in held
    fanous("incidents", "note", label, "--by", "Ayesha", "--note", "asked the operator", "--store", store)
    fanous("incidents", "role", "Ayesha", "--role", "the night editor", "--store", store)
    shown = document("incidents", "show", label, "--store", store)
    assert (shown["held_by"], shown["note"]["text"], shown["note"]["by"]) == (
        "person",
        "asked the operator",
        "the night editor",
    )
    assert "Ayesha" not in str(shown)
    merged = fanous(
        "incidents", "merge", label, "--into", label, "--by", "A", "--reason", "x", "--store", store, code=1
    )
    assert "into itself" in merged.stderr
    gone = fanous(
        "incidents", "retract", label, "--by", "A", "--reason", "it was us", "--store", store
    ).stdout
    assert gone.startswith(f"{label}  retracted")
    assert "Withdrawn by A: it was us" in fanous("incidents", "corrections", "--store", store).stdout
