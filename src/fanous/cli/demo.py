"""Serves a store's pages from one process, for ``fanous demo``."""

import asyncio
import sys
import webbrowser
from pathlib import Path
from time import monotonic


def serve_recorded(store: Path, port: int, *, notice: str, now: float, browser: bool) -> None:
    """Serve the pages of a recorded event on this machine until Ctrl-C.

    Args:
        port: 0 = any that is free.
        now: unix seconds, UTC, that the pages' clock goes on from.
        browser: open the first page in the user's browser.

    Raises:
        FanousError: the port is taken, or the store cannot be opened.
    """
    from fanous.collector.server import listening_socket, serve, server_config
    from fanous.store.local import open_store
    from fanous.store.protocol import OneThread
    from fanous.web.application import application
    from fanous.web.routes import Site

    listening = listening_socket("127.0.0.1", port, "--port")
    address = f"http://127.0.0.1:{listening.getsockname()[1]}/"
    began = monotonic()
    site = Site(notice=notice, clock=lambda: now + monotonic() - began)

    def ready() -> None:
        print(f"Pages: {address} (Ctrl-C ends)", file=sys.stderr, flush=True)
        if browser and not webbrowser.open(address):
            print("no browser could be opened; open the address yourself", file=sys.stderr)

    with OneThread(lambda: open_store(store, read_only=True)) as owner:
        asyncio.run(serve(server_config(application(owner.ask, site)), listening, ready=ready))
