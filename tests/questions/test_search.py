"""Searching: what a query names, in any of the languages, and what fits it."""

from datetime import date

from fanous.model.incident import Kind
from fanous.questions.search import Sought, asn_named, fitting, networks_like, taken_apart
from fanous.store.coverage import KnownNetwork
from fanous.wording.language import ENGLISH, LANGUAGES
from fanous.wording.names import country_named, folded, target_named
from tests.charts.events import incident
from tests.each import each

YEAR = (date(2023, 1, 1), date(2023, 12, 31))


@each(
    ("text", "sought"),
    [
        ("telegram kenya 2023", Sought(("KE",), ("telegram",), days=YEAR)),
        ("Telegram in Kenya in 2023", Sought(("KE",), ("telegram",), days=YEAR)),
        ("south sudan", Sought(("SS",))),
        ("UK", Sought(("GB",))),
        ("pk", Sought(("PK",))),
        ("it is in IT", Sought(("IT",), words=("it",))),
        ("Côte d’Ivoire", Sought(("CI",))),
        ("cote d'ivoire", Sought(("CI",))),
        ("ivory coast", Sought(("CI",))),
        ("پاکستان", Sought(("PK",))),
        ("ایران", Sought(("IR",))),
        ("إيران", Sought(("IR",))),
        ("Éthiopie", Sought(("ET",))),
        ("twitter", Sought(targets=("x",))),
        ("X (Twitter)", Sought(targets=("x",))),
        ("www.dawn.com.pk", Sought(targets=("dawn.com.pk",))),
        ("AS17557", Sought(asns=(17557,))),
        ("17557", Sought(asns=(17557,))),
        ("december 2023", Sought(days=(date(2023, 12, 1), date(2023, 12, 31)))),
        ("decembre 2023", Sought(days=(date(2023, 12, 1), date(2023, 12, 31)))),
        ("2023-12-17", Sought(days=(date(2023, 12, 17), date(2023, 12, 17)))),
        ("17 december 2023", Sought(days=(date(2023, 12, 17), date(2023, 12, 17)))),
        ("dec 17th to 18th 2023", Sought(days=(date(2023, 12, 17), date(2023, 12, 18)))),
        ("channel 17", Sought(words=("channel", "17"))),
        ("2023-13-17", Sought(words=("2023", "13", "17"))),
        ("throttling 2023", Sought(kinds=(Kind.THROTTLING,), days=YEAR)),
        ("pk-2023-0042", Sought(label="PK-2023-0042")),
        ("PK-watch-1", Sought(label="PK-watch-1")),
        ("safaricom kenya", Sought(("KE",), words=("safaricom",))),
        ("congo", Sought(("CD", "CG"))),
        ("dr congo", Sought(("CD",))),
        ("Congo - Kinshasa", Sought(("CD",))),
        ("birmania", Sought(("MM",))),
        ("هونغ كونغ", Sought(("HK",))),
        ("the of", Sought()),
        ("", Sought()),
        ("\x00\u202e", Sought()),
    ],
)
def test_a_query_is_taken_apart(text: str, sought: Sought) -> None:
    assert taken_apart(text) == sought


def test_every_country_is_found_by_its_name_in_every_language() -> None:
    from fanous.refdata.countries import country_codes, country_name

    lost = [
        (language, code)
        for language in LANGUAGES
        for code in country_codes()
        if country_named(country_name(code, language)) != code
    ]
    assert lost == []


def test_arabic_persian_and_urdu_letters_are_one() -> None:
    assert folded("كينيا") == folded("کینیا")
    assert country_named("كينيا") == country_named("کینیا") == "KE"


ONE = incident(id="PK-2023-0042")
OTHER = incident(id="PK-2024-0001", targets=("youtube",), onset=ONE.onset + 40 * 86_400)


@each(
    ("text", "found"),
    [
        ("pakistan", ["PK-2024-0001", "PK-2023-0042"]),
        ("twitter pakistan", ["PK-2023-0042"]),
        ("youtube 2024", ["PK-2024-0001"]),
        ("pakistan 2022", []),
        ("zong", ["PK-2024-0001", "PK-2023-0042"]),
        ("blocked twitter", ["PK-2023-0042"]),
        ("throttling", []),
        ("AS59257 twitter", ["PK-2023-0042"]),
        ("kenya", []),
        ("PK-2023-0042", ["PK-2023-0042"]),
        ("nonsense pakistan", []),
    ],
)
def test_incidents_fit_all_that_is_sought(text: str, found: list[str]) -> None:
    ended = OTHER.onset + 3600
    from dataclasses import replace

    known = [ONE, replace(OTHER, end=ended)]
    assert [one.id for one in fitting(known, taken_apart(text), ENGLISH)] == found


KNOWN = [
    KnownNetwork("KE", 33771, "Safaricom Limited", 700, 0.0),
    KnownNetwork("KE", 37061, "Safaricom Limited", 250, 0.0),
    KnownNetwork("PK", 17557, "Pakistan Telecommunication", 90, 0.0),
]


def test_networks_are_found_by_number_and_by_any_of_their_names() -> None:
    assert [one.asn for one in networks_like(KNOWN, taken_apart("safaricom"))] == [33771, 37061]
    assert [one.asn for one in networks_like(KNOWN, taken_apart("ptcl"))] == [17557]
    assert [one.asn for one in networks_like(KNOWN, taken_apart("telecommunication"))] == [17557]
    assert [one.asn for one in networks_like(KNOWN, taken_apart("AS37061"))] == [37061]
    assert networks_like(KNOWN, taken_apart("safaricom pakistan")) == []
    assert [one.asn for one in networks_like(KNOWN, taken_apart("pakistan telecommunication"))] == [17557]
    telkom = KnownNetwork("KE", 12455, "", 5, 0.0)
    assert networks_like([telkom], taken_apart("orange kenya"))[0].name == "Telkom Kenya", "a former name"


def test_a_name_in_a_field_becomes_its_code() -> None:
    assert asn_named("as 17557", KNOWN) == "17557"
    assert asn_named("safaricom", KNOWN, ("KE",)) == "33771"
    assert asn_named("4294967296", KNOWN) == asn_named("nothing", KNOWN) == asn_named("", KNOWN) == ""
    assert target_named("X (Twitter)") == target_named("pbs.twimg.com") == "x"
    assert {*map(target_named, ("Twitter", "Twitter/X", "https://twitter.com/home?lang=en"))} == {"x"}
    assert target_named("two words") == target_named("<b>") == target_named("Meta") == ""
    assert country_named("Atlantis") == ""
