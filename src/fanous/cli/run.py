"""``fanous run``: runs the whole monitor on one machine, until Ctrl-C or SIGTERM."""

import os
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from fanous.cli.common import CONFIGURATION, ConfigOption, StoreOption, say
from fanous.cli.queue import SOURCE
from fanous.probe.settings import probe_folder


def run(
    store: StoreOption = None,
    config: ConfigOption = None,
    port: Annotated[
        int | None,
        typer.Option(
            "--port",
            min=0,
            max=65535,
            help="Port of the pages, instead of the one in `listen`; 0: any free port.",
        ),
    ] = None,
    no_probe: Annotated[
        bool,
        typer.Option(
            "--no-probe",
            help="Make no measurements from this machine; only receive, detect and serve the pages.",
        ),
    ] = False,
    no_collector: Annotated[
        bool,
        typer.Option(
            "--no-collector", help="Do not receive measurements; use only those made on this machine."
        ),
    ] = False,
) -> None:
    """Run the whole monitor: measure on a schedule, receive from probes, detect incidents, serve the pages.

    Reads fanous.toml in the current folder, which `fanous init` writes, and the secrets in fanous.env next to it.
    Where there is neither a configuration nor a store, it first opens a set-up page, for this machine alone.
    Unless it sets other addresses, the pages are at http://127.0.0.1:8470/ and the collector is at
    http://127.0.0.1:8471.  Nothing is measured from here until you consent (`fanous probe consent`).  The log goes to
    stderr.  Other commands can use the same store while it runs.
    """
    from msgspec import structs

    from fanous.config import Address, data_folder, load_environment
    from fanous.log import log_to_stderr
    from fanous.monitor.monitor import watch
    from fanous.monitor.settings import PAGE, read
    from fanous.store.location import store_place

    if config is None and store is None and not (data_folder() / "store").exists():
        config = _set_up(port)
    if config is not None:
        load_environment(config.with_name(f"{config.stem}.env"))
    wanted = read(config, store_place(store, config))
    if port is not None:
        address = wanted.page or Address(PAGE)
        wanted = replace(wanted, page=Address(f"{address.host}:{port}"))
    if no_probe:
        wanted = replace(wanted, rounds=replace(wanted.rounds, on=False))
    if no_collector:
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
