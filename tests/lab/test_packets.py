"""Bytes of packets and of DNS: what is forged is what a kernel, and a library, would have sent."""

import dns.message
import dns.rcode
import pytest

from fanous.probe.net.quic import new_handshake
from fanous_lab.boxes import crypto_of, name_in_hello
from fanous_lab.packets import (
    NXDOMAIN,
    RST,
    TCP,
    UDP,
    TcpSegment,
    answer_of,
    checksum,
    forged_answer,
    forged_datagram,
    forged_reset_to_target,
    name_wire,
    question_of,
    segment_of,
)

ENDS = [("45.16.0.101", "37.10.6.10"), ("2a0f:fa::101", "2a10:fb:7::10")]


@pytest.mark.parametrize(("source", "target"), ENDS)
def test_a_forged_packet_reads_as_if_the_other_side_had_sent_it(source: str, target: str) -> None:
    sent = TcpSegment(TCP, source, target, 40_000, 443, 1000, 7000, b"hello")
    answer = segment_of(forged_answer(sent, RST, b"page", ahead=3))
    assert answer == TcpSegment(TCP, target, source, 443, 40_000, 7003, 1005, b"page")
    reset = segment_of(forged_reset_to_target(sent))
    assert reset == TcpSegment(TCP, source, target, 40_000, 443, 1000, 0, b"")
    asked = TcpSegment(UDP, source, target, 5353, 53, 0, 0, b"question")
    assert segment_of(forged_datagram(asked, b"answer")) == TcpSegment(
        UDP, target, source, 53, 5353, 0, 0, b"answer"
    )


def test_numbers_of_a_connection_wrap_around() -> None:
    sent = TcpSegment(TCP, *ENDS[0], 1, 2, 0xFFFFFFFF, 0xFFFFFFFE, b"abc")
    answer = segment_of(forged_answer(sent, RST, ahead=4))
    assert answer is not None
    assert (answer.sequence, answer.acknowledged) == (2, 2)


def test_the_checksum_is_that_of_rfc_1071() -> None:
    assert checksum(bytes.fromhex("0001f203f4f5f6f7")) == 0x220D  # the example of its section 3, inverted
    assert checksum(b"\xff") == checksum(b"\xff\0")


@pytest.mark.parametrize("rubbish", [b"", b"\x45", b"\x60" * 30, b"\x45" + bytes(19), b"\x45" * 60])
def test_rubbish_is_no_segment(rubbish: bytes) -> None:
    assert segment_of(rubbish) is None


@pytest.mark.parametrize(
    ("kind", "addresses"), [("A", ["10.0.0.1"]), ("AAAA", ["fd00::1"]), ("MX", []), ("TXT", [])]
)
def test_an_answer_has_the_addresses_that_were_asked_for(kind: str, addresses: list[str]) -> None:
    asked = dns.message.make_query("X.com", kind)
    question = question_of(asked.to_wire())
    assert question is not None
    assert question.name == "x.com"
    answer = dns.message.from_wire(answer_of(question, ["10.0.0.1", "fd00::1"], ttl=300))
    assert asked.is_response(answer)
    assert [record.to_text() for rrset in answer.answer for record in rrset] == addresses
    denied = dns.message.from_wire(answer_of(question, [], NXDOMAIN))
    assert denied.rcode() == dns.rcode.NXDOMAIN


def test_a_name_is_written_as_a_library_writes_it() -> None:
    assert name_wire("www.x.com") in dns.message.make_query("www.x.com", "A").to_wire()


@pytest.mark.parametrize(
    "message",
    [b"", bytes(12), bytes(40), b"\0\7\x81\0\0\1" + bytes(20), b"\0\7\1\0\0\1" + bytes(6) + b"\x3fab"],
)
def test_what_is_no_question_has_none(message: bytes) -> None:
    assert question_of(message) is None


def test_the_first_packet_of_quic_shows_the_name_to_anyone() -> None:
    made = new_handshake("www.youtube.com")
    made.connection.connect(("peer", 443), now=0.0)
    datagram, _ = made.connection.datagrams_to_send(now=0.0)[0]
    assert name_in_hello("www.youtube.com") in crypto_of(datagram)
    assert name_in_hello("youtube.com") not in crypto_of(datagram)
    altered = datagram[:200] + bytes([datagram[200] ^ 1]) + datagram[201:]
    assert crypto_of(altered) == b""  # it does not decrypt
    assert crypto_of(b"\xc0" + bytes(60)) == b""
