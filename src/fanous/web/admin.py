"""Admin: requests from programs that change the ledger; refused unless a token is configured.

People use the desk.

The token is sent in a header that browsers never add by themselves, so other sites' pages cannot use it. Each
request is logged with its action, never with its token. Refused requests are logged too, up to a limit beyond which
they get 429.
"""

import asyncio
from logging import getLogger
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from fanous.collector.request import body_of
from fanous.errors import FanousError
from fanous.log import logline
from fanous.model.claim import Claim
from fanous.model.incident import Incident
from fanous.pipeline.actions import Approve, RecordClaim, Retract
from fanous.publish.document import reason_of
from fanous.web.answers import Answers
from fanous.web.limits import Guesses
from fanous.web.settings import is_same

MOST_BYTES = 64 << 10
LONGEST = 2000
"""Most characters of a text."""

log = getLogger("fanous.web.admin")


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
        return await self._do(request, "approve", Approve)

    async def retract(self, request: Request) -> Response:
        """``{"by": ..., "reason": ...}``"""
        return await self._do(request, "retract", Retract)

    async def claim(self, request: Request) -> Response:
        """The fields of ``RecordClaim``."""
        return await self._do(request, "claim", RecordClaim)

    async def _do(self, request: Request, name: str, kind: type[Approve | Retract | RecordClaim]) -> Response:
        """Check the token, read the body, carry out the action, and log it."""
        about = request.path_params.get("id", "")
        if not is_token(request.headers.get("authorization", ""), self._token):
            self._guesses.spend(request)
            log.warning(logline("admin_refused", action=name, about=about or None))
            return _answer(401, {"error": "a token is needed: Authorization: Bearer TOKEN"})
        try:
            body = await body_of(request, MOST_BYTES)
            answer = await asyncio.to_thread(msgspec.json.decode, body, type=dict[str, Any])
            action = msgspec.convert(answer | ({"incident": about} if about else {}), kind)
            _check_lengths(action)
            done: Incident | Claim = await self._answers.ask(action.perform)
        except (msgspec.MsgspecError, UnicodeError, RecursionError, FanousError) as error:
            log.warning(logline("admin_failed", action=name, about=about or None, why=str(error)))
            return _answer(422, {"error": str(error)})
        self._answers.forget()
        log.info(logline("admin_done", action=name, about=done.id, by=getattr(action, "by", None)))
        return _answer(200, _said(done) if isinstance(done, Incident) else {"id": done.id})


def is_token(header: str, token: str) -> bool:
    """Is the header ``Authorization`` the administrator's?"""
    scheme, _, given = header.partition(" ")
    return scheme.lower() == "bearer" and is_same(given.strip(), token)


def _check_lengths(request: msgspec.Struct) -> None:
    for name, value in msgspec.structs.asdict(request).items():
        if isinstance(value, str) and len(value) > LONGEST:
            raise FanousError(f"{name}: more than {LONGEST:,} characters")


def _said(incident: Incident) -> dict[str, str]:
    return {"id": incident.id, "status": str(incident.status), "reason": reason_of(incident)}


def _answer(status: int, document: object) -> Response:
    headers = {"Cache-Control": "no-store"} | ({"WWW-Authenticate": "Bearer"} if status == 401 else {})
    return Response(msgspec.json.encode(document), status, media_type="application/json", headers=headers)
