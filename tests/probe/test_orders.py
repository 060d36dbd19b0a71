"""Orders: signed by the organisation, or refused."""

import base64
import json
import os
import time
from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner

from fanous.cli.main import app
from fanous.cli.orders import heeded
from fanous.collector.door import Policy
from fanous.collector.origin import Origin
from fanous.collector.settings import DoorSettings
from fanous.config import read
from fanous.errors import FanousError
from fanous.monitor.receiver import policy_of
from fanous.probe.orders import (
    Draft,
    SignedOrders,
    new_key,
    opened,
    private_key,
    public_key,
    read_envelope,
    sign,
)
from fanous.probe.run import ProbeOptions
from tests.collector.threads import door
from tests.each import each

NOW = 1_700_000_000.0
DRAFT = Draft("", ("https://x.example/",), ("telegram",), 30.0)
OWN = ProbeOptions(("https://own.example/",), (), by_default=True)


@pytest.fixture
def key(tmp_path: Path) -> tuple[Path, str]:
    """The private half as a file, the public one as text."""
    return tmp_path / "key.pem", new_key(tmp_path / "key.pem")


def signed(key: tuple[Path, str], draft: Draft = DRAFT, at: float = NOW) -> SignedOrders:
    return read_envelope(sign(draft, private_key(key[0]), at))


def test_what_was_signed_is_what_is_read(key: tuple[Path, str]) -> None:
    orders = opened(signed(key), public_key(key[1]), NOW + 1)
    assert (orders.urls, orders.apps, orders.stop) == (DRAFT.urls, DRAFT.apps, "")


def test_what_is_not_the_organisations_is_refused(key: tuple[Path, str], tmp_path: Path) -> None:
    mine, good = public_key(key[1]), signed(key)
    other = tmp_path / "other.pem"
    new_key(other)
    forged = read_envelope(sign(DRAFT, private_key(other), NOW))
    changed = SignedOrders(good.orders.replace("x.example", "y.example"), good.signature)
    for envelope, why in (
        (SignedOrders(good.orders), "not signed"),
        (forged, "signed with another key"),
        (changed, "signed with another key"),
        (SignedOrders(good.orders, "no base64!"), "signed with another key"),
    ):
        with pytest.raises(FanousError, match=why):
            opened(envelope, mine, NOW)


def test_a_signature_for_something_else_does_not_fit(key: tuple[Path, str]) -> None:
    text = signed(key).orders
    bare = base64.b64encode(private_key(key[0]).sign(text.encode())).decode()
    with pytest.raises(FanousError, match="another key"):
        opened(SignedOrders(text, bare), public_key(key[1]), NOW)


def test_orders_end_and_old_ones_are_not_taken_again(key: tuple[Path, str]) -> None:
    good, mine = signed(key), public_key(key[1])
    with pytest.raises(FanousError, match="expired"):
        opened(good, mine, NOW + 31 * 86_400)
    with pytest.raises(FanousError, match="replay"):
        opened(good, mine, NOW, newest=int(NOW) + 1)


def test_without_a_key_only_a_stop_is_taken(key: tuple[Path, str]) -> None:
    orders = opened(signed(key, Draft("danger", DRAFT.urls, (), 30.0)), None, NOW)
    assert (orders.stop, orders.urls) == ("danger", ())


@pytest.mark.parametrize(
    "url", ["https://127.0.0.1/", "http://10.0.0.1/", "http://[::1]/", "ftp://a.example/", "x"]
)
def test_orders_never_lead_a_probe_into_its_own_network(url: str, key: tuple[Path, str]) -> None:
    with pytest.raises(FanousError, match="not a public site"):
        sign(Draft("", (url,), (), 30.0), private_key(key[0]), NOW)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("nonsense = 1", "nonsense: unknown key; known keys: stop, urls, apps, days"),
        ("urls = 1", "urls: a list is needed, not 1"),
        ("urls = [", "cannot be read as TOML"),
        ("days = inf", "days: a number to 36525 is needed"),
    ],
)
def test_a_draft_that_is_wrong_says_where(text: str, why: str, tmp_path: Path) -> None:
    (tmp_path / "o.toml").write_text(text)
    with pytest.raises(FanousError, match=why):
        read(tmp_path / "o.toml", Draft)


def test_the_private_key_is_for_its_owner_alone_and_never_written_over(key: tuple[Path, str]) -> None:
    assert key[0].stat().st_mode & 0o777 == 0o600
    with pytest.raises(FanousError, match="already there"):
        new_key(key[0])


# --- over a real collector ------------------------------------------------------------------------


def heed(folder: Path, url: str, key_text: str | None, wanted: ProbeOptions = OWN) -> ProbeOptions:
    return heeded(folder, [url], key_text, wanted, "PK", 17557, None)


@pytest.fixture
def fresh(key: tuple[Path, str]) -> SignedOrders:
    return signed(key, at=time.time() - 10)


