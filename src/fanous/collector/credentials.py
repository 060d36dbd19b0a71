"""Credentials: OONI's anonymous credentials, issued to volunteers and checked with each measurement.

A volunteer's engine asks once for a credential.  With each measurement it proves that it has one, without showing it:
the collector learns a pseudonym, which stays the same for one credential on one network, whatever address the volunteer
has today, and is another on each network.  What is kept of it is a keyed digest (``Issuer.name_of``).

Anyone may ask for a credential, so one that is a minute old says nothing about its owner.  What it is worth follows
from the days on which it has measured.

Follows ooni/backend at 32d8349d: ooniapi/services/ooniprobe/src/ooniprobe/routers/v1/probe_services.py (``manifest``,
``sign_credential``, ``_verify_submit``), .../dependencies.py (``Manifest``, ``ManifestMeta``) and, for the mathematics,
the library that it uses, ooniauth-py 0.3.3.  That has wheels for x86-64 Linux and Apple's processors; without it a
collector answers as OONI's server does when it has no manifest.

The library binds a proof to the country, the network and the text of the measurement, but accepts the same proof again:
a repetition is a measurement that the store has already.
"""

import asyncio
import logging
from base64 import b64decode
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import blake2b, sha256
from importlib.util import find_spec
from pathlib import Path
from secrets import token_hex
from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING, Any, Protocol

import msgspec
from msgspec import Struct

from fanous.base.files import (
    close_to_others,
    disk_errors,
    make_folder,
    read_regular,
    write_durably,
)
from fanous.base.overwrite import check_file
from fanous.base.threads import Threads
from fanous.collector.limits import Limiter, RateLimit, RateLimits, places_of
from fanous.collector.request import Refused, decoded
from fanous.collector.submission import LoneMeasurement, ProofResult, ReportId, VerificationStatus
from fanous.errors import FanousError
from fanous.log import logline
from fanous.model.instant import DAY, to_iso

if TYPE_CHECKING:
    from ooniauth_py import ServerState

log = logging.getLogger("fanous.collector")

# --- keys ---------------------------------------------------------------------------------------------------

PUBLIC = ".pub"
"""Ending of the file next to the keys with their public half, which tells lost or foreign keys from a first start."""

MOST_KEY_BYTES = 64 << 10
DIGEST_BYTES = 16

AGAIN = (
    "put the file back from a backup, or start `fanous collect` once with --new-credentials: probes then register "
    "again by themselves"
)


class Keys(Struct, frozen=True, forbid_unknown_fields=True):
    """What makes a collector, or several that share the file, an issuer.

    Attributes:
        made: unix seconds, UTC.
        public_parameters, secret_key: the library's, in base64.
        digest_key: in hexadecimal; it tells whether a pseudonym belongs to a kept digest.
    """

    made: int
    public_parameters: str
    secret_key: str
    digest_key: str


def is_keys(path: Path) -> bool:
    """Whether a file has such keys, or what is left of them; others are never replaced."""
    return read_regular(path, MOST_KEY_BYTES, "the keys of credentials").startswith(b'{"made":')


def part() -> str:
    """Ending of a file that is being written, perhaps by several collectors at once."""
    return f".{token_hex(4)}.part"


def is_library_here() -> bool:
    """Whether ``ooniauth-py`` is installed."""
    return find_spec("ooniauth_py") is not None


def keys_at(path: Path, now: float, *, renew: bool = False) -> Keys:
    """The keys in a file, which are made if there never were any.

    Args:
        now: unix seconds, UTC.
        renew: make new ones in any case; those who have a credential register again.

    Raises:
        FanousError: they are lost, damaged or others than the public half next to them, or cannot be written.
    """
    public = path.with_name(path.name + PUBLIC)
    with disk_errors(f"use the credentials' keys in {path}"):
        if renew or not (path.exists() or public.exists()):
            _make_keys(path, public, now, renew=renew)
        elif not path.exists():
            raise FanousError(
                f"the credentials' keys {path} are lost ({public.name} is still there): {AGAIN}"
            )
        return _read_keys(path, public)


def _make_keys(path: Path, public: Path, now: float, *, renew: bool) -> None:
    """Write new keys; if another collector writes them at the same time, its keys are taken."""
    from ooniauth_py import ServerState

    state = ServerState()
    parameters = state.get_public_parameters()
    keys = Keys(int(now), parameters, state.get_secret_key(), token_hex(DIGEST_BYTES))
    make_folder(path.parent)
    if renew:
        check_file(path, is_keys)
        public.unlink(missing_ok=True)
        write_durably(path, msgspec.json.encode(keys), part(), now)
    else:
        whole = path.with_name(path.name + part())
        write_durably(whole, msgspec.json.encode(keys), part(), now)
        with suppress(FileExistsError):
            path.hardlink_to(whole)
        whole.unlink()
    log.info(logline("credentials_made", file=path))


