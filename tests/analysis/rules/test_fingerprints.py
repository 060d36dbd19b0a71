"""Fingerprints: what counts where, and what ships with Fanous."""

from typing import Any

import pytest

from fanous.analysis.rules.fingerprints import (
    LONGEST_BODY,
    LONGEST_NOTICE,
    READ_OF_LONGER,
    Fingerprint,
    FingerprintKind,
    Where,
    compile_fingerprints,
    parse_fingerprints,
)
from fanous.errors import FanousError
from fanous.model.measurement import Layer, Observation
from fanous.refdata.fingerprints import fingerprints
from tests.builders import observation
from tests.each import each


def page(body: str = "", **given: Any) -> Observation:
    return observation(Layer.HTTP, url="http://x.com/", body=body, **{"title": "", **given})


def found(response: Observation, country: str = "PK") -> list[str]:
    return [match.id for match in fingerprints().find(response, country)]


@each(
    ("where", "response", "matches"),
    [
        (Where.BODY, page("the mark"), True),
        (Where.BODY, page(headers="x-filter: the mark"), True),  # a notice may stand in a header
        (Where.HEADER, page(headers="x-filter: the mark"), True),
        (Where.HEADER, page("the mark"), False),
        (Where.HEADER, page(header_names=("the mark",)), True),  # facts keep the names alone
        (Where.LOCATION, page(location="http://a/the mark"), True),
        (Where.LOCATION, page("the mark", headers="x: the mark"), False),
        (Where.TITLE, page("<title>see the mark</title>"), True),
        (Where.TITLE, page("<p>the mark</p>"), False),
        (Where.TITLE, page(title="see the mark"), True),  # facts keep the title alone
        (Where.BODY, page(), False),
    ],
)
def test_a_pattern_counts_in_its_place_only(where: Where, response: Observation, matches: bool) -> None:
    one = compile_fingerprints([Fingerprint("a", where, FingerprintKind.BLOCKPAGE, "the mark")])
    assert bool(one.find(response, "PK")) is matches


def test_a_pattern_counts_in_its_countries_only() -> None:
    one = compile_fingerprints(
        [Fingerprint("a", Where.BODY, FingerprintKind.BLOCKPAGE, "x", frozenset({"PK"}))]
    )
    assert [len(one.find(page("x"), country)) for country in ("PK", "IN")] == [1, 0]


def test_of_a_long_body_only_the_beginning_is_read() -> None:
    one = compile_fingerprints([Fingerprint("a", Where.BODY, FingerprintKind.BLOCKPAGE, "mark")])
    assert one.find(page(" " * (LONGEST_BODY - 4) + "mark"), "PK")
    assert not one.find(page(" " * LONGEST_BODY + "mark"), "PK")
    assert one.find(page(" " * (READ_OF_LONGER - 4) + "mark" + " " * LONGEST_BODY), "PK")


NEWS = {
    "IT": "Blitz della Guardia di Finanza: sequestrati beni per tre milioni",
    "RU": "Сайт был заблокирован в среду, сообщил Роскомнадзор",
    "TR": "BTK kararıyla siteye erişim engellendi",
    "BY": "Доступ ограничен, сообщило Министерство информации",
    "KZ": "приостановлен на территории Республики Казахстан",
    "UA": "сайт заблоковано рішенням РНБО",
    "ES": "la web fue bloqueada por la autoridad competente",
    "PH": "was blocked by the National Telecommunications Commission",
    "NP": "banned by the Government of Nepal",
    "ZZ": "the site has been blocked by order of the court",
}


@each(("country", "words"), NEWS.items())
def test_the_words_of_a_notice_count_in_a_page_as_short_as_a_notice(country: str, words: str) -> None:
    long = words + " " * (LONGEST_NOTICE + 1 - len(words.encode()))
    assert found(page(words), country)
    assert found(page(long[:-1]), country)
    assert not found(page(long), country)
    assert not found(page(words, body_truncated=True), country)


def test_of_a_page_whose_title_alone_is_kept_the_length_is_known() -> None:
    title = "This site has been blocked by order of the court"
    lengths = (-1, 900, LONGEST_NOTICE, LONGEST_NOTICE + 1)
    assert [bool(found(page(title=title, body_length=n))) for n in lengths] == [True, True, True, False]