def test_a_probe_measures_what_its_organisation_asks_and_remembers_it(
    key: tuple[Path, str], fresh: SignedOrders, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with door(tmp_path / "inbox", Policy(orders=fresh)) as client:
        url = str(client.base_url)
        asked = heed(tmp_path, url, key[1])
        named = heed(tmp_path, url, key[1], ProbeOptions(("https://mine.example/",)))
    assert (asked.urls, asked.apps) == (DRAFT.urls, DRAFT.apps)
    assert named.urls == ("https://mine.example/",)  # what the user names is the user's choice
    assert heed(tmp_path, "http://127.0.0.1:9", key[1]).urls == DRAFT.urls
    assert "could not ask for orders" in capsys.readouterr().err


def test_the_collector_of_a_monitor_hands_out_orders_and_names_its_contact(
    key: tuple[Path, str], fresh: SignedOrders, tmp_path: Path
) -> None:
    file = tmp_path / "orders.json"
    file.write_bytes(msgspec.json.encode(fresh))
    settings = DoorSettings(orders=file, contact="noc@example.org")
    policy, _ = policy_of(settings, time.time)
    with door(tmp_path / "inbox", policy) as client:
        assert heed(tmp_path, str(client.base_url), key[1]).urls == DRAFT.urls
        assert "noc@example.org" in client.get("/why").text
    file.unlink()
    with pytest.raises(FanousError, match=r"cannot read the orders in .*orders\.json"):
        policy_of(settings, time.time)


def test_unsigned_orders_are_refused_with_a_reason(
    key: tuple[Path, str], fresh: SignedOrders, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with door(tmp_path / "inbox", Policy(orders=SignedOrders(fresh.orders))) as client:
        with pytest.raises(FanousError, match="not signed"):
            heed(tmp_path, str(client.base_url), key[1])
        assert heed(tmp_path, str(client.base_url), None) == OWN
    with door(tmp_path / "inbox2", Policy(orders=fresh)) as client:
        heed(tmp_path, str(client.base_url), key[1])
    with door(tmp_path / "inbox3", Policy(orders=SignedOrders(fresh.orders))) as client:
        assert heed(tmp_path, str(client.base_url), key[1]).urls == DRAFT.urls  # from before
    assert "refused: the orders are not signed" in capsys.readouterr().err
    with door(tmp_path / "inbox4", Policy()) as client, pytest.raises(FanousError, match="has no orders"):
        heed(tmp_path, str(client.base_url), key[1])


@pytest.mark.parametrize("is_known", [True, False])
def test_a_stop_ends_the_probe_and_says_why(is_known: bool, key: tuple[Path, str], tmp_path: Path) -> None:
    stop = signed(key, Draft("the law changed", (), (), 30.0), time.time() - 10)
    with (
        door(tmp_path / "inbox", Policy(orders=stop)) as client,
        pytest.raises(FanousError, match="law changed"),
    ):
        heed(tmp_path, str(client.base_url), key[1] if is_known else None)
    if is_known:  # and it holds while the collector is out of reach
        with pytest.raises(FanousError, match="law changed"):
            heed(tmp_path, "http://127.0.0.1:9", key[1])


@each("kind", ["cut off", "other bytes", "of no permission", "a folder", "a pipe", "without end", "deep"])
def test_a_probe_that_cannot_read_what_it_remembers_measures_nothing_as_a_stop_may_be_in_it(
    kind: str, key: tuple[Path, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, stop = tmp_path / "orders.json", signed(key, Draft("the law changed"), time.time() - 10)
    with (
        door(tmp_path / "inbox", Policy(orders=stop)) as client,
        pytest.raises(FanousError, match="law changed"),
    ):
        heed(tmp_path, str(client.base_url), key[1])
    whole = file.read_bytes()
    contents = {"cut off": whole[:-9], "other bytes": bytes(900), "without end": whole, "deep": b"[" * 99_999}
    if kind in contents:
        file.write_bytes(contents[kind])
    else:
        file.unlink()
        {"a folder": file.mkdir, "a pipe": lambda: os.mkfifo(file)}.get(kind, file.touch)()
    if kind == "of no permission":  # root may read it

        def refused(*_: object) -> bytes:
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr("fanous.base.files.read_regular", refused)
    if kind == "without end":
        monkeypatch.setattr("fanous.probe.orders.MOST_KNOWN", 99)
    go_on = signed(key, at=time.time() - 5)
    with (
        door(tmp_path / "inbox2", Policy(orders=go_on)) as client,
        pytest.raises(FanousError, match=r"orders\.json cannot be read .*nothing was measured.*delete it$"),
    ):
        heed(tmp_path, str(client.base_url), key[1])
    if kind in contents:
        file.unlink()  # as it says
        with door(tmp_path / "inbox3", Policy(orders=go_on)) as client:
            assert heed(tmp_path, str(client.base_url), key[1]).urls == DRAFT.urls


def test_where_the_collector_sees_the_probe_in_danger_nothing_is_measured(tmp_path: Path) -> None:
    class Pyongyang:
        def of(self, address: str) -> Origin:
            return Origin("KP", 131279) if address == "127.0.0.1" else Origin()

    policy = Policy(origins=Pyongyang())
    with door(tmp_path / "inbox", policy) as client, pytest.raises(FanousError, match="may endanger you"):
        heed(tmp_path, str(client.base_url), None)


def test_the_commands_make_what_a_collector_hands_out(tmp_path: Path) -> None:
    (tmp_path / "o.toml").write_text('urls = ["https://x.example/"]\ndays = 1\n')
    run = CliRunner()
    made = run.invoke(app, ["orders", "key", str(tmp_path / "k.pem")])
    out = tmp_path / "orders.json"
    args = ["orders", "sign", str(tmp_path / "o.toml"), "--key", str(tmp_path / "k.pem"), "--out", str(out)]
    assert run.invoke(app, args).exit_code == 0
    orders = opened(read_envelope(out.read_bytes()), public_key(made.stdout.strip()), NOW)
    assert orders.expires - orders.issued == 86_400
    assert json.loads(out.read_bytes()).keys() == {"orders", "signature"}
