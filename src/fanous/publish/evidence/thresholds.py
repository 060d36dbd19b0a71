"""Thresholds: the permanent id and current value of every number that a conclusion depends on.

A bundle records these ids, docs/methodology.md explains them, and neither changes when code moves.  An id is
never given to another threshold.  A new threshold gets a line here and a row in the methodology.
"""

from dataclasses import asdict
from typing import Any

from fanous.analysis.detectors import drop, grid, interference, shift
from fanous.analysis.detectors.interference import PROBES_MAX
from fanous.analysis.detectors.registry import DETECTORS
from fanous.analysis.incidents import (
    alternatives,
    assemble,
    confirm,
    doubts,
    events,
    extent,
    fusion,
    hints,
    merge,
    networks,
    outage,
    publishers,
    revision,
    witnesses,
)
from fanous.analysis.incidents.interference import (
    MECHANISM_SHARE,
    SHOWN_ELSEWHERE,
    SHOWN_HELPED,
)
from fanous.analysis.rules import answers, connection, evidence, failures, fingerprints, http, pages, transfer
from fanous.analysis.series import aggregate, artefacts, baselines, depth, signals, silence, slowness
from fanous.pipeline import detect
from fanous.pipeline.interference import LONGEST_FAILURE, ONSET_BASELINE, ONSET_SLOT, TICK


def thresholds() -> dict[str, Any]:
    """Id -> value: numbers, and tuples of them."""
    stages = (_rules, _series, _detectors, _incidents, _confirmation, _outages, _explanations, _options)
    return {name: value for stage in stages for name, value in stage().items()}


def _rules() -> dict[str, Any]:
    return {
        "rules.slow_connect_seconds": evidence.LEAST_SLOW_CONNECT,
        "rules.healthy_connect_seconds": evidence.MOST_HEALTHY_CONNECT,
        "rules.connects_a_handshake_needs": evidence.PATIENCE,
        "rules.facebook_names": answers.LEAST_NAMES,
        "rules.body_characters": fingerprints.LONGEST_BODY,
        "rules.notice_bytes": fingerprints.LONGEST_NOTICE,
        "rules.long_body_characters_read": fingerprints.READ_OF_LONGER,
        "rules.app_share": failures.LEAST_APP_SHARE,
        "rules.endpoint_share": failures.LEAST_SHARE,
        "rules.page_freeze_bytes": http.FREEZE,
        "rules.handshake_flight_bytes": http.LEAST_FLIGHT,
        "rules.sound_line_kbps": http.LEAST_LINE,
        "rules.page_received_bytes": http.LEAST_RECEIVED,
        "rules.flow_gap_seconds": http.LONGEST_FLOW_GAP,
        "rules.starved_kbps": http.MOST_KBPS,
        "rules.starved_share_of_line": http.SHORTFALL,
        "rules.page_control_bytes": pages.LEAST_CONTROL,
        "rules.page_length_proportion": pages.LEAST_PROPORTION,
        "rules.title_word_letters": pages.LEAST_WORD,
        "rules.slow_handshake_seconds": connection.SLOWEST,
        "rules.slow_handshake_ratio": connection.SLOW_RATIO,
        "rules.transfer_freeze_bytes": transfer.FREEZE,
        "rules.transfer_bytes": transfer.LEAST_BYTES,
        "rules.transfer_pairs": transfer.LEAST_PAIRS,
        "rules.transfer_ratio": transfer.LEAST_RATIO,
        "rules.refusal_status": transfer.LEAST_REFUSAL,
        "rules.freeze_silent_share": transfer.SILENT_SHARE,
    }


