"""Names that mean something different in each network."""

from fanous.model.measurement import is_private_name
from tests.each import each


@each(
    "name",
    [
        "localhost",
        "intranet",
        "NAS.lan",
        "printer.local.",
        "wiki.example.internal",
        "router.home.arpa",
        "api.corp",
    ],
)
def test_a_network_s_own_names_are_private(name: str) -> None:
    assert is_private_name(name)


@each(
    "name",
    [
        "x.com",
        "local.example",
        "lan.com",
        "mail.ru",
        "home.arpa.org",
        "homelan.org",
        "104.244.42.1",
        "192.168.1.1",
        "fd00::1",
    ],
)
def test_public_names_are_not_and_an_address_is_no_name(name: str) -> None:
    assert not is_private_name(name)


def test_nothing_is_not_a_name() -> None:
    assert not is_private_name("")
