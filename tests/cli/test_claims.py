"""Claims on the command line."""

from pathlib import Path

from tests.commands import document, fanous

WHEN = ("--since", "2023-12-17T14:00Z", "--until", "2023-12-18T00:00Z")


def test_a_claim_is_recorded_listed_and_checked(tmp_path: Path) -> None:
    store = tmp_path / "store"
    for network in ("17557", "AS17557"):
        add = ("claims", "add", "PK", "--who", "PTA", "--what", "normal", *WHEN, "--network", network)
        fanous(*add, "--store", tmp_path / network)
        (claim,) = document("claims", "list", "PK", "--store", tmp_path / network)["claims"]
        assert claim["networks"] == [17557]
    refused = fanous(
        "claims", "add", "PK", "--who", "a", "--what", "normal", *WHEN, "--network", "PTCL", code=2
    )
    assert "AS17557" in refused.stderr
    said = fanous("claims", "add", "pk", "--who", "PTA", "--what", "normal", *WHEN, "--store", store).stdout
    assert said.startswith("PK-claim-1: PTA: normal in PK")
    (listed,) = document("claims", "list", "PK", "--store", store)["claims"]
    assert (listed["who"], listed["what"], listed["scope"]) == ("PTA", "normal", None)
    (checked,) = document("claims", "check", "pk-claim-1", "--store", store)["claims"]
    assert checked["answer"] == "cannot_tell"
    assert checked["why"] == "Nothing was measured in that time."
    assert checked["reasons"] == [{"code": "coverage.none", "params": {}}]
    assert "CANNOT TELL" in fanous("claims", "check", "--store", store).stdout


def test_what_cannot_be_is_refused_in_words(tmp_path: Path) -> None:
    store = tmp_path / "store"
    turned = ("--since", "2023-12-18", "--until", "2023-12-17")
    fanous("claims", "add", "PK", "--who", "a", "--what", "normal", *turned, "--store", store, code=2)
    fanous("claims", "add", "PK", "--who", "a", "--what", "normal", *WHEN, "--store", store)
    assert "no claim PK-9" in fanous("claims", "check", "PK-9", "--store", store, code=1).stderr


def test_a_claim_has_someone_who_makes_it_and_a_link_is_an_address(tmp_path: Path) -> None:
    store, said = tmp_path / "store", ("claims", "add", "PK", "--what", "normal", *WHEN)
    assert "must not be empty" in fanous(*said, "--who", " ", "--store", store, code=2).stderr
    unlinked = fanous(*said, "--who", "a", "--link", "a newspaper", "--store", store, code=2).stderr
    assert "must be a URL" in unlinked
    fanous(*said, "--who", "a", "--link", "https://example.org/1", "--store", store)
