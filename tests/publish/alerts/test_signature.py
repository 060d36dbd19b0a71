"""Signed webhooks."""

import pytest

from fanous.errors import FanousError
from fanous.publish.alerts.senders.webhook import secret_bytes, signed_headers
from tests.each import each
from tests.publish.alerts.outbox import SECRET
from tests.publish.alerts.receivers import is_genuine

BODY, NOW = b'{"a": 1}', 1_702_830_000.0
SIGNED = signed_headers(SECRET, "key-1", BODY, NOW)


def test_it_signs_as_the_specification_does() -> None:
    # The example of standardwebhooks.com's reference libraries.
    headers = signed_headers(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        b'{"test": 2432232314}',
        1614265330,
    )
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_what_was_signed_is_genuine() -> None:
    assert is_genuine(SECRET, SIGNED, BODY, NOW)


@each(
    ("change", "body", "later"),
    [
        ({}, b'{"a": 2}', 0.0),
        ({"webhook-id": "key-2"}, BODY, 0.0),
        ({"webhook-timestamp": str(int(NOW) + 1)}, BODY, 0.0),
        ({"webhook-signature": "v1,AAAA"}, BODY, 0.0),
        ({"webhook-signature": ""}, BODY, 0.0),
        ({}, BODY, 301),  # a replay
    ],
)
def test_what_was_changed_or_is_old_is_not(change: dict[str, str], body: bytes, later: float) -> None:
    assert not is_genuine(SECRET, SIGNED | change, body, NOW + later)


@pytest.mark.parametrize("secret", ["", "password", "whsec_c2hvcnQ=", "whsec_not base64 at all"])
def test_a_secret_that_can_be_guessed_is_refused(secret: str) -> None:
    with pytest.raises(FanousError, match="at least 24 random bytes"):
        secret_bytes(secret)
