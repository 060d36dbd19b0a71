"""The desk's door: who gets in, and what others try."""

import asyncio
import html
import logging
import re
from functools import cache, partial
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from starlette.types import Message

from fanous.collector.request import body_of
from fanous.errors import FanousError
from fanous.model.incident import Status
from fanous.web import form as web_form
from fanous.web.answers import Site
from fanous.web.application import application
from fanous.web.desk import IDLE_SECONDS, LONGEST_SECONDS, MOST_SESSIONS, DeskSessions, KnownBrowsers
from fanous.web.limits import GUESSES_OF_ALL
from fanous.web.settings import hashed, is_passphrase
from tests.charts.events import ONGOING, incident
from tests.each import each
from tests.web.deskhand import FORM, Deskhand
from tests.web.small_store import SmallStore
from tests.web.visits import NOW

TOKEN = "0123456789abcdef0123456789abcdef"
WORDS = "lantern over the river"


@cache
def kept() -> str:
    """Of the passphrase; made once, as it takes a third of a second."""
    return hashed(WORDS)


RETRACT = {"decision": "retract", "by": "the duty editor", "text": "it was the platform itself"}
PAGE = "/desk/incidents/PK-2023-0042"


def door(store: SmallStore | None = None, **given: Any) -> Deskhand:
    site = Site(clock=lambda: NOW, **({"token": TOKEN} | given))
    store = store or SmallStore([incident(**ONGOING)])
    return Deskhand(application(store.ask, site), site.url or "http://monitor.example")


def inside(store: SmallStore | None = None, **given: Any) -> Deskhand:
    hand = door(store, **given)
    assert hand.login(TOKEN).status_code == 303
    return hand


def another(hand: Deskhand, **given: Any) -> Deskhand:
    """Another browser that visits the same site."""
    return Deskhand(hand.app, hand.url, **given)


@pytest.mark.parametrize("path", ["/desk", "/desk/login", PAGE])
def test_without_a_token_or_a_passphrase_there_is_no_desk(path: str) -> None:
    assert door(token="").get(path).status_code == 404


@pytest.mark.parametrize(("path", "then"), [("/desk", ""), (PAGE, f"?then={PAGE.replace('/', '%2F')}")])
def test_a_stranger_is_sent_to_the_login_and_learns_nothing(path: str, then: str) -> None:
    hand = door()
    answer = hand.get(path)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/desk/login{then}")
    assert answer.content == b""


def test_nor_can_a_stranger_decide() -> None:
    store = SmallStore([incident(**ONGOING)])
    assert door(store).post(PAGE, **RETRACT).status_code == 403
    assert store.known[0].status is Status.CONFIRMED


@pytest.mark.parametrize(
    "then", [PAGE, "https://evil.example", "//evil.example", "/desk/../PK", "/PK", "/desk?x"]
)
def test_the_login_leads_to_the_page_that_was_asked_for_and_nowhere_else(then: str) -> None:
    hand = door()
    assert html.escape(then) in hand.get(f"/desk/login?then={quote(then)}").text
    assert 'name="then"' not in hand.get("/desk/login").text
    answer = hand.post("/desk/login", secret=TOKEN, then=then)
    assert answer.headers["location"] == (then if then == PAGE else "/desk")


def test_what_is_sent_after_a_restart_comes_back_and_is_done_only_when_sent_again() -> None:
    store = SmallStore([incident(**ONGOING)])
    typed = RETRACT | {"text": 'one paragraph\r\n\r\n"another" & more'}
    hand = door(store)
    late = hand.post(PAGE, **typed, csrf="of the session before")
    assert "you are no longer logged in" in late.text
    draft = html.unescape(re.findall(r'name="draft" value="([^"]*)"', late.text)[0])
    assert "of+the+session+before" not in draft
    wrong = hand.post("/desk/login", secret="no", then=PAGE, draft=draft)
    assert html.escape(draft) in wrong.text
    answer = hand.post("/desk/login", secret=TOKEN, then=PAGE, draft=draft)
    assert answer.headers["location"] == PAGE
    page = hand.get(PAGE)
    assert "You were logged out before this was sent" in page.text
    assert "one paragraph&#10;&#10;&#34;another&#34; &amp; more</textarea>" in page.text
    assert 'value="the duty editor"' in page.text
    assert store.known[0].status is Status.CONFIRMED
    assert "one paragraph" not in hand.get(PAGE).text
    assert hand.post(PAGE, **typed).status_code == 303


def test_logging_out_everywhere_ends_the_other_sessions() -> None:
    hand = inside()
    other = another(hand)
    other.login(TOKEN)
    hand.post("/desk/logout")
    assert other.get("/desk").status_code == 200
    hand.login(TOKEN)
    hand.post("/desk/logout", everywhere="1")
    assert other.get("/desk").status_code == 303


