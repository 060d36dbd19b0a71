"""The page for those who see our pings."""

from pathlib import Path

from fanous.collector.door import Policy, page
from tests.collector.threads import door


def test_it_says_what_is_sent_and_whom_to_write_to() -> None:
    text = page("noc@example.org")
    assert "at most 20 pings in an hour" in text
    assert "Write to noc@example.org" in text
    assert "reverse DNS" in page("")


def test_a_contact_cannot_carry_markup() -> None:
    assert "<script>" not in page("<script>alert(1)</script>")


def test_the_collector_serves_it(tmp_path: Path) -> None:
    with door(tmp_path / "inbox", Policy(contact="noc@example.org")) as client:
        answer = client.get("/why")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")
    assert "noc@example.org" in answer.text
