"""Admin: the only requests that change the ledger; they are refused unless a token is configured.

The token is sent in a header that browsers never add by themselves, so other sites' pages cannot use it. Each
request is logged with its action, never with its token. Refused requests are logged too, up to a limit beyond which
they get 429.
"""

import hmac
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from logging import getLogger
from typing import Any, TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from fanous.errors import FanousError
from fanous.log import logline
from fanous.model.claim import Claim, Said, defect
from fanous.model.incident import Incident, Scope
from fanous.model.instant import from_iso
from fanous.pipeline import detect
from fanous.pipeline.revise import withdraw
from fanous.publish.document import reason_of
from fanous.refdata.countries import is_country
from fanous.refdata.platforms import target_of
from fanous.store.protocol import Store
from fanous.web.answers import Answers
from fanous.web.limits import Guesses

MOST_BYTES = 64 << 10
LONGEST = 2000
"""Most characters of a text."""

log = getLogger("fanous.web.admin")

Told = TypeVar("Told", bound=msgspec.Struct)


class Approve(msgspec.Struct, forbid_unknown_fields=True):
    """Approve a held incident."""

    by: str
    note: str = ""


class Retract(msgspec.Struct, forbid_unknown_fields=True):
    """Withdraw an incident."""

    by: str
    reason: str


class NewClaim(msgspec.Struct, forbid_unknown_fields=True):
    """A claim by others; the fields of ``fanous claims add``."""

    who: str
    what: Said
    country: str
    since: str
    until: str
    targets: tuple[str, ...] = ()
    networks: tuple[int, ...] = ()
    scope: Scope | None = None
    level: float | None = None
    hours: float | None = None
    link: str = ""
    quote: str = ""


class Admin:
    """The actions of one monitor."""

    def __init__(self, answers: Answers) -> None:
        self._answers = answers
        self._token = answers.site.token
        self._guesses = Guesses(answers.site.limits)

    def routes(self) -> list[Route]:
        """The routes; none without a token."""
        if not self._token:
            return []
        return [
            Route("/admin/incidents/{id:incident}/approve", self.approve, methods=["POST"]),
            Route("/admin/incidents/{id:incident}/retract", self.retract, methods=["POST"]),
            Route("/admin/claims", self.claim, methods=["POST"]),
        ]

    async def approve(self, request: Request) -> Response:
        """``{"by": ..., "note": ...}``"""
        label, now = request.path_params["id"], self._answers.site.clock()

        def act(told: Approve) -> Callable[[Store], Any]:
            return lambda store: _said(detect.approve(store, label, told.by, told.note, now))

        return await self._do(request, "approve", label, Approve, act)

    async def retract(self, request: Request) -> Response:
        """``{"by": ..., "reason": ...}``"""
        label, now = request.path_params["id"], self._answers.site.clock()

        def act(told: Retract) -> Callable[[Store], Any]:
            return lambda store: _said(withdraw(store, label, told.by, told.reason, now))

        return await self._do(request, "retract", label, Retract, act)

    async def claim(self, request: Request) -> Response:
        """The fields of ``NewClaim``."""

        def act(told: NewClaim) -> Callable[[Store], Any]:
            claim = claim_of(told)
            return lambda store: {"id": store.ledger.add_claim(claim).id}

        return await self._do(request, "claim", "", NewClaim, act)

    async def _do(
        self,
        request: Request,
        action: str,
        about: str,
        kind: type[Told],
        act: Callable[[Told], Callable[[Store], Any]],
    ) -> Response:
        """Check the token, read the body, carry out the action, and log it."""
        if not is_token(request.headers.get("authorization", ""), self._token):
            self._guesses.spend(request)
            log.warning(logline("admin_refused", action=action, about=about or None))
            return _answer(401, {"error": "a token is needed: Authorization: Bearer TOKEN"})
        try:
            told = msgspec.json.decode(await _body(request), type=kind)
            _check_lengths(told)
            done = await self._answers.ask(act(told))
        except (msgspec.DecodeError, FanousError, ValueError) as error:
            log.warning(logline("admin_failed", action=action, about=about or None, why=str(error)))
            return _answer(422, {"error": str(error)})
        self._answers.forget()
        by = getattr(told, "by", None)
        log.info(logline("admin_done", action=action, about=about or done.get("id"), by=by))
        return _answer(200, done)


def is_token(header: str, token: str) -> bool:
    """Compares digests in constant time, so that neither the token's length nor its beginning can be guessed."""
    scheme, _, given = header.partition(" ")
    same = hmac.compare_digest(sha256(given.strip().encode()).digest(), sha256(token.encode()).digest())
    return scheme.lower() == "bearer" and bool(token) and same


async def _body(request: Request) -> bytes:
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > MOST_BYTES:
            raise FanousError(f"more than {MOST_BYTES:,} bytes")
    return body


def _check_lengths(told: msgspec.Struct) -> None:
    for name, value in msgspec.structs.asdict(told).items():
        if isinstance(value, str) and len(value) > LONGEST:
            raise FanousError(f"{name}: more than {LONGEST:,} characters")


def claim_of(told: NewClaim) -> Claim:
    """The claim, checked as the command line checks it.

    Raises:
        FanousError: there is no such country, or its time ends before it begins.
    """
    country = told.country.upper()
    if not is_country(country):
        raise FanousError(f"country: {told.country!r} is not an ISO 3166-1 code such as 'PK'")
    if not told.who.strip():
        raise FanousError("who: a name is needed")
    claim = Claim(
        told.who.strip(),
        told.what,
        country,
        from_iso(told.since),
        from_iso(told.until),
        networks=told.networks,
        targets=tuple(target_of(name) for name in told.targets),
        scope=told.scope,
        level=told.level,
        hours=told.hours,
    )
    if claim.since >= claim.until:
        raise FanousError("since: it must be before until")
    claim = replace(claim, link=told.link, quote=told.quote)
    if why := defect(claim):
        raise FanousError(f"this claim cannot be recorded: {why}")
    return claim


def _said(incident: Incident) -> dict[str, str]:
    return {"id": incident.id, "status": str(incident.status), "reason": reason_of(incident)}


def _answer(status: int, document: object) -> Response:
    headers = {"Cache-Control": "no-store"} | ({"WWW-Authenticate": "Bearer"} if status == 401 else {})
    return Response(msgspec.json.encode(document), status, media_type="application/json", headers=headers)
