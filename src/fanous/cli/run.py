"""``fanous run``: runs the whole monitor on one machine, until Ctrl-C or SIGTERM."""

import os
import sys
import time
from dataclasses import replace
from pathlib import Path

import typer

from fanous.cli.common import say
from fanous.cli.options import CONFIGURATION, ConfigOption, Options, StoreOption, command, option
from fanous.cli.queue import SOURCE
from fanous.probe.settings import probe_folder


class RunOptions(Options):
    """Options of ``fanous run``."""

    store: StoreOption = None
    config: ConfigOption = None
    port: int | None = option(
        None, "Port of the pages, instead of the one in `listen`; 0: any free port.", min=0, max=65535
    )
    no_probe: bool = option(
        False, "Make no measurements from this machine; only receive, detect and serve the pages."
    )
    no_collector: bool = option(False, "Do not receive measurements; use only those made on this machine.")


@command
def run(options: RunOptions) -> None:
    """Run the whole monitor: measure on a schedule, receive from probes, detect incidents, serve the pages.

    Reads fanous.toml in the current folder, which `fanous init` writes, and the secrets in fanous.env next to it.
    Where there is neither a configuration nor a store, it first opens a set-up page, for this machine alone.
    Unless it sets other addresses, the pages are at http://127.0.0.1:8470/ and the collector is at
    http://127.0.0.1:8471.  Nothing is measured from here until you consent (`fanous probe consent`).  The log goes to
    stderr.  Other commands can use the same store while it runs.
    """
    config = options.config
    from msgspec import structs

    from fanous.config import Address, data_folder, load_environment
    from fanous.log import log_to_stderr
    from fanous.monitor.monitor import watch
    from fanous.monitor.settings import PAGE, read
    from fanous.store.location import store_place

    if config is None and options.store is None and not (data_folder() / "store").exists():
        config = _set_up(options.port)
    if config is not None:
        load_environment(config.with_name(f"{config.stem}.env"))
    wanted = read(config, store_place(options.store, config))
    if options.port is not None:
        address = wanted.page or Address(PAGE)
        wanted = replace(wanted, page=Address(f"{address.host}:{options.port}"))
    if options.no_probe:
        wanted = replace(wanted, rounds=replace(wanted.rounds, on=False))
    if options.no_collector:
        wanted = replace(wanted, door=structs.replace(wanted.door, on=False))
    if wanted.rounds.on and not wanted.rounds.consented:
        _ask_for_consent(wanted.settings.cap_mb)
    log_to_stderr()
    watch(wanted, SOURCE)


def _set_up(port: int | None) -> Path:
    """Serve the set-up page until it has written the configuration; returns its path."""
    import asyncio

    from fanous.collector.server import listening_socket, stopped_by_signals
    from fanous.config import Address
    from fanous.monitor.settings import PAGE
    from fanous.web.setup import new_code, serve_setup

    code = new_code()
    address = Address(f"{Address(PAGE).host}:{port}") if port else Address(PAGE)
    listening = listening_socket(address.host, 0 if port == 0 else address.port, "--port")
    at = listening.getsockname()[1]
    say("There is no configuration yet (`fanous init` writes one, too).", file=sys.stderr)
    say(
        f"Open http://{address.host}:{at}/ on this machine, and type this code: {code}",
        file=sys.stderr,
        flush=True,
    )

    async def serve() -> bool:
        stop = asyncio.Event()
        stopped_by_signals(stop)
        return await serve_setup(listening, CONFIGURATION, code, str(address), stop)

    if not asyncio.run(serve()):
        raise typer.Exit(0)
    say(f"wrote {CONFIGURATION}; the monitor starts", file=sys.stderr)
    return CONFIGURATION


def _ask_for_consent(cap_mb: float) -> None:
    """Ask for consent if someone is at the terminal.  Without consent, everything else continues."""
    from fanous.probe import consent
    from fanous.probe.consent import consent_text, language_of, question

    folder = probe_folder()
    if consent.is_given(folder) or not sys.stdin.isatty():
        return
    language = language_of(os.environ)
    print(consent_text(language, cap_mb), file=sys.stderr)
    if typer.confirm(question(language), default=False, err=True):
        consent.give(folder, time.time())
