"""Sets: which set a file is, what it gives, and what is installed."""

from pathlib import Path

import pytest

from fanous.errors import FanousError
from fanous.refdata import fingerprints as sets
from fanous.refdata.fingerprints import LARGEST_SET, PublicSet, decoded, installed_sets, public_set, read_set
from tests.each import each
from tests.refdata.sets import (
    CITIZENLAB_DNS_HEADER,
    CITIZENLAB_HEADER,
    OONI_HEADER,
    OWN,
    citizenlab,
    ooni,
    ooni_file,
    signature,
)

ANSWER = ooni("10.1.1.1", place="dns", how="full", countries="PK")


@each(
    ("text", "known"),
    [
        (ooni_file(), sets.OONI_HTTP),
        (OONI_HEADER + ANSWER, sets.OONI_DNS),
        (CITIZENLAB_HEADER + citizenlab(), sets.CITIZENLAB_HTTP),
        (CITIZENLAB_DNS_HEADER, sets.CITIZENLAB_DNS),
        (signature("b_nat_pk", "kept"), sets.BLOCKPAGES),
        (signature("x_parked", "for sale"), sets.FALSE_POSITIVES),
    ],
)
def test_a_file_is_recognised_by_its_content(text: str, known: PublicSet) -> None:
    assert public_set(text, "download(1)") is known
    assert public_set("", known.file) is known


@each(
    "text",
    ["", "\n", "<!DOCTYPE html>\n<html>404: Not Found</html>", "a,b,c\n1,2,3\n", '{"message":"rate limit"}'],
)
@each("name", ["fetched", "ooni-http.csv", "ooni-dns.csv", "censoredplanet-blockpages.jsonl"])
def test_what_is_no_set_is_refused(text: str, name: str) -> None:
    with pytest.raises(FanousError, match="is not a fingerprint set that Fanous can read"):
        read_set(text, name)


def test_a_set_without_a_usable_row_is_refused_and_says_the_first_reason() -> None:
    with pytest.raises(FanousError, match=r"no fingerprint in it can be used .line 2: .*'galaxy'"):
        read_set(OONI_HEADER + ooni(scope="galaxy"), "ooni-http.csv")


def test_toml_of_the_users_own_is_read_as_ours_is() -> None:
    (pattern,) = read_set(OWN, "own.toml").patterns
    assert (pattern.id, pattern.origin) == ("own.notice", "")


@pytest.mark.parametrize(
    ("data", "reason"),
    [(b"\xff\xfe\x00", "is not UTF-8"), (b"x" * (LARGEST_SET + 1), "has more than 8 MiB")],
)
def test_bytes_that_are_no_text_are_refused(data: bytes, reason: str) -> None:
    with pytest.raises(FanousError, match=reason):
        decoded(data, "set.csv")


def test_a_mark_of_byte_order_is_no_part_of_the_first_column() -> None:
    text = decoded(b"\xef\xbb\xbf" + ooni_file().encode(), "set.csv")
    assert read_set(text, "set.csv").usable == 10


def test_installed_are_the_sets_and_toml_and_nothing_else(tmp_path: Path) -> None:
    for name in ("ooni-http.csv", "own.toml", "ooni-http.csv.about.json", "compiled.bin", "notes.csv"):
        (tmp_path / name).touch()
    assert [path.name for path in installed_sets(tmp_path)] == ["ooni-http.csv", "own.toml"]
    assert installed_sets(tmp_path / "missing") == ()


def test_every_set_has_its_own_file_and_comes_over_https() -> None:
    assert len({one.file for one in sets.PUBLIC_SETS}) == len(sets.PUBLIC_SETS)
    assert all(one.url.startswith("https://") for one in sets.PUBLIC_SETS)
