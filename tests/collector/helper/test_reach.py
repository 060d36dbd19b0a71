"""The helper never reaches its own machine, its neighbours, or what its operator lists: by any name or redirect."""

import asyncio
import socket
from typing import Any

import msgspec
import pytest

from fanous.collector.helper import MOST_ADDRESSES, Helper, HelperPolicy, asked_of
from fanous.collector.reach import (
    FRESH,
    HelperReach,
    _of_fib,
    _of_inet6,
    _of_names,
    _of_routes,
    own_addresses,
    reach_of,
)
from fanous.collector.request import Refused
from fanous.errors import FanousError
from tests.collector.helper.test_helper import resolving, site
from tests.each import each

OWN = {"9.9.9.9", "2620:fe::fe", "10.0.0.5"}
LISTED = ("8.8.8.0/24", "2001:4860::/32")


def reach() -> HelperReach:
    made = reach_of(LISTED)
    made.own = lambda: OWN
    return made


@each(
    "address",
    [
        *("9.9.9.9", "9.9.9.1", "2620:fe::fe", "2620:fe::1", "8.8.8.8", "2001:4860:4860::8888"),
        *("::ffff:9.9.9.9", "64:ff9b::909:909", "2002:909:909::1", "", "9.9.9", "dns.quad9.net"),
        *("2606:4700::5efe:909:909", "2606:4700::200:5efe:909:909"),
    ],
)
def test_own_neighbouring_and_listed_addresses_are_refused_in_any_form(address: str) -> None:
    assert reach().is_refused(address)


@pytest.mark.parametrize("address", ["9.9.8.9", "1.1.1.1", "2620:fe:0:1::fe", "8.8.4.4"])
def test_others_are_not(address: str) -> None:
    assert not reach().is_refused(address)


def test_neighbours_may_be_allowed_and_the_machine_itself_never() -> None:
    made = reach_of((), neighbours=True)
    made.own = lambda: OWN
    assert made.is_refused("9.9.9.9") and made.is_refused("2620:fe::fe")
    assert not made.is_refused("9.9.9.1") and not made.is_refused("2620:fe::1")


def test_what_is_listed_must_be_a_network() -> None:
    with pytest.raises(FanousError, match=r'"9\.9\.9" is not an address or a network'):
        reach_of(["9.9.9"])


def test_a_new_address_of_an_interface_is_known_within_a_minute() -> None:
    now, own = [0.0], {"9.9.9.9"}
    made = HelperReach(own=lambda: own, clock=lambda: now[0])
    assert not made.is_refused("1.1.1.1")
    own.add("1.1.1.1")
    now[0] = FRESH
    assert made.is_refused("1.1.1.1")


def test_the_kernel_lists_the_addresses_of_all_interfaces() -> None:
    assert "127.0.0.1" in own_addresses()
    assert _of_routes() <= own_addresses()
    assert all(isinstance(one, str) for one in _of_names())


def test_the_kernels_tables_are_read() -> None:
    trie = "Main:\n  +-- 0.0.0.0/0 3 0 5\n     |-- 192.0.2.0\n        /24 link UNICAST\n     |-- 192.0.2.2\n"
    assert _of_fib(trie + "        /32 host LOCAL\n") == {"192.0.2.2"}
    inet6 = "fd000000000000000000000000000002 04 40 00 82     eth0\n"
    assert _of_inet6(inet6) == {"fd00::2"}


def ask(url: str, policy: HelperPolicy, **asked: Any) -> dict[str, Any]:
    question = msgspec.json.encode({"http_request": url, **asked})
    return dict(msgspec.to_builtins(asyncio.run(Helper(policy).answer(asked_of(question), ""))))


NAMES = {"own": ["9.9.9.9"], "near": ["9.9.9.1"], "listed": ["1.1.1.1", "8.8.8.8"], "six": ["2620:fe::1"]}


@each("host", ["9.9.9.9", "9.9.9.1", "[2620:fe::fe]", "8.8.8.8", *(f"{n}.example" for n in NAMES)])
def test_a_question_about_them_is_refused(host: str) -> None:
    policy = HelperPolicy(resolve=resolving(**NAMES), reach=reach())
    with pytest.raises(Refused, match="does not connect to"):
        ask(f"http://{host}/", policy)


