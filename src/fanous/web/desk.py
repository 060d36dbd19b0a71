"""Desk: the operator's pages, behind a login: log in, look, decide.

They change the ledger through ``pipeline.actions``, as the command line does; ``desk_pages`` says how to add one.

A session is known by a random number that only the browser has; the server keeps its digest, in memory, so that a
copy of the process's files opens nothing and a restart ends every session.  The number is new at each login, whatever
the browser sent before (no fixation); it is accepted only from its cookie, and if the browser identifies itself
differently than at login, the session ends.

Every answer is made for one person and never cached.  A change is made with a form, sent by one of our own pages
with the session's secret; it is logged with its action and signature, and then the browser is sent back to the page
(so that a reload repeats nothing).  The pages need no script and load none.
"""

import asyncio
import hmac
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from logging import getLogger
from secrets import token_urlsafe
from time import monotonic
from typing import Any
from uuid import uuid4

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from fanous.errors import FanousError
from fanous.log import logline
from fanous.pipeline.actions import Action
from fanous.publish.alerts.message import Sender, test_message
from fanous.publish.alerts.senders import SENDERS
from fanous.publish.alerts.settings import Alerting
from fanous.sources.ics import EventLeftOut
from fanous.store.protocol import Store
from fanous.web.answers import HTML, Answers, Visit, visit_of
from fanous.web.desk_pages import DONE, FORMS, NAVIGATION, PAGES, DeskForm, DeskPage
from fanous.web.form import MOST_BYTES, Form, Refusal, check_lengths, draft_of, form_of, is_from_here, kept_as
from fanous.web.limits import Guesses
from fanous.web.settings import is_passphrase, is_same
from fanous.web.templates import rendered

IDLE_SECONDS = 3600.0
"""Without a request for this long, a session ends: the browser may have been left open."""

LONGEST_SECONDS = 12 * 3600.0
"""A session ends after a working day, even if it is in use."""

MOST_SESSIONS = 64
"""Most sessions; beyond that, the oldest ends."""


@dataclass(slots=True)
class Session:
    """One login of one browser.

    Attributes:
        csrf: required with every change; other sites' pages cannot read it.
        agent: how the browser identified itself at login.
        began, seen: monotonic seconds.
        signed: how the person last signed a decision, to fill in the next.
        draft: a page of the desk, and the form that was sent to it too late; the page shows it once.
        left: what the last action left out, for the next page.
    """

    csrf: str
    agent: str
    began: float
    seen: float
    signed: str = ""
    draft: tuple[str, dict[str, str]] | None = None
    left: list[EventLeftOut] = field(default_factory=list)


class DeskSessions:
    """Open sessions by the digest of their number.

    Args:
        secure: the pages have an HTTPS address, so the cookie is sent only over TLS.
    """

    def __init__(self, *, secure: bool, clock: Callable[[], float] = monotonic) -> None:
        self._secure, self._clock = secure, clock
        self._open: dict[bytes, Session] = {}

    def begin(self, request: Request, draft: tuple[str, dict[str, str]] | None = None) -> str:
        """The number of a new session; one that the browser had before is ended."""
        self.end(request)
        now, number = self._clock(), token_urlsafe(32)
        self._open[_digest(number)] = Session(token_urlsafe(24), _agent(request), now, now, draft=draft)
        while len(self._open) > MOST_SESSIONS:
            del self._open[next(iter(self._open))]
        return number

    def of(self, request: Request) -> Session | None:
        """The session of a request, which also extends it."""
        key = _digest(self._cookie(request))
        session, now = self._open.get(key), self._clock()
        if session is None:
            return None
        is_over = now - session.seen > IDLE_SECONDS or now - session.began > LONGEST_SECONDS
        if is_over or session.agent != _agent(request):
            del self._open[key]
            return None
        session.seen = now
        return session

    def end_all(self) -> None:
        self._open.clear()

    def end(self, request: Request) -> None:
        self._open.pop(_digest(self._cookie(request)), None)

    @property
    def cookie(self) -> str:
        """The cookie's name; its prefix prevents other hosts of the domain, and unencrypted answers, from setting
        it."""
        return "__Host-fanous_desk" if self._secure else "fanous_desk"

    def give(self, response: Response, number: str) -> None:
        """Have the browser keep the number until it is closed; empty = have it forget the number."""
        if number:
            response.set_cookie(self.cookie, number, secure=self._secure, httponly=True, samesite="strict")
        else:
            response.delete_cookie(self.cookie, secure=self._secure, httponly=True, samesite="strict")

    def _cookie(self, request: Request) -> str:
        return request.cookies.get(self.cookie, "")


