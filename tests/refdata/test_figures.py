"""User figures: APNIC's table, the user's own file, and complaints about bad ones."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from fanous.errors import FanousError
from fanous.model.place import Access
from fanous.refdata.update import UpdateOutcome, forget_users, is_figures, update_users
from fanous.refdata.users import APNIC_ERROR, FiguresFile, installed_users, parse_apnic, parse_own, weights
from tests.each import each

ROWS = [
    (45669, "JAZZ-AS-AP Mobilink GSM, PK", "PK", 40_000_000, 50.0),
    (17557, "PKTELECOM-AS-PK Pakistan Telecommunication Company Limited, PK", "PK", 16_000_000, 20.0),
    (17557, "PKTELECOM-AS-PK Pakistan Telecommunication Company Limited, PK", "AE", 3000, 0.03),
    (33771, "SAFARICOM-LIMITED - Safaricom Limited, KE", "KE", 9_000_000, 45.0),
    (37061, "Safaricom - Safaricom Limited, KE", "KE", 5_000_000, 25.0),
    (36926, "CKL1-ASN, KE", "KE", 2_000_000, 10.0),
    (64512, "A handful, KE", "KE", 100, 0.0005),
    (64513, "Nowhere, ZZ", "ZZ", 100, 50.0),
]


def apnic(rows: list[tuple[int, str, str, int, float]] = ROWS, **more: object) -> str:
    """As the address that the module names gives it (public readers of it agree on these names)."""
    data = [
        {
            "rank": n, "AS": asn, "Description": told, "CC": country, "Users": users,
            "Percent of CC Pop": percent, "Percent of Internet": 0.1, "Samples": users // 100,
        }
        for n, (asn, told, country, users, percent) in enumerate(rows, 1)
    ]  # fmt: skip
    head = {"copyright": "(C) APNIC", "description": "AS population", "Date": "22/11/2026", "Window": "60"}
    return json.dumps(head | {"Data": data} | more)


OWN = """
[KE]
year = 2026
source = "the regulator's quarterly report"
error = 0.1
network = [
  { operator = "Safaricom", access = "mobile", users_m = 30, asns = [33771, 37061], evidence = "page 4" },
  { operator = "Airtel", access = "mobile", users_m = 20, asns = [36926], evidence = "page 4" },
]
unlisted_m = { fixed = 2 }
"""


def test_apnics_rows_become_shares_of_each_country(tmp_path: Path) -> None:
    done = update_users(None, tmp_path, fetch=lambda _: apnic().encode())
    assert (done.outcome, done.usable) == (UpdateOutcome.UPDATED, 2)
    known = weights("KE", tmp_path)
    assert known is not None
    assert {w.asn: round(w.share, 3) for w in known.networks} == {33771: 0.45, 37061: 0.25, 36926: 0.1}
    assert len({w.operator for w in known.networks}) == 2
    assert {w.access for w in known.networks} == {Access.ANY}
    assert 0.8 * APNIC_ERROR < known.error <= APNIC_ERROR  # what is not listed has no error of its own
    assert known.source.endswith("(2026-11-22)")
    assert weights("AE", tmp_path) is None  # a few visitors are no country


def test_apnics_descriptions_say_which_networks_are_registered_abroad(tmp_path: Path) -> None:
    """The registries' country ends each description, in public copies of the table."""
    rows = [
        *ROWS,
        (14593, "SPACEX-STARLINK - Space Exploration, US", "KE", 90_000, 0.5),
        (64514, "Odd", "KE", 9, 0.01),
    ]
    update_users(None, tmp_path, fetch=lambda _: apnic(rows).encode())
    known = weights("KE", tmp_path)
    assert known is not None and known.abroad == (14593,)
    shipped = weights("PK", tmp_path)
    assert shipped is not None and shipped.abroad == ()
    own = tmp_path / "mine.toml"
    own.write_text(OWN + "abroad = [30844]\n")
    assert update_users(own, tmp_path).outcome is UpdateOutcome.UPDATED
    mine = weights("KE", tmp_path)
    assert mine is not None and mine.abroad == (
        14593,
        30844,
    )  # the estimates still say where networks are registered


