"""Mistakes in a configuration are reported with file, table and key, and the nearest valid word.

Every table and every key is listed here: a new one that is not listed fails the first two tests.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import get_origin

import pytest
from msgspec.structs import fields

from fanous.config import TABLES
from fanous.errors import FanousError
from fanous.monitor.settings import read
from fanous.probe.settings import Settings
from fanous.store.location import store_place
from tests.each import each
from tests.publish.alerts.outbox import SECRET

Wrong = tuple[str, str]
"""A value in TOML, and what the complaint says in addition to file, table and key."""

FLAG: list[Wrong] = [("1", "true or false is needed")]
TEXT: list[Wrong] = [("5", "a string is needed")]
SITE: list[Wrong] = [
    *TEXT,
    ('"htps://a.example"', "did you mean 'https'?"),
    ('"https://[a"', "an address such as"),
]
COUNTRIES: list[Wrong] = [('"PK"', "a list is needed"), ('["Pakistan"]', "an ISO 3166-1 code such as 'PK'")]
NETWORKS: list[Wrong] = [
    ('["AS1"]', "network numbers (AS17557 is 17557)"),
    ("[0]", "network numbers (AS17557 is 17557)"),
]


def _probe() -> Iterator[tuple[str, list[Wrong]]]:
    for field in fields(Settings):
        if get_origin(field.type) is tuple:
            yield field.name, [('"https://a.example/"', "a list is needed"), ("[1]", "a list of strings")]
        elif field.type in (bool, str):
            yield field.name, FLAG if field.type is bool else TEXT
        else:
            yield field.name, [('"1"', "number"), ("true", "number"), ("-1", "number")]


KEYS: dict[str, dict[str, list[Wrong]]] = {
    "store": {
        "folder": [
            *TEXT,
            ('""', "a string is needed"),
            ('"x"', "it conflicts with `archive`, `facts`, `ledger`"),
        ],
        "archive": [*TEXT, ('"fille:///a"', "did you mean 'file'?"), ('"s3://"', "is not a bucket")],
        "facts": [
            *TEXT,
            ('"clickhose://h/d"', "did you mean 'clickhouse'?"),
            ('"clickhouse://h"', "write clickhouse://user"),
            ('"clickhouse://h:x/d"', "cannot keep"),
        ],
        "ledger": [
            *TEXT,
            ('"postgressql://h/d"', "did you mean 'postgresql'?"),
            ('"mysql://h/d"', "use sqlite"),
        ],
    },
    "review": {"national": FLAG, "public": FLAG},
    "sources.ioda": {
        "enabled": FLAG,
        "countries": COUNTRIES,
        "every": [("true", "a whole number"), ("1.5", "a whole number")],
        "networks": NETWORKS,
        "regions": FLAG,
        "days": [("true", "a whole number"), ("-1", "from 0 to 3650")],
        "token": TEXT,
        "mirror": SITE,
        "lists": [('"social"', "a list is needed")],
        "consent": FLAG,
        "credits": [('"1"', "a whole number from 0"), ("-1", "a whole number from 0")],
    },
    "run": {
        "listen": [*TEXT, ('"8470"', "is not HOST:PORT"), ('"a:99999"', "such as 127.0.0.1:8470")],
        "status": [*TEXT, ('"nonne"', "is not HOST:PORT")],
        "every": [('"1"', "a number from 0.05 to 3600"), ("0", "a number from 0.05 to 3600")],
        "inbox": [*TEXT, ('""', "a string is needed")],
        "queue": [
            *TEXT,
            ('"http://a"', "write nats://"),
            ('"nats://[a"', "write nats://"),
            ('"nats://a?strem=X"', "did you mean 'stream'?"),
        ],
    },
    "web": {
        "url": [*SITE, ('"https://a.example/path"', "site's address without a path")],
        "map": [*TEXT, ('"none.tsv"', "cannot be read")],
        "key": TEXT,
        "admin_token": [*TEXT, ('"FANOUS_NOT_SET"', "is not set")],
        "desk_passphrase": [*TEXT, ('"FANOUS_NOT_SET"', "is not set")],
        "hosts": [('"a.example"', "a list is needed"), ("[5]", "a list of strings")],
        "channels": [
            ('"https://a.example"', "a list is needed"),
            ('["javascript:alert(1)"]', "an address such as"),
        ],
        "trust_proxy": [('"10.0.0.0/8"', "a list is needed"), ('["10.0.0.0/99"]', "such as 10.0.0.0/8")],
        "connections": [('"2"', "a whole number from 16"), ("1", "a whole number from 16")],
        "per_address": [('"2"', "a whole number from 6"), ("1", "a whole number from 6")],
    },
    "clock": {
        "rate": [('"2"', "a number from 1 to 10000"), ("0.5", "a number from 1 to 10000")],
        "since": [("5", "is not a time such as"), ('"then"', "is not a time such as")],
    },
    "rounds": {
        "on": FLAG,
        "urls": [('"x"', "a list is needed"), ('["gopher://x"]', "is not a website URL")],
        "lists": [('"x"', "a list is needed"), ('["sociall"]', "did you mean 'social'?")],
        "every": [('"1"', "a number"), ("60", "too fast"), ("nan", "a number from 0")],
        "organisation": FLAG,
        "country": [
            ("5", "an ISO 3166-1 code"),
            ('"pk"', "did you mean 'PK'?"),
            ('"KP"', "may endanger you"),
            ('"XX"', "an ISO"),
        ],
        "asn": [('"AS1"', "a whole number"), ("-1", "a whole number from 0")],
        "mobile": FLAG,
        "consent": FLAG,
        "health": FLAG,
    },
    "probe": dict(_probe()),
    "collector": {
        "on": FLAG,
        "listen": [*TEXT, ('"8471"', "is not HOST:PORT")],
        "trust_proxy": [('"10.0.0.0/8"', "a list is needed"), ('["10.0.0.0/99"]', "such as 10.0.0.0/8")],
        "networks": [*TEXT, ('"none.tsv"', "file not found")],
        "urls": [*TEXT, ('"none.csv"', "cannot read the test list")],
        "orders": [*TEXT, ('"none.json"', "file not found")],
        "contact": TEXT,
        "helper_url": SITE,
        "per_address": [('"1"', "a number from 0.01"), ("0", "a number from 0.01")],
        "connections": [('"2"', "a whole number from 16"), ("1", "a whole number from 16")],
        "address_mb": [('"2"', "a whole number from 1"), ("0", "a whole number from 1")],
        "network_mb": [('"2"', "a whole number from 1"), ("0", "a whole number from 1")],
        "network_day_mb": [('"2"', "a whole number from 1"), ("0", "a whole number from 1")],
        "helper_never": [
            ('"10.0.0.0/8"', "a list is needed"),
            ('["10.0.0.0/99"]', "is not an address or a network"),
        ],
        "helper_neighbours": FLAG,
        "open_to_all": FLAG,
        "credentials": TEXT,
        "network_day_credentials": [('"2"', "a whole number from 0"), ("-1", "a whole number from 0")],
        "lab": FLAG,
        "ca_file": [*TEXT, ('"none.pem"', "in a lab only")],
    },
    "alerts": {
        "url": SITE,
        "every": [('"1"', "a number from 0.05"), ("0", "a number from 0.05")],
        "channels": [("5", "a table [channels] is needed")],
        "rules": [("5", "a list is needed"), ("[5]", "a list of tables [[alerts.rules]]")],
    },
    "alerts.channels.noc": {
        "apprise": [*TEXT, ('"nosuch://x"', "Apprise cannot read")],
        "webhook": [
            *TEXT,
            ('"http://a.example/"', "an https:// address"),
            ('"htps://a"', "did you mean 'https'?"),
        ],
        "alertmanager": [*TEXT, ('"http://a.example/"', "an https:// address")],
        "apprise_env": [*TEXT, ('"FANOUS_NOT_SET"', "has no FANOUS_NOT_SET")],
        "secret": [*TEXT, ('"short"', "24 random bytes")],
        "secret_env": [*TEXT, ('"FANOUS_NOT_SET"', "has no FANOUS_NOT_SET")],
        "language": [*TEXT, ('"urr"', "did you mean 'ur'?")],
        "quiet": [('"22:00-07:00"', "a list is needed"), ('["night"]', "is not like '22:00-07:00'")],
        "zone": [*TEXT, ('"Asia/Karachii"', "did you mean 'Asia/Karachi'?")],
        "even_when_quiet": [('"opened"', "a list"), ('["confirm"]', "did you mean 'confirmed'?")],
        "per_hour": [('"1"', "a whole number from 1"), ("0", "a whole number from 1")],
        "group_wait": [('"1"', "a number from 0 to 600"), ("601", "a number from 0 to 600")],
        "form": [*TEXT, ('"pots"', "did you mean 'post'?"), ('"sms"', "only apprise")],
        "exercises": [('"yes"', "true or false")],
    },
    "alerts.rules[1]": {
        "channels": [('"noc"', "a list is needed"), ('["nocc"]', "did you mean 'noc'?")],
        "countries": COUNTRIES,
        "networks": NETWORKS,
        "targets": [('"x"', "a list is needed"), ("[1]", "a list of strings")],
        "kinds": [('"outage"', "a list is needed"), ('["blockin"]', "did you mean 'blocking'?")],
        "statuses": [('"ended"', "a list is needed"), ('["endet"]', "did you mean 'ended'?")],
        "confidence": [('"1"', "a number from 0 to 1"), ("99", "a number from 0 to 1")],
        "on": [('"opened"', "a list is needed"), ('["openned"]', "did you mean 'opened'?")],
    },
    "retention": {
        "observations_days": [('"180"', "a number from 150"), ("30", "a number from 150")],
        "archive_days": [('"30"', "a number from 0"), ("-1", "a number from 0")],
        "bucket": [*TEXT, ('"s4://b"', "write s3://bucket/prefix")],
        "references_days": [('"30"', "a number from 0"), ("-1", "a number from 0")],
    },
}
BESIDE: dict[str, dict[str, str]] = {
    "store": {"archive": '"/a"', "facts": '"/f"', "ledger": '"/l"'},
    "clock": {"rate": "2", "since": "2026-01-01"},
    "alerts.channels.noc": {"webhook": '"https://noc.example/"', "secret": f'"{SECRET}"'},
    "alerts.rules[1]": {"channels": '["noc"]'},
    "retention": {"archive_days": "30", "bucket": '"s3://bucket/prefix"'},
}
"""What each table needs besides, so that only one thing is wrong."""

INSTEAD = {"apprise": "webhook", "apprise_env": "webhook", "alertmanager": "webhook", "secret_env": "secret"}
"""The key of ``BESIDE`` that a key takes the place of."""


def document(section: str, key: str, value: str) -> str:
    """A file in which only this key is wrong."""
    tables = {name: dict(BESIDE.get(name, {})) for name in ("alerts.channels.noc", "alerts.rules[1]")}
    if section == "alerts":
        tables = {}
    tables.setdefault(section, dict(BESIDE.get(section, {})))
    tables[section].pop(INSTEAD.get(key, ""), None)
    tables[section][key] = value
    lines = []
    for name, values in sorted(tables.items()):
        lines.append("[[alerts.rules]]" if name == "alerts.rules[1]" else f"[{name}]")
        lines += [f"{one} = {told}" for one, told in values.items()]
    return "\n".join(lines) + "\n"


def complaint(folder: Path, text: str) -> str:
    """What ``fanous run --config`` says, less the name of the file."""
    file = folder / "fanous.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(FanousError) as error:
        place = store_place(None, file)
        read(file, place)
    said = str(error.value)
    assert said.startswith(f"{file}: ")
    assert said.count(str(file)) == 1
    return said.removeprefix(f"{file}: ")


def test_every_table_is_looked_at() -> None:
    assert {section.partition(".")[0] for section in KEYS} == set(TABLES)


@each("section", KEYS)
def test_every_key_of_a_table_is_looked_at_and_told_to_who_writes_one_that_is_none(
    section: str, tmp_path: Path
) -> None:
    said = complaint(tmp_path, document(section, "qqqq", "1"))
    start = f"[{section}] qqqq: unknown key; known keys: "
    assert said.startswith(start)
    assert set(said.removeprefix(start).split(", ")) == set(KEYS[section])


@each(("section", "key"), [(section, key) for section in KEYS for key in KEYS[section]])
def test_a_key_that_is_mistyped_is_told_the_nearest(section: str, key: str, tmp_path: Path) -> None:
    said = complaint(tmp_path, document(section, f"{key}x", "1"))
    assert said == f"[{section}] {key}x: unknown key; did you mean {key!r}?"


@each(
    ("section", "key", "value", "says"),
    [
        (section, key, *wrong)
        for section, keys in KEYS.items()
        for key, many in keys.items()
        for wrong in many
    ],
)
def test_a_wrong_value_is_told_with_its_table_and_key(
    section: str, key: str, value: str, says: str, tmp_path: Path
) -> None:
    said = complaint(tmp_path, document(section, key, value))
    assert said.startswith(f"[{section}] {key}: "), said
    assert says in said


@each("table", TABLES)
def test_a_table_that_is_mistyped_is_told_the_nearest(table: str, tmp_path: Path) -> None:
    assert complaint(tmp_path, f"[{table}x]") == f"unknown table [{table}x]; did you mean [{table}]?"
    assert complaint(tmp_path, f"{table} = 3") == f"`{table}` must be a table: [{table}]"


@each(
    ("text", "says"),
    [
        ("[sources.iod]", "[sources] iod: unknown source; known: ioda, "),
        ("[sources.csv]", "[sources] csv: unknown source"),
        ("[sources]\nioda = 3", "[sources] ioda: a table [ioda] is needed, not 3"),
        (
            '[store]\narchive = "x"',
            "[store] facts: it is missing, although `archive` is given (or give `folder` alone)",
        ),
        ("[retention]\narchive_days = 3", "[retention] archive_days: it needs `bucket`"),
        ('[retention]\nbucket = "s3://b/p"', "[retention] bucket: it needs `archive_days`"),
        ("[clock]\nrate = 600", "[clock] since: it is missing"),
        (
            "[alerts.channels.a]",
            "[alerts.channels.a] apprise: it is missing: give one address, apprise, webhook",
        ),
        (
            '[alerts.channels.a]\napprise_env = "A"\nwebhook = "https://a"',
            "[alerts.channels.a] webhook: give only one address; apprise_env is set already",
        ),
        (
            '[rounds]\nurls = ["gopher://x"]\nlists = ["social"]',
            "[rounds] urls: 'gopher://x' is not a website URL",
        ),
        (
            '[store]\narchive = "/a"\nfacts = "/f"\nledger = "/l"',
            "[run] inbox: it is missing",
        ),
    ],
)
def test_what_does_not_go_together_is_told_with_a_key_that_there_is(
    text: str, says: str, tmp_path: Path
) -> None:
    assert complaint(tmp_path, text).startswith(says)


def test_the_nearest_source_is_reported(tmp_path: Path) -> None:
    assert complaint(tmp_path, "[sources.iod]").endswith("; did you mean 'ioda'?")


@pytest.mark.parametrize(
    ("section", "key", "value"),
    [
        ("store", "facts", '"clickhose://me:hunter2@h/d"'),
        ("store", "ledger", '"mysql://me:hunter2@h/d"'),
        ("run", "queue", '"http://me:hunter2@a"'),
        ("sources.ioda", "mirror", '"ftp://me:hunter2@a"'),
        ("alerts.channels.noc", "webhook", '"http://me:hunter2@a.example/"'),
    ],
)
def test_a_complaint_does_not_repeat_a_password(section: str, key: str, value: str, tmp_path: Path) -> None:
    assert "hunter2" not in complaint(tmp_path, document(section, key, value))
