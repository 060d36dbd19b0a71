"""Censored Planet's signatures: what the letters of a name say, and what takes back what."""

import pytest

from fanous.analysis.rules.fingerprints import FingerprintKind, Where, compile_fingerprints
from fanous.model.measurement import Layer
from fanous.refdata.set_formats import are_blockpages, read_blockpages, read_false_positives
from tests.builders import observation
from tests.each import each
from tests.refdata.sets import signature
from tests.shared_data import shared_file


@each(
    ("name", "kind", "countries"),
    [
        ("a_prod_wall_1", FingerprintKind.BLOCKPAGE, set()),
        ("b_nat_pk_notice", FingerprintKind.BLOCKPAGE, {"PK"}),
        ("c_isp_ru_wall", FingerprintKind.BLOCKPAGE, {"RU"}),
        ("c_isp_wall", FingerprintKind.BLOCKPAGE, set()),
        ("c_isp_xy_wall", FingerprintKind.BLOCKPAGE, set()),  # xy is no country
        ("d_corp_at_school", FingerprintKind.PORTAL, set()),
        ("e_unk_blk_1", FingerprintKind.BLOCKPAGE, set()),
    ],
)
def test_the_name_says_who_blocks_and_where(name: str, kind: FingerprintKind, countries: set[str]) -> None:
    (pattern,) = read_blockpages(signature(name, "kept from you by order")).patterns
    assert (pattern.kind, pattern.countries) == (kind, frozenset(countries))


@pytest.mark.parametrize(
    ("pattern", "where", "body", "headers", "location"),
    [
        (r"kept \(by order\)\.", Where.BODY, "<p>kept (by order).</p>", "", ""),
        ("kept from.*by order", Where.BODY, "kept from\nyou by order", "", ""),
        ("Server: The Great Wall/.", Where.HEADER, "", "server: The Great Wall/2", ""),
        (r"Location: http://wall\.pk/no", Where.LOCATION, "", "", "http://wall.pk/notice"),
    ],
)
def test_an_expression_is_looked_for_where_it_says(
    pattern: str, where: Where, body: str, headers: str, location: str
) -> None:
    found = compile_fingerprints(read_blockpages(signature("a_prod_wall", pattern)).patterns)
    response = observation(
        Layer.HTTP, url="http://x.com/", body=body, title="", headers=headers, location=location
    )
    assert [one.where for one in found.find(response, "PK")] == [where]
    other = observation(Layer.HTTP, url="http://x.com/", body="kept from you", title="")
    assert found.find(other, "PK") == ()


def test_general_words_are_left_out() -> None:
    reading = read_blockpages(signature("f_gen_denied", "Denied to everybody"))
    assert (reading.usable, dict(reading.left_out)) == (0, {"rated as vague": 1})


def test_a_false_positive_is_benign_whatever_its_name() -> None:
    (pattern,) = read_false_positives(signature("c_isp_ru_wall", "kept from you")).patterns
    assert (pattern.id, pattern.kind) == ("censoredplanet/benign.c_isp_ru_wall", FingerprintKind.BENIGN)


@each(
    ("line", "why"),
    [
        ('{"fingerprint":"a_prod_x","patt', "is not a JSON object"),
        ("[1]\n", "is not a JSON object"),
        ("[" * 100_000 + "\n", "is not a JSON object"),
        ('{"fingerprint":"a_prod_x"}\n', "lacks `fingerprint` or `pattern`"),
        ('{"fingerprint":7,"pattern":"kept from you"}\n', "lacks `fingerprint` or `pattern`"),
        (signature("z_moon", "kept from you by order"), "z_moon: its class is not known"),
        (signature("a_prod_x", "kept from (you"), "fingerprint a_prod_x: the pattern cannot be compiled"),
    ],
)
def test_a_bad_line_is_named_and_the_rest_is_used(line: str, why: str) -> None:
    reading = read_blockpages(signature("a_prod_1", "kept from you by order") + "\n" + line)
    assert reading.usable == 1
    (bad,) = reading.bad
    assert bad.line == 3
    assert bad.why.startswith(why)


def test_the_names_tell_the_two_files_apart() -> None:
    assert are_blockpages(signature("a_prod_1", "x") * 2 + signature("x_one", "x"))
    assert not are_blockpages(signature("x_one", "x") * 2 + signature("c_isp_de", "x"))


@pytest.mark.shared_data
def test_the_real_files_are_read() -> None:
    pages = read_blockpages(
        shared_file("reference/censoredplanet_blockpage_signatures.jsonl").read_text(encoding="utf-8")
    )
    assert (pages.usable, pages.bad) == (458, [])
    benign = read_false_positives(
        shared_file("reference/censoredplanet_false_positive_signatures.jsonl").read_text(encoding="utf-8")
    )
    assert (benign.usable, [row.line for row in benign.bad]) == (459, [415])
    compile_fingerprints([*pages.patterns, *benign.patterns])
