"""``fanous scan``: pings /24 address blocks, only when started by an operator who takes responsibility."""

import sys
import time
from ipaddress import AddressValueError, IPv4Address
from pathlib import Path
from typing import Annotated

import typer

from fanous.cli.common import (
    ConfigOption,
    JsonOption,
    StoreOption,
    country_code,
    print_document,
    reaching,
    say,
)
from fanous.errors import FanousError

PAGE = """Each request is one ping.  A block of 256 addresses gets at most 20 in an hour, only addresses that have
answered before are pinged, and only counts of blocks are published.  If a network asks you to stop, add it to
the --opt-out file: it is never pinged again."""


def scan(
    country: Annotated[
        str, typer.Option("--country", metavar="CC", help="Country: its code or name, such as PK.")
    ],
    targets: Annotated[
        Path,
        typer.Option(
            "--targets", metavar="FILE", help="File of addresses known to have answered, one per line."
        ),
    ],
    control: Annotated[
        list[str],
        typer.Option(
            "--control",
            metavar="ADDRESS",
            help="Address outside the country, to check our own connection; may be repeated.",
        ),
    ],
    opt_out: Annotated[
        Path | None,
        typer.Option("--opt-out", metavar="FILE", help="File of networks that must not be pinged."),
    ] = None,
    rounds: Annotated[
        int, typer.Option("--rounds", min=0, help="Stop after this many rounds; 0: never.")
    ] = 0,
    rate: Annotated[float, typer.Option("--rate", min=1, max=20_000, help="Maximum pings per second.")] = 500,
    timeout: Annotated[
        float, typer.Option("--timeout", min=0.1, max=10, help="Seconds to wait for the last replies.")
    ] = 3.0,
    agreed: Annotated[
        bool,
        typer.Option(
            "--i-answer-for-this", help="You run this machine and take responsibility for what it sends."
        ),
    ] = False,
    lab: Annotated[bool, typer.Option("--lab", help="Also ping private addresses.")] = False,
    store: StoreOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Ping one address in each /24 block every 10 minutes, and report how many blocks are up.

    Nothing starts a scan except this command.  Before you run it, get permission from your network provider,
    put a contact in the machine's reverse DNS, and publish a page that explains the pings.  Needs root or
    CAP_NET_RAW.
    """
    code = country_code(country)
    if not agreed:
        raise FanousError(
            f"a scan sends pings to other people's machines.\n{PAGE}\nTo go ahead, pass --i-answer-for-this."
        )
    if as_json and not rounds:
        raise typer.BadParameter("--json prints one document, so it needs --rounds")
    _scan(code, targets, opt_out, _numbers(control), rounds, (rate, timeout), lab, as_json, store, config)


def _numbers(addresses: list[str]) -> list[int]:
    try:
        return [int(IPv4Address(address)) for address in addresses]
    except AddressValueError as error:
        raise typer.BadParameter(f"{error}", param_hint="--control") from None


def _scan(
    country: str,
    targets: Path,
    opt_out: Path | None,
    controls: list[int],
    rounds: int,
    pace: tuple[float, float],
    lab: bool,
    as_json: bool,
    store: Path | None,
    config: Path | None,
) -> None:
    import numpy as np

    from fanous.config import data_folder
    from fanous.pipeline.jobs import BringSeries
    from fanous.scan.icmp import Icmp
    from fanous.scan.rounds import ROUND, load, scan_round
    from fanous.scan.targets import read_opt_out, read_targets

    def on_reject(line: int, why: str) -> None:
        say(f"rejected {targets}:{line}: {why}", file=sys.stderr)

    blocks = read_targets(targets, country, read_opt_out(opt_out), on_reject, lab=lab)
    journal = data_folder() / "scan" / f"{country}.npz"
    state = load(journal, blocks)
    told: list[dict[str, int | None]] = []
    with reaching(store, config) as reach, Icmp(*pace) as icmp:
        while not rounds or len(told) < rounds:
            number = int(time.time()) // ROUND
            after = scan_round(
                lambda series: reach(BringSeries(tuple(series))),
                country,
                blocks,
                state,
                number,
                icmp.ask,
                np.array(controls, np.int64),
                journal,
            )
            told.append(
                {
                    "round": number * ROUND,
                    "blocks": len(blocks),
                    "up": None if after is None else int(after.is_up.sum()),
                    "sent": icmp.traffic.sent,
                    "answered": icmp.traffic.answered,
                }
            )
            state = after or load(journal, blocks)
            if not as_json:
                say(_line(told[-1]), flush=True)
            if not rounds or len(told) < rounds:
                time.sleep(max(0.0, (number + 1) * ROUND - time.time()))
    if as_json:
        print_document({"country": country, "rounds": told})


def _line(row: dict[str, int | None]) -> str:
    if row["up"] is None:
        return "the controls do not answer: our own connection is down, so this round is discarded"
    return f"{row['up']:,} of {row['blocks']:,} blocks up; {row['sent']:,} pings, {row['answered']:,} answers"
