"""Which orders a probe follows: a wrong clock, a replay and a stolen key neither silence nor command it for good."""

import json
import string
import time
from base64 import b64decode, b64encode
from collections.abc import Sequence
from itertools import permutations
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec.structs import replace

from fanous.cli.orders import heeded
from fanous.collector.door import Policy
from fanous.errors import FanousError
from fanous.probe.endpoint import to_try
from fanous.probe.orders import (
    CONTEXT,
    REMEMBERED,
    Draft,
    Orders,
    Remembered,
    Signed,
    SignedOrders,
    accepted,
    digest,
    in_force,
    new_key,
    opened,
    present_key,
    private_key,
    public_key,
    read_envelope,
    revoke,
    sign,
    with_revocation,
)
from fanous.probe.run import ProbeOptions
from fanous.probe.settings import Settings
from fanous.probe.trace import Trace
from tests.collector.threads import door
from tests.commands import fanous
from tests.each import each
from tests.hostile import HOSTILE, planted

NOW = 1_790_000_000.0
DAY = 86_400.0
URLS = ("https://x.example/",)


class Key:
    """A key pair in a separate folder."""

    def __init__(self, path: Path) -> None:
        self.path, self.text = path, new_key(path)
        self.private, self.public = private_key(path), public_key(self.text)

    def go(self, at: float = NOW, days: float = 30.0, lifts: Sequence[SignedOrders] = ()) -> SignedOrders:
        return read_envelope(sign(Draft("", URLS, (), days), self.private, at, lifts))

    def stop(self, at: float = NOW, days: float = 30.0, why: str = "danger") -> SignedOrders:
        return read_envelope(sign(Draft(why, (), (), days), self.private, at))


@pytest.fixture
def key(tmp_path: Path) -> Key:
    return Key(tmp_path / "key.pem")


def after(
    key: Key, *envelopes: SignedOrders, now: float = NOW, known: Remembered | None = None
) -> Remembered:
    """What is remembered once these came one after another; those that are refused change nothing."""
    known = known or Remembered()
    for envelope in envelopes:
        try:
            known = accepted(known, envelope, key.public, now)
        except FanousError:
            continue
    return known


def stopped(key: Key, known: Remembered, now: float = NOW) -> bool:
    held = in_force(known, key.public, now)
    return held is not None and bool(held.stop)


# --- clocks -----------------------------------------------------------------------------------------


def test_orders_signed_with_a_clock_ahead_are_refused_and_lock_nothing_out(key: Key) -> None:
    with pytest.raises(FanousError, match="more than a day ahead of this machine's clock"):
        accepted(Remembered(), key.go(NOW + 40 * DAY), key.public, NOW)
    known = after(key, key.go(NOW + 40 * DAY), key.go(NOW - 60))
    assert known.orders == key.go(NOW - 60).orders
    assert after(key, key.go(NOW + 0.9 * DAY)).orders, "a wrong time zone is forgiven"


def test_orders_from_ahead_that_an_earlier_version_accepted_lock_nothing_out_any_more(key: Key) -> None:
    ahead = key.go(NOW + 400 * DAY)
    known = Remembered(ahead.orders, ahead.signature)
    assert after(key, key.go(NOW - 60), known=known).orders == key.go(NOW - 60).orders


def test_a_clock_that_is_known_to_be_wrong_refuses_nothing_for_being_ahead(key: Key) -> None:
    assert after(key, key.go(NOW), now=3600.0).orders


@each("field", ["issued", "expires"])
@each("stop", ["", "for now"])
@each("moment", [-1, -(2**62), 2**62, 10**400, 253_402_300_800])
def test_orders_of_no_time_that_has_a_date_are_refused_signed_or_not(
    field: str, stop: str, moment: int
) -> None:
    given = {"issued": int(NOW), "expires": int(NOW + DAY), "stop": stop} | {field: moment}
    text, private = json.dumps(given), Ed25519PrivateKey.from_private_bytes(bytes(32))
    signature = b64encode(private.sign(CONTEXT + text.encode())).decode()
    for envelope, key in ((SignedOrders(text, signature), private.public_key()), (SignedOrders(text), None)):
        with pytest.raises(FanousError, match="cannot read the orders"):
            opened(envelope, key, NOW)


def test_a_stop_is_followed_whatever_its_age_or_its_clock(key: Key) -> None:
    for at in (NOW + 400 * DAY, NOW - 20 * DAY):
        assert stopped(key, after(key, key.go(NOW - 10), key.stop(at)))
        assert stopped(key, after(key, key.go(NOW + 0.5 * DAY), key.stop(at)))
    assert not stopped(key, after(key, key.stop(NOW - 40 * DAY))), "it has expired"


