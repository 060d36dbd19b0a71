"""The size of a page as it is sent, compressed and without pictures."""

import httpx
import pytest

from fanous.wording import LANGUAGES
from tests.web.browser.pages import INCIDENT

pytestmark = pytest.mark.browser

KB = 1024


def weight(address: str) -> int:
    """Bytes of the answer's body as they are sent."""
    with httpx.stream("GET", address, headers={"Accept-Encoding": "gzip"}) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-encoding"] == "gzip"
        return sum(len(part) for part in answer.iter_raw())


@pytest.mark.parametrize(
    "language",
    [one if one in ("en", "ur") else pytest.param(one, marks=pytest.mark.matrix) for one in LANGUAGES],
)
def test_an_incident_weighs_14_kb_at_most_and_a_country_60(monitor: str, language: str) -> None:
    assert weight(f"{monitor}{INCIDENT}?lang={language}") <= 14 * KB
    assert weight(f"{monitor}/PK?lang={language}&days=365") <= 60 * KB
    assert weight(f"{monitor}/?lang={language}") <= 60 * KB