@each(
    ("country", "body", "name"),
    [
        ("IR", '<iframe src="http://10.10.34.36?type=Invalid Site">', "ir.notice_frame"),
        ("RU", '<a href="https://blocklist.rkn.gov.ru/">', "ru.registry_link"),
        ("ID", '<a href="http://internetpositif.id/">', "id.internet_positif"),
        ("KR", '<iframe src="http://www.warning.or.kr">', "kr.warning"),
        ("SA", '<a href="http://www.internet.gov.sa/resources/block">', "sa.notice_link"),
        ("QA", '<img src="http://www.censor.qa/logo.png">', "qa.notice_link"),
        ("BH", '<a href="http://www.anonymous.com.bh">', "bh.notice_link"),
        ("SD", "write to filtering@ntc.gov.sd", "sd.notice_address"),
        ("GB", '<a href="http://www.ukispcourtorders.co.uk">', "gb.isp_court_order_link"),
        ("ZZ", '<img src="https://gateway.zscalertwo.net/logo">', "vendor.zscaler_link"),
    ],
)
def test_a_frame_or_link_of_a_notice_counts_in_a_page_of_any_length(
    country: str, body: str, name: str
) -> None:
    assert name in found(page(body + " " * 4 * LONGEST_NOTICE), country)


def test_a_notices_words_in_a_header_count_however_long_the_page_is() -> None:
    said = "x-filter: this site has been blocked by order of the court"
    assert found(page(" " * 4 * LONGEST_NOTICE, headers=said)) == ["any.by_order"]


def test_a_pattern_of_ones_own_says_whether_it_counts_in_long_pages() -> None:
    own = '[[pattern]]\nid = "a"\nwhere = "body"\nkind = "blockpage"\npattern = "x"\nsource = "s"\n'
    assert [
        parse_fingerprints(text, "own.toml")[0][0].any_length for text in (own, own + "any_length = true")
    ] == [
        False,
        True,
    ]
    assert parse_fingerprints(own.replace("blockpage", "portal"), "own.toml")[0][0].any_length


def test_text_that_is_no_utf8_does_no_harm() -> None:
    assert found(page("\ud800 surf safely: this site is blocked")) == ["pk.surf_safely"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("not toml", "cannot be read as TOML"),
        ('[[pattern]]\nid = "a"', r"mine.toml:1: \[pattern\[1\]\] where: it is missing"),
        (
            '[[pattern]]\nid = "a"\nwhere = "sky"\nkind = "captcha"\npattern = "x"\nsource = "s"',
            "'sky' is not one of",
        ),
        ('[[address]]\naddress = "1.2.3.4"', r"\[address\[1\]\] source: it is missing"),
    ],
)
def test_a_file_with_a_mistake_says_which(text: str, reason: str) -> None:
    with pytest.raises(FanousError, match=reason):
        parse_fingerprints(text, "mine.toml")


def test_an_id_is_used_once() -> None:
    twice = [Fingerprint("a", Where.BODY, FingerprintKind.BLOCKPAGE, "x")] * 2
    with pytest.raises(FanousError, match="fingerprint a: the id is used twice"):
        compile_fingerprints(twice)


@each(
    ("country", "body", "name"),
    [
        ("IR", '<iframe src="http://10.10.34.36?type=Invalid Site&policy=MainPolicy">', "ir.notice_frame"),
        ("TR", "5651 sayılı yasa uyarınca bu siteye erişim engellenmiştir", "tr.law_5651"),
        (
            "TR",
            "Bilgi Teknolojileri ve İletişim Kurumu kararıyla erişime engellenmiş",
            "tr.authority_decision",
        ),
        ("PK", "<h1>Surf Safely!</h1> This website is not accessible", "pk.surf_safely"),
        (
            "PK",
            "contains content that is prohibited for viewership from within Pakistan",
            "pk.prohibited_viewership",
        ),
        ("IN", "has been blocked as per instructions of Department of Telecommunications", "in.dot_order"),
        ("ID", '<a href="http://internetpositif.id/">', "id.internet_positif"),
        ("KR", '<iframe src="http://www.warning.or.kr">', "kr.warning"),
        ("RU", "Доступ ограничен на основании 149-ФЗ", "ru.registry"),
        ("RU", '<meta http-equiv="refresh" content="0; url=http://lawfilter.ertelecom.ru">', "ru.operators"),
        ("SA", "<title>x</title>Access to the requested URL is not allowed!", "sa.notice"),
        ("SD", "This site has been blocked by the National Telecommunication Corporation", "sd.notice"),
        ("IT", "sequestro preventivo: Guardia di Finanza ... sito sequestrato", "it.gdf"),
        ("KZ", "Доступ к ресурсу ограничен по закону Республики Казахстан", "kz.notice"),
        ("ZZ", '<img src="http://1.2.3.4:8080/webadmin/deny/images/x.png">', "vendor.netsweeper"),
        ("ZZ", "<title>Web Filter Violation</title>", "vendor.fortiguard_title"),
        ("ZZ", "This site has been blocked by order of the court", "any.by_order"),
        ("ZZ", "<title>Just a moment...</title>", "captcha.cloudflare_title"),
        ("ZZ", "Access Denied ... Reference #18.2d351ab8", "captcha.akamai"),
        ("ZZ", "<WISPAccessGatewayParam>", "portal.wispr"),
    ],
)
def test_what_ships_knows_the_notices(country: str, body: str, name: str) -> None:
    assert name in found(page(body), country)


