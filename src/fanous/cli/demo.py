"""``fanous demo``: prints Fanous's findings about a recorded event, then replays the event and serves its pages."""

import asyncio
import sys
import tempfile
import webbrowser
from collections.abc import Callable
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

from fanous.cli.common import console, say
from fanous.cli.options import Options, StoreOption, command, option

if TYPE_CHECKING:
    from fanous.store.protocol import Store

STEP_SECONDS = 20.0
"""Seconds between arrivals of new measurements: judging and detecting takes about two seconds, during which the
pages wait."""


class DemoOptions(Options):
    """Options of ``fanous demo``."""

    once: bool = option(False, "Print the answer and exit.")
    port: int = option(8470, "Port of the pages; 0: any free port.", min=0, max=65535)
    speed: float = option(20, "How many times faster than real time.", min=1, max=60)
    no_browser: bool = option(False, "Serve the pages without opening a browser.")
    store: StoreOption = None


@command
def demo(options: DemoOptions) -> None:
    """Try Fanous offline on a lab event modelled on Pakistan, 17 December 2023, in a separate store.

    Prints the answer, then serves pages on this machine that replay the event, until you press Ctrl-C.
    """
    from fanous.cli.answer import print_answer
    from fanous.monitor.demo import NOTICE, DemoReplay, demonstrate
    from fanous.publish.signer import KEY_FILE, make_key
    from fanous.store.local import open_store

    screen = console()
    recorded = demonstrate(screen, options.store, lambda answer: print_answer(screen, answer))
    if options.once:
        return
    with tempfile.TemporaryDirectory(prefix="fanous-demo-") as folder:
        replay = DemoReplay(Path(folder), recorded, options.speed, monotonic)
        make_key(Path(folder) / KEY_FILE)  # nothing staged is signed as its user's own
        screen.print(
            f"\nReplaying it {options.speed:g} times as fast, from an hour after it began: the pages show what was "
            "known by then."
        )
        serve_pages(
            lambda: replay.begin(open_store(replay.folder, staged=True, clock=replay.clock)),
            options.port,
            notice=NOTICE,
            clock=replay.clock,
            browser=not options.no_browser,
            follow=replay.follow,
            key=Path(folder) / KEY_FILE,
        )


def serve_pages(
    opening: "Callable[[], Store]",
    port: int,
    *,
    notice: str,
    clock: Callable[[], float],
    browser: bool,
    key: Path,
    follow: "Callable[[Store], None] | None" = None,
) -> None:
    """Serve the pages of a store on this machine until Ctrl-C.

    Args:
        opening: opens the store, in the thread that will own it.
        port: 0 = any free port.
        clock: unix seconds, UTC; the *now* of the pages.
        browser: open the home page in the user's browser.
        key: signs evidence bundles.
        follow: imports later measurements, every ``STEP_SECONDS``.

    Raises:
        FanousError: the port is taken, or the store cannot be opened.
    """
    from fanous.collector.server import listening_socket, serve, server_config
    from fanous.pipeline.scheduler import Task, pause, supervise
    from fanous.store.protocol import OneThread
    from fanous.web.answers import Site
    from fanous.web.application import application

    listening = listening_socket("127.0.0.1", port, "--port")
    address = f"http://127.0.0.1:{listening.getsockname()[1]}/"

    def ready() -> None:
        say(f"Pages: {address} (Ctrl-C ends)", file=sys.stderr, flush=True)
        if browser and not webbrowser.open(address):
            say("could not open a browser; open the address yourself", file=sys.stderr)

    async def serving(owner: OneThread) -> None:
        stop = asyncio.Event()

        async def following() -> None:
            while follow is not None and not stop.is_set():
                await pause(stop, STEP_SECONDS)
                if not stop.is_set():
                    await owner.ask(follow)

        tasks = [Task("replay", following)] if follow is not None else []
        watched = asyncio.ensure_future(supervise(tasks, stop))
        site = Site(notice=notice, clock=clock, key=key)
        try:
            await serve(server_config(application(owner.ask, site)), listening, ready=ready)
        finally:
            stop.set()
            await watched

    with OneThread(opening) as owner:
        asyncio.run(serving(owner))