@each(
    "host",
    [
        *(
            "2130706433",
            "0x7f.1",
            "017700000001",
            "127.1",
            "[::ffff:127.0.0.1]",
            "localhost",
            "localhost.",
            "nas.local",
        ),
        *("127.0。0。1", "①②⑦.0.0.1", "nas.lo\u00adcal", "127.0.0.1%2f.x.example", "router"),
    ],
)
def test_a_question_about_an_address_inside_is_refused_in_any_form(host: str) -> None:
    with pytest.raises(Refused, match="not on the public internet"):
        ask(f"http://{host}/", HelperPolicy(resolve=resolving(), reach=reach()))


@each("address", ["127.0.0.1", "168.63.129.16", "192.0.0.9", "2606:4700::5efe:7f00:1"])
def test_a_public_name_for_an_address_inside_is_not_connected_to(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second is the one at which Azure answers its machines, and no range of private addresses has it."""
    tried = connected_to(monkeypatch)

    async def nip(_name: str) -> list[str]:
        return [address]

    got = ask("http://127.0.0.1.nip.example/", HelperPolicy(resolve=nip, reach=reach()))
    assert (tried, got["http_request"]["failure"]) == ([], "dns_lookup_error")
    assert got["ip_info"][address]["flags"] & 4, "OONI's mark of an address that no site has"


def connected_to(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The addresses to which connections are tried; none is made."""
    tried: list[str] = []

    async def refuse(self: object, _sock: object, address: tuple[str, int]) -> None:
        tried.append(address[0])
        raise ConnectionRefusedError

    monkeypatch.setattr("asyncio.selector_events.BaseSelectorEventLoop.sock_connect", refuse)
    return tried


def test_the_probes_own_addresses_of_the_target_are_not_tried_there(monkeypatch: pytest.MonkeyPatch) -> None:
    tried = connected_to(monkeypatch)
    policy = HelperPolicy(resolve=resolving(site=["1.1.1.1"]), reach=reach())
    ask(
        "http://site.example/",
        policy,
        tcp_connect=["9.9.9.9:80", "8.8.8.8:80", "[2620:fe::1]:80", "1.0.0.1:80"],
    )
    assert set(tried) == {"1.1.1.1", "1.0.0.1"}


def test_a_name_that_changes_its_address_between_look_ups_is_not_followed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tried, answers = connected_to(monkeypatch), [["1.1.1.1"], ["9.9.9.9"], ["127.0.0.1"], ["8.8.8.8"]]

    async def rebinding(_name: str) -> list[str]:
        return answers.pop(0)

    ask("http://site.example/", HelperPolicy(resolve=rebinding, reach=reach()))
    assert set(tried) == {"1.1.1.1"}


@pytest.mark.parametrize(
    "target", ["http://own.example/", "http://9.9.9.9:8080/", "http://[::ffff:9.9.9.9]/"]
)
def test_a_redirect_there_is_not_followed(target: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The site itself is on loopback here, so it is let through."""
    monkeypatch.setattr(
        Helper, "_is_private", lambda _self, address: address != "127.0.0.1" and address[:2] == "10"
    )
    policy = HelperPolicy(resolve=resolving(site=["127.0.0.1"], **NAMES), reach=reach())
    with site() as port:
        got = ask(f"http://site.example:{port}/to?{target}", policy)
    assert got["http_request"]["failure"] in ("unknown_error", "dns_lookup_error")
    assert got["http_request"]["status_code"] == -1


def test_in_a_lab_neighbours_are_the_targets_and_what_is_listed_stays_refused() -> None:
    with site() as port:
        policy = HelperPolicy(allow_private=True, resolve=resolving(site=["127.0.0.1"]))
        assert ask(f"http://site.example:{port}/", policy)["http_request"]["status_code"] == 200


def test_an_answer_has_so_many_addresses_and_headers() -> None:
    many = [f"10.1.{n // 250}.{n % 250 + 1}" for n in range(5000)]
    got = ask("http://many.example/", HelperPolicy(resolve=resolving(many=many), reach=reach()))
    assert len(got["dns"]["addrs"]) == MOST_ADDRESSES
    assert len(msgspec.json.encode(got)) < 20_000


def test_a_socket_of_this_machine_is_among_its_own() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as bound:
        bound.bind(("127.0.0.1", 0))
        assert HelperReach().is_refused(bound.getsockname()[0])