def _read_keys(path: Path, public: Path) -> Keys:
    try:
        keys = msgspec.json.decode(read_regular(path, MOST_KEY_BYTES, "the keys of credentials"), type=Keys)
        if len(bytes.fromhex(keys.digest_key)) != DIGEST_BYTES:
            raise ValueError("digest_key is too short")
    except (msgspec.MsgspecError, ValueError) as error:
        raise FanousError(f"{path} is not a whole file of credentials' keys ({error}): {AGAIN}") from None
    close_to_others(path)
    if not public.exists():  # just made, or brought here from another collector
        with suppress(OSError):  # the folder may be read-only
            write_durably(public, keys.public_parameters.encode(), part(), keys.made)
    elif public.read_text() != keys.public_parameters:
        raise FanousError(
            f"{path} has other keys than those in use here ({public.name}): {AGAIN}. If they are another "
            f"collector's, and this one is to share them, remove {public.name}"
        )
    return keys


# --- the issuer ---------------------------------------------------------------------------------------------

SCOPE = "ooni.org/{probe_cc}/{probe_asn}"
"""What a pseudonym is made for (``Manifest.nym_scope``): the library has it built in."""

AGES = (0, 10_000_000)
"""Days of issue that are accepted, as Julian day numbers; the end is exclusive.  All of them: an engine that holds a
credential outside the range sends without one, and does not ask for another.  How long a volunteer has measured is
known from her measurements."""

LEAST_COUNT = 0
"""With 1, no new credential could ever prove its first measurement."""

LEAST_PROTOCOL = (0, 1, 0)
"""``minimum_anonc_protocol_version`` of ooni/backend (ooniapi/common/src/common/config.py)."""

MOST_PROOF, MOST_NYM = 16 << 10, 64
"""Characters; a proof of protocol 0.1.0 has 6,932 and a pseudonym 44.  The time for a proof grows with its length."""

NO_MANIFEST = "manifest_not_found"
TOO_MANY = "too_many_proofs"
"""Ours: OONI's server checks every proof."""

CODES = {
    "ProtocolError": "protocol_error",
    "CredentialError": "credential_error",
    "DeserializationFailed": "deserialization_failed",
}
"""The library's exceptions -> OONI's codes (``_anonc_exc_to_str``)."""


class Registration(Struct):
    """Body of ``POST /api/v1/sign_credential`` (``RegisterRequest``)."""

    manifest_version: str
    credential_sign_request: str


_registration = msgspec.json.Decoder(Registration)


class Credentials(Protocol):
    """What a door asks about credentials."""

    def manifest(self, url: str) -> dict[str, Any]:
        """Answer to ``GET /api/v1/manifest``.

        Args:
            url: where it was asked for.

        Raises:
            Refused: 404, there is none.
        """

    def sign(self, body: bytes, address: str, asn: int, now: float) -> dict[str, Any]:
        """Answer to ``POST /api/v1/sign_credential``.

        Args:
            address: the client's; counted until the end of the day, in memory only.
            asn: the network that announces it; 0 = unknown.
            now: unix seconds, UTC.

        Raises:
            Refused: with OONI's statuses; 429 = none is left for this neighbourhood or network today.
        """

    def unproven(self, sent: LoneMeasurement) -> ProofResult | None:
        """Why a measurement has no proof that could be checked; ``None`` = it has one."""

    def verify(self, sent: LoneMeasurement, report: ReportId) -> ProofResult:
        """Check the proof of a measurement whose country and network are those of its report: 10 ms."""


class NoCredentials:
    """Issues none and checks none, as OONI's server without a manifest."""

    def manifest(self, _url: str, /) -> dict[str, Any]:
        raise Refused(404, "No manifest: credentials cannot be checked here", error=NO_MANIFEST)

    def sign(self, body: bytes, _address: str, _asn: int, _now: float, /) -> dict[str, Any]:
        raise _unknown(decoded(_registration, body, "a request for a credential").manifest_version)

    def unproven(self, sent: LoneMeasurement, /) -> ProofResult | None:
        return ProofResult(error=NO_MANIFEST if sent.manifest_version else None)

    def verify(self, _sent: LoneMeasurement, _report: ReportId, /) -> ProofResult:
        raise AssertionError("there is no proof that could be checked")


