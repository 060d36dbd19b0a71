"""``fanous scan``: pings /24 address blocks, only when started by an operator who takes responsibility."""

import sys
import time
from ipaddress import AddressValueError, IPv4Address
from pathlib import Path

import typer

from fanous.cli.common import country_code, print_document, reaching, say
from fanous.cli.options import ReadOptions, command, option
from fanous.errors import FanousError

PAGE = """Each request is one ping.  A block of 256 addresses gets at most 20 in an hour, only addresses that have
answered before are pinged, and only counts of blocks are published.  If a network asks you to stop, add it to
the --opt-out file: it is never pinged again."""


class ScanOptions(ReadOptions):
    """Options of ``fanous scan``."""

    country: str = option(..., "Country: its code or name, such as PK.", metavar="CC")
    targets: Path = option(..., "File of addresses known to have answered, one per line.", metavar="FILE")
    control: list[str] = option(
        ..., "Address outside the country, to check our own connection; may be repeated.", metavar="ADDRESS"
    )
    opt_out: Path | None = option(None, "File of networks that must not be pinged.", metavar="FILE")
    rounds: int = option(0, "Stop after this many rounds; 0: never.", min=0)
    rate: float = option(500, "Maximum pings per second.", min=1, max=20_000)
    timeout: float = option(3.0, "Seconds to wait for the last replies.", min=0.1, max=10)
    agreed: bool = option(
        False, "You run this machine and take responsibility for what it sends.", "--i-answer-for-this"
    )
    lab: bool = option(False, "Also ping private addresses.")


@command
def scan(options: ScanOptions) -> None:
    """Ping one address in each /24 block every 10 minutes, and report how many blocks are up.

    Nothing starts a scan except this command.  Before you run it, get permission from your network provider,
    put a contact in the machine's reverse DNS, and publish a page that explains the pings.  Needs root or
    CAP_NET_RAW.
    """
    country = country_code(options.country)
    if not options.agreed:
        raise FanousError(
            f"a scan sends pings to other people's machines.\n{PAGE}\nTo go ahead, pass --i-answer-for-this."
        )
    if options.as_json and not options.rounds:
        raise typer.BadParameter("--json prints one document, so it needs --rounds")
    try:
        controls = [int(IPv4Address(address)) for address in options.control]
    except AddressValueError as error:
        raise typer.BadParameter(f"{error}", param_hint="--control") from None

    import numpy as np

    from fanous.config import data_folder
    from fanous.pipeline.jobs import BringSeries
    from fanous.scan.icmp import Icmp
    from fanous.scan.rounds import ROUND, load, scan_round
    from fanous.scan.targets import read_opt_out, read_targets

    def on_reject(line: int, why: str) -> None:
        say(f"rejected {options.targets}:{line}: {why}", file=sys.stderr)

    blocks = read_targets(options.targets, country, read_opt_out(options.opt_out), on_reject, lab=options.lab)
    journal = data_folder() / "scan" / f"{country}.npz"
    state = load(journal, blocks)
    rounds: list[dict[str, int | None]] = []
    with reaching(options) as reach, Icmp(options.rate, options.timeout) as icmp:
        while not options.rounds or len(rounds) < options.rounds:
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
            row = {
                "round": number * ROUND,
                "blocks": len(blocks),
                "up": None if after is None else int(after.is_up.sum()),
                "sent": icmp.traffic.sent,
                "answered": icmp.traffic.answered,
            }
            rounds.append(row)
            state = after or load(journal, blocks)
            if not options.as_json:
                say(
                    "the controls do not answer: our own connection is down, so this round is discarded"
                    if row["up"] is None
                    else f"{row['up']:,} of {row['blocks']:,} blocks up; {row['sent']:,} pings, "
                    f"{row['answered']:,} answers",
                    flush=True,
                )
            if not options.rounds or len(rounds) < options.rounds:
                time.sleep(max(0.0, (number + 1) * ROUND - time.time()))
    if options.as_json:
        print_document({"country": country, "rounds": rounds})
