"""The QUIC ping, and how a refused handshake is named."""

from fanous.probe.net.quic import failure_of_close
from fanous.probe.quic import LEAST_DATAGRAM, ping_datagram, read_versions
from tests.each import each


def _negotiation(ours: bytes, versions: list[int]) -> bytes:
    listed = b"".join(version.to_bytes(4, "big") for version in versions)
    return b"\x80\0\0\0\0" + bytes([len(ours)]) + ours + b"\x08" + b"s" * 8 + listed


def test_a_ping_is_a_full_datagram_with_our_id_in_it() -> None:
    datagram, ours = ping_datagram()
    assert len(datagram) == LEAST_DATAGRAM
    assert datagram[15:23] == ours


def test_an_answer_lists_the_servers_versions() -> None:
    assert read_versions(_negotiation(b"12345678", [1, 0x6B3343CF]), b"12345678") == [1, 0x6B3343CF]


@each(
    "datagram",
    [
        b"",
        b"\x80\0\0\0\0",
        _negotiation(b"somebody", [1]),
        b"\x40" + _negotiation(b"12345678", [1])[1:],
        b"\x80\0\0\0\1" + _negotiation(b"12345678", [1])[5:],
        _negotiation(b"12345678", [1])[:10],
    ],
)
def test_only_answers_to_us_count(datagram: bytes) -> None:
    assert read_versions(datagram, b"12345678") is None


@each(
    ("code", "reason", "failure"),
    [
        (0x12D, "Certificate is no longer valid", "ssl_invalid_certificate"),
        (0x12A, "hostname 'a.example' doesn't match 'b.example'", "ssl_invalid_hostname"),
        (0x12A, "unable to get local issuer certificate", "ssl_unknown_authority"),
        (0x12A, "self-signed certificate", "ssl_unknown_authority"),
        (0x128, "", "ssl_failed_handshake"),
        (0x1, "Idle timeout", "generic_timeout_error"),
        (0x1, "Could not find a common protocol version", "quic_incompatible_version"),
        (0xA, "", "ssl_failed_handshake"),
    ],
)
def test_a_closed_connection_is_named_by_its_reason(code: int, reason: str, failure: str) -> None:
    assert failure_of_close(code, reason) == failure