def _unknown(version: str) -> Refused:
    return Refused(404, f"No manifest with version '{version[:80]}' was found", error=NO_MANIFEST)


class Issuer:
    """Issues credentials and checks proofs with one set of keys; may be used by several threads.

    Args:
        keys: of all collectors that issue together.
        file: where they are, for messages.
        network_day: credentials that one network may be given in a day.

    Raises:
        FanousError: the keys do not belong together.
    """

    def __init__(self, keys: Keys, file: Path, network_day: int) -> None:
        import ooniauth_py

        self._failures: tuple[type[Exception], ...] = (
            *(ooniauth_py.ProtocolError, ooniauth_py.CredentialError, ooniauth_py.DeserializationFailed),
            Panicked,
        )
        # The first state of a process readies the library; ``from_creds`` alone may panic.
        ooniauth_py.ServerState()
        try:
            with _panics_as_errors():
                self._state = ooniauth_py.ServerState.from_creds(keys.public_parameters, keys.secret_key)
                _rehearse(self._state, keys.public_parameters)
        except self._failures as error:
            raise FanousError(f"{file} has keys that issue no valid credential ({error}): {AGAIN}") from error
        self._made = keys.made
        self._digest_key = bytes.fromhex(keys.digest_key)
        self._parameters = keys.public_parameters
        self._library = (ooniauth_py.__version__, ooniauth_py.get_protocol_version())
        self._version = sha256(msgspec.json.encode(self._manifest())).hexdigest()[:16]
        self._ration = Ration(network_day)

    def _manifest(self) -> dict[str, Any]:
        policy = {"age": AGES, "min_measurement_count": LEAST_COUNT}
        return {
            "nym_scope": SCOPE,
            "submission_policy": [{"policy": policy, "match": {"probe_cc": "*", "probe_asn": "*"}}],
            "public_parameters": self._parameters,
        }

    def manifest(self, url: str) -> dict[str, Any]:
        library, protocol = self._library
        meta = {
            "version": self._version,
            "last_modification_date": to_iso(self._made),
            "manifest_url": url,
            "library_version": library,
            "protocol_version": protocol,
        }
        return {"manifest": self._manifest(), "meta": meta}

    def sign(self, body: bytes, address: str, asn: int, now: float) -> dict[str, Any]:
        asked = decoded(_registration, body, "a request for a credential")
        if asked.manifest_version != self._version:
            raise _unknown(asked.manifest_version)
        with self._ration.one(address, asn, now):
            try:
                with _panics_as_errors():
                    signed = self._state.handle_registration_request(asked.credential_sign_request)
                    return {"credential_sign_response": signed, "emission_day": self._state.today()}
            except self._failures as error:
                code = _code_of(error)
                raise Refused(
                    400 if code == "deserialization_failed" else 403, str(error), error=code
                ) from None

    def unproven(self, sent: LoneMeasurement) -> ProofResult | None:
        parts = (sent.nym, sent.zkp_request, sent.manifest_version, sent.protocol_version)
        if parts == (None,) * 4:
            return ProofResult()
        if sent.manifest_version != self._version:
            return ProofResult(error=NO_MANIFEST)
        if None in parts:
            return ProofResult(error="incomplete_anonc_fields")
        numbers = (sent.protocol_version or "")[:40].split(".")
        if not all(number.isascii() and number.isdigit() for number in numbers):
            return ProofResult(error="invalid_protocol_version")
        if tuple(map(int, numbers)) < LEAST_PROTOCOL:
            return ProofResult(error="protocol_version_too_old")
        if len(sent.nym or "") > MOST_NYM or len(sent.zkp_request or "") > MOST_PROOF:
            return ProofResult(VerificationStatus.FAILED, "deserialization_failed")
        return None

    def verify(self, sent: LoneMeasurement, report: ReportId) -> ProofResult:
        nym, proof = sent.nym or "", sent.zkp_request or ""
        try:
            with _panics_as_errors():
                response = self._state.handle_submit_request_with_hash(
                    nym, proof, report.country, f"AS{report.asn}", sent.content, AGES, LEAST_COUNT
                )
        except self._failures as error:  # as ``_verify_submit``: a proof that fails loses no measurement
            return ProofResult(VerificationStatus.FAILED, _code_of(error))
        return ProofResult(VerificationStatus.VERIFIED, None, response, self.name_of(nym))

    def name_of(self, nym: str) -> str:
        """The digest that is kept of a pseudonym, in hexadecimal."""
        return blake2b(b64decode(nym), key=self._digest_key, digest_size=DIGEST_BYTES).hexdigest()