def _series() -> dict[str, Any]:
    return {
        "series.tick_seconds": TICK,
        "series.probe_majority": aggregate.PROBE_MAJORITY,
        "series.baseline_seconds": baselines.HISTORY,
        "series.baseline_neighbours": baselines.NEIGHBOURS,
        "series.frozen_seconds": artefacts.FROZEN_SECONDS,
        "series.frozen_bins": artefacts.FROZEN_BINS,
        "series.frozen_repeats": artefacts.FROZEN_REPEATS,
        "series.frozen_jump": artefacts.JUMP,
        "series.same_bins": artefacts.SAME_BINS,
        "series.same_ratio": artefacts.SAME_RATIO,
        "series.same_moves": artefacts.MOVES,
        "series.scale_bins": artefacts.COMMON_BINS,
        "series.scale_spread": artefacts.SPREAD,
        "series.scale_rounded": artefacts.ROUNDED,
        "series.steps_own_seconds": artefacts.OWN_WEEKS,
        "series.steps_measured": artefacts.MEASURED,
        "series.depth_days": baselines.RECENT,
        "series.depth_weeks": baselines.WEEKS,
        "series.depth_weekdays": baselines.SAME_WEEKDAY,
        "series.depth_ceiling": baselines.CEILING,
        "series.depth_noise_least": baselines.NOISELESS,
        "series.depth_worst_seconds": depth.WORST,
        "series.depth_now_seconds": depth.NOW,
        "series.depth_now_people_seconds": depth.NOW_OF_PEOPLE,
        "series.depth_short_seconds": baselines.SHORT,
        "series.depth_beside_bins": baselines.BESIDE_BINS,
        "series.fall_before_seconds": depth.LOOKED_BEFORE,
        "series.fall_after_seconds": depth.LOOKED_AFTER,
        "series.years": baselines.YEARS,
        "series.source_lags": tuple(signals.LAGS.values()),
        "series.publisher_lags": tuple(signals.LAGS_OF_PUBLISHERS.values()),
        "series.years_returns": baselines.RETURNS,
        "series.years_covered_share": baselines.COVERED,
        "series.years_margin": baselines.MARGIN,
        "series.years_no_outage": baselines.NO_OUTAGE,
        "series.fall_begun_share": depth.BEGUN,
        "series.fall_deviations": baselines.SIGMAS,
        "series.fall_step_bins": depth.STEP_BINS,
        "series.rise_people_share": depth.STILL,
        "series.filled_share": baselines.FILLED,
        "series.filled_least": baselines.LEAST_FILLED,
        "series.soft_start_seconds": depth.SOFT,
        "series.soft_start_share": depth.SOFT_LEAST,
        "series.stage_seconds": depth.STAGE,
        "series.stage_people_seconds": depth.STAGE_OF_PEOPLE,
        "series.stage_change": depth.STAGE_CHANGE,
        "series.stage_errors": depth.CLEAR,
        "series.back_share": depth.BACK,
        "series.repeats_known_weight": aggregate.KNOWN,
        "series.repeats_memory_seconds": aggregate.MEMORY,
        "series.repeats_most": aggregate.MOST,
        "series.repeats_new_weight": aggregate.NEW,
        "series.repeats_voice_seconds": aggregate.VOICE,
        "series.silence_expected_seconds": silence.EXPECTED_FOR,
        "series.silence_grace_seconds": silence.GRACE,
        "series.silence_regular_bins": silence.REGULAR_BINS,
        "series.silence_regular_share": silence.REGULAR_SHARE,
        "series.slowness_bout_bins": slowness.BOUT,
        "series.slowness_control_seconds": slowness.CONTROL,
        "series.slowness_lasting_days": slowness.LASTING,
        "series.slowness_bins": slowness.LEAST_BINS,
        "series.slowness_days": slowness.LEAST_DAYS,
        "series.slowness_memory_days": slowness.MEMORY,
        "series.slowness_share": slowness.SLOW,
        "series.slowness_step_seconds": slowness.STEP,
        "series.slowness_targets": slowness.TARGETS,
        "series.history_seconds": detect.HISTORY,
    }


