"""Every published threshold by its permanent id: those of evidence bundles, and the others in documents."""

from typing import Any

from fanous.analysis import cost
from fanous.analysis.series import silence
from fanous.model import measurement
from fanous.pipeline import ingest, vitals
from fanous.probe import stream, transfer
from fanous.publish.evidence.thresholds import thresholds
from fanous.refdata import update, users
from fanous.scan import rounds, targets
from fanous.sources import ooni_csv as rows
from fanous.sources import stream as source_stream
from fanous.sources.ooni import content, document, values


def published() -> dict[str, Any]:
    """Id -> value."""
    return thresholds() | {
        "sources.line_bytes": source_stream.LINE_LIMIT,
        "sources.items": content.MAX_ITEMS,
        "sources.notes": document.MAX_NOTES,
        "sources.clock_ahead_seconds": values.AHEAD,
        "sources.csv_line_bytes": rows.LONGEST_LINE,
        "sources.csv_rows": rows.MOST_ROWS,
        "probe.screen_ratio": transfer.SLOW_RATIO,
        "probe.screen_seconds": transfer.LEAST_SECONDS,
        "probe.stall_seconds": transfer.STALL,
        "probe.video_begin_seconds": stream.BEGIN,
        "probe.video_patience_seconds": stream.PATIENCE,
        "probe.video_stalled_share": stream.MOST_STALLED,
        "pipeline.late_seconds": ingest.LATE,
        "pipeline.ahead_seconds": measurement.AHEAD,
        "pipeline.batch_records": ingest.BATCH_RECORDS,
        "pipeline.batch_bytes": ingest.BATCH_BYTES,
        "series.heartbeats_memory_seconds": silence.MEMORY,
        "series.heartbeats_bins_heard": silence.HEARD_BINS,
        "series.heartbeats_rare": silence.RARE,
        "series.heartbeats_slack": silence.SLACK,
        "series.heartbeats_bins": silence.LEAST_BINS,
        "series.collapse_memory_days": silence.BASELINE_DAYS,
        "series.collapse_days": silence.LEAST_DAYS,
        "series.collapse_chance": silence.CHANCE,
        "series.collapse_back_share": silence.BACK,
        "series.collapse_lost_share": silence.LEAST_LOST,
        "series.collapse_countries": silence.LEAST_ELSEWHERE,
        "refdata.main_asn_share": users.MAIN_ASN_SHARE,
        "refdata.apnic_error": users.APNIC_ERROR,
        "refdata.apnic_least_share": users.APNIC_LEAST,
        "refdata.update_countries_share": update.LEAST_COUNTRIES,
        "cost.highly_connected": cost.HIGHLY_CONNECTED,
        "cost.ceiling": cost.CEILING,
        "scan.reply_when_down": rounds.REPLY_WHEN_DOWN,
        "scan.belief_lowest": rounds.LOWEST,
        "scan.belief_highest": rounds.HIGHEST,
        "scan.belief_up": rounds.UP,
        "scan.belief_down": rounds.DOWN,
        "scan.round_seconds": rounds.ROUND,
        "scan.probes_an_hour": rounds.MOST_AN_HOUR,
        "scan.waves": rounds.WAVES,
        "scan.probes_told": rounds.TOLD,
        "scan.rounds_remembered": rounds.REMEMBERED,
        "scan.block_addresses": targets.LEAST_ADDRESSES,
        "scan.block_available": targets.LEAST_AVAILABLE,
        "scan.usual_availability": targets.USUALLY,
        **{f"checks.{name.lower()}": vars(vitals)[name] for name in CHECKS},
    }


CHECKS = (
    "BASELINE_HOURS", "RARE", "SLACK", "LEAST_SILENCE", "LEAST_SENT", "UNSOUND", "CLOCK_SLACK", "AHEAD",
    "LEAST_FREE", "LEAST_FREE_SHARE", "MOST_FREE", "QUEUE_SECONDS", "APART_SHARE", "LAG_SECONDS",
)  # fmt: skip
"""What the monitor's checks of itself go by."""
