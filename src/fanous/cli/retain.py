"""``fanous retain``: applies the policy in ``[retention]``, or shows what it would do."""

from pathlib import Path
from typing import Annotated

import typer

from fanous.cli.common import JsonOption, StoreOption, open_named, print_document


def retain(
    config: Annotated[
        Path,
        typer.Option(
            "--config",
            help="TOML configuration file; its `retention` table sets the policy.",
            show_default=False,
        ),
    ],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would be done.")] = False,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Delete old observations and move old raw records to a bucket, as the `retention` settings say.

    `fanous run` does this once a day.  Measurements, verdicts, incidents and raw records are never deleted;
    neither are observations around an incident.  Running it twice changes nothing, and an interrupted run is
    completed by the next one.
    """
    from fanous.pipeline.retain import Retained, carry_out, plan, retention

    policy = retention(config)
    with open_named(store, config) as opened:
        due = plan(opened, policy)
        done = Retained(due.observations, len(due.segments)) if dry_run else carry_out(opened, due)
    left = [{"segment": segment.name, "why": why} for segment, why in done.left]
    if as_json:
        document = {
            "dry_run": dry_run,
            "observations": done.observations,
            "segments": done.moved,
            "left": left,
        }
        print_document(document)
        return
    would = "would be " if dry_run else ""
    if policy.observations_days is None and policy.archive_days is None:
        print(f"{config} has no table [retention]: everything stays as it is")
        return
    print(f"{done.observations:,} rows of observations {would}dropped")
    where = f" to {policy.bucket}" if policy.bucket else ""
    print(f"{done.moved:,} segments of the archive {would}moved{where}")
    for one in left:
        print(f"left where it is: {one['segment']}: {one['why']}")