class KnownBrowsers:
    """Browsers that have logged in before: strangers who use up the tries of all do not keep them out.

    Each has a cookie that takes the passphrase's hash to make (as OWASP's device cookies), so it outlasts a restart,
    and ends with the passphrase.  It opens nothing.
    """

    NAME = "fanous_desk_known"
    SECONDS = 365 * 86_400

    def __init__(self, passphrase_hash: str, *, secure: bool) -> None:
        self._key, self._secure = sha256(passphrase_hash.encode()).digest(), secure

    def has(self, request: Request) -> bool:
        number, _, proof = request.cookies.get(self.NAME, "").partition(".")
        return is_same(proof, self._proof(number))

    def give(self, response: Response) -> None:
        number = token_urlsafe(16)
        response.set_cookie(
            self.NAME,
            f"{number}.{self._proof(number)}",
            max_age=self.SECONDS,
            path="/desk",
            secure=self._secure,
            httponly=True,
            samesite="strict",
        )

    def _proof(self, number: str) -> str:
        return hmac.digest(self._key, number.encode(), "sha256").hex()


def _digest(number: str) -> bytes:
    return sha256(number.encode()).digest()


def _agent(request: Request) -> str:
    return request.headers.get("user-agent", "")


log = getLogger("fanous.web.desk")

THEN = re.compile(r"/desk(?:/[A-Za-z0-9-]+)*")
"""Pages to which the login leads."""

MOST_DRAFT_BYTES = 4 * MOST_BYTES
"""Of a login: a form that was sent too late is in it, with its special characters encoded twice."""