def _detectors() -> dict[str, Any]:
    return {
        "detectors.back_seconds": drop.BACK,
        "detectors.filter_probes": PROBES_MAX,
        "detectors.grid_series": grid.CHUNK,
        "detectors.filter_cells": interference.BLOCK_CELLS,
        "detectors.alert_rounds": interference.ROUNDS_MAX,
        "detectors.baseline_almost_all": grid.ALMOST,
        "detectors.baseline_coarse_step": grid.COARSE,
        "detectors.baseline_fine_step": grid.FINE,
        "detectors.baseline_mad_scale": baselines.NORMAL,
        "detectors.baseline_own_days": grid.OWN_DAYS,
        "detectors.baseline_same": grid.SAME,
        "detectors.baseline_samples": grid.SAMPLES,
        "detectors.rollup_regions": grid.REGIONS,
        "detectors.rollup_reporting": grid.REPORTING,
        "detectors.probability_most": drop.CERTAIN,
        "detectors.probability_of_days": shift.PROBABILITY,
        "detectors.deep_share": drop.DEEP,
        "detectors.half_gap_seconds": drop.HALF_GAP,
        "detectors.sudden_around_seconds": drop.AROUND,
        "detectors.sudden_changes": drop.CHANGES,
        "detectors.sudden_floor": drop.FLOOR,
        "detectors.sudden_settled_seconds": drop.SETTLED,
        "detectors.sudden_spans": drop.SPANS,
        "detectors.sudden_stays_share": drop.STAYS,
        "detectors.sudden_step_seconds": drop.WIDEST,
        "detectors.sudden_within_seconds": drop.WITHIN,
    }


def _incidents() -> dict[str, Any]:
    return {
        "incidents.other_network_gap_seconds": assemble.OTHER_NETWORK_GAP,
        "incidents.same_network_gap_seconds": assemble.SAME_NETWORK_GAP,
        "incidents.together_seconds": assemble.TOGETHER,
        "incidents.outage_flap_seconds": assemble.FLAPS,
        "incidents.same_act_seconds": merge.SAME_ACT,
        "incidents.further_left": assemble.FURTHER,
        "incidents.onset_carries_share": extent.CARRIES,
        "incidents.onset_deviations": depth.CLEARLY,
        "incidents.onset_places_share": extent.EARLIEST,
        "incidents.onset_series": extent.MOST,
        "incidents.end_series": extent.CARRIERS,
        "incidents.usage_stage_drops": extent.PART,
        "incidents.usage_return_share": extent.LASTS,
        "incidents.products_alike_share": publishers.ALIKE,
        "incidents.products_noticed_share": publishers.NOTICED,
        "incidents.outage_same_hours_seconds": assemble.SAME_HOURS,
        "incidents.main_mechanism_share": networks.MAIN_SHARE,
        "incidents.named_probability": networks.RAISED,
        "incidents.interval_probability": assemble.CERTAIN,
        "incidents.interval_join_seconds": assemble.JOIN,
        "incidents.mechanism_share": MECHANISM_SHARE,
        "incidents.role_turn": networks.FEW,
        "incidents.role_back_seconds": networks.WORKS_AGAIN,
        "incidents.widened_networks": revision.MANY_MORE,
        "incidents.confidence_elsewhere": SHOWN_ELSEWHERE,
        "incidents.confidence_helped": SHOWN_HELPED,
        "incidents.confidence_unconfirmed": assemble.UNCONFIRMED,
    }


