"""What the file may say, and how a mistake in it is reported."""

from pathlib import Path
from random import Random

import pytest

from fanous.config import Address
from fanous.errors import FanousError
from fanous.monitor.clock import Clock
from fanous.monitor.monitor import _opened
from fanous.monitor.settings import Configuration, read
from fanous.refdata.targets import target_list
from fanous.store.location import at_urls
from tests.each import each

CLOCK = "[clock]\nrate = 2\nsince = 2026-01-01T00:00:00Z\n"
LAB = CLOCK + "[probe]\nallow_private = true\n[rounds]\nhealth = false"


def configured(folder: Path, text: str) -> Configuration:
    file = folder / "fanous.toml"
    file.write_text(text, encoding="utf-8")
    return read(file, folder / "store")


def test_without_a_file_everything_is_on_and_safe(tmp_path: Path) -> None:
    found = read(None, tmp_path / "store")
    assert found.page == Address("127.0.0.1:8470")
    assert (found.door.on, found.door.listen, found.door.lab) == (True, Address("127.0.0.1:8471"), False)
    assert (found.rounds.on, found.rounds.consented, found.rounds.health) == (True, False, True)
    assert (found.rounds.every, found.rounds.least) == (600.0, 600.0)
    assert found.rounds.urls == tuple(dict.fromkeys(target_list("social").urls))
    assert found.inbox == tmp_path / "store.inbox"
    assert found.clock == Clock()


def test_every_key_is_heeded(tmp_path: Path) -> None:
    for name in ("asn.tsv", "orders.json"):
        (tmp_path / name).write_text("")
    found = configured(
        tmp_path,
        """
        [run]
        listen = "0.0.0.0:80"
        inbox = "in"
        every = 2
        [rounds]
        urls = ["https://a.example/"]
        every = 120
        organisation = true
        country = "PK"
        asn = 17557
        mobile = true
        consent = true
        [probe]
        cap_mb = 40
        ca_file = "ca.pem"
        [collector]
        listen = "[::1]:0"
        trust_proxy = ["10.0.0.0/8"]
        networks = "asn.tsv"
        orders = "orders.json"
        helper_url = "https://helper.example/"
        per_address = 5
        contact = "noc@example.org"
        lab = true
        """,
    )
    assert (found.page, found.every, found.inbox) == (Address("0.0.0.0:80"), 2.0, tmp_path / "in")
    assert (found.rounds.urls, found.rounds.every, found.rounds.least) == (
        ("https://a.example/",),
        120.0,
        60.0,
    )
    here = found.rounds.vantage
    assert (here.country, here.asn, here.network_type, found.rounds.consented) == (
        "PK",
        17557,
        "mobile",
        True,
    )
    assert found.settings.cap_mb == 10, "a mobile line's cap"
    assert found.settings.ca_file == str(tmp_path / "ca.pem")
    door = found.door
    assert (door.listen, door.trust_proxy, door.networks) == (
        Address("[::1]:0"),
        ("10.0.0.0/8",),
        tmp_path / "asn.tsv",
    )
    assert (door.helper_url, door.per_address, door.lab) == ("https://helper.example", 5.0, True)
    assert (door.orders, door.contact) == (tmp_path / "orders.json", "noc@example.org")


def test_parts_can_be_switched_off(tmp_path: Path) -> None:
    text = '[run]\nlisten = "none"\n[rounds]\non = false\n[collector]\non = false'
    found = configured(tmp_path, text)
    assert (found.page, found.rounds.on, found.door.on) == (None, False, False)
    assert not configured(tmp_path, '[collector]\nlisten = "none"').door.on