def test_what_ships_counts_before_apnic_and_ones_own_before_both(tmp_path: Path) -> None:
    update_users(None, tmp_path, fetch=lambda _: apnic().encode())
    shipped = weights("PK")
    assert weights("PK", tmp_path) == shipped
    own = tmp_path / "mine.toml"
    own.write_text(OWN.replace("[KE]", "[PK]"))
    assert is_figures(own)
    assert update_users(own, tmp_path).outcome is UpdateOutcome.UPDATED
    assert update_users(own, tmp_path).outcome is UpdateOutcome.UNCHANGED
    mine = weights("PK", tmp_path)
    assert mine is not None and mine != shipped
    assert mine.networks[0].access is Access.MOBILE
    assert sum(w.share for w in mine.networks) == pytest.approx(50 / 52)
    kinds = [one.kind for one in installed_users(tmp_path)]
    assert list(dict.fromkeys(kinds)) == ["own", "shipped", "apnic"]
    assert forget_users("PK", tmp_path) and not forget_users("PK", tmp_path)
    assert weights("PK", tmp_path) == shipped


@each(
    ("change", "why"),
    [
        (lambda text: text.replace("[KE]", "[KENYA]"), "not a country code"),
        (lambda text: text.replace("users_m = 30", 'users_m = "many"'), "Expected `float`"),
        (lambda text: text.replace("users_m = 30", "users_m = -1"), ">= 0"),
        (lambda text: text.replace("[36926]", "[33771]"), "AS33771 is listed twice"),
        (lambda text: text.replace("asns", "asn"), "asn"),
        (lambda text: text.replace("m = 30", "m = 0").replace("m = 20,", "m = 0,"), "no network in"),
        (lambda _: "", "no country in it"),
        (lambda text: text.replace("]", ""), "cannot be read as TOML"),
        (lambda text: text.replace("m = 30", "m = inf"), "<= 10000"),
        (lambda text: text.replace("fixed = 2", "fixed = 1e300"), "<= 10000"),
        (lambda text: text.replace("37061", "37061, " * 60_000), "AS37061 is listed twice"),
    ],
)
def test_figures_that_make_no_sense_are_refused_in_words(change: Callable[[str], str], why: str) -> None:
    with pytest.raises(FanousError, match=why):
        parse_own(change(OWN), "mine.toml")


@each(
    "text",
    [
        *("{}", apnic(Date="yesterday"), apnic([]), apnic(Data=[{"AS": "many"}]), "<html>", apnic(Data=None)),
        '{"a":' * 100_000,
        apnic([(2, "N, KE", "KE", 10**300, 50.0), (3, "N, KE", "KE", 5, 1e300)]),
        apnic([(1, "N, KE", "KE", 123, 50.0)]).replace("123", '"inf"'),
    ],
)
def test_another_form_of_apnics_table_is_refused(text: str) -> None:
    with pytest.raises(FanousError, match=r"is not APNIC's table|no network with users"):
        parse_apnic(text, "apnic.json")


def test_a_table_that_has_shrunk_keeps_the_installed_one(tmp_path: Path) -> None:
    many = [(n, f"N{n} Name {n}, X", c, 100, 60.0) for n, c in enumerate(("KE", "UG", "TZ", "RW"), 1)]
    update_users(None, tmp_path, fetch=lambda _: apnic(many).encode())
    done = update_users(None, tmp_path, fetch=lambda _: apnic(many[:1]).encode())
    assert done.outcome is UpdateOutcome.FAILED and "and is kept" in done.why
    assert weights("RW", tmp_path) is not None


def test_installed_figures_that_were_broken_by_hand_are_named(tmp_path: Path) -> None:
    update_users(None, tmp_path, fetch=lambda _: apnic().encode())
    for content in (b"{}", b'{"source": "\xff"}'):
        (tmp_path / "users" / "apnic" / "KE.json").write_bytes(content)
        with pytest.raises(FanousError, match=r"KE\.json cannot be read"):
            weights("KE", tmp_path)


def test_what_is_told_names_its_kind() -> None:
    assert isinstance(parse_own(OWN, "a"), FiguresFile)
    assert (parse_own(OWN, "a").kind, parse_apnic(apnic(), "b").kind) == ("own", "apnic")
