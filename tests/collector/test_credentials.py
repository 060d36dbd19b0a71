"""Credentials are issued, rationed and checked as OONI's client expects, and a bad proof loses no measurement."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from fanous.collector.credentials import (
    AGES,
    PROOFS,
    Issuer,
    Keys,
    Ration,
    keys_at,
)
from fanous.collector.door import Policy
from fanous.collector.limits import RateLimit, RateLimits
from fanous.collector.origin import trusted_proxies
from fanous.collector.request import Refused
from fanous.collector.settings import DoorSettings
from fanous.collector.submission import PROTOCOL_VERSION
from fanous.errors import FanousError
from fanous.monitor.receiver import with_keys
from fanous.sources.ooni.keep import kept as stored_form
from tests.collector.server import client, collector, started
from tests.collector.threads import door
from tests.collector.volunteer import Volunteer, content, oa, registered

NOW = 1_796_169_600.0  # 2026-12-02
FAR = Path("credentials.json")


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    return keys_at(Path(tmp_path_factory.mktemp("keys")) / "credentials.json", NOW)


def policy(keys: Keys, proofs: RateLimits = PROOFS) -> Policy:
    return Policy(
        trusted=trusted_proxies(["127.0.0.1"]),
        credentials=Issuer(keys, FAR, 100),
        proofs=proofs,
        submissions=RateLimits(RateLimit(1e6, 1e6), RateLimit(1e6, 1e6)),
    )


@contextmanager
def issuing(folder: Path, keys: Keys, proofs: RateLimits = PROOFS) -> Iterator[httpx.Client]:
    with door(folder / "inbox", policy(keys, proofs)) as found:
        found.headers["X-Forwarded-For"] = "39.32.1.1"
        yield found


def kept(folder: Path) -> list[dict[str, Any]]:
    files = sorted((folder / "inbox").rglob("*.jsonl*"))
    return [json.loads(line) for path in files for line in path.read_bytes().splitlines()]


def names(folder: Path) -> list[str | None]:
    return [record["x_collector"].get("credential") for record in kept(folder)]


# --- a volunteer --------------------------------------------------------------------------------------------


def test_a_volunteer_is_one_name_on_a_network_whatever_her_address_and_another_elsewhere(
    tmp_path: Path, keys: Keys
) -> None:
    with issuing(tmp_path, keys) as found:
        volunteer = registered(found)
        for number in range(3):
            body = volunteer.proved(content(number))
            answer = volunteer.submit(body, **{"X-Forwarded-For": f"39.32.{number}.1"})
            assert (answer["verification_status"], answer["error"]) == ("verified", None)
        elsewhere = volunteer.proved(content(9, probe_asn="AS9541"), "AS9541")
        assert volunteer.submit(elsewhere)["verification_status"] == "verified"
    first, second, third, other = names(tmp_path)
    assert first == second == third != other
    assert first is not None and len(first) == 32
    stored = [
        json.loads(stored_form(json.dumps(record).encode()))["x_collector"] for record in kept(tmp_path)
    ]
    assert [note["credential"] for note in stored] == names(tmp_path)
    nym = elsewhere["nym"]
    assert not any(nym in json.dumps(record) or "zkp" in json.dumps(record) for record in kept(tmp_path))
    assert len({record["probe_id"] for record in kept(tmp_path)}) > 1


def test_another_volunteer_has_another_name_and_no_one_can_name_her_without_the_key(
    tmp_path: Path, keys: Keys
) -> None:
    with issuing(tmp_path, keys) as found:
        for number in range(2):
            found.headers["X-Forwarded-For"] = f"39.32.{number}.1"
            volunteer = registered(found)
            body = volunteer.proved(content(number))
            volunteer.submit(body)
    first, second = names(tmp_path)
    assert first != second
    again = Issuer(keys, FAR, 1)
    assert again.name_of(body["nym"]) == second
    other = Keys(keys.made, keys.public_parameters, keys.secret_key, "00" * 16)
    assert Issuer(other, FAR, 1).name_of(body["nym"]) != second


def test_the_manifest_is_shaped_as_oonis_and_lets_a_credential_of_today_prove_its_first_measurement(
    tmp_path: Path, keys: Keys
) -> None:
    """Fields: ``Manifest`` and ``ManifestMeta`` of ooni/backend at 32d8349d, .../ooniprobe/dependencies.py, lines 63 to
    130; an engine reads ages as uint32 (ooni/probe-cli at 7cb22410, internal/model/ooapi.go, line 446)."""
    with issuing(tmp_path, keys) as found:
        answer = found.get("/api/v1/manifest")
    assert answer.headers["cache-control"] == "max-age=60"
    manifest, meta = answer.json()["manifest"], answer.json()["meta"]
    assert set(manifest) == {"nym_scope", "submission_policy", "public_parameters"}
    assert set(meta) == {
        *("version", "last_modification_date", "manifest_url", "library_version", "protocol_version"),
    }
    (rule,) = manifest["submission_policy"]
    assert rule == {
        "policy": {"age": list(AGES), "min_measurement_count": 0},
        "match": {"probe_cc": "*", "probe_asn": "*"},
    }
    assert 0 <= AGES[0] < oa.ServerState.today() < AGES[1] < 2**32
    assert meta["protocol_version"] == PROTOCOL_VERSION == oa.get_protocol_version()
    assert meta["last_modification_date"] == "2026-12-02T00:00:00Z"


def test_a_credential_answers_with_the_day_of_issue(tmp_path: Path, keys: Keys) -> None:
    """``RegisterResponse``, ooni/backend at 32d8349d, .../routers/v1/probe_services.py, line 753."""
    with issuing(tmp_path, keys) as found:
        answer = Volunteer(found).register().json()
    assert set(answer) == {"credential_sign_response", "emission_day"}
    assert answer["emission_day"] == oa.ServerState.today()


# --- proofs that do not hold ----------------------------------------------------------------------------------

Change = Callable[[Volunteer, dict[str, Any]], dict[str, Any]]


def _another(volunteer: Volunteer, body: dict[str, Any]) -> dict[str, Any]:
    return volunteer.proved(body["content"], of=content())


BAD: dict[str, tuple[Change, str, str]] = {
    "no proof": (lambda _, body: {"format": "json", "content": body["content"]}, "unverified", ""),
    "another body's": (_another, "failed", "protocol_error"),
    "another network's": (
        lambda volunteer, body: volunteer.proved(body["content"], "AS9541"),
        *("failed", "protocol_error"),
    ),
    "expired": (
        lambda volunteer, body: volunteer.proved(body["content"], age=(0, oa.ServerState.today() + 1)),
        *("failed", "protocol_error"),
    ),
    "another's name": (
        lambda _, body: body | {"nym": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="},
        *("failed", "protocol_error"),
    ),
    "forged": (lambda _, body: body | {"zkp_request": "AAAA"}, "failed", "deserialization_failed"),
    "no base64": (lambda _, body: body | {"zkp_request": "!?"}, "failed", "deserialization_failed"),
    "too long": (lambda _, body: body | {"zkp_request": "A" * 20_000}, "failed", "deserialization_failed"),
    "too long a name": (lambda _, body: body | {"nym": "A" * 80}, "failed", "deserialization_failed"),
    "of older keys": (lambda _, body: body | {"manifest_version": "7"}, "unverified", "manifest_not_found"),
    "no name": (lambda _, body: body | {"nym": None}, "unverified", "incomplete_anonc_fields"),
    "no protocol": (
        lambda _, body: {key: value for key, value in body.items() if key != "protocol_version"},
        *("unverified", "incomplete_anonc_fields"),
    ),
    "old protocol": (
        lambda _, body: body | {"protocol_version": "0.0.9"},
        *("unverified", "protocol_version_too_old"),
    ),
    "no such protocol": (
        lambda _, body: body | {"protocol_version": "one"},
        *("unverified", "invalid_protocol_version"),
    ),
}
"""What is sent -> ooni/backend's status and code (32d8349d, .../routers/v1/probe_services.py, lines 1069 to 1143)."""