def _confirmation() -> dict[str, Any]:
    return {
        "incidents.burst_seconds": confirm.BURST,
        "incidents.company_networks": confirm.COMPANY,
        "incidents.company_probes": confirm.COMPANY_PROBES,
        "incidents.company_share": confirm.COMPANY_SHARE,
        "incidents.controls": confirm.CONTROLS,
        "incidents.control_window_seconds": confirm.CONTROL_WINDOW,
        "incidents.family_probes": confirm.FAMILY_PROBES,
        "incidents.disputed_networks": doubts.NETWORKS,
        "incidents.failing_baseline_ratio": confirm.HABIT,
        "incidents.failing_baseline_share": confirm.HABIT_SHARE,
        "incidents.failing_baseline_voices": confirm.HABIT_VOICES,
        "incidents.lone_hours": confirm.LONE_HOURS,
        "incidents.lone_probes": confirm.LONE_PROBES,
        "incidents.lost_share": confirm.LOST_SHARE,
        "incidents.neighbours": confirm.NEIGHBOURS,
        "incidents.neighbour_share": confirm.NEIGHBOUR_SHARE,
        "incidents.network_hours": confirm.NETWORK_HOURS,
        "incidents.network_probes": confirm.NETWORK_PROBES,
        "incidents.network_share": confirm.NETWORK_SHARE,
        "incidents.probes": confirm.PROBES,
        "incidents.spared_share": confirm.SPARED_SHARE,
        "incidents.confirm_together_seconds": confirm.TOGETHER,
        "incidents.alike_share": doubts.MOST,
        "incidents.host_sites": doubts.HOST_SITES,
        "incidents.moved_within_seconds": doubts.MOVED_WITHIN,
        "incidents.resolver_names": doubts.OTHER_NAMES,
        "incidents.resolver_failing_share": doubts.NAMES_SHARE,
        "incidents.resolver_share": doubts.LEAST_SHARE,
        "incidents.unanswered_abroad": doubts.ABROAD,
        "incidents.policing_probes": alternatives.PROBES,
        "incidents.policing_spread": alternatives.SPREAD,
        "incidents.policing_deviations": alternatives.SURE,
        "incidents.scope_draws": extent.DRAWS,
        "incidents.users_error": extent.FALLBACK_ERROR,
        "incidents.users_unseen_share": extent.FALLBACK_UNSEEN,
        "incidents.nation_certainty": extent.NATION_CERTAINTY,
        "incidents.nation_networks": extent.NATION_NETWORKS,
        "incidents.nation_observed_share": extent.NATION_OBSERVED,
        "incidents.nation_small_share": extent.SMALL_SHARE,
        "incidents.nation_operators": extent.NATION_OPERATORS,
        "incidents.nation_share": extent.NATION_SHARE,
        "incidents.scope_seed": extent.SEED,
    }


def _outages() -> dict[str, Any]:
    return {
        "incidents.ipv4_left": outage.IPV4_LEFT,
        "incidents.ipv6_left": outage.IPV6_LEFT,
        "incidents.stealth_left": outage.STEALTH_LEFT,
        "incidents.families_agree_seconds": fusion.AGREE,
        "incidents.families_at_once_seconds": fusion.AT_ONCE,
        "incidents.families_deep_share": fusion.DEEP,
        "incidents.family_history_seconds": fusion.HISTORY,
        "incidents.small_step": fusion.SMALL,
        "incidents.denied_lost": publishers.LOST,
        "incidents.denied_least_drops": publishers.LEAST_DROPS,
        "incidents.denied_days": publishers.DAYS,
        "incidents.denied_usual_days": publishers.USUAL_DAYS,
        "incidents.denied_bins": publishers.BINS,
        "incidents.denied_nothing_left": publishers.NOTHING_LEFT,
        "incidents.shared_countries": publishers.COUNTRIES,
        "incidents.shared_region_km": publishers.REGION,
        "incidents.shared_within": publishers.WITHIN,
        "incidents.lone_family_seconds": fusion.LONE,
        "incidents.lone_family_cell_share": fusion.LONE_CELL,
        "incidents.lone_region_ratio": fusion.LONE_REGION_RATIO,
        "incidents.lone_region_seconds": fusion.LONE_REGION_SECONDS,
        "incidents.lone_probing_left": fusion.LONE_PROBING,
        "incidents.lone_routing_left": fusion.LONE_ROUTING,
        "incidents.lone_family_unlike": fusion.LONE_UNLIKE,
        "incidents.lone_usage_seconds": fusion.LONE_USAGE,
        "incidents.outage_confidence_most": assemble.CERTAIN,
        "incidents.outage_near_seconds": publishers.NEAR,
        "incidents.outage_confidence_family": outage.SURE,
        "incidents.outage_confidence_one_family": outage.ONE_FAMILY,
        "incidents.others_bins": fusion.LOOKED_AT,
        "incidents.others_noticed_share": fusion.NOTICED,
    }


