"""``fanous run``: runs the whole monitor on one machine, until Ctrl-C or SIGTERM."""

import os
import sys
import time
from dataclasses import replace
from typing import Annotated

import typer

from fanous.cli.common import ConfigOption, StoreOption
from fanous.cli.queue import SOURCE
from fanous.probe.settings import probe_folder


def run(
    context: typer.Context,
    store: StoreOption = None,
    config: ConfigOption = None,
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
    Unless it sets other addresses, the pages are at http://127.0.0.1:8470/ and the collector is at
    http://127.0.0.1:8471.  Nothing is measured from here until you consent (`fanous probe consent`).  The log goes to
    stderr.  Other commands can use the same store while it runs.
    """
    from msgspec import structs

    from fanous.cli.common import dispatcher
    from fanous.config import load_environment
    from fanous.log import log_to_stderr
    from fanous.monitor.monitor import watch
    from fanous.monitor.settings import read
    from fanous.store.location import store_place

    if config is not None:
        load_environment(config.with_name(f"{config.stem}.env"))
    wanted = read(config, store_place(store, config))
    if no_probe:
        wanted = replace(wanted, rounds=replace(wanted.rounds, on=False))
    if no_collector:
        wanted = replace(wanted, door=structs.replace(wanted.door, on=False))
    if wanted.rounds.on and not wanted.rounds.consented:
        _ask_for_consent(wanted.settings.cap_mb)
    log_to_stderr()
    watch(wanted, SOURCE, dispatcher(context.find_root().command))


def _ask_for_consent(cap_mb: float) -> None:
    """Ask for consent if someone is at the terminal.  Without consent, everything else goes on."""
    from fanous.probe import consent
    from fanous.probe.consent import consent_text, language_of, question

    folder = probe_folder()
    if consent.is_given(folder) or not sys.stdin.isatty():
        return
    language = language_of(os.environ)
    print(consent_text(language, cap_mb), file=sys.stderr)
    if typer.confirm(question(language), default=False, err=True):
        consent.give(folder, time.time())
