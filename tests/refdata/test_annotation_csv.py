"""CSVs of OONI and Citizen Lab: what a row comes to, and which rows do not count."""

from pathlib import Path
from typing import Any

import pytest

from fanous.analysis.rules.fingerprints import FingerprintKind, Where, compile_fingerprints, loop_matcher
from fanous.errors import FanousError
from fanous.model.measurement import Layer, Observation
from fanous.refdata.set_formats import SetReading, read_citizenlab, read_ooni
from tests.builders import observation
from tests.each import each
from tests.refdata.sets import CITIZENLAB_DNS_HEADER, CITIZENLAB_HEADER, OONI_HEADER, citizenlab, ooni
from tests.shared_data import shared_file


def page(body: str = "", **given: Any) -> Observation:
    return observation(Layer.HTTP, url="http://x.com/", body=body, **{"title": "", **given})


def one_of(row: str) -> SetReading:
    return read_ooni(OONI_HEADER + row)


SERVED = page("<p>Kept From You</p>", headers="Server: Wall/2\nVia: 1.1 wall", location="http://wall.pk/a?b")


@each("loop", [False, True])
@each(
    ("place", "how", "pattern", "response", "matches"),
    [
        ("body", "contains", "<p>Kept From You</p>", SERVED, True),
        ("body", "contains", "<p>kept from you</p>", SERVED, False),  # capitals count
        ("body", "contains", "<p>Kept.From You</p>", SERVED, False),  # a dot is a dot
        ("body", "regexp", "Kept.*Yo[u]</p>", SERVED, True),
        ("body", "contains", "[ограничен] по закону", page("доступ [ограничен] по закону"), True),
        ("header.server", "full", "Wall/2", SERVED, True),
        ("header.server", "full", "Wall/", SERVED, False),
        ("header.server", "prefix", "Wall/", SERVED, True),
        ("header.server", "prefix", "all/", SERVED, False),
        ("header.server", "contains", "all/", SERVED, True),
        ("header.server", "contains", "1.1 wall", SERVED, False),  # that is another header
        ("header.via", "regexp", "^1.1 w", SERVED, True),
        ("header.via", "regexp", "^wall", SERVED, False),
        ("header.server", "prefix", "Wall/", page("Server: Wall/2"), False),  # a body is no header
        ("header.location", "full", "http://wall.pk/a?b", SERVED, True),
        ("header.location", "full", "http://wall.pk/a", SERVED, False),
        ("header.location", "prefix", "http://wall.pk/", SERVED, True),
        ("header.location", "prefix", "wall.pk/", SERVED, False),
        ("header.location", "contains", "wall.pk/", SERVED, True),
        ("header.location", "prefix", "http://wall.pk/", page("http://wall.pk/"), False),
    ],
)
def test_a_text_is_looked_for_where_the_set_says(
    place: str, how: str, pattern: str, response: Observation, matches: bool, loop: bool
) -> None:
    reading = one_of(ooni(pattern, place=place, how=how, countries="PK"))
    assert reading.bad == []
    compiled = (
        compile_fingerprints(reading.patterns, matcher=loop_matcher)
        if loop
        else compile_fingerprints(reading.patterns)
    )
    assert bool(compiled.find(response, "PK")) is matches


@each(
    ("scope", "kind"),
    [
        ("nat", FingerprintKind.BLOCKPAGE),
        ("isp", FingerprintKind.BLOCKPAGE),
        ("prod", FingerprintKind.BLOCKPAGE),
        ("inst", FingerprintKind.PORTAL),
        ("injb", FingerprintKind.PORTAL),
        ("fp", FingerprintKind.BENIGN),
        ("prov", FingerprintKind.BENIGN),
    ],
)
def test_the_scope_says_what_a_page_shows(scope: str, kind: FingerprintKind) -> None:
    assert [p.kind for p in one_of(ooni(scope=scope)).patterns] == [kind]


@each(
    ("row", "reason"),
    [
        (ooni(scope="vbw"), "rated as vague"),
        (ooni(confidence="4"), "rated as likely to be wrong"),
        (ooni("blocked"), "too short to count in every country"),
        (ooni("<h1>403 Forbidden</h1>"), "occurs on ordinary pages"),
        (ooni("<h1>.*Forbidden</h1>", how="regexp"), "occurs on ordinary pages"),
        (ooni("notice.wall.pk", place="dns", how="full"), "a name: facts of lookups keep addresses"),
        (ooni("45.90.1.1", place="dns", how="full", scope="prod"), "an answer of a filter that its user "),
        (
            ooni("127.0.0.1", place="dns", how="full"),
            "an answer of a filter that its user chose, or of an unknown one",
        ),
    ],
)
def test_a_row_that_proves_nothing_is_left_out_and_counted(row: str, reason: str) -> None:
    reading = one_of(row)
    assert (reading.usable, reading.bad) == (0, [])
    (left_out,) = reading.left_out
    assert left_out.startswith(reason)


