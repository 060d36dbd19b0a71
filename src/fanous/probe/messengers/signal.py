"""Signal (ooni/spec ts-029): the app's servers over HTTPS.

Their certificates come from Signal's own authority, which is in no public list.  If the settings name its PEM
file (``signal_ca_file``) they are verified, otherwise only recorded (``no_tls_verify``).
"""

import asyncio

from fanous.probe import dns
from fanous.probe.messengers.messenger import Messenger, page_fails, status
from fanous.probe.net.tls import client_context
from fanous.probe.settings import Settings
from fanous.probe.trace import Entry, Trace

SERVERS = (
    *("https://cdsi.signal.org/", "https://chat.signal.org/"),
    *("https://sfu.voip.signal.org/", "https://storage.signal.org/"),
)
UPTIME = "uptime.signal.org"
"""Its address says whether the service itself is down; looked up for readers of the record."""


async def _attempt(trace: Trace, settings: Settings) -> Entry:
    authority = settings.signal_ca_file
    context = client_context(("h2", "http/1.1"), authority, verify=bool(authority))
    tried = asyncio.gather(*(page_fails(trace, settings, url, context) for url in SERVERS))
    failures, _ = await asyncio.gather(tried, dns.by_system(trace, settings, UPTIME))
    failure = next((one for one in failures if one is not None), None)
    return {"signal_backend_status": status(failure), "signal_backend_failure": failure}


MESSENGER = Messenger("signal", "0.2.5", _attempt)
