"""The helper fetches pages over TLS, in HTTP/1.1 and HTTP/2, and follows them as a browser does."""

import asyncio
from pathlib import Path

import pytest

from fanous.collector.helper import MOST_BODY, Helper, HelperAnswer, HelperPolicy, HelperQuestion
from tests.collector.helper.test_helper import resolving
from tests.probe.net.authority import Authority
from tests.probe.net.servers import PAGE, Serve, h2_pages, pages, redirect, response, tcp_server


def answer(
    folder: Path,
    serve: Serve,
    path: str = "/",
    *,
    name: str = "site.example",
    alpn: tuple[str, ...] = ("http/1.1",),
    days: int = 30,
    headers: dict[str, list[str]] | None = None,
) -> HelperAnswer:
    """What the helper finds at a site whose certificate is for ``name``."""
    authority = Authority(folder)

    async def ask() -> HelperAnswer:
        async with tcp_server(serve, authority.context(name, alpn=alpn, days=days)) as port:
            helper = Helper(
                HelperPolicy(
                    allow_private=True,
                    resolve=resolving(site=["127.0.0.1"]),
                    ca_file=str(authority.ca_file),
                )
            )
            question = HelperQuestion(f"https://site.example:{port}{path}", headers or {})
            return await helper.answer(question, "")

    return asyncio.run(ask())


@pytest.mark.parametrize(("serve", "alpn"), [(pages(), "http/1.1"), (h2_pages, "h2")])
def test_a_page_comes_over_tls(serve: Serve, alpn: str, tmp_path: Path) -> None:
    page = answer(tmp_path, serve, alpn=(alpn,)).http_request
    assert (page.failure, page.status_code, page.body_length) == (None, 200, len(PAGE))
    assert page.title == "A page" and page.x_seconds > 0


@pytest.mark.parametrize(("name", "days"), [("other.example", 30), ("site.example", -1)])
def test_a_wrong_certificate_is_a_failure(name: str, days: int, tmp_path: Path) -> None:
    page = answer(tmp_path, pages(), name=name, days=days).http_request
    assert (page.failure, page.status_code) == ("unknown_error", -1)


def test_the_body_of_a_redirect_is_not_read(tmp_path: Path) -> None:
    endless = redirect("/there").replace(b"Content-Length: 0", b"Content-Length: 999999999") + b"x" * 10
    page = answer(tmp_path, pages({"/": endless})).http_request
    assert (page.failure, page.status_code, page.body_length) == (None, 200, len(PAGE))


def test_a_cookie_goes_back_to_its_site(tmp_path: Path) -> None:
    seen: list[str] = []
    set_one = response(b"", "302 Found", "Location: /in\r\nSet-Cookie: seen=1; Secure")
    assert answer(tmp_path, pages({"/": set_one}, seen=seen)).http_request.failure is None
    assert "cookie: seen=1" in seen[1].lower() and "cookie:" not in seen[0].lower()


def test_a_long_head_is_read(tmp_path: Path) -> None:
    policy = "Content-Security-Policy: " + "x" * 20_000
    page = answer(tmp_path, pages({"/": response(PAGE, headers=policy)})).http_request
    assert page.failure is None and len(page.headers["Content-Security-Policy"]) == 4096


def test_a_body_is_counted_to_the_limit(tmp_path: Path) -> None:
    page = answer(tmp_path, pages({"/": response(bytes(MOST_BODY + 1))})).http_request
    assert (page.failure, page.body_length) == (None, MOST_BODY)


def test_other_letters_in_an_address_are_asked_for_as_a_browser_does(tmp_path: Path) -> None:
    seen: list[str] = []
    there = redirect("/فانوس?a b")
    assert answer(tmp_path, pages({"/": there}, seen=seen)).http_request.status_code == 200
    assert seen[1].startswith("GET /%D9%81%D8%A7%D9%86%D9%88%D8%B3?a%20b ")


def test_a_header_that_no_request_can_have_is_left_out(tmp_path: Path) -> None:
    seen: list[str] = []
    headers = {"User-Agent": ["a\r\nX-Evil: 1"], "Accept": ["text/html"]}
    assert answer(tmp_path, pages(seen=seen), headers=headers).http_request.failure is None
    assert "evil" not in seen[0].lower() and "accept: text/html" in seen[0].lower()
