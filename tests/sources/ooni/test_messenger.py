"""Messengers: the app's access points and the web client."""

import pytest

from fanous.model.measurement import Layer
from tests.sources.records import (
    binary,
    certificate,
    connect,
    document,
    handshake,
    parsed,
    query,
    seen,
    transaction,
)


@pytest.mark.parametrize(
    ("test_name", "target"),
    [
        ("telegram", "telegram"),
        ("whatsapp", "whatsapp"),
        ("facebook_messenger", "facebook"),
        ("signal", "signal"),
    ],
)
def test_the_target_is_always_the_platform(test_name: str, target: str) -> None:
    keys = {"queries": [query("anything.example.net")], "tcp_connect": [connect()]}
    bundle = parsed(document(keys, test_name=test_name, input=None))
    assert bundle.measurement.target == target
    assert {o.target for o in bundle.observations} == {target}
    assert bundle.control_failure is None


@pytest.mark.parametrize(
    ("url", "role", "hostname", "ip", "port"),
    [
        ("http://149.154.175.50/", "api", "", "149.154.175.50", 80),
        ("http://149.154.175.50:443/", "api", "", "149.154.175.50", 443),
        ("https://web.telegram.org/", "client", "web.telegram.org", "", 443),
        ("https://v.whatsapp.net/v2/register", "registration", "v.whatsapp.net", "", 443),
        ("https://chat.signal.org/", "chat", "chat.signal.org", "", 443),  # without it nothing is sent
        ("https://cdn.signal.org/", "api", "cdn.signal.org", "", 443),
    ],
)
def test_access_points_are_api_and_the_web_client_is_web(
    url: str, role: str, hostname: str, ip: str, port: int
) -> None:
    keys = {"requests": [transaction(url, address=None)]}
    (page,) = seen(document(keys, test_name="telegram"), Layer.HTTP)
    assert (page.role, page.hostname, page.ip, page.port) == (role, hostname, ip, port)


def test_one_address_for_the_web_client_and_the_access_points_is_an_access_point() -> None:
    keys = {
        "queries": [query("web.whatsapp.com", "192.0.2.1"), query("e1.whatsapp.net", "192.0.2.1")],
        "tcp_connect": [connect("192.0.2.1", 5222)],
    }
    (connection,) = seen(document(keys, test_name="whatsapp"), Layer.TCP)
    assert (connection.role, connection.hostname) == ("api", "")


@pytest.mark.parametrize(
    ("version", "issuer", "faulty"),
    [
        ("0.2.0", "Signal Messenger", True),
        ("0.2.2", "Signal Messenger", False),  # this one knows the authority
        ("0.10.0", "Signal Messenger", False),
        ("0.2.0", "Ministry of Truth", False),  # someone else's certificate
        (None, "Signal Messenger", True),
    ],
)
def test_a_probe_older_than_signals_authority_is_at_fault(
    version: str | None, issuer: str, faulty: bool
) -> None:
    chain = [binary(certificate("storage.signal.org", issuer))]
    keys = {"tls_handshakes": [handshake(failure="ssl_unknown_authority", peer_certificates=chain)]}
    defect = parsed(document(keys, test_name="signal", test_version=version)).measurement.defect
    assert bool(defect) is faulty
