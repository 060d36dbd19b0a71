"""The patterns that ship, together with the user's own files."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from fanous.analysis.rules.fingerprints import Matcher, PatternText, compile_matcher
from fanous.errors import FanousError
from fanous.refdata import fingerprints as sets
from fanous.refdata.fingerprints import (
    LARGEST_SET,
    PublicSet,
    decoded,
    fingerprints,
    installed_fingerprints,
    public_set,
    read_set,
    sets_in,
)
from tests.each import each
from tests.refdata.sets import (
    CITIZENLAB_DNS_HEADER,
    CITIZENLAB_HEADER,
    OONI_HEADER,
    OWN,
    citizenlab,
    install,
    ooni,
    ooni_file,
    signature,
)

IN_PAKISTAN = ooni("kept from you by order", countries="PK")


@pytest.fixture
def uncompiled(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Sets whose patterns are not looked for: only the last one is compiled, for all take two seconds."""

    def last_alone(patterns: list[PatternText]) -> Matcher:
        return compile_matcher(patterns[-1:])

    def forget() -> None:
        fingerprints.cache_clear()
        installed_fingerprints.cache_clear()

    forget()
    monkeypatch.setattr("fanous.refdata.fingerprints.compile_matcher", last_alone)
    yield
    forget()


def test_what_ships_compiles_and_says_its_source() -> None:
    ours = fingerprints()
    assert len(ours.patterns) >= 40
    assert [pattern.id for pattern in ours.patterns if not pattern.source] == []
    assert fingerprints() is ours


@pytest.mark.usefixtures("uncompiled")
def test_a_file_of_the_users_own_is_added(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text(OWN, encoding="utf-8")
    both = fingerprints((tmp_path / "own.toml",))
    assert len(both.patterns) == len(fingerprints().patterns) + 1
    assert both.patterns[-1].id == "own.notice"


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(FanousError, match=r"cannot read .*missing\.toml"):
        fingerprints((tmp_path / "missing.toml",))


@pytest.mark.usefixtures("uncompiled")
def test_an_installed_set_is_used_next_to_ours(tmp_path: Path) -> None:
    (tmp_path / "fetched.csv").write_text(OONI_HEADER + IN_PAKISTAN)
    install(tmp_path, tmp_path / "fetched.csv")
    both = installed_fingerprints(tmp_path)
    assert [p.id for p in both.patterns[len(fingerprints().patterns) :]] == ["ooni/test.one"]
    assert installed_fingerprints(tmp_path) is both


@pytest.mark.usefixtures("uncompiled")
def test_an_empty_folder_leaves_ours_alone(tmp_path: Path) -> None:
    assert installed_fingerprints(tmp_path / "missing").patterns == fingerprints().patterns


@pytest.mark.usefixtures("uncompiled")
def test_the_version_follows_what_can_change_a_verdict(tmp_path: Path) -> None:
    def version(text: str) -> str:
        (tmp_path / "ooni-http.csv").write_text(text)
        fingerprints.cache_clear()
        return fingerprints((tmp_path / "ooni-http.csv",), tmp_path).version

    once = version(OONI_HEADER + IN_PAKISTAN)
    assert fingerprints().version == ""
    assert len(once) == len("+1a2b3c4d")
    assert version(OONI_HEADER + IN_PAKISTAN.replace("a test", "another source")) == once
    changed = [
        version(OONI_HEADER + row)
        for row in (
            IN_PAKISTAN.replace("PK", "IR"),
            IN_PAKISTAN.replace("order", "law"),
            IN_PAKISTAN.replace("nat", "fp"),
            IN_PAKISTAN * 2,
        )
    ]
    assert len({once, *changed}) == 5


@pytest.mark.usefixtures("uncompiled")
def test_an_address_counts_wherever_one_of_the_sets_says_so(tmp_path: Path) -> None:
    row = "dns_isp_tr,195.175.254.2,10,,[''],isp,['{}'],\n"
    (tmp_path / "citizenlab-dns.csv").write_text(CITIZENLAB_DNS_HEADER + row.format("DE"))
    both = fingerprints((tmp_path / "citizenlab-dns.csv",))
    assert [both.is_block_address("195.175.254.2", cc) for cc in ("TR", "DE", "PK")] == [True, True, False]
    assert not fingerprints().is_block_address("195.175.254.2", "DE")
    assert both.version != fingerprints().version


def test_a_set_that_is_damaged_says_which(tmp_path: Path) -> None:
    (tmp_path / "ooni-http.csv").write_text("<html>")
    with pytest.raises(FanousError, match=r"ooni-http\.csv is not a fingerprint set"):
        fingerprints((tmp_path / "ooni-http.csv",))


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
    assert [path.name for path in sets_in(tmp_path)] == ["ooni-http.csv", "own.toml"]
    assert sets_in(tmp_path / "missing") == ()


def test_every_set_has_its_own_file_and_comes_over_https() -> None:
    assert len({one.file for one in sets.PUBLIC_SETS}) == len(sets.PUBLIC_SETS)
    assert all(one.url.startswith("https://") for one in sets.PUBLIC_SETS)