def test_the_token_opens_the_desk_and_the_log_has_no_secret(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "fanous"):
        hand = inside()
        assert "Review queue" in hand.get("/desk").text
    assert "desk_login" in caplog.text
    for secret in (TOKEN, hand.csrf, *hand.cookies.values()):
        assert secret not in caplog.text


def test_the_passphrase_opens_it_too() -> None:
    hand = door(token="", passphrase=kept())
    assert hand.login(WORDS.upper()).status_code == 403
    assert hand.login(WORDS).status_code == 303
    assert hand.get("/desk").status_code == 200


@pytest.mark.parametrize(
    "secret",
    ["", " ", TOKEN[:-1], f"{TOKEN}0", TOKEN.upper(), None],
    ids=["nothing", "a blank", "too short", "too long", "in capitals", "what is kept of a passphrase"],
)
def test_anything_else_does_not(secret: str | None, caplog: pytest.LogCaptureFixture) -> None:
    hand = door(passphrase=kept())
    answer = hand.login(kept() if secret is None else secret)
    assert (answer.status_code, hand.cookies) == (403, {})
    assert "neither the token nor the passphrase" in answer.text
    assert "desk_refused" in caplog.text


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites() -> None:
    cookie = door().login(TOKEN).headers["set-cookie"]
    assert cookie.startswith("fanous_desk=")
    assert {"HttpOnly", "SameSite=strict", "Path=/"} <= set(cookie.split("; "))
    assert "Domain" not in cookie
    assert "Max-Age" not in cookie
    assert "expires" not in cookie.lower()


def test_over_tls_no_other_host_can_set_it_and_it_never_goes_unencrypted() -> None:
    cookie = door(url="https://fanous.example").login(TOKEN).headers["set-cookie"]
    assert cookie.startswith("__Host-fanous_desk=")
    assert {"Secure", "HttpOnly", "SameSite=strict", "Path=/"} <= set(cookie.split("; "))
    hand = inside(url="https://fanous.example")
    (number,) = hand.cookies.values()
    hand.cookies = {"fanous_desk": number}
    assert hand.get("/desk").status_code == 303


def test_a_number_that_was_planted_beforehand_opens_nothing() -> None:
    """Fixation: the attacker knows the cookie that the victim logs in with."""
    hand = door()
    hand.cookies = {"fanous_desk": "planted"}
    assert hand.login(TOKEN).status_code == 303
    assert hand.cookies["fanous_desk"] != "planted"
    assert another(hand, cookies={"fanous_desk": "planted"}).get("/desk").status_code == 303


def test_a_second_login_ends_the_first_session_of_the_browser() -> None:
    hand = inside()
    first = dict(hand.cookies)
    hand.login(TOKEN)
    assert hand.cookies != first
    assert another(hand, cookies=first).get("/desk").status_code == 303


def test_after_logging_out_the_cookie_opens_nothing() -> None:
    hand = inside()
    stolen = dict(hand.cookies)
    answer = hand.post("/desk/logout")
    assert (answer.status_code, answer.headers["location"], hand.cookies) == (303, "/desk/login", {})
    assert another(hand, cookies=stolen).get("/desk").status_code == 303


def test_a_stolen_cookie_in_another_browser_ends_the_session() -> None:
    hand = inside()
    assert another(hand, cookies=dict(hand.cookies), agent="curl").get("/desk").status_code == 303
    assert hand.get("/desk").status_code == 303


@each("header", ["authorization", "x-forwarded-cookie", "x-cookie", "cookie2", "fanous_desk", "set-cookie"])
def test_the_number_counts_only_in_its_cookie(header: str) -> None:
    hand = inside()
    (number,) = hand.cookies.values()
    thief = another(hand)
    assert thief.get("/desk", **{header: f"fanous_desk={number}"}).status_code == 303
    assert thief.get(f"/desk?fanous_desk={number}").status_code == 303


@pytest.mark.parametrize("method", ["TRACE", "OPTIONS", "PUT", "DELETE", "PATCH"])
def test_no_method_echoes_the_cookie(method: str) -> None:
    hand = inside()
    answer = hand.ask(method, "/desk", b"", {})
    (number,) = hand.cookies.values()
    assert answer.status_code == 405
    assert number not in answer.text + str(answer.headers)


def test_no_answer_of_the_desk_has_the_number_in_it_or_is_kept_anywhere() -> None:
    hand = inside()
    (number,) = hand.cookies.values()
    for path in ("/desk", PAGE, "/"):
        answer = hand.get(path)
        assert answer.status_code == 200
        assert number not in answer.text + str(answer.headers)
    answer = hand.get("/desk")
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "same-origin"
    assert "script" not in answer.headers["content-security-policy"]
    assert "<script" not in answer.text