def test_a_clock_that_goes_back_or_ahead_ends_no_stop_before_its_time(key: Key) -> None:
    known = after(key, key.go(NOW - 100), key.stop(NOW - 50, days=30.0))
    for clock in (3600.0, NOW - 400 * DAY, NOW, NOW + 29 * DAY):
        assert stopped(key, after(key, key.go(NOW - 20), known=known, now=clock), clock), clock
    assert not stopped(key, known, NOW + 31 * DAY), "it expires by the probe's own clock"


def test_a_clock_that_goes_back_lets_older_orders_in_until_they_expire(key: Key) -> None:
    """docs/threats.md says so: otherwise orders that were signed or accepted with a clock ahead would lock it out."""
    older, newer = key.go(NOW - 20 * DAY), key.go(NOW)
    known = after(key, newer)
    assert after(key, older, known=known).orders == newer.orders
    assert after(key, older, known=known, now=NOW - 10 * DAY).orders == older.orders
    assert after(key, older, newer, known=known, now=NOW - 10 * DAY).orders == older.orders, "newer is ahead"
    assert after(key, older, newer, known=known).orders == newer.orders


# --- stops and lifts ----------------------------------------------------------------------------------


def test_newer_orders_do_not_end_a_stop_unless_they_lift_it_by_name(key: Key) -> None:
    stop = key.stop(NOW - 100)
    assert stopped(key, after(key, stop, key.go(NOW - 50)))
    lifted = after(key, stop, key.go(NOW - 50, lifts=[stop]))
    assert not stopped(key, lifted)
    assert not stopped(key, after(key, stop, known=lifted)), "the same stop handed out again is a replay"
    assert stopped(key, after(key, key.stop(NOW - 40, why="another"), known=lifted))


def test_a_stop_wins_in_any_order_of_arrival(key: Key) -> None:
    """Ahead of, between and after orders to go on, with an older date, handed out again, and while locked out."""
    go, stop, ahead = key.go(NOW - 30), key.stop(NOW - 10 * DAY), key.go(NOW + 400 * DAY)
    locked_out = Remembered(ahead.orders, ahead.signature)  # as versions before this one could be
    for arrival in permutations((go, key.go(NOW - 20), stop, stop, ahead)):
        for known in (Remembered(), locked_out):
            assert stopped(key, after(key, *arrival, known=known)), [one.orders for one in arrival]


def test_a_lift_ends_only_the_stop_that_it_names(key: Key) -> None:
    first, second = key.stop(NOW - 100, why="one"), key.stop(NOW - 90, why="two")
    assert stopped(key, after(key, first, second, key.go(NOW - 50, lifts=[first])))
    assert not stopped(key, after(key, first, second, key.go(NOW - 50, lifts=[first, second])))


def test_a_stop_that_an_earlier_version_kept_is_in_force(key: Key) -> None:
    stop = key.stop(NOW - 100)
    known = Remembered(stop.orders, stop.signature)
    assert stopped(key, known)
    assert stopped(key, after(key, key.go(NOW - 50), known=known))


def test_a_collector_cannot_fill_the_probes_memory(key: Key) -> None:
    known = after(key, *(key.stop(NOW - n, why=str(n)) for n in range(REMEMBERED + 9)))
    assert len(known.stops) == REMEMBERED
    many = SignedOrders("{}")
    lifts = [SignedOrders(f"{n}") for n in range(REMEMBERED + 9)]
    assert len(after(key, key.go(NOW - 1, lifts=[many, *lifts])).lifted) == REMEMBERED


def spelt(text: str) -> list[str]:
    """All ways in which base64 that ends in ``==`` can be written."""
    digits = string.ascii_uppercase + string.ascii_lowercase + string.digits + "+/"
    assert text.endswith("==")
    return [
        one
        for digit in digits
        if b64decode(one := f"{text[:-3]}{digit}==", validate=True) == b64decode(text) and one != text
    ]


def test_a_signature_written_in_other_ways_pushes_no_stop_and_no_revocation_out(
    key: Key, tmp_path: Path
) -> None:
    """A collector needs no key to hand out one stop in sixteen spellings of its signature."""
    lasting, root = key.stop(NOW, 30.0, "a longer one"), Key(tmp_path / "root.pem")
    stops = [key.stop(NOW + number, 1.0) for number in range(1, 6)]
    again = [replace(stop, signature=other) for stop in stops for other in spelt(stop.signature)]
    known = after(key, lasting, *stops, *again)
    assert len(known.stops) == 6
    assert stopped(key, known, NOW + 20 * DAY), "the one that lasts longest was pushed out"
    said = revoke([key.text], "", root.private, NOW)
    for text in (said.signature, *spelt(said.signature)):
        known = with_revocation(known, replace(lasting, revocation=Signed(said.text, text)), root.public)
    assert known.revocations == (said,)