@each(
    ("text", "says"),
    [
        ("[runn]", "unknown table [runn]; did you mean [run]?"),
        ("[run]\nlissten = 1", "[run] lissten: unknown key; did you mean 'listen'?"),
        ('[run]\nlisten = "8470"', "[run] listen: '8470' is not HOST:PORT, such as 127.0.0.1:8470"),
        ('[run]\nlisten = "a:99999"', "[run] listen: 'a:99999' is not HOST:PORT"),
        ("[run]\nevery = 0", "[run] every: a number from 0.05 to 3600 is needed, not 0"),
        ("[rounds]\nevery = 60", "[rounds] every: a round every 60 s is too fast: at least 600 s here"),
        ("[rounds]\norganisation = true\nevery = 30", "at least 60 s here"),
        ("[rounds]\non = 1", "[rounds] on: true or false is needed, not 1"),
        ('[rounds]\nurls = ["gopher://x"]', "[rounds] urls: 'gopher://x' is not a website URL"),
        ('[rounds]\nlists = ["sociall"]', "[rounds] lists: "),
        (
            '[rounds]\ncountry = "Narnia"',
            "[rounds] country: an ISO 3166-1 code such as 'PK' is needed, not 'Narnia'",
        ),
        ('[rounds]\ncountry = "XX"', "[rounds] country: an ISO 3166-1 code such as 'PK' is needed, not 'XX'"),
        ('[rounds]\ncountry = "KP"', "[rounds] country: measuring from KP is disabled"),
        ("[rounds]\nasn = -1", "[rounds] asn: a whole number from 0 is needed, not -1"),
        ("[probe]\nresolvr = 1", "[probe] resolvr: unknown key; did you mean 'resolver'?"),
        (
            "[run]\ntrust_proxy = []",
            "[run] trust_proxy: unknown key; [collector] and [web] have 'trust_proxy'",
        ),
        (
            "[collector]\nhelper = 1",
            "[collector] helper: unknown key; did you mean 'helper_url'? [probe] has 'helper'",
        ),
        ("[clock]\nrate = 0.5", "[clock] rate: a number from 1 to 10000 is needed, not 0.5"),
        ("[clock]\nrate = 600", "[clock] since: it is missing"),
        ("[clock]\nrate = 600\nsince = 2001-01-01", "[clock] since: that clock has passed the year 2100"),
    ],
)
def test_a_mistake_is_one_sentence_with_file_table_and_key(text: str, says: str, tmp_path: Path) -> None:
    with pytest.raises(FanousError) as wrong:
        configured(tmp_path, text)
    assert says in str(wrong.value)
    assert str(tmp_path / "fanous.toml") in str(wrong.value)


def test_a_lab_with_a_fast_clock_is_accepted(tmp_path: Path) -> None:
    found = configured(tmp_path, LAB + '\nurls = ["http://127.0.0.1:8080/", "http://10.1.2.3/"]')
    assert found.clock == Clock(2.0, 1_767_225_600.0)


@pytest.mark.parametrize(
    ("lacking", "instead"),
    [
        ("", '\nurls = ["https://www.facebook.com/"]'),
        ("", '\nurls = ["http://127.0.0.1/", "http://9.9.9.9/"]'),
        ("", ""),  # the list of social platforms
        ("allow_private = true", '\nurls = ["http://127.0.0.1/"]'),
        ("health = false", '\nurls = ["http://127.0.0.1/"]'),
    ],
)
def test_a_fast_clock_is_never_let_loose_on_the_internet(lacking: str, instead: str, tmp_path: Path) -> None:
    text = LAB.replace(lacking, "") if lacking else LAB
    with pytest.raises(FanousError, match="a faster clock is only for a lab"):
        configured(tmp_path, text + instead)


def test_who_measures_nothing_may_have_a_fast_clock(tmp_path: Path) -> None:
    assert configured(tmp_path, CLOCK + "[rounds]\non = false").clock.rate == 2


def test_a_queue_is_one_that_collectors_fill(tmp_path: Path) -> None:
    found = configured(tmp_path, '[run]\nqueue = "nats://a,b,c?stream=OTHER"')
    assert found.queue is not None
    assert (str(found.queue), configured(tmp_path, "").queue) == ("nats://a:4222,b:4222,c:4222/OTHER", None)
    with pytest.raises(FanousError, match=r"\[run\] queue: .*is not a queue address: write nats://"):
        configured(tmp_path, '[run]\nqueue = "http://a"')


def test_a_store_of_addresses_needs_an_inbox(tmp_path: Path) -> None:
    place = at_urls(str(tmp_path / "archive"), str(tmp_path / "facts"), str(tmp_path / "ledger"))
    with pytest.raises(FanousError, match=r"\[run\] inbox: it is missing"):
        read(None, place)


def test_jitter_never_makes_a_round_come_earlier_than_is_safe(tmp_path: Path) -> None:
    rounds = read(None, tmp_path / "store").rounds
    dice = Random(1)
    waits = [rounds.wait(dice) for _ in range(200)]
    assert 600.0 <= min(waits) < max(waits) <= 720.0


def test_the_monitor_itself_heeds_whether_national_claims_are_held(tmp_path: Path) -> None:
    text = f'[review]\nnational = true\n[store]\nfolder = "{tmp_path}/store"'
    for told, held in ((text, True), ("", True), (text.replace("true", "false"), False)):
        with _opened(configured(tmp_path, told)) as store:
            assert store.ledger.holds_national() is held
