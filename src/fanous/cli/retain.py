"""``fanous retain`` applies the policy in ``[retention]``; ``fanous forget`` deletes the measurements of a
withdrawn probe.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from fanous.cli.common import act, print_document, reaching, say
from fanous.cli.options import ReadOptions, argument, command, option
from fanous.errors import FanousError

if TYPE_CHECKING:
    from fanous.store.protocol import Forgotten


class RetainOptions(ReadOptions):
    """Options of ``fanous retain``."""

    config: Path | None = option(
        ..., "TOML configuration file; its `retention` table sets the policy.", show_default=False
    )
    dry_run: bool = option(False, "Only show what would be done.")


@command
def retain(options: RetainOptions) -> None:
    """Delete old observations and move old raw records to a bucket, as the `retention` settings say.

    `fanous run` does this once a day.  Measurements, verdicts, incidents and raw records are never deleted;
    neither are observations around an incident.  Running it twice changes nothing, and an interrupted run is
    completed by the next one.
    """
    from fanous.pipeline.retain import Retention, retention
    from fanous.pipeline.upkeep import Retain

    policy = retention(options.config)
    kept = policy.observations_days, policy.archive_days, policy.bucket, policy.references_days
    done = act(options, Retain(*kept, options.dry_run))
    remaining = [{"segment": name, "why": why} for name, why in done.left]
    if options.as_json:
        document = {
            "dry_run": options.dry_run,
            "observations": done.observations,
            "segments": done.moved,
            "referenced": done.referenced,
            "published_segments": done.published,
            "left": remaining,
        }
        print_document(document)
        return
    would = "would be " if options.dry_run else ""
    if policy == Retention():
        say(f"{options.config} has no [retention] table: nothing was deleted or moved")
        return
    say(f"{done.observations:,} rows of observations {would}deleted")
    where = f" to {policy.bucket}" if policy.bucket else ""
    say(f"{done.moved:,} segments of the archive {would}moved{where}")
    if policy.references_days is not None and options.dry_run:
        say(
            f"the records of {done.published:,} segments would be kept by reference, except those that incidents "
            "rest on"
        )
    elif policy.references_days is not None:
        say(f"{done.referenced:,} raw records are now kept by reference to what OONI publishes")
    for waiting in remaining:
        say(f"left as it is: {waiting['segment']}: {waiting['why']}")


class ForgetOptions(ReadOptions):
    """Options of ``fanous forget``."""

    reports: list[str] = argument(
        ..., "Report IDs, as printed by `fanous probe consent --withdraw`.", metavar="REPORT_ID..."
    )
    inbox: Path | None = option(None, "Also delete measurements waiting or set aside in this inbox.")


@command
def forget(options: ForgetOptions) -> None:
    """Delete all measurements in these reports, raw records included, and recompute incidents without them.

    For users who withdraw consent: `fanous probe consent --withdraw` prints the report IDs of a probe.
    Streams are not searched (run `fanous drain --queue` first); existing copies and evidence bundles remain.
    """
    from fanous.collector.inbox import check_inbox, withdraw
    from fanous.pipeline.upkeep import Forget
    from fanous.wording.words import counted

    if options.inbox is not None and not options.inbox.is_dir():
        raise FanousError(
            f"no inbox at {options.inbox}: name the folder that a collector fills, such as STORE.inbox"
        )
    if options.inbox is not None:
        check_inbox(options.inbox)
    with reaching(options, must_exist=options.inbox is None) as reach:  # a collector may have an inbox alone
        waiting = withdraw(options.inbox, set(options.reports)) if options.inbox is not None else 0
        forgotten = reach(Forget(tuple(options.reports)))
    if options.as_json:
        print_document(
            {"measurements": forgotten.measurements, "countries": sorted(forgotten.spans), "waiting": waiting}
        )
        return
    if options.inbox is None:
        say("no inbox was searched: name one with --inbox")
    elif waiting:
        say(f"{counted(waiting, 'measurement')} waiting in {options.inbox} deleted")
    _say_forgotten(forgotten)


def _say_forgotten(forgotten: "Forgotten") -> None:
    if not forgotten.measurements:
        say(
            "this store has no measurement of these reports: check that it is the right store, and that "
            "its inbox was drained"
        )
        return
    from fanous.wording.words import counted

    places = f" of {', '.join(sorted(forgotten.spans))}" if forgotten.spans else ""
    deleted = counted(forgotten.measurements, "measurement")
    say(f"{deleted}{places} deleted; incidents were recomputed without them")