class Desk:
    """The desk of one monitor."""

    def __init__(self, answers: Answers) -> None:
        self._answers, self._site = answers, answers.site
        self._sessions = DeskSessions(secure=answers.site.url.startswith("https://"))
        self._guesses = Guesses(answers.site.limits)
        self._known = KnownBrowsers(answers.site.passphrase, secure=answers.site.url.startswith("https://"))
        self._one_guess = asyncio.Lock()

    def routes(self) -> list[Route]:
        """The routes; none if the operator configured neither a token nor a passphrase."""
        if not (self._site.token or self._site.passphrase):
            return []
        return [
            Route("/desk/login", self.login, methods=["GET", "POST"]),
            Route("/desk/logout", self.logout, methods=["POST"]),
            Route("/desk/alerts/test", self.test_channel, methods=["POST"]),
            *(Route(f"/desk{form.path}", self._form(form), methods=["POST"]) for form in FORMS),
            *(Route(f"/desk{page.path}", self._page(page), methods=["GET"]) for page in PAGES),
        ]

    async def login(self, request: Request) -> Response:
        """Answers ``/desk/login``."""
        self._answers.spend(request, 1.0)
        visit = visit_of(request, self._site, {"then": ""})
        if request.method != "POST":
            if self._sessions.of(request) is not None:
                return _to(visit.link("/desk"))
            return await self._login_page(request, visit, {"then": visit.asked.get("then", "")})
        form = await self._from_here(request, MOST_DRAFT_BYTES)
        then, draft = form.get("then", ""), form.get("draft", "")
        if not await self._opens(request, form.get("secret", "")):
            log.warning(logline("desk_refused", why="wrong token or passphrase"))
            kept = {"then": then, "draft": draft, "refused": True}
            return await self._login_page(request, visit, kept, 403)
        number = self._sessions.begin(request, (then, draft_of(draft)) if draft else None)
        log.info(logline("desk_login"))
        answer = _to(visit.link(then if THEN.fullmatch(then) else "/desk"))
        self._sessions.give(answer, number)
        if self._site.passphrase:
            self._known.give(answer)
        return answer

    async def _login_page(
        self, request: Request, visit: Visit, more: dict[str, Any], status: int = 200
    ) -> Response:
        host = request.url.hostname or ""
        insecure = not self._site.url.startswith("https://") and not is_of_this_machine(host)
        facts = {"insecure": insecure, "refused": False, "late": False, "then": "", "draft": ""}
        return await self._shown(visit, None, "login.html", facts | more, status)

    def _login_first(self, visit: Visit, path: str) -> Response:
        return _to(visit.link("/desk/login", **({} if path == "/desk" else {"then": path})))

    async def _login_again(self, request: Request, visit: Visit, path: str) -> Response:
        """Keep a form that came without a session, as after a restart, until its sender has logged in again."""
        self._answers.spend(request, 1.0)
        kept = {"then": path, "draft": kept_as(await self._from_here(request, MOST_BYTES)), "late": True}
        return await self._login_page(request, visit, kept, 403)

    async def _opens(self, request: Request, secret: str) -> bool:
        """Is it the token, which is too long to guess, or the passphrase, for which attempts are limited?"""
        if is_same(secret, self._site.token):
            return True
        # Before the check, so that right ones count too.
        self._guesses.spend(request, is_known=self._known.has(request))
        if not self._site.passphrase:
            return False
        async with self._one_guess:  # each takes 16 MiB
            return await asyncio.to_thread(is_passphrase, secret, self._site.passphrase)

    async def logout(self, request: Request) -> Response:
        """Answers ``/desk/logout``."""
        visit = visit_of(request, self._site)
        if (session := self._sessions.of(request)) is not None:
            form = await self._sent(request, session)
            everywhere = bool(form.get("everywhere"))
            if everywhere:
                self._sessions.end_all()
            self._sessions.end(request)
            log.info(logline("desk_logout", everywhere=everywhere or None))
        answer = _to(visit.link("/desk/login"))
        self._sessions.give(answer, "")
        return answer

    async def test_channel(self, request: Request) -> Response:
        """Answers ``/desk/alerts/test``."""
        visit = visit_of(request, self._site)
        if (session := self._sessions.of(request)) is None:
            return self._login_first(visit, "/desk/alerts")
        form = await self._sent(request, session)
        page = next(page for page in PAGES if page.path == "/alerts")
        try:
            await send_test(self._site.alerting, form.get("channel", ""), visit.now)
        except FanousError as error:
            return await self._refused(page, visit, session, error, form)
        log.info(logline("desk_done", action="Test", about=form.get("channel")))
        return _to(visit.link("/desk/alerts", done="Test"))

    async def _from_here(self, request: Request, most: int) -> dict[str, str]:
        """The form, if a page of ours sent it.

        Raises:
            HTTPException: 403, another site did; 400, it is not a form.
        """
        try:
            form = await form_of(request, most=most)
        except FanousError as error:
            raise HTTPException(400) from error
        if not is_from_here(request, self._site.url):
            log.warning(logline("desk_refused", why="a form of another site"))
            raise HTTPException(403)
        return form

    async def _sent(self, request: Request, session: Session) -> dict[str, str]:
        """The form, if one of the session's own pages sent it; raises ``HTTPException`` otherwise."""
        form = await self._from_here(request, MOST_BYTES)
        if not self._is_own(form, session):
            raise HTTPException(403)
        return form

    @staticmethod
    def _is_own(form: dict[str, str], session: Session) -> bool:
        """Is the session's secret in the form, which loses it?"""
        if is_same(form.pop("csrf", ""), session.csrf):
            return True
        log.warning(logline("desk_refused", why="not a form of this session"))
        return False

    def _page(self, page: DeskPage) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            params = request.query_params
            asked = {k: form for k, form in page.asks.items() if re.fullmatch(form, params.get(k, ""))}
            visit = visit_of(request, self._site, asked)
            if (session := self._sessions.of(request)) is None:
                return self._login_first(visit, request.url.path)
            draft, left = session.draft, session.left
            session.draft, session.left = None, []
            if draft and draft[0] == request.url.path:
                return await self._refused(page, visit, session, Refusal("logged_out"), draft[1], 200)
            done = DONE.get(request.query_params.get("done", ""), "")
            return await self._gathered(page, visit, session, {"done": done, "left": left})

        return answer

    def _form(self, one: DeskForm) -> Callable[[Request], Awaitable[Response]]:
        page = next(page for page in PAGES if page.path.replace(":incident", "") == one.page)

        async def answer(request: Request) -> Response:
            visit = visit_of(request, self._site)
            path = f"/desk{one.page.format(**request.path_params)}"
            if (session := self._sessions.of(request)) is None:
                return await self._login_again(request, visit, path)
            form = await self._from_here(request, one.most)
            if not self._is_own(form, session):
                return await self._refused(page, visit, session, Refusal("logged_out"), form, 403)
            session.signed = form.get("by", session.signed)
            omissions: list[EventLeftOut] = []
            try:
                check_lengths(form)
                action = one.read(form, request.path_params, omissions)
                await self._answers.ask(lambda store: _perform(store, one, form, request.path_params, action))
            except FanousError as error:
                return await self._refused(page, visit, session, error, form, omissions=omissions)
            self._answers.forget()
            session.left = omissions
            name, about = type(action).__name__, getattr(action, "incident", None)
            log.info(logline("desk_done", action=name, about=about, by=getattr(action, "by", None)))
            return _to(visit.link(path, done=name))

        return answer

    async def _refused(
        self,
        page: DeskPage,
        visit: Visit,
        session: Session,
        error: FanousError,
        form: Form,
        status: int = 422,
        omissions: Sequence[EventLeftOut] = (),
    ) -> Response:
        """The page, with what was typed and why nothing was changed."""
        log.warning(logline("desk_failed", path=visit.path, why=str(error)))
        return await self._gathered(
            page, visit, session, {"wrong": error, "form": form, "left": omissions}, status
        )

    async def _gathered(
        self, page: DeskPage, visit: Visit, session: Session, more: dict[str, Any], status: int = 200
    ) -> Response:
        facts = await self._answers.ask(lambda store: page.gather(store, visit))
        if facts is None:
            raise HTTPException(404)
        nothing: dict[str, Any] = {"done": "", "left": [], "wrong": None, "form": {}}
        return await self._shown(visit, session, page.template, {**facts, **nothing, **more}, status)

    async def _shown(
        self, visit: Visit, session: Session | None, template: str, facts: dict[str, Any], status: int = 200
    ) -> Response:
        all_of_it = {"session": session, "desk_navigation": NAVIGATION, **facts}
        text = await asyncio.to_thread(rendered, f"desk/{template}", visit, all_of_it)
        return Response(text, status, headers={"Cache-Control": "no-store"}, media_type=HTML)


def _perform(store: Store, one: DeskForm, form: Form, path: Mapping[str, str], action: Action) -> None:
    if one.check is not None:
        one.check(store, form, path)
    action.perform(store)


def is_of_this_machine(host: str) -> bool:
    """Does a name in the address bar mean the reader's own machine?"""
    return host in ("localhost", "127.0.0.1", "::1") or host.endswith(".localhost")


def _to(path: str) -> RedirectResponse:
    return RedirectResponse(path, 303, {"Cache-Control": "no-store"})


async def send_test(alerting: Alerting, name: str, now: float) -> None:
    """Send a test message to a channel.

    Raises:
        FanousError: there is no such channel, or it rejected the message.
    """
    channel = alerting.channel(name)
    if channel is None:
        raise FanousError(f"no channel {name!r} is configured")
    message = test_message(str(uuid4()), now, Sender(alerting.url), channel.language)
    attempt = await SENDERS[channel.means].send(channel, message, now)
    if attempt.why:
        raise FanousError(f"{name}: {attempt.why}")
