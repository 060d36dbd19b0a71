"""``fanous probe serve``: serves metrics to Prometheus as blackbox_exporter does."""

import asyncio
import sys
from typing import Annotated

import typer

from fanous.cli.probe_options import CaFile, SettingsFile, Yes, check_consent


def probe_serve(
    host: Annotated[str, typer.Option("--host", help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int,
        typer.Option(
            "--port", min=0, max=65_535, help="Port to listen on; the default is blackbox_exporter's."
        ),
    ] = 9115,
    settings_file: SettingsFile = None,
    ca_file: CaFile = None,
    yes: Yes = False,
) -> None:
    """Serve Prometheus' probe_* metrics at /probe?target=&module=; modules: http_2xx, tcp_connect, fanous."""
    from fanous.probe.net.sockets import SocketNetwork
    from fanous.probe.serve import serve
    from fanous.probe.settings import adjusted, load_settings

    settings = adjusted(load_settings(settings_file), ca_file=ca_file)
    check_consent(yes, settings.cap_mb)

    async def forever() -> None:
        server = await serve(SocketNetwork(), settings, host, port)
        bound = server.sockets[0].getsockname()[1]
        print(f"listening on http://{host}:{bound}/probe?target=&module=", file=sys.stderr, flush=True)
        async with server:
            await server.serve_forever()

    asyncio.run(forever())