def test_a_key_has_one_spelling(key: Key) -> None:
    """A revocation names it as text."""
    other = key.text[:-2] + chr(ord(key.text[-2]) + 1) + "="
    assert b64decode(other.partition(":")[2]) == b64decode(key.text.partition(":")[2])
    with pytest.raises(FanousError, match="is not a public key"):
        public_key(other)


def test_replayed_orders_to_measure_are_refused(key: Key) -> None:
    assert after(key, key.go(NOW - 10), key.go(NOW - 20)).orders == key.go(NOW - 10).orders


def test_the_same_orders_are_accepted_before_each_round(key: Key) -> None:
    known = after(key, key.go())
    assert accepted(known, key.go(), key.public, NOW + 3600) == known


# --- revocation ---------------------------------------------------------------------------------------


def test_the_root_key_ends_a_stolen_key_and_names_the_next(key: Key, tmp_path: Path) -> None:
    root, new = Key(tmp_path / "root.pem"), Key(tmp_path / "new.pem")
    said = revoke([key.text], new.text, root.private, NOW)
    envelope = SignedOrders(key.go().orders, revocation=said)
    known = with_revocation(Remembered(), envelope, root.public)
    assert present_key(key.text, root.public, known) == new.text
    assert present_key(key.text, None, known) == key.text, "without a root key nothing is revoked"
    last = revoke([new.text], "", root.private, NOW + 1)
    known = with_revocation(known, SignedOrders("", revocation=last), root.public)
    with pytest.raises(FanousError, match="revoked its key"):
        present_key(key.text, root.public, known)


def test_only_the_root_key_revokes(key: Key, tmp_path: Path) -> None:
    root, thief = Key(tmp_path / "root.pem"), Key(tmp_path / "thief.pem")
    by_thief = revoke([key.text], thief.text, thief.private, NOW)
    as_orders = read_envelope(sign(Draft("", URLS, (), 1.0), root.private, NOW))
    for said in (by_thief, Signed("{}", "no base64"), Signed(as_orders.orders, as_orders.signature)):
        with pytest.raises(FanousError, match="not signed with the root key"):
            with_revocation(Remembered(), SignedOrders("", revocation=said), root.public)
    with pytest.raises(FanousError, match="not among them"):
        revoke([key.text], key.text, root.private, NOW)


OWN = ProbeOptions(("https://own.example/",), (), by_default=True)


def heed(folder: Path, url: str, key: Key, root: Key | None = None) -> ProbeOptions:
    return heeded(folder, [url], key.text, OWN, "PK", 17557, None, root.text if root else None)


