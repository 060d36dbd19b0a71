"""A pseudonym is a known volunteer's once it has measured on ten days of sixty, the first thirty days ago."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from fanous.collector.credentials import Issuer, keys_at
from fanous.collector.door import Policy
from fanous.collector.origin import trusted_proxies
from fanous.collector.volunteers import Volunteers
from fanous.model.instant import DAY
from tests.collector.probe import measurement
from tests.collector.threads import door
from tests.collector.volunteer import Volunteer, registered
from tests.each import each

NOW = 1_796_169_600.0  # 2026-12-02
NAME = "ab" * 16
TEN = (30, 27, 24, 21, 18, 15, 12, 9, 6, 3)


def known_after(folder: Path, days: Sequence[int], *, again: bool = False) -> bool:
    """Whether a pseudonym that measured so many days ago is known today; ``again``: after a restart each day."""
    account = Volunteers(folder, NOW - DAY * max(days))
    for ago in days:
        if again:
            account = Volunteers(folder, NOW - DAY * ago)
        account.has_measured(NAME, "block", NOW - DAY * ago)
    return account.has_measured(NAME, "block", NOW)


@each(
    ("days", "known"),
    [
        (TEN, True),
        ((60, *TEN[1:]), True),
        ((61, *TEN[1:]), False),
        ((29, *TEN[1:]), False),
        (TEN[1:], False),
        ((*TEN[:-1], 6), False),
        ((*range(30, 20, -1),), True),
        ((0, *TEN[1:]), False),
        ((*range(59, 49, -1),), True),
    ],
)
@each("again", [False, True])
def test_ten_days_of_sixty_make_a_name_known_if_the_first_was_thirty_days_ago(
    days: Sequence[int], known: bool, again: bool, tmp_path: Path
) -> None:
    folder = tmp_path / "".join(map(str, (again, *days)))
    assert known_after(folder, sorted(days, reverse=True), again=again) is known


def test_a_name_counts_in_one_block_a_day(tmp_path: Path) -> None:
    assert known_after(tmp_path, TEN)
    account = Volunteers(tmp_path, NOW)
    assert [account.has_measured(NAME, block, NOW) for block in ("a", "b", "a")] == [True, False, True]
    assert account.has_measured(NAME, "b", NOW + DAY)


def test_a_line_that_asked_for_a_name_a_day_makes_one_of_them_known(tmp_path: Path) -> None:
    account = Volunteers(tmp_path, NOW)
    names = [f"{number:032x}" for number in range(40)]
    for day in range(40):
        for name in names[: day + 1]:
            account.has_measured(name, "block", NOW + DAY * day)
    later = NOW + DAY * 40
    assert [name for name in names if account.has_measured(name, f"block {name}", later)] == names[:1]


def test_what_is_kept_ends_after_sixty_days_and_belongs_to_no_one_else(tmp_path: Path) -> None:
    folder = tmp_path / "days"
    account = Volunteers(folder, NOW)
    account.has_measured(NAME, "block", NOW)
    assert [path.name for path in folder.iterdir()] == ["2026-12-02"]
    assert (folder / "2026-12-02").read_text() == f"{NAME}\n" and "block" not in str(account._days)
    assert (folder.stat().st_mode & 0o777, (folder / "2026-12-02").stat().st_mode & 0o777) == (0o700, 0o600)
    (folder / "notes").write_text("mine")
    account.has_measured("cd" * 16, "block", NOW + 60 * DAY)
    assert (folder / "2026-12-02").exists()
    account.has_measured("cd" * 16, "block", NOW + 61 * DAY)
    assert sorted(path.name for path in folder.iterdir()) == ["2027-01-31", "2027-02-01", "notes"]
    Volunteers(folder, NOW + 500 * DAY)
    assert [path.name for path in folder.iterdir()] == ["notes"]


def test_a_line_that_was_cut_by_a_kill_costs_one_day_and_a_disk_that_is_full_or_read_only_no_measurement(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    account = Volunteers(tmp_path / "days", NOW)
    account.has_measured(NAME, "block", NOW)
    (tmp_path / "days" / "2026-12-02").write_text(f"{NAME}\n{'cd' * 9}")
    assert Volunteers(tmp_path / "days", NOW)._days.keys() == {NAME}
    (tmp_path / "days" / "2026-12-03").symlink_to(tmp_path / "nowhere" / "file")
    assert not account.has_measured(NAME, "block", NOW + DAY)
    assert "day_not_kept" in caplog.text
    (tmp_path / "file").write_text("")
    unkept = Volunteers(tmp_path / "file" / "days", NOW)
    assert not unkept.has_measured(NAME, "block", NOW)
    assert (Policy(volunteers=unkept).writes, Policy(volunteers=account).writes) == ((), (tmp_path / "days",))
    assert "days_not_kept" in caplog.text


def test_a_record_says_that_a_known_volunteer_sent_it_if_her_proof_holds(tmp_path: Path) -> None:
    """By OONI's client half over HTTP, on twelve days of a month and a half."""
    now = [NOW]
    plain = Policy(
        trusted=trusted_proxies(["127.0.0.1"]),
        clock=lambda: now[0],
        credentials=Issuer(keys_at(tmp_path / "keys.json", NOW), tmp_path / "keys.json", 100),
    )
    volunteer: Volunteer | None = None
    for number in range(12):
        days = Volunteers(tmp_path / "days", now[0])
        with door(tmp_path / f"inbox {number:02d}", replace(plain, volunteers=days)) as client:
            volunteer = volunteer or registered(client)
            volunteer.client = client
            here, elsewhere = ({"X-Forwarded-For": f"39.{net}.{number}.1"} for net in (32, 33))
            sent = json.dumps(measurement(number))
            assert volunteer.submit(volunteer.proved(sent), **here)["verification_status"] == "verified"
        now[0] += 3 * DAY + 1
    assert volunteer is not None
    with door(tmp_path / "inbox last", replace(plain, volunteers=days)) as client:
        volunteer.client = client
        volunteer.submit(volunteer.proved(json.dumps(measurement(12))), **here)
        volunteer.submit(volunteer.proved(json.dumps(measurement(13))), **elsewhere)
        body = {"format": "json", "content": json.dumps(measurement(14))}
        client.post("/api/v1/submit_measurement", json=body, headers=here).raise_for_status()
    lines = [
        json.loads(line)["x_collector"].get("volunteer")
        for folder in sorted(tmp_path.glob("inbox *"))
        for path in sorted(folder.rglob("*.jsonl*"))
        for line in path.read_bytes().splitlines()
    ]
    assert lines == [None] * 10 + [True] * 3 + [None, None], (
        "known after ten days; in one block, and with a proof"
    )