class Panicked(Exception):
    """The library's Rust code met a case that it did not expect."""


@contextmanager
def _panics_as_errors() -> Iterator[None]:
    """Its panics are raised as a ``BaseException`` that cannot be imported, and that would end a process."""
    try:
        yield
    except BaseException as error:
        if type(error).__name__ != "PanicException":
            raise
        raise Panicked(str(error)) from error


def _code_of(error: Exception) -> str:
    return CODES.get(type(error).__name__, "unknown_error")


def _rehearse(state: "ServerState", parameters: str) -> None:
    """Register and prove as a volunteer would: the library takes keys that do not belong together without a word."""
    from ooniauth_py import UserState

    user = UserState(parameters)
    user.handle_registration_response(state.handle_registration_request(user.make_registration_request()))
    proof = user.make_submit_request_with_hash("ZZ", "AS0", "", AGES, LEAST_COUNT)
    user.handle_submit_response(
        state.handle_submit_request_with_hash(proof.nym, proof.request, "ZZ", "AS0", "", AGES, LEAST_COUNT)
    )


NETWORK_DAY = 100
"""Credentials that one network (ASN) may be given in a day: what a newsroom's call to its readers needs, and few enough
that a crowd of names takes weeks."""


class Ration:
    """Credentials cost something: one for each /24 or /48 and day, and so many for each network.

    The day ends at midnight UTC, and with it all that is known of who asked.

    Args:
        network_day: most of one network in a day; all addresses of unknown networks count as one.
    """

    def __init__(self, network_day: int) -> None:
        self._most = network_day
        self._day = 0
        self._places: set[str] = set()
        self._networks: Counter[int] = Counter()
        self._guard = Lock()

    @contextmanager
    def one(self, address: str, asn: int, now: float) -> Iterator[None]:
        """Count a credential that is issued in this context, if that succeeds.

        Raises:
            Refused: 429, with the seconds until tomorrow.
        """
        with self._guard:
            day, place = int(now // DAY), places_of(address)[1]
            if day != self._day:
                self._day, self._places, self._networks = day, set(), Counter()
            if place in self._places or self._networks[asn] >= self._most:
                whose = f"neighbourhood ({place})" if place in self._places else "network"
                why = f"no more credentials for this {whose} today: measurements are welcome without one"
                raise Refused(429, why, retry_after=(day + 1) * DAY - now)
            yield
            self._places.add(place)
            self._networks[asn] += 1


# --- the budget of proofs -----------------------------------------------------------------------------------

PROVERS = 2
"""Threads that check proofs; the library works without Python's lock.  10 ms for each proof."""

PROOFS = RateLimits(address=RateLimit(5, 600), network=RateLimit(20, 1200))
"""Proofs checked of one address and of one network.  A run over a whole test list makes some 600 measurements; a forger
who uses all that a network may takes a fifth of a core."""

WAITING, WAITING_OF_NETWORK = 64, 8
"""Proofs that wait or are being checked, in all and of one network: a third of a second's work of two processors, and a
twenty-fifth."""


class Checks:
    """Checks proofs in threads of their own, within a budget; belongs to one event loop.

    A proof beyond the budget is not checked, and nothing waits for it: forged ones, which cost nothing to make, delay
    no one's measurements.
    """

    def __init__(self, credentials: Credentials, proofs: RateLimits) -> None:
        self._credentials = credentials
        self._limiter = Limiter(proofs)
        self._threads = Threads(PROVERS, "proofs")
        self._waiting: Counter[str] = Counter()

    async def verify(self, sent: LoneMeasurement, report: ReportId, address: str) -> ProofResult:
        """What is known of the sender.

        Args:
            report: of this measurement, and so its country and network.
            address: the client's.
        """
        unproven = self._credentials.unproven(sent)
        if unproven is not None:
            return unproven
        network = places_of(address)[1]
        if not self._is_allowed(address, network):
            return ProofResult(error=TOO_MANY)
        self._waiting[network] += 1
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._threads, self._credentials.verify, sent, report)
        finally:
            self._waiting[network] -= 1
            if not self._waiting[network]:
                del self._waiting[network]

    def _is_allowed(self, address: str, network: str) -> bool:
        if self._waiting[network] >= WAITING_OF_NETWORK or self._waiting.total() >= WAITING:
            return False
        try:
            self._limiter.admit(address, monotonic())
        except Refused:
            return False
        return True

    def stop(self) -> None:
        """Forget proofs that wait; their measurements were not acknowledged."""
        self._threads.forget()