@each(
    ("row", "why"),
    [
        (ooni(scope="galaxy"), "test.one: scope 'galaxy' is not known"),
        (ooni(confidence="high"), "test.one: confidence_no_fp 'high' is not a number"),
        (ooni(countries="PK,UK"), "test.one: 'UK' is not a country"),
        (ooni(place="sky"), "test.one: location_found 'sky' is not known"),
        (ooni(how="fuzzy"), "test.one: pattern_type 'fuzzy' is not known"),
        (ooni(how="prefix"), "test.one: 'prefix' of a body cannot be checked"),
        (ooni(" "), "test.one: the pattern is empty"),
        (ooni(name=""), "has no name"),
        (
            ooni("kept from (you by order", how="regexp"),
            "fingerprint test.one: the pattern cannot be compiled",
        ),
        (ooni(".*", how="regexp", countries="PK"), "fingerprint test.one: the pattern cannot be compiled"),
        (ooni("10.1.", place="dns", how="prefix"), "test.one: 'prefix' of an address cannot be checked"),
        ("test.cut,nat,,body\n", "has 4 fields instead of 11"),
    ],
)
def test_a_bad_row_is_named_with_its_line_and_the_rest_is_used(row: str, why: str) -> None:
    first, last = ooni("kept from\nyou by order", name="test.first"), ooni(name="test.last")
    reading = read_ooni(OONI_HEADER + first + row + last)
    assert [p.id for p in reading.patterns] == ["ooni/test.first", "ooni/test.last"]
    (bad,) = reading.bad
    assert bad.line == 4  # the first row takes two lines
    assert bad.why.startswith(why)


def test_a_pattern_counts_where_the_set_expects_it() -> None:
    reading = one_of(ooni(countries="AE,SA") + ooni(countries="ZZ", name="test.two"))
    assert [p.countries for p in reading.patterns] == [frozenset({"AE", "SA"}), frozenset()]


def test_a_name_that_is_used_twice_gets_two_ids() -> None:
    assert [p.id for p in one_of(ooni() * 2).patterns] == ["ooni/test.one", "ooni/test.one~2"]


def test_answers_are_addresses_in_their_usual_form() -> None:
    reading = one_of(
        ooni("10.1.1.1", place="dns", how="full", countries="PK")
        + ooni("2001:DB8:0::1", place="dns", how="full", countries="IR", scope="isp")
    )
    assert [(a.address, a.countries) for a in reading.addresses] == [
        ("10.1.1.1", frozenset({"PK"})),
        ("2001:db8::1", frozenset({"IR"})),
    ]


@pytest.mark.parametrize(
    ("pattern", "where", "response"),
    [
        ("Location: http://wall.pk", Where.LOCATION, page(location="http://wall.pk/1")),
        ("wall.pk/notice", Where.LOCATION, page(location="http://a.wall.pk/notice")),
        ("Server: The Wall", Where.HEADER, page(headers="X: y\nserver: The Wall 2")),
    ],
)
def test_citizen_lab_names_the_header_in_the_text(pattern: str, where: Where, response: Observation) -> None:
    reading = read_citizenlab(CITIZENLAB_HEADER + citizenlab(pattern, place="header"))
    (one,) = compile_fingerprints(reading.patterns).find(response, "PK")
    assert (one.id, one.where, one.countries) == ("citizenlab/isp_zz_test", where, frozenset({"PK"}))


def test_what_citizen_lab_itself_doubts_is_left_out() -> None:
    rows = citizenlab(confidence="5") + citizenlab(confidence="6")
    assert read_citizenlab(CITIZENLAB_HEADER + rows).usable == 1


def test_citizen_labs_answers_are_read() -> None:
    row = "dns_isp_pk,10.1.1.1,10,,['https://wall.pk/'],isp,['PK'],\n"
    (address,) = read_citizenlab(CITIZENLAB_DNS_HEADER + row).addresses
    assert (address.address, address.source) == ("10.1.1.1", "https://wall.pk/")


def test_a_file_beyond_reading_says_the_line() -> None:
    with pytest.raises(FanousError, match=r"line 2: .*fetch the file again"):
        read_ooni(OONI_HEADER + ooni("x" * 200_000))


@pytest.mark.shared_data
@pytest.mark.parametrize(
    ("name", "usable"),
    [("reference/citizenlab_http.csv", 335), ("reference/citizenlab_dns.csv", 89)],
)
def test_the_real_files_are_read_whole(name: str, usable: int) -> None:
    path: Path = shared_file(name)
    text = path.read_text(encoding="utf-8")
    reading = read_citizenlab(text)
    assert reading.bad == []
    assert reading.usable == usable
    assert reading.usable + reading.left_out.total() == len(text.splitlines()) - 1
    compile_fingerprints(reading.patterns)