def test_over_a_real_collector_a_revoked_key_can_neither_command_nor_stop(
    key: Key, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root, new = Key(tmp_path / "root.pem"), Key(tmp_path / "new.pem")
    now = time.time()
    said = revoke([key.text], new.text, root.private, now)
    signed = sign(Draft("", ("https://new.example/",), (), 1.0), new.private, now - 5, (), said)
    with door(tmp_path / "inbox", Policy(orders=read_envelope(signed))) as client:
        assert heed(tmp_path, str(client.base_url), key, root).urls == ("https://new.example/",)
    with door(tmp_path / "inbox2", Policy(orders=key.stop(now - 3))) as client:
        assert heed(tmp_path, str(client.base_url), key, root).urls == ("https://new.example/",)
    assert "signed with another key" in capsys.readouterr().err
    with pytest.raises(FanousError, match="must be another key"):
        heed(tmp_path, "http://127.0.0.1:9", key, key)


def test_over_a_real_collector_a_stop_outlasts_orders_to_go_on(key: Key, tmp_path: Path) -> None:
    now = time.time()
    stop = key.stop(now - 10, why=HOSTILE)
    for n, envelope in enumerate((stop, key.go(now - 5))):
        with door(tmp_path / f"inbox{n}", Policy(orders=envelope)) as client:
            with pytest.raises(FanousError, match="told its probes to stop") as why:
                heed(tmp_path, str(client.base_url), key)
            assert planted(str(why.value)) == []
    with door(tmp_path / "inbox3", Policy(orders=key.go(now - 4, lifts=[stop]))) as client:
        assert heed(tmp_path, str(client.base_url), key).urls == URLS


def test_the_commands_lift_and_revoke(key: Key, tmp_path: Path) -> None:
    new = Key(tmp_path / "new.pem")
    (tmp_path / "o.toml").write_text("days = 1\n")
    (tmp_path / "stop.json").write_bytes(msgspec.json.encode(key.stop()))
    revoked = ("orders", "revoke", key.text, "--root", key.path, "--successor", new.text)
    fanous(*revoked, "--out", tmp_path / "r.json")
    words = ("orders", "sign", tmp_path / "o.toml", "--key", new.path, "--out", tmp_path / "orders.json")
    fanous(*words, "--lifts", tmp_path / "stop.json", "--revocation", tmp_path / "r.json")
    made = read_envelope((tmp_path / "orders.json").read_bytes())
    assert digest(key.stop()) in made.orders
    assert made.revocation is not None


# --- what orders name ---------------------------------------------------------------------------------

INSIDE = (
    *("http://2130706433/", "http://0x7f.1/", "http://0x7f000001/", "http://0177.0.0.1/", "http://127.1/"),
    *("http://127.0.0.1./", "http://[::ffff:127.0.0.1]/", "http://[::127.0.0.1]/", "http://[::1]/"),
    *(
        "http://[fe80::1%25eth0]/",
        "http://[fec0::1]/",
        "http://[64:ff9b::a9fe:a9fe]/",
        "http://[2002:7f00:1::]/",
    ),
    *("http://10.0.0.1/", "http://192.168.1.1:8080/", "http://100.64.0.1/", "http://169.254.169.254/latest"),
    *("http://[fd00:ec2::254]/", "http://168.63.129.16/", "http://100.100.100.200/", "http://192.0.0.192/"),
    *("http://192.0.0.9/", "http://[2001:1::1]/"),
    *("http://0/", "http://0.0.0.0/", "http://224.0.0.1/", "http://a@127.0.0.1/", "http://127.0.0.1:0/"),
    *(
        "http://１２７.０.０.１/",
        "http://127。0。0。1/",
        "http://localhost/",
        "http://router/",
        "http://a.localhost/",
    ),
    *(
        "http://printer.local/",
        "http://printer.ｌｏｃａｌ/",
        "http://metadata.google.internal/",
        "http://nas.home.arpa/",
        "http:///x",
        "http://./",
    ),
    *(
        "http://017700000001/",
        "http://127.0.0.1%2f.x.example/",
        "http://127.0。0。1/",
        "http://nas.lo\u00adcal/",
    ),
    *(
        "http://nas。local/",
        "http://a.nas。local/",
        "http://①②⑦.0.0.1/",
        "http://localhost./",
        "http://a.ⓛocal/",
    ),
    *("http://x.example:22/", "https://x.example:6/", "http://1.1.1.1:25/", "http://x.example:1023/"),
    *("http://exa\nmple.org/", "http://x.example /", "http://x.exa\u200bmple/\u202e", "http://x..example/"),
    *(
        "http://user@x.example/",
        "http://u:p@x.example/",
        "http://x.example\\@127.0.0.1/",
        "http://127.0.0.1\\.x.example/",
    ),
    *("file:///etc/passwd", "gopher://x.example/", "javascript:alert(1)", "//x.example/", "http://[::1/"),
)


@each("url", INSIDE)
def test_orders_never_name_an_address_inside(url: str, key: Key) -> None:
    """Neither where they are made nor, made by someone else's program, where they are followed."""
    with pytest.raises(FanousError, match="not a public site"):
        sign(Draft("", (url,), (), 30.0), key.private, NOW)
    text = msgspec.json.encode(Orders(int(NOW), int(NOW + DAY), urls=(url,))).decode()
    made = SignedOrders(text, b64encode(key.private.sign(CONTEXT + text.encode())).decode())
    with pytest.raises(FanousError, match="not a public site"):
        accepted(Remembered(), made, key.public, NOW)


@pytest.mark.parametrize(
    "url",
    [
        "https://x.example/",
        "http://1.1.1.1/",
        "https://[2606:4700::1111]/",
        "https://4chan.org/",
        "http://xn--p1ai.xn--p1ai./",
        "http://پاکستان.example/",
        "http://x.example:8080/",
    ],
)
def test_public_sites_may_be_named(url: str, key: Key) -> None:
    assert sign(Draft("", (url,), (), 30.0), key.private, NOW)


def test_a_name_that_resolves_to_an_address_inside_is_not_connected_to() -> None:
    inside = ["127.0.0.1", "169.254.169.254", "168.63.129.16", "::127.0.0.1", "fec0::1", "::ffff:10.0.0.1"]
    trace = Trace(network=None, started=1.0)  # type: ignore[arg-type]
    assert to_try(trace, Settings(), "x.example", [*inside, "1.1.1.1"], ipv6=True) == ["1.1.1.1"]
    assert [one["ip"] for one in trace.not_tried] == inside
