"""WhatsApp (ooni/spec ts-018): sixteen chat hosts on two ports, registration, and the web client."""

import asyncio

from fanous.probe.messengers.messenger import Messenger, host_connects, page_fails, status
from fanous.probe.settings import Settings
from fanous.probe.trace import Entry, Trace

CHAT_HOSTS = tuple(f"e{number}.whatsapp.net" for number in range(1, 17))
CHAT_PORTS = (443, 5222)
REGISTRATION = "https://v.whatsapp.net/v2/register"
WEB = "https://web.whatsapp.com/"


async def _attempt(trace: Trace, settings: Settings) -> Entry:
    chat = [host_connects(trace, settings, host, CHAT_PORTS) for host in CHAT_HOSTS]
    pages = [page_fails(trace, settings, url) for url in (REGISTRATION, WEB)]
    reached, (registration, web) = await asyncio.gather(asyncio.gather(*chat), asyncio.gather(*pages))
    return {
        "whatsapp_endpoints_status": "ok" if any(reached) else "blocked",
        "whatsapp_endpoints_blocked": [
            host for host, made in zip(CHAT_HOSTS, reached, strict=True) if not made
        ],
        "whatsapp_endpoints_dns_inconsistent": [],
        "registration_server_status": status(registration),
        "registration_server_failure": registration,
        "whatsapp_web_status": status(web),
        "whatsapp_web_failure": web,
    }


MESSENGER = Messenger("whatsapp", "0.11.0", _attempt)
