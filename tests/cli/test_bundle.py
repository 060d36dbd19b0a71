"""Packing and verifying on the command line."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from fanous.publish.evidence import verify
from tests.commands import document, fanous, program
from tests.copies import copy_of


@pytest.fixture(scope="module")
def bundle(small_rally_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bundle")
    copy_of(small_rally_folder, folder / "store")
    note = ("--by", "Editor", "--note", "Seen by readers", "--store", folder / "store")
    fanous("incidents", "note", "pk-2023-0001", *note)
    words = ("incidents", "bundle", "pk-2023-0001", "-o", folder / "b.fan", "--store", folder / "store")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_DATA_HOME", str(folder / "data"))
        assert "Otherwise make one: fanous incidents key --new" in fanous(*words, code=1).stderr
        made = document("incidents", "key", "--new")
        packed = document(*words)
        assert document("incidents", "key") == made
        assert "already there. Nothing was changed" in fanous("incidents", "key", "--new", code=1).stderr
    assert packed["signed_by"] == made["fingerprint"]
    assert packed["bytes"] == (folder / "b.fan").stat().st_size
    assert packed["controls"] > 0
    assert packed["ledger_differences"] == [], "a note is no difference: it follows from no record"
    return folder / "b.fan"


@pytest.mark.matrix
def test_a_bundle_matches_for_anyone_who_has_the_file(bundle: Path, tmp_path: Path) -> None:
    done = document("verify", bundle)
    assert done["result"] == "match"
    assert done["claim"]["scope"] == "nation"
    words = ("verify", bundle, "--signed-by", done["signed_by"], "--store", tmp_path / "never")
    said = program(*words).stdout
    assert said.startswith("SYNTHETIC, a staged event. MATCH: ")
    assert "across Pakistan" in said
    assert "of them are synthetic: this tests the method" in said
    assert not (tmp_path / "never").exists()
    assert "signed by the key" in fanous("verify", bundle, "--signed-by", "0" * 32, code=1).stderr


def test_after_match_nothing_reads_as_a_difference(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """How the packer's ledger differs is compared with nothing; only the document has it."""
    recomputed, differs = verify.verify_apart, "evidence.controls: 292, not 291"
    monkeypatch.setattr(verify, "verify_apart", lambda *of: replace(recomputed(*of), ledger=[differs]))
    said = fanous("verify", bundle).stdout
    assert ". MATCH: " in said
    assert "292" not in said and "differ" not in said
    assert document("verify", bundle)["ledger_differences"] == [differs]


def test_a_changed_bundle_is_refused_in_one_sentence(bundle: Path, tmp_path: Path) -> None:
    changed = bytearray(bundle.read_bytes())
    changed[len(changed) // 2] ^= 1
    (tmp_path / "c.fan").write_bytes(changed)
    refused = fanous("verify", tmp_path / "c.fan", code=1)
    assert refused.stdout == ""
    assert "REFUSED" in refused.stderr
    as_json = fanous("verify", tmp_path / "c.fan", "--json", code=1)
    assert json.loads(as_json.stdout)["result"] == "refused"


def test_a_bundle_is_replaced_only_by_its_signer_for_the_same_incident(bundle: Path, tmp_path: Path) -> None:
    place, store = tmp_path / "b.fan", bundle.with_name("store")
    place.write_bytes(bundle.read_bytes())
    words = ("incidents", "bundle", "PK-2023-0001", "-o", place, "--store", store)

    own = ("--key", bundle.parent / "data" / "fanous" / "evidence-key.pem")
    fanous("incidents", "key", "--new", "--key", bundle.with_name("other.pem"))

    def stays(*words: str | Path) -> None:
        before = place.read_bytes()
        assert "already there. Nothing was changed" in fanous(*words, code=1).stderr
        assert place.read_bytes() == before

    fanous(*words, *own)
    assert [path.name for path in tmp_path.iterdir()] == [place.name], "no other file is left there"
    stays(*words, "--key", bundle.with_name("other.pem"))
    stays(*("PK-2023-0002" if one == "PK-2023-0001" else one for one in words), *own)
    place.write_bytes(place.read_bytes()[:-1] + b"x")
    stays(*words, *own)


def test_an_invalid_bundle_or_incident_is_reported(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("hello", "utf-8")
    assert "not an evidence bundle" in fanous("verify", tmp_path / "text", code=1).stderr
    assert "cannot read" in fanous("verify", tmp_path / "nothing", code=1).stderr