@pytest.mark.parametrize(
    ("country", "location", "name"),
    [
        ("IR", "http://10.10.34.34?type=x", "ir.notice_redirect"),
        ("MY", "http://175.139.142.25/", "my.mcmc_redirect"),
        ("RU", "http://warning.rt.ru/?id=1", "ru.operators_redirect"),
        ("ZZ", "http://10.1.1.1:8080/webadmin/deny/index.php?dpid=1", "vendor.netsweeper_path"),
        ("ZZ", "http://192.168.88.1/login", "portal.private_redirect"),
    ],
)
def test_what_ships_knows_where_redirects_lead(country: str, location: str, name: str) -> None:
    assert name in found(page(status_code=302, location=location), country)


@pytest.mark.parametrize(
    "body",
    [
        "<title>News</title> The court said the site should be unblocked. Roskomnadzor had no comment.",
        "<title>How to unblock your account</title> Your account is blocked? Contact us.",
        "<title>Surfing safely in Pakistan</title> beaches",
        "<html><body>It works!</body></html>",
    ],
)
def test_an_ordinary_page_is_no_notice(body: str) -> None:
    ours = fingerprints()
    everywhere = compile_fingerprints(
        (Fingerprint(p.id, p.where, p.kind, p.pattern, literal=p.literal) for p in ours.patterns),
        matcher=lambda _: ours.matcher,  # of the same patterns, compiled already
    )
    kinds = {match.kind for match in everywhere.find(page(body), "PK")}
    assert FingerprintKind.BLOCKPAGE not in kinds


def test_block_addresses_count_in_their_country() -> None:
    assert fingerprints().is_block_address("195.175.254.2", "TR")
    assert not fingerprints().is_block_address("195.175.254.2", "DE")
    assert not fingerprints().is_block_address("1.1.1.1", "TR")


def test_of_the_notices_own_names_its_address_is_the_right_answer() -> None:
    assert fingerprints().is_block_address("121.189.57.82", "KR", "x.com")
    assert not fingerprints().is_block_address("121.189.57.82", "KR", "warning.or.kr")
    assert not fingerprints().is_block_address("121.189.57.82", "KR", "www.WARNING.or.kr")
    assert fingerprints().is_block_address("121.189.57.82", "KR", "notwarning.or.kr")


@each(
    ("marks", "stand"),
    [
        ("theirs", ["theirs"]),
        ("theirs harmless", []),
        ("ours harmless", ["ours"]),  # a published set corrects itself and no other set
        ("others harmless", ["others"]),
        ("school", ["school"]),
        ("theirs school", ["theirs", "school"]),
        ("ours school", ["ours"]),  # nor does its word for a school's filter stand against ours
        ("harmless", []),
        ("ours sound", ["ours", "sound"]),  # a benign pattern of ours is left to the rules
    ],
)
def test_what_a_published_set_takes_back_is_its_own(marks: str, stand: list[str]) -> None:
    def pattern(name: str, kind: FingerprintKind, origin: str) -> Fingerprint:
        return Fingerprint(name, Where.BODY, kind, name, origin=origin)

    both = compile_fingerprints(
        [
            pattern("ours", FingerprintKind.BLOCKPAGE, ""),
            pattern("sound", FingerprintKind.BENIGN, ""),
            pattern("theirs", FingerprintKind.BLOCKPAGE, "ooni"),
            pattern("harmless", FingerprintKind.BENIGN, "ooni"),
            pattern("others", FingerprintKind.BLOCKPAGE, "citizenlab"),
            pattern("school", FingerprintKind.PORTAL, "ooni"),
        ]
    )
    assert [match.id for match in both.find(page(marks), "PK")] == stand