@pytest.fixture(scope="module")
def prover(tmp_path_factory: pytest.TempPathFactory, keys: Keys) -> Iterator[tuple[Volunteer, Path]]:
    folder = Path(tmp_path_factory.mktemp("prover"))
    with issuing(folder, keys) as found:
        yield registered(found), folder


@pytest.mark.parametrize("name", BAD)
def test_a_bad_proof_is_named_as_by_oonis_server_and_loses_no_measurement(
    name: str, prover: tuple[Volunteer, Path]
) -> None:
    volunteer, folder = prover
    change, status, code = BAD[name]
    text = content(1 + list(BAD).index(name))
    before = len(kept(folder))
    answer = volunteer.submit(change(volunteer, volunteer.proved(text)))
    assert (answer["verification_status"], answer["error"] or "") == (status, code)
    assert answer["submit_response"] is None
    assert len(kept(folder)) == before + 1 and names(folder)[-1] is None
    assert volunteer.submit(volunteer.proved(text))["verification_status"] == "verified"


def test_a_replayed_proof_is_the_same_measurement(tmp_path: Path, keys: Keys) -> None:
    """The library takes a proof twice; who repeats one has sent the same measurement again, and nothing else."""
    with issuing(tmp_path, keys) as found:
        volunteer = registered(found)
        body = volunteer.proved(content(1))
        first = volunteer.submit(body)
        second = found.post("/api/v1/submit_measurement", json=body).json()
        assert second["verification_status"] == "verified"
    assert first["measurement_uid"] == second["measurement_uid"]
    assert len({record["measurement_uid"] for record in kept(tmp_path)}) == 1


