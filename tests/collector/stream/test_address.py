"""An address says where a stream is and how it is kept; anything else is refused with an example of one."""

import pytest

from fanous.collector.stream.address import GIGABYTES, StreamAddress, StreamPart, parse_address
from fanous.errors import FanousError
from tests.each import each


def test_an_address_names_servers_that_know_each_other() -> None:
    address = parse_address("nats://a,b:4333,[::1]")
    assert address == StreamAddress(("nats://a:4222", "nats://b:4333", "nats://[::1]:4222"))
    assert (address.replicas, address.bytes) == (3, GIGABYTES << 30)
    assert [address.stream(part) for part in StreamPart] == ["FANOUS", "FANOUS_APART", "FANOUS_REFUSED"]
    assert address.subject(StreamPart.APART) == "FANOUS.apart"


def test_a_password_is_for_the_servers_and_not_for_the_log() -> None:
    address = parse_address("tls://me:secret@a,b?stream=PK&replicas=1&gigabytes=2&ack_seconds=9")
    assert address.servers == ("tls://me:secret@a:4222", "tls://me:secret@b:4222")
    assert (address.name, address.replicas, address.bytes, address.ack_seconds) == ("PK", 1, 2 << 30, 9)
    assert str(address) == "tls://a:4222,b:4222/PK"


@each(
    ("url", "complaint"),
    [
        ("http://a", "is not a queue address: write nats://"),
        ("nats://", "is not a queue address"),
        ("nats://a/b", "is not a queue address"),
        ("nats://a,,b", "'' is not a server"),
        ("nats://me:secret@a b", r"\*\*\*@a b is not a queue address"),
        ("nats://a?replica=3", "unknown option 'replica': known: stream, replicas"),
        ("nats://a?replicas=2", "replicas of a queue must be 1, 3 or 5, not '2'"),
        ("nats://a?gigabytes=-1", "gigabytes of a queue must be a whole number"),
        ("nats://a?ack_seconds=0", "ack_seconds of a queue must be a whole number"),
        ("nats://a?stream=a.b", "the name of a stream"),
    ],
)
def test_an_invalid_address_is_refused(url: str, complaint: str) -> None:
    with pytest.raises(FanousError, match=complaint) as refusal:
        parse_address(url)
    assert "secret" not in str(refusal.value)
