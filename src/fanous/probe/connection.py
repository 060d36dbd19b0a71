"""Connection: opens a connection to one address of a site, ready for a request.

The handshake with an innocuous name comes *before* that with the site's: residual blocking poisons the next
minutes of an address once the trigger was sent.
"""

from dataclasses import dataclass
from ssl import SSLContext
from urllib.parse import SplitResult

from fanous.probe import second_opinion, tcp, tls
from fanous.probe.net.network import Stream
from fanous.probe.net.tls import client_context
from fanous.probe.retry import retried
from fanous.probe.settings import Settings
from fanous.probe.trace import Trace

PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Opened:
    """A connection that is ready for a request."""

    stream: Stream
    ip: str
    transaction: int
    protocol: str


async def open_site(
    trace: Trace,
    settings: Settings,
    parts: SplitResult,
    ip: str,
    *,
    control: bool,
    context: SSLContext | None = None,
    first: int = 1,
) -> Opened | None:
    """A connection to ``ip``, secured where the scheme asks for it; failed attempts are made again.

    Args:
        control: with the innocuous name before, and a second opinion after a failure.
        context: of TLS; ``None`` = as browsers verify.
        first: number of the first attempt made here.
    """
    port, secure = parts.port or PORTS[parts.scheme], parts.scheme == "https"
    if secure and control and settings.control_sni and not await _try_control(trace, settings, ip, port):
        return None

    async def attempt(number: int) -> tuple[Opened | None, str | None]:
        made[:] = [number]
        stream, failure = await tcp.attempt(trace, settings, ip, port, number)
        if stream is None or not secure:
            return (Opened(stream, ip, stream.transaction, "") if stream else None), failure
        secured, failure = await tls.attempt(trace, settings, stream, parts.hostname or "", trust, number)
        last[:] = [failure]
        return (Opened(secured, ip, stream.transaction, secured.alpn) if secured else None), failure

    trust = context or client_context(("h2", "http/1.1"), settings.ca_file)
    last, made = list[str | None](), [first]
    opened = await retried(trace, settings, settings.connect_timeout, attempt, first)
    is_odd = control and opened is None and second_opinion.WORTH_ASKING.intersection(last)
    if is_odd and await second_opinion.ask(trace, settings, ip, port, parts.hostname or ""):
        # Ours once more: else a cut that ended by itself would look like the browser's doing.
        opened, _ = await attempt(made[0] + 1)
    return opened


async def handshake_again(trace: Trace, settings: Settings, parts: SplitResult, ip: str) -> None:
    """Both handshakes once more, since one may be slow by a few lost packets."""
    opened = await open_site(trace, settings, parts, ip, control=True, first=2)
    if opened is not None:
        opened.stream.close()


async def _try_control(trace: Trace, settings: Settings, ip: str, port: int) -> bool:
    """The handshake with the innocuous name; ``False`` = not even a connection, so no more is tried."""
    stream = await retried(
        trace,
        settings,
        settings.connect_timeout,
        lambda number: tcp.attempt(trace, settings, ip, port, number),
    )
    if stream is None:
        return False
    secured = await tls.handshake(
        trace, settings, stream, settings.control_sni, client_context(("h2", "http/1.1"), verify=False)
    )
    if secured is not None:
        secured.close()
    return True