@pytest.mark.parametrize("csrf", ["", "guessed", "{other}"])
def test_a_form_without_the_sessions_secret_changes_nothing(csrf: str) -> None:
    store = SmallStore([incident(**ONGOING)])
    hand = inside(store)
    other = another(hand)
    other.login(TOKEN)
    answer = hand.post(PAGE, **RETRACT, csrf=csrf.format(other=other.csrf))
    assert (answer.status_code, store.known[0].status) == (403, Status.CONFIRMED)
    assert f">{RETRACT['text']}</textarea>" in answer.text


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://["},
        {"origin": "http://monitor.example.evil.example"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
    ids=str,
)
def test_a_form_of_another_site_changes_nothing_even_with_the_secret(headers: dict[str, str]) -> None:
    store = SmallStore([incident(**ONGOING)])
    hand = inside(store)
    assert hand.post(PAGE, headers, **RETRACT).status_code == 403
    assert [one.status for one in store.known] == [Status.CONFIRMED]
    assert hand.post("/desk/logout", headers).status_code == 403
    assert another(hand).post("/desk/login", headers, secret=TOKEN).status_code == 403
    fine = {"origin": "http://monitor.example", "sec-fetch-site": "same-origin"}
    assert hand.post(PAGE, fine, **RETRACT).status_code == 303
    assert store.known[0].status is Status.RETRACTED


@pytest.mark.parametrize("kind", ["application/json", "text/plain", "multipart/form-data; boundary=x", ""])
def test_what_is_not_a_form_is_refused(kind: str) -> None:
    assert inside().post(PAGE, {"content-type": kind}, **RETRACT).status_code == 400


