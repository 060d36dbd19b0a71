"""Review and corrections on the command line."""

from pathlib import Path

from tests.commands import document, fanous


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
