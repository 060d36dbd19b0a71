"""Former paths: the module and constant by which 0.1.0 named a threshold in its bundles, and its id.

Constants that a module only imported are here too, since 0.1.0 listed them, but not units (hours, days). Bundles
contain ids now, so nothing is added when code moves.
"""

from collections.abc import Mapping
from typing import Any

OPTIONS_OF = "detector "
"""Prefix by which 0.1.0 named a detector, followed by its options."""

FORMER_PATHS: dict[str, dict[str, str]] = {
    "fanous.aggregate": {
        "PROBE_MAJORITY": "series.probe_majority",
    },
    "fanous.baselines": {
        "HISTORY": "series.baseline_seconds",
    },
    "fanous.detectors.departures": {
        "BACK": "detectors.back_seconds",
    },
    "fanous.detectors.filter": {
        "PROBES_MAX": "detectors.filter_probes",
    },
    "fanous.detectors.grid": {
        "CHUNK": "detectors.grid_series",
    },
    "fanous.detectors.interference": {
        "BLOCK_CELLS": "detectors.filter_cells",
        "ROUNDS_MAX": "detectors.alert_rounds",
    },
    "fanous.detectors.ordinary": {
        "ALMOST": "detectors.baseline_almost_all",
        "COARSE": "detectors.baseline_coarse_step",
        "NORMAL": "detectors.baseline_mad_scale",
        "OWN_DAYS": "detectors.baseline_own_days",
        "SAME": "detectors.baseline_same",
        "SAMPLES": "detectors.baseline_samples",
    },
    "fanous.detectors.rollup": {
        "REGIONS": "detectors.rollup_regions",
        "REPORTING": "detectors.rollup_reporting",
    },
    "fanous.detectors.stretches": {
        "CERTAIN": "detectors.probability_most",
        "DEEP": "detectors.deep_share",
        "HALF_GAP": "detectors.half_gap_seconds",
    },
    "fanous.detectors.sudden": {
        "AROUND": "detectors.sudden_around_seconds",
        "CHANGES": "detectors.sudden_changes",
        "FLOOR": "detectors.sudden_floor",
        "NORMAL": "detectors.baseline_mad_scale",
        "SETTLED": "detectors.sudden_settled_seconds",
        "SPANS": "detectors.sudden_spans",
        "STAYS": "detectors.sudden_stays_share",
        "WIDEST": "detectors.sudden_step_seconds",
        "WITHIN": "detectors.sudden_within_seconds",
    },
    "fanous.incidents.absorb": {
        "TOGETHER": "incidents.together_seconds",
    },
    "fanous.incidents.alternatives": {
        "CLEAN": "incidents.platform_clean_share",
        "CLEAN_MEASUREMENTS": "incidents.platform_clean_measurements",
        "LINE_PROBES": "incidents.line_probe_share",
        "LINE_SHARE": "incidents.line_target_share",
        "LINE_TARGETS": "incidents.line_targets",
        "NEW_COUNTRIES": "incidents.platform_countries",
        "ONE_SOFTWARE": "incidents.software_share",
        "ONSET_PROBES": "incidents.platform_onset_probes",
        "ONSET_SHARE": "incidents.platform_onset_share",
        "OTHER_PROBES": "incidents.software_other_probes",
        "OTHER_SHARE": "incidents.software_other_share",
    },
    "fanous.incidents.batteries": {
        "DAYS": "incidents.batteries_days",
        "FELL": "incidents.batteries_fell",
        "HOURS": "incidents.batteries_hours",
        "LEAST_DAYS": "incidents.batteries_history_days",
        "LEFT": "incidents.batteries_left",
        "PLACES": "incidents.batteries_places",
        "SANK": "incidents.batteries_sank",
    },
    "fanous.incidents.beside": {
        "LEAST_PIECE": "incidents.collateral_piece",
        "NAMED": "incidents.collateral_named",
        "PRECURSOR": "incidents.precursor_seconds",
    },
    "fanous.incidents.claims": {
        "ABOUT_HOURS": "incidents.claim_hours",
        "ABOUT_SHARE": "incidents.claim_share",
        "ENOUGH_FAMILIES": "incidents.claim_families",
    },
    "fanous.incidents.coincide": {
        "FLAPS": "incidents.outage_flap_seconds",
        "SAME_HOURS": "incidents.outage_same_hours_seconds",
        "SAME_NETWORK_GAP": "incidents.same_network_gap_seconds",
        "TOGETHER": "incidents.together_seconds",
    },
    "fanous.incidents.confirm": {
        "BURST": "incidents.burst_seconds",
        "COMPANY": "incidents.company_networks",
        "COMPANY_PROBES": "incidents.company_probes",
        "COMPANY_SHARE": "incidents.company_share",
        "CONTROLS": "incidents.controls",
        "CONTROL_WINDOW": "incidents.control_window_seconds",
        "FAMILY_PROBES": "incidents.family_probes",
        "HABIT": "incidents.failing_baseline_ratio",
        "HABIT_SHARE": "incidents.failing_baseline_share",
        "HABIT_VOICES": "incidents.failing_baseline_voices",
        "LONE_HOURS": "incidents.lone_hours",
        "LONE_PROBES": "incidents.lone_probes",
        "LOST_SHARE": "incidents.lost_share",
        "NEIGHBOURS": "incidents.neighbours",
        "NEIGHBOUR_SHARE": "incidents.neighbour_share",
        "NETWORK_HOURS": "incidents.network_hours",
        "NETWORK_PROBES": "incidents.network_probes",
        "NETWORK_SHARE": "incidents.network_share",
        "PROBES": "incidents.probes",
        "SPARED_SHARE": "incidents.spared_share",
        "TOGETHER": "incidents.confirm_together_seconds",
    },
    "fanous.incidents.correlate": {
        "OTHER_NETWORK_GAP": "incidents.other_network_gap_seconds",
        "SAME_NETWORK_GAP": "incidents.same_network_gap_seconds",
        "TOGETHER": "incidents.together_seconds",
    },
    "fanous.incidents.course": {
        "AGREE": "incidents.families_agree_seconds",
        "DEEP": "incidents.families_deep_share",
    },
    "fanous.incidents.coverage": {
        "ENOUGH_HOURS": "incidents.coverage_hours_share",
        "ENOUGH_NETWORKS": "incidents.coverage_networks",
        "ENOUGH_PROBES": "incidents.coverage_probes",
        "ORDINARY_FAILING": "incidents.coverage_failing_share",
    },
    "fanous.incidents.elsewhere": {
        "CONTROL_WINDOW": "incidents.control_window_seconds",
    },
    "fanous.incidents.fusion": {
        "AGREE": "incidents.families_agree_seconds",
        "AT_ONCE": "incidents.families_at_once_seconds",
        "DEEP": "incidents.families_deep_share",
        "HISTORY": "incidents.family_history_seconds",
        "LONE": "incidents.lone_family_seconds",
        "LONE_CELL": "incidents.lone_family_cell_share",
        "LONE_PROBING": "incidents.lone_probing_left",
        "LONE_ROUTING": "incidents.lone_routing_left",
        "LONE_UNLIKE": "incidents.lone_family_unlike",
        "LONE_USAGE": "incidents.lone_usage_seconds",
    },
    "fanous.incidents.hints": {
        "ON_TIME": "incidents.hint_on_time_seconds",
        "SESSIONS": "incidents.hint_sessions",
        "SHARP": "incidents.hint_sharp_seconds",
    },
    "fanous.incidents.join": {
        "TOGETHER": "incidents.together_seconds",
    },
    "fanous.incidents.late": {
        "NAMED": "incidents.late_named",
    },
    "fanous.incidents.lifecycle": {
        "CERTAIN": "incidents.interval_probability",
        "JOIN": "incidents.interval_join_seconds",
        "MECHANISM_SHARE": "incidents.mechanism_share",
        "RAISED": "incidents.named_probability",
        "SHOWN_ELSEWHERE": "incidents.confidence_elsewhere",
        "SHOWN_HELPED": "incidents.confidence_helped",
        "UNCONFIRMED": "incidents.confidence_unconfirmed",
    },
    "fanous.incidents.matching": {
        "SAME_KIND": "incidents.match_same_kind",
        "SAME_NETWORK_GAP": "incidents.same_network_gap_seconds",
        "TOLD": "incidents.match_told",
    },
    "fanous.incidents.meanwhile": {
        "LOOKED_AT": "incidents.others_bins",
        "NOTICED": "incidents.others_noticed_share",
    },
    "fanous.incidents.naming": {
        "COMPANY": "incidents.company_networks",
        "COMPANY_SHARE": "incidents.company_share",
        "MEMORY": "series.repeats_memory_seconds",
        "NETWORK_SHARE": "incidents.network_share",
        "RAISED": "incidents.named_probability",
    },
    "fanous.incidents.outage": {
        "MOST": "incidents.outage_confidence_most",
        "NEAR": "incidents.outage_near_seconds",
        "SURE": "incidents.outage_confidence_family",
    },
    "fanous.incidents.policing": {
        "PROBES": "incidents.policing_probes",
        "SPREAD": "incidents.policing_spread",
        "SURE": "incidents.policing_deviations",
    },
    "fanous.incidents.reach": {
        "IPV4_LEFT": "incidents.ipv4_left",
        "IPV6_LEFT": "incidents.ipv6_left",
        "NATION_SHARE": "incidents.nation_share",
        "STEALTH_LEFT": "incidents.stealth_left",
    },
    "fanous.incidents.scope": {
        "DRAWS": "incidents.scope_draws",
        "FALLBACK_ERROR": "incidents.users_error",
        "FALLBACK_UNSEEN": "incidents.users_unseen_share",
        "NATION_CERTAINTY": "incidents.nation_certainty",
        "NATION_NETWORKS": "incidents.nation_networks",
        "NATION_OBSERVED": "incidents.nation_observed_share",
        "NATION_OPERATORS": "incidents.nation_operators",
        "NATION_SHARE": "incidents.nation_share",
        "SEED": "incidents.scope_seed",
    },
    "fanous.incidents.strays": {
        "MAIN_SHARE": "incidents.main_mechanism_share",
        "RAISED": "incidents.named_probability",
    },
    "fanous.incidents.voices": {
        "KNOWN": "series.repeats_known_weight",
        "NEW": "series.repeats_new_weight",
        "PROBE_MAJORITY": "series.probe_majority",
    },
    "fanous.incidents.watches": {
        "LEAD": "incidents.event_lead_seconds",
        "LEAST_RECORD": "incidents.event_record_seconds",
        "OTHER_DAYS": "incidents.event_other_days_seconds",
    },
    "fanous.incidents.witnesses": {
        "SAW_SHARE": "incidents.witness_share",
    },
    "fanous.interfering": {
        "LONGEST_FAILURE": "incidents.platform_failure_slots",
        "ONSET_BASELINE": "incidents.platform_baseline_seconds",
        "ONSET_SLOT": "incidents.platform_slot_seconds",
        "TICK": "series.tick_seconds",
    },
    "fanous.pipeline": {
        "HISTORY": "series.history_seconds",
    },
    "fanous.repeats": {
        "KNOWN": "series.repeats_known_weight",
        "MEMORY": "series.repeats_memory_seconds",
        "MOST": "series.repeats_most",
        "NEW": "series.repeats_new_weight",
        "VOICE": "series.repeats_voice_seconds",
    },
    "fanous.rules.answers": {
        "LEAST_SHARE": "rules.endpoint_share",
    },
    "fanous.rules.controls": {
        "LEAST_SLOW_CONNECT": "rules.slow_connect_seconds",
        "MOST_HEALTHY_CONNECT": "rules.healthy_connect_seconds",
        "PATIENCE": "rules.connects_a_handshake_needs",
    },
    "fanous.rules.dns_facebook": {
        "LEAST_NAMES": "rules.facebook_names",
    },
    "fanous.rules.fingerprints": {
        "LONGEST_BODY": "rules.body_characters",
        "LONGEST_NOTICE": "rules.notice_bytes",
        "READ_OF_LONGER": "rules.long_body_characters_read",
    },
    "fanous.rules.groups": {
        "LEAST_SHARE": "rules.endpoint_share",
    },
    "fanous.rules.http_failures": {
        "FREEZE": "rules.page_freeze_bytes",
        "LEAST_RATIO": "rules.transfer_ratio",
        "LEAST_RECEIVED": "rules.page_received_bytes",
        "LONGEST_FLOW_GAP": "rules.flow_gap_seconds",
        "MOST_KBPS": "rules.starved_kbps",
        "SILENT_SHARE": "rules.freeze_silent_share",
    },
    "fanous.rules.pages": {
        "LEAST_CONTROL": "rules.page_control_bytes",
        "LEAST_PROPORTION": "rules.page_length_proportion",
        "LEAST_WORD": "rules.title_word_letters",
    },
    "fanous.rules.tls": {
        "SLOWEST": "rules.slow_handshake_seconds",
        "SLOW_RATIO": "rules.slow_handshake_ratio",
    },
    "fanous.rules.transfer": {
        "FREEZE": "rules.transfer_freeze_bytes",
        "LEAST_BYTES": "rules.transfer_bytes",
        "LEAST_PAIRS": "rules.transfer_pairs",
        "LEAST_RATIO": "rules.transfer_ratio",
        "LEAST_REFUSAL": "rules.refusal_status",
        "SILENT_SHARE": "rules.freeze_silent_share",
    },
    "fanous.silence": {
        "EXPECTED_FOR": "series.silence_expected_seconds",
        "GRACE": "series.silence_grace_seconds",
        "REGULAR_BINS": "series.silence_regular_bins",
        "REGULAR_SHARE": "series.silence_regular_share",
    },
    "fanous.slowness": {
        "BOUT": "series.slowness_bout_bins",
        "CONTROL": "series.slowness_control_seconds",
        "LASTING": "series.slowness_lasting_days",
        "LEAST_BINS": "series.slowness_bins",
        "LEAST_DAYS": "series.slowness_days",
        "MEMORY": "series.slowness_memory_days",
        "SLOW": "series.slowness_share",
        "STEP": "series.slowness_step_seconds",
        "TARGETS": "series.slowness_targets",
    },
}


def by_id(recorded: Mapping[str, Any]) -> dict[str, Any]:
    """The thresholds of a bundle by id, however it recorded them; those without an id are left out."""
    found: dict[str, Any] = {}
    for name, value in recorded.items():
        if not isinstance(value, dict):
            found[name] = value
        elif name.startswith(OPTIONS_OF):
            detector = name.removeprefix(OPTIONS_OF)
            found |= {f"detectors.{detector}.{option}": each for option, each in value.items()}
        else:
            ids = FORMER_PATHS.get(name, {})
            found |= {ids[constant]: each for constant, each in value.items() if constant in ids}
    return found
