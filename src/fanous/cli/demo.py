"""``fanous demo``: replays a recorded event in a separate store, and shows the answer and its pages."""

import asyncio
import sys
import webbrowser
from pathlib import Path
from time import monotonic
from typing import Annotated

import typer

from fanous.cli.common import StoreOption, console, say


def demo(
    once: Annotated[bool, typer.Option("--once", help="Print the answer and exit.")] = False,
    port: Annotated[
        int, typer.Option("--port", help="Port of the pages; 0: any free port.", min=0, max=65535)
    ] = 8470,
    no_browser: Annotated[
        bool, typer.Option("--no-browser", help="Serve the pages without opening a browser.")
    ] = False,
    store: StoreOption = None,
) -> None:
    """Try Fanous offline on a lab event modelled on Pakistan, 17 December 2023, in a store of its own.

    Prints the answer, then serves its pages on this machine until Ctrl-C.
    """
    from fanous.cli.answer import print_answer
    from fanous.evaluation.demo import NOTICE, demonstrate

    screen = console()
    recorded = demonstrate(screen, store, lambda answer: print_answer(screen, answer))
    if not once:
        serve_recorded(recorded.folder, port, notice=NOTICE, now=recorded.until, browser=not no_browser)


def serve_recorded(store: Path, port: int, *, notice: str, now: float, browser: bool) -> None:
    """Serve the pages of a recorded event on this machine until Ctrl-C.

    Args:
        port: 0 = any free port.
        now: unix seconds, UTC, at which the pages' clock starts.
        browser: open the home page in the user's browser.

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
        say(f"Pages: {address} (Ctrl-C ends)", file=sys.stderr, flush=True)
        if browser and not webbrowser.open(address):
            say("could not open a browser; open the address yourself", file=sys.stderr)

    with OneThread(lambda: open_store(store, read_only=True)) as owner:
        asyncio.run(serve(server_config(application(owner.ask, site)), listening, ready=ready))