def _explanations() -> dict[str, Any]:
    return {
        "incidents.batteries_days": hints.DAYS,
        "incidents.batteries_fell": hints.FELL,
        "incidents.batteries_hours": hints.HOURS,
        "incidents.batteries_history_days": hints.LEAST_DAYS,
        "incidents.batteries_left": hints.LEFT,
        "incidents.batteries_places": hints.PLACES,
        "incidents.batteries_sank": hints.SANK,
        "incidents.hint_on_time_seconds": hints.ON_TIME,
        "incidents.hint_sessions": hints.SESSIONS,
        "incidents.hint_sharp_seconds": hints.SHARP,
        "incidents.collateral_piece": hints.LEAST_PIECE,
        "incidents.collateral_named": hints.NAMED,
        "incidents.precursor_seconds": hints.PRECURSOR,
        "incidents.platform_clean_share": alternatives.CLEAN,
        "incidents.platform_clean_measurements": alternatives.CLEAN_MEASUREMENTS,
        "incidents.line_probe_share": alternatives.LINE_PROBES,
        "incidents.line_target_share": alternatives.LINE_SHARE,
        "incidents.line_targets": alternatives.LINE_TARGETS,
        "incidents.platform_countries": alternatives.NEW_COUNTRIES,
        "incidents.software_share": alternatives.ONE_SOFTWARE,
        "incidents.platform_onset_probes": alternatives.ONSET_PROBES,
        "incidents.platform_onset_share": alternatives.ONSET_SHARE,
        "incidents.software_other_probes": alternatives.OTHER_PROBES,
        "incidents.software_other_share": alternatives.OTHER_SHARE,
        "incidents.platform_failure_slots": LONGEST_FAILURE,
        "incidents.platform_baseline_seconds": ONSET_BASELINE,
        "incidents.platform_slot_seconds": ONSET_SLOT,
        "incidents.match_same_kind": merge.SAME_KIND,
        "incidents.match_told": merge.TOLD,
        "incidents.backfill_seconds": revision.SETTLED,
        "incidents.backfill_said_seconds": revision.SAID_BACK_TO,
        "incidents.late_named": revision.NAMED,
        "incidents.witness_share": witnesses.SAW_SHARE,
        "incidents.claim_hours": witnesses.ABOUT_HOURS,
        "incidents.claim_share": witnesses.ABOUT_SHARE,
        "incidents.claim_level": witnesses.ABOUT_LEVEL,
        "incidents.claim_families": witnesses.ENOUGH_FAMILIES,
        "incidents.coverage_hours_share": witnesses.ENOUGH_HOURS,
        "incidents.watched_gap_seconds": witnesses.WATCHED_GAP,
        "incidents.coverage_networks": witnesses.ENOUGH_NETWORKS,
        "incidents.coverage_probes": witnesses.ENOUGH_PROBES,
        "incidents.coverage_failing_share": witnesses.ORDINARY_FAILING,
        "incidents.event_lead_seconds": events.LEAD,
        "incidents.event_record_seconds": events.LEAST_RECORD,
        "incidents.event_other_days_seconds": events.OTHER_DAYS,
    }


def _options() -> dict[str, Any]:
    """Options of each detector, by keys like ``"detectors.blocking.raise_at"``."""
    return {
        f"detectors.{name}.{option}": value
        for name, detector in DETECTORS.items()
        for option, value in asdict(detector.options).items()
    }