def test_who_writes_a_name_without_a_proof_has_none(tmp_path: Path, keys: Keys) -> None:
    """ooniprobe sends ``probe_id`` also where proving failed; and anyone may write what only a collector writes."""
    with issuing(tmp_path, keys) as found:
        text = content(1, probe_id="ab" * 32, x_collector={"credential": "ab" * 16})
        found.post("/api/v1/submit_measurement", json={"format": "json", "content": text}).raise_for_status()
    (record,) = kept(tmp_path)
    assert "credential" not in record["x_collector"] and record["probe_id"] != "ab" * 32


def test_a_proof_for_what_is_set_aside_is_checked_too(tmp_path: Path, keys: Keys) -> None:
    """Its credential must go on changing, or the volunteer's next proof would fail."""
    with issuing(tmp_path, keys) as found:
        volunteer = registered(found)
        answer = volunteer.submit(volunteer.proved(content(1, probe_asn="AS64512"), "AS64512"))
        assert answer["verification_status"] == "verified" and answer["x_apart"] == "network_not_public"


class Panicking:
    """The library in a case that its authors did not expect."""

    def handle_submit_request_with_hash(self, *_given: object) -> str:
        raise type("PanicException", (BaseException,), {})("called `Option::unwrap()` on a `None` value")

    handle_registration_request = handle_submit_request_with_hash