@pytest.mark.parametrize("goes_away", [True, False])
def test_half_a_form_is_not_waited_for_and_is_no_bug(
    goes_away: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two thousand of them, from sixteen addresses, kept all readers out for as long as they were held."""
    monkeypatch.setattr(web_form, "body_of", partial(body_of, window=0.1))
    head: dict[str, Any] = {"type": "http", "method": "POST", "path": "/desk/login", "query_string": b""}
    head |= {"headers": [(b"host", b"monitor.example"), (b"content-type", FORM.encode())]}
    pieces: list[Message] = [{"type": "http.request", "body": b"secret=", "more_body": True}]
    answers: list[Message] = []

    async def receive() -> Message:
        if pieces:
            return pieces.pop()
        if not goes_away:
            await asyncio.sleep(60)
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        answers.append(message)

    asyncio.run(asyncio.wait_for(door().app(head, receive, send), 10))
    assert answers[0]["status"] == 400


def test_a_form_is_limited() -> None:
    hand = inside()
    assert hand.post(PAGE, **RETRACT, more="x" * 70_000).status_code == 400
    long = hand.post(PAGE, decision="hold", by="x", text="y" * 2_001)
    assert (long.status_code, "at most" in long.text, "y" * 2_001 in long.text) == (422, True, True)
    assert hand.post(PAGE, **(RETRACT | {"text": "y\r\n" * 1_000})).status_code == 303
    assert hand.post(PAGE, **{f"f{n}": "" for n in range(50)}).status_code == 400


def test_guessing_is_stopped_and_a_busy_guesser_does_not_lock_the_token_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("fanous.web.desk.is_passphrase", lambda said, _: said == WORDS)  # costs much
    hand = door(passphrase=kept())
    tried = [hand.login(f"guess {n}").status_code for n in range(12)]
    assert tried[:10] == [403] * 10
    assert tried[10:] == [429] * 2
    assert hand.login(WORDS).status_code == 429
    assert hand.login(TOKEN).status_code == 303


def test_a_guesser_behind_a_proxy_that_is_not_named_uses_up_no_one_elses_tries(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = [0.0]
    monkeypatch.setattr("fanous.web.limits.monotonic", lambda: clock[0])
    monkeypatch.setattr("fanous.web.desk.is_passphrase", lambda said, _: said == WORDS)  # costs much
    hand = door(passphrase=kept())

    def tried(secret: str, forwarded: str) -> int:
        body = urlencode({"secret": secret}).encode()
        sent = {"content-type": FORM, "x-forwarded-for": forwarded}
        return hand.ask("POST", "/desk/login", body, sent).status_code

    guesser = [tried("a guess", "198.51.100.7") for _ in range(12)]
    assert guesser == [403] * 10 + [429] * 2
    assert tried("a guess", "203.0.113.5, 198.51.100.7") == 429, "only the last entry is the proxy's own"
    assert tried(WORDS, "203.0.113.5") == 303


def test_guessers_anywhere_share_one_budget_and_keep_out_no_one_who_logged_in_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """150 guesses from 150 networks were all tried, at a tenth of a second each."""
    clock = [0.0]
    monkeypatch.setattr("fanous.web.limits.monotonic", lambda: clock[0])
    monkeypatch.setattr("fanous.web.desk.is_passphrase", lambda said, _: said == WORDS)  # costs much
    hash_ = kept()
    editor = door(passphrase=hash_)
    assert editor.login(WORDS).status_code == 303
    after_a_restart = door(passphrase=hash_)
    after_a_restart.cookies = {name: value for name, value in editor.cookies.items() if "known" in name}
    assert len(after_a_restart.cookies) == 1

    def guess(network: int, cookie: str = "") -> int:
        body = urlencode({"secret": "a guess"}).encode()
        sent = {"content-type": FORM, "x-forwarded-for": f"203.{network}.113.5", "cookie": cookie}
        return after_a_restart.ask("POST", "/desk/login", body, sent).status_code

    burst = int(GUESSES_OF_ALL.burst)
    assert [guess(n) for n in range(150)] == [403] * burst + [429] * (150 - burst)
    for forged in ("number.", "number.proof", "."):
        assert guess(151, f"{KnownBrowsers.NAME}={forged}") == 429
    assert another(after_a_restart, cookies={}).login(WORDS).status_code == 429
    assert another(after_a_restart, cookies={}).login(TOKEN).status_code == 303
    assert after_a_restart.login(WORDS).status_code == 303
    clock[0] += 1 / GUESSES_OF_ALL.a_second
    assert [guess(152), guess(153)] == [403, 429]


def test_a_browser_that_is_known_guesses_no_longer_than_others_and_is_known_for_one_passphrase(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("fanous.web.desk.is_passphrase", lambda said, _: said == WORDS)  # costs much
    hand = door(passphrase=kept())
    hand.login(WORDS)
    known = {name: value for name, value in hand.cookies.items() if "known" in name}
    other = door(passphrase=hashed("four other unrelated words"))
    for one in (hand, other):
        one.cookies = dict(known)
    burst = int(GUESSES_OF_ALL.burst)
    assert [hand.login("a guess").status_code for _ in range(burst + 1)] == [403] * burst + [429]
    assert [other.login("a guess").status_code for _ in range(12)] == [403] * 10 + [429] * 2


def test_hostile_text_in_what_is_typed_is_shown_and_does_nothing() -> None:
    hand = inside()
    bad = '"><script>alert(1)</script>\u202e'
    answer = hand.post(PAGE, decision="retract", by=bad, text="")
    assert answer.status_code == 422
    assert "<script" not in answer.text
    assert "\u202e" not in answer.text
    assert "Give a reason" in answer.text


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


class Asked:
    """What a session needs of a request."""

    def __init__(self, number: str = "") -> None:
        self.cookies = {"fanous_desk": number}
        self.headers = {"user-agent": "Firefox"}


def test_a_session_ends_when_it_is_left_alone_and_after_a_day_of_work() -> None:
    clock = Clock()
    sessions = DeskSessions(secure=False, clock=clock)
    asked: Any = Asked()
    asked = Asked(sessions.begin(asked))
    clock.now += IDLE_SECONDS - 1
    assert sessions.of(asked) is not None
    clock.now += IDLE_SECONDS + 1
    assert sessions.of(asked) is None
    asked = Asked(sessions.begin(asked))
    began = clock.now
    while clock.now + IDLE_SECONDS < began + LONGEST_SECONDS:
        clock.now += IDLE_SECONDS
        assert sessions.of(asked) is not None
    clock.now = began + LONGEST_SECONDS + 1
    assert sessions.of(asked) is None


def test_there_are_only_so_many_sessions() -> None:
    sessions, nobody = DeskSessions(secure=False), Asked()
    numbers: list[Any] = [Asked(sessions.begin(nobody)) for _ in range(MOST_SESSIONS + 1)]  # type: ignore[arg-type]
    assert sessions.of(numbers[0]) is None
    assert sessions.of(numbers[1]) is not None


def test_a_passphrase_is_kept_as_a_salted_hash() -> None:
    assert WORDS not in kept()
    assert hashed(WORDS) != kept()
    assert is_passphrase(WORDS, kept())
    assert not is_passphrase(f"{WORDS} ", kept())
    for bad in ("short", "x" * 2000):
        with pytest.raises(FanousError, match="12 to 1,024 characters"):
            hashed(bad)
