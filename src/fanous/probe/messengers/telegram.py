"""Telegram (ooni/spec ts-020): its data centres by address over plain HTTP, and the web client."""

import asyncio
from urllib.parse import urlsplit

from fanous.probe import http
from fanous.probe.endpoint import open_site
from fanous.probe.messengers.messenger import Messenger, page_fails, status
from fanous.probe.settings import Settings
from fanous.probe.trace import Entry, Trace

CENTRES = (
    *("149.154.175.50", "149.154.167.51", "149.154.175.100"),
    *("149.154.167.91", "149.154.171.5", "95.161.76.100"),
)
PORTS = (80, 443)
WEB = "https://web.telegram.org/"


async def _attempt(trace: Trace, settings: Settings) -> Entry:
    urls = [f"http://{ip}/" if port == 80 else f"http://{ip}:{port}/" for ip in CENTRES for port in PORTS]
    posts = asyncio.gather(*(_post(trace, settings, url) for url in urls))
    answered, web = await asyncio.gather(posts, page_fails(trace, settings, WEB))
    made = any(connect["status"]["success"] for connect in trace.tcp_connect if connect["ip"] in CENTRES)
    return {
        "telegram_tcp_blocking": not made,
        "telegram_http_blocking": not any(answered),
        "telegram_web_status": status(web),
        "telegram_web_failure": web,
    }


async def _post(trace: Trace, settings: Settings, url: str) -> bool:
    """Does the data centre answer?  It says 501 to everyone."""
    parts = urlsplit(url)
    opened = await open_site(trace, settings, parts, parts.hostname or "", control=False)
    if opened is None:
        return False
    page = await http.get(trace, settings, opened.stream, url, opened.ip, opened.transaction, method="POST")
    return page.failure is None


MESSENGER = Messenger("telegram", "0.3.1", _attempt)
