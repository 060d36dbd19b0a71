"""Every published threshold by its permanent id: those of evidence bundles, and the others in documents."""

from typing import Any

from fanous.analysis.cost import methods, reckon
from fanous.analysis.series import collapse, heartbeats
from fanous.pipeline import stages, tally
from fanous.pipeline.vitals import ailments
from fanous.probe import rates, screen
from fanous.probe.stream import playback
from fanous.publish.evidence.thresholds import thresholds
from fanous.refdata import figures, update_users, weights
from fanous.scan import belief, rounds, targets
from fanous.sources import stream
from fanous.sources.ooni import salvage
from fanous.sources.ooni_csv import read as rows


def published() -> dict[str, Any]:
    """Id -> value."""
    return thresholds() | {
        "sources.line_bytes": stream.LINE_LIMIT,
        "sources.items": salvage.MAX_ITEMS,
        "sources.notes": salvage.MAX_NOTES,
        "sources.csv_line_bytes": rows.LONGEST_LINE,
        "sources.csv_rows": rows.MOST_ROWS,
        "probe.screen_ratio": screen.SLOW_RATIO,
        "probe.screen_seconds": screen.LEAST_SECONDS,
        "probe.stall_seconds": rates.STALL,
        "probe.video_begin_seconds": playback.BEGIN,
        "probe.video_patience_seconds": playback.PATIENCE,
        "probe.video_stalled_share": playback.MOST_STALLED,
        "pipeline.late_seconds": stages.LATE,
        "pipeline.ahead_seconds": tally.AHEAD,
        "pipeline.batch_records": stages.BATCH_RECORDS,
        "pipeline.batch_bytes": stages.BATCH_BYTES,
        "series.heartbeats_memory_seconds": heartbeats.MEMORY,
        "series.heartbeats_bins_heard": heartbeats.HEARD_BINS,
        "series.heartbeats_rare": heartbeats.RARE,
        "series.heartbeats_slack": heartbeats.SLACK,
        "series.heartbeats_bins": heartbeats.LEAST_BINS,
        "series.collapse_memory_days": collapse.MEMORY,
        "series.collapse_days": collapse.LEAST_DAYS,
        "series.collapse_chance": collapse.CHANCE,
        "series.collapse_back_share": collapse.BACK,
        "series.collapse_lost_share": collapse.LEAST_LOST,
        "series.collapse_countries": collapse.LEAST_ELSEWHERE,
        "refdata.main_asn_share": weights.MAIN_ASN_SHARE,
        "refdata.apnic_error": figures.APNIC_ERROR,
        "refdata.apnic_least_share": figures.APNIC_LEAST,
        "refdata.update_countries_share": update_users.LEAST_COUNTRIES,
        "cost.highly_connected": methods.HIGHLY_CONNECTED,
        "cost.ceiling": reckon.CEILING,
        "scan.reply_when_down": belief.REPLY_WHEN_DOWN,
        "scan.belief_lowest": belief.LOWEST,
        "scan.belief_highest": belief.HIGHEST,
        "scan.belief_up": belief.UP,
        "scan.belief_down": belief.DOWN,
        "scan.round_seconds": rounds.ROUND,
        "scan.probes_an_hour": rounds.MOST_AN_HOUR,
        "scan.waves": rounds.WAVES,
        "scan.probes_told": rounds.TOLD,
        "scan.rounds_remembered": rounds.REMEMBERED,
        "scan.block_addresses": targets.LEAST_ADDRESSES,
        "scan.block_available": targets.LEAST_AVAILABLE,
        "scan.usual_availability": targets.USUALLY,
        **{f"checks.{name.lower()}": vars(ailments)[name] for name in CHECKS},
    }


CHECKS = (
    "BASELINE_HOURS", "RARE", "SLACK", "LEAST_SILENCE", "LEAST_SENT", "UNSOUND", "CLOCK_SLACK", "AHEAD",
    "LEAST_FREE", "LEAST_FREE_SHARE", "MOST_FREE", "QUEUE_SECONDS", "LAG_SECONDS",
)  # fmt: skip
"""What the monitor's checks of itself go by."""