def test_a_panic_of_the_library_ends_nothing(
    tmp_path: Path, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is a BaseException, which in a thread of a pool would leave the sender without an answer."""
    with issuing(tmp_path, keys) as found:
        volunteer = registered(found)
        whole = policy(keys)
        assert isinstance(whole.credentials, Issuer)
        monkeypatch.setattr(whole.credentials, "_state", Panicking())
        with door(tmp_path / "panicking" / "inbox", whole) as panicking:
            volunteer.client = panicking
            answer = volunteer.submit(volunteer.proved(content(1)))
            assert (answer["verification_status"], answer["error"]) == ("failed", "unknown_error")
            assert Volunteer(panicking).register().status_code == 403
    assert len(kept(tmp_path / "panicking")) == 1


# --- the ration -----------------------------------------------------------------------------------------------


def test_one_neighbourhood_gets_one_credential_a_day_and_a_bad_request_costs_none(
    tmp_path: Path, keys: Keys
) -> None:
    with issuing(tmp_path, keys) as found:
        volunteer = Volunteer(found)
        bad = {"manifest_version": volunteer.manifest["meta"]["version"], "credential_sign_request": "bad"}
        refused = found.post("/api/v1/sign_credential", json=bad)
        assert (refused.status_code, refused.json()["detail"]["error"]) == (400, "deserialization_failed")
        foreign = bad | {
            "credential_sign_request": oa.UserState(
                oa.ServerState().get_public_parameters()
            ).make_registration_request()
        }
        refused = found.post("/api/v1/sign_credential", json=foreign)
        assert (refused.status_code, refused.json()["detail"]["error"]) == (403, "protocol_error")
        unknown = found.post("/api/v1/sign_credential", json=bad | {"manifest_version": "999"})
        assert (unknown.status_code, unknown.json()["detail"]["error"]) == (404, "manifest_not_found")
        assert volunteer.register().status_code == 200
        found.headers["X-Forwarded-For"] = "39.32.1.99"
        again = Volunteer(found).register()
        assert again.status_code == 429 and 0 < int(again.headers["retry-after"]) <= 86_401
        assert "today" in again.json()["detail"]
        found.headers["X-Forwarded-For"] = "39.32.2.1"
        assert Volunteer(found).register().status_code == 200


def test_a_network_gets_so_many_a_day_and_the_next_day_forgets_who_asked() -> None:
    ration = Ration(2)

    def asks(address: str, asn: int, now: float = NOW) -> bool:
        try:
            with ration.one(address, asn, now):
                return True
        except Refused as refused:
            assert refused.status == 429 and refused.retry_after == 86_400 - now % 86_400
            return False

    assert asks("39.32.1.1", 17557) and not asks("39.32.1.2", 17557)
    assert asks("39.32.2.1", 17557) and not asks("39.32.3.1", 17557)
    assert asks("39.32.3.1", 9541)
    assert asks("2001:db8::1", 1) and not asks("2001:db8:0:1::1", 1) and asks("2001:db8:1::1", 1)
    assert asks("39.32.1.1", 17557, NOW + 86_400)
    with pytest.raises(ZeroDivisionError), ration.one("39.32.9.1", 9, NOW + 86_400):
        _ = 1 / 0
    assert asks("39.32.9.1", 9, NOW + 86_400)


# --- forged proofs in number ------------------------------------------------------------------------------------


def test_proofs_beyond_the_budget_are_not_checked_and_their_measurements_are_kept(
    tmp_path: Path, keys: Keys
) -> None:
    budget = RateLimits(RateLimit(0.001, 3), RateLimit(0.001, 5))
    with issuing(tmp_path, keys, budget) as found:
        volunteer = registered(found)
        answers = []
        for number in range(8):
            sent = volunteer.proved(content(number))
            address = "39.32.1.1" if number < 5 else "39.32.1.2"
            answers.append(volunteer.submit(sent, **{"X-Forwarded-For": address}))
        elsewhere = volunteer.submit(volunteer.proved(content(9)), **{"X-Forwarded-For": "39.32.2.1"})
    too_many = ("unverified", "too_many_proofs")
    said = [(answer["verification_status"], answer["error"]) for answer in answers]
    verified = ("verified", None)
    assert said == [*3 * [verified], *2 * [too_many], *2 * [verified], too_many]
    assert elsewhere["verification_status"] == "verified"
    assert len(kept(tmp_path)) == 9


def test_forged_proofs_in_number_do_not_keep_an_honest_upload_waiting(tmp_path: Path, keys: Keys) -> None:
    """Forgers with thirty connections send as fast as they can; ``benchmarks credentials`` has the figures."""
    with issuing(tmp_path, keys) as found:
        volunteer = registered(found)
        forged = volunteer.proved(content(0), of=content(1))
        stop = threading.Event()
        sent = 0

        def forge(number: int) -> None:
            nonlocal sent
            headers = {"X-Forwarded-For": f"10.{number}.0.1"}
            with httpx.Client(base_url=found.base_url, trust_env=False, timeout=60, headers=headers) as liar:
                while not stop.is_set():
                    liar.post("/api/v1/submit_measurement", json=forged).raise_for_status()
                    sent += 1

        forgers = [threading.Thread(target=forge, args=(number % 3,)) for number in range(30)]
        for thread in forgers:
            thread.start()
        try:
            for number in range(20):
                answer = volunteer.submit(volunteer.proved(content(number)))
                assert answer["verification_status"] == "verified"
        finally:
            stop.set()
            for thread in forgers:
                thread.join()
    assert sent > 100


# --- keys -----------------------------------------------------------------------------------------------------


def test_keys_are_private_made_once_and_kept(tmp_path: Path) -> None:
    file = tmp_path / "new" / "credentials.json"
    keys = keys_at(file, NOW)
    assert file.stat().st_mode & 0o777 == 0o600 and keys_at(file, NOW + 1) == keys
    assert sorted(path.name for path in file.parent.iterdir()) == ["credentials.json", "credentials.json.pub"]
    file.chmod(0o644)
    keys_at(file, NOW)
    assert file.stat().st_mode & 0o777 == 0o600
    again = keys_at(file, NOW, renew=True)
    assert again.secret_key != keys.secret_key and keys_at(file, NOW) == again


def test_collectors_that_start_at_once_have_one_pair_of_keys(tmp_path: Path) -> None:
    file = tmp_path / "credentials.json"
    found: list[Keys] = []
    threads = [threading.Thread(target=lambda: found.append(keys_at(file, NOW))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8 and len({keys.secret_key for keys in found}) == 1
    assert len(list(tmp_path.iterdir())) == 2


def _lost(file: Path) -> None:
    file.unlink()


def _cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-40])


def _cut_inside(file: Path) -> None:
    document = json.loads(file.read_text())
    document["secret_key"] = document["secret_key"][:-12]
    file.write_text(json.dumps(document))


def _no_digest_key(file: Path) -> None:
    document = json.loads(file.read_text())
    file.write_text(json.dumps(document | {"digest_key": document["digest_key"][:-2]}))


def _mixed(file: Path) -> None:
    """The public half of these keys, and the secret half of others: the library takes them without a word."""
    document = json.loads(file.read_text())
    document["secret_key"] = oa.ServerState().get_secret_key()
    file.write_text(json.dumps(document))


def _foreign(file: Path) -> None:
    keys_at(file.parent / "other.json", NOW)
    (file.parent / "other.json").rename(file)


DAMAGE: dict[Callable[[Path], None], str] = {
    _no_digest_key: "is not a whole file",
    _lost: "are lost",
    _cut: "is not a whole file",
    _cut_inside: "issue no valid credential",
    _mixed: "issue no valid credential",
    _foreign: "has other keys than those in use here",
}


@pytest.mark.parametrize("damage", DAMAGE, ids=lambda damage: damage.__name__)
def test_keys_that_are_lost_damaged_or_anothers_are_a_clear_error(
    damage: Callable[[Path], None], tmp_path: Path
) -> None:
    file = tmp_path / "credentials.json"
    keys_at(file, NOW)
    damage(file)
    with pytest.raises(FanousError, match=DAMAGE[damage]) as error:
        Issuer(keys_at(file, NOW), file, 1)
    assert str(file) in str(error.value) and "--new-credentials" in str(error.value)


def test_a_file_that_has_no_keys_is_neither_closed_nor_replaced(tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("mine")
    file.chmod(0o644)
    with pytest.raises(FanousError, match="is not a whole file"):
        keys_at(file, NOW)
    with pytest.raises(FanousError, match="Nothing was changed"):
        keys_at(file, NOW, renew=True)
    assert (file.read_text(), file.stat().st_mode & 0o777) == ("mine", 0o644)


def test_damaged_keys_are_replaced_on_request(tmp_path: Path) -> None:
    file = tmp_path / "credentials.json"
    keys_at(file, NOW)
    _cut(file)
    renewed = keys_at(file, NOW, renew=True)
    Issuer(renewed, file, 1)
    assert keys_at(file, NOW) == renewed


def test_keys_brought_from_another_collector_are_taken(tmp_path: Path) -> None:
    keys = keys_at(tmp_path / "here.json", NOW)
    (tmp_path / "there.json").write_bytes((tmp_path / "here.json").read_bytes())
    assert keys_at(tmp_path / "there.json", NOW) == keys
    (tmp_path / "there.json").unlink()
    with pytest.raises(FanousError, match="are lost"):
        keys_at(tmp_path / "there.json", NOW)


# --- the command ------------------------------------------------------------------------------------------------


def test_a_credential_outlives_a_kill_holds_at_a_second_collector_and_ends_with_new_keys(
    tmp_path: Path,
) -> None:
    keys = tmp_path / "keys.json"
    options = ("--credentials", str(keys), "--networks", "none")
    first = started("--inbox", str(tmp_path / "one"), *options)
    with client(first) as at_first:
        volunteer = registered(at_first)
        for number in range(100):
            assert volunteer.submit(volunteer.proved(content(number)))["verification_status"] == "verified"
    first.kill()
    (day,) = (tmp_path / "keys.json.days").iterdir()
    assert len(day.read_text().splitlines()) == 1, "the confined door keeps one name for the day"
    with collector("--inbox", str(tmp_path / "one"), *options) as again, client(again) as at_first:
        volunteer.client = at_first
        assert Volunteer(at_first).manifest["meta"] | {"manifest_url": ""} == volunteer.manifest["meta"] | {
            "manifest_url": ""
        }
        assert volunteer.submit(volunteer.proved(content(101)))["verification_status"] == "verified"
        assert again.stop() == 0
    with collector("--inbox", str(tmp_path / "two"), *options) as other, client(other) as at_second:
        volunteer.client = at_second
        assert volunteer.submit(volunteer.proved(content(102)))["verification_status"] == "verified"
    new = (*options, "--new-credentials")
    with collector("--inbox", str(tmp_path / "one"), *new) as renewed, client(renewed) as at_first:
        volunteer.client = at_first
        answer = volunteer.submit(volunteer.proved(content(103)))
        assert (answer["verification_status"], answer["error"]) == ("unverified", "manifest_not_found")
        fresh = registered(at_first)
        assert fresh.submit(fresh.proved(content(104)))["verification_status"] == "verified"


def test_a_killed_collector_leaves_nobody_at_its_address(tmp_path: Path) -> None:
    """Its door is another process, and answered for a tenth of a second more."""
    running = started("--inbox", str(tmp_path / "one"), "--networks", "none")
    with client(running) as found:
        found.get("/api/v1/test-helpers").raise_for_status()
    running.process.kill()
    running.process.wait()
    time.sleep(0.05)
    with client(running) as found, pytest.raises(httpx.TransportError):
        found.get("/api/v1/test-helpers")
    running.kill()


def test_where_the_library_is_missing_a_collector_runs_without_and_says_so_if_it_was_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("fanous.monitor.receiver.is_library_here", lambda: False)
    with caplog.at_level("INFO"):
        assert with_keys(DoorSettings(), tmp_path, NOW).credentials is None
    assert "no_credentials" in caplog.text and "ooniauth-py" in caplog.text
    with pytest.raises(FanousError, match="ooniauth-py"):
        with_keys(DoorSettings(credentials=tmp_path / "keys.json"), None, NOW)
    with pytest.raises(FanousError, match="--credentials FILE"):
        with_keys(DoorSettings(), None, NOW, renew=True)
    assert with_keys(DoorSettings(), None, NOW).credentials is None
    assert not list(tmp_path.iterdir())


def test_without_keys_a_collector_answers_as_oonis_server_without_a_manifest(tmp_path: Path) -> None:
    """``_raise_manifest_not_found``, ooni/backend at 32d8349d, .../routers/v1/probe_services.py, line 1269."""
    with door(tmp_path / "inbox", Policy()) as found:
        assert found.get("/api/v1/manifest").json()["detail"]["error"] == "manifest_not_found"
        body = {
            "format": "json",
            "content": content(1),
            "nym": "n",
            "zkp_request": "z",
            "manifest_version": "1",
        }
        answer = found.post("/api/v1/submit_measurement", json=body).json()
    assert (answer["verification_status"], answer["error"]) == ("unverified", "manifest_not_found")
    assert names(tmp_path) == [None]
