"""Findings: sentences about an incident's context, by code: hints, sources, coverage, events, claims, rates.

``wording.reasons`` fills them in, like its own, and has the wording of parameters.
"""

from fanous.model.place import Family

Text = str | tuple[str, str]
"""A sentence; two if the number ``n`` decides."""

HINTS = {
    "hint.on_time": (
        "By the best estimate it began within {off} of the hour or half hour (the moment is known to within "
        "{window}), as nine in ten government-ordered shutdowns do, but only four in ten other outages."
    ),
    "hint.even_speed": (
        "From one value to the next the speed varied by no more than {share} of what it did before, as under an "
        "imposed limit rather than congestion."
    ),
    "hint.same_start": (
        "{some} of {all} times it began at the same hour, give or take an hour, each on another day, as curfews and "
        "exam shutdowns do."
    ),
    "hint.same_end": (
        "{some} of {all} times it ended at the same hour, give or take an hour, each on another day, as curfews and "
        "exam shutdowns do."
    ),
    "hint.sank": (
        "Of {all} networks and regions with figures of their own, {some} fell at once and kept sinking for hours, as "
        "when power fails and batteries run down."
    ),
    # As they were said before they named what they compared:
    "hint.on_the_hour": (
        "It began on the hour or half hour, as nine in ten government-ordered shutdowns do, but only four in ten other "
        "outages."
    ),
    "hint.steady": "The speed hardly varied, as under an imposed limit rather than congestion.",
    "hint.same_hours": "It came back at the same hours, as curfews and exam shutdowns do.",
    "hint.exams": (
        "It began in the season and at the time of day of exams ({exam}), for which access was restricted there before "
        "({years})."
    ),
    "hint.run_down": "Networks fell at once and kept sinking for hours, as when power fails and batteries run down.",
    "hint.delays": "Delays rose too, as when traffic takes a detour around a cut cable or waits in a queue.",
    "hint.elsewhere": "Other countries lost connectivity too ({countries}), as after a cable cut.",
    "hint.precursor": (
        "{incident} ({status}: {targets}) began {ahead} earlier. Such ways around blocking are often cut first."
    ),
    "hint.precursor_method": (
        "{incident} ({status}: {mechanisms}) began {ahead} earlier. Such ways around blocking are often cut first."
    ),
    "hint.part_of_name": (
        "{targets} may have been hit unintentionally: {name} contains {part}, and a filter that looks for part of a "
        "name cannot tell the two apart."
    ),
    "hint.shared_address": (
        "{neighbours} may have been hit unintentionally: {target} shares an address at which connections failed, and "
        "blocking an address hits every name behind it."
    ),
}
"""Possible signs of a cause, or of collateral damage; never evidence."""

EXAMS = (
    "the baccalaureate",
    "intermediate and preparatory exams",
    "the secondary certificate (KCSE)",
    "the BEPC and the baccalaureate",
    "the secondary certificate",
    "the basic and secondary certificates",
)
"""Exams of ``refdata/examinations.toml``."""

BLIND = {
    Family.OONI: "Volunteers' probes send nothing while they have no network.",
    Family.REMOTE: "Shared vantage points show only whether sites answer.",
    Family.ATLAS: "Connections of RIPE Atlas probes show whether lines are up, not what they can reach.",
    Family.ROUTING: "Routing shows whether networks are announced, not what passes through them.",
    Family.PROBING: "Scans show whether addresses answer, not what their users can reach.",
    Family.USAGE: "Traffic falls only if what is affected is used by many.",
    Family.DARKNET: "Stray packets show whether networks are on, not what they can reach.",
}
"""Why a family could not have seen an incident of a kind that is not in its row of ``witnesses.MEASURES``."""

SEEN = {
    "sight.saw": "{share_failing} of {all} measurements on {networks} failed or were slow while it lasted.",
    "sight.reached": "{some} of {all} measurements on {networks} reached the targets at the time.",
    "sight.no_data": "No data from this source.",
    "sight.fell": "Down ({sources}).",
    "sight.fell_there": "Down in {entities} ({sources}).",
    "sight.fell_evenly": "{left} of the usual level ({sources}).",
    "sight.fell_evenly_there": "{left} of the usual level in {entities} ({sources}).",
    "sight.fell_to": "{left} of the usual level, between {lowest} and {highest} ({sources}).",
    "sight.fell_to_there": "{left} of the usual level in {entities}, between {lowest} and {highest} ({sources}).",
    "sight.lower": "{left} of the usual level, within its usual range ({sources}).",
    "sight.usual": "As usual ({sources}).",
    "sight.blind": (
        "Cannot show this kind of outage: it was as usual, although two other kinds of sources fell to nothing "
        "({sources})."
    ),
    "sight.silent": "No data at the time ({sources}).",
    "sight.no_history": "Too little history to compare with ({sources}).",
    "level.left": "{left} of the usual level was left ({low} to {high}).",
    "level.unmeasured": "How much connectivity was left was not measured.",
    "blind.elsewhere": "None of the networks named was measured at the time, only {networks}.",
    **{f"blind.{family}": text for family, text in BLIND.items()},
}
"""What a source saw, or why it saw nothing."""

COVERAGE = {
    "coverage.measured": "{measurements} by {runs} on {networks}, in {measured} of {hours}; {failing} failed.",
    "coverage.none": "Nothing was measured in that time.",
    "coverage.series": "No probe measured in that time. There are only these series: {sources}.",
    "coverage.no_loss": "No loss was found in series of these kinds of sources: {families}.",
    "coverage.with_series": "Series with values in that time: {sources}.",
    "coverage.few_probes": "Only {runs} measured in that time, and at least {needed} are needed.",
    "coverage.one_network": "Only {networks} was measured.",
    "coverage.few_hours": "Measurements were made in only {measured} of {hours}.",
    "coverage.lines": "Probes on lines that work say nothing about lines that were cut.",
    "coverage.failing": "More measurements failed than usual.",
    "none_seen": "No disruption was seen.",
    "lacks.whole_days": "No detector uses {series}, because a day is not a whole number of its time bins.",
    "lacks.baseline": "{series}: no baseline yet, because less than {days} of data are known.",
    "lacks.week": "{series}: less than a week of data is known, so for now only a loss {times} times as deep counts.",
    "lacks.copies": "{series} has the numbers of another series here, so it does not count as a separate source.",
    "lacks.frozen": "{series} repeated one value for hours, which does not count as a measurement.",
    "lacks.beginning": "Nothing could be judged before {at}, because there were no earlier data to compare with.",
    "lacks.first_week": (
        "Until {at}, only a loss {times} times as deep counted, because less than a week of data was known."
    ),
    "lacks.second_family": "Only {families} can be watched here, so an outage can be suspected but not confirmed.",
}
"""How much was measured, and what is missing to conclude anything."""

EVENTS: dict[str, Text] = {
    "event.already_on": (
        "{incident} was under way long before the event, or when our data begin, so its timing says nothing about the "
        "event."
    ),
    "event.over_before": "{incident} had ended when the event began.",
    "event.before": "{incident} began before the event: it was under way by {at}, {ahead} before the start.",
    "event.during": "{incident} began during the event: it was not yet under way at {at}.",
    "event.before_or_during": "{incident} may have begun before the event or during it.",
    "event.cannot_tell": "Whether anything was disrupted is not known.",
    "compare.unmeasured": "There is nothing to compare: no probe measured during the event.",
    "compare.nothing": (
        "There is nothing to compare with: no probe measured in the same hours of any other day."
    ),
    "compare.days": (
        "{own} of the measurements failed during the event, and {usual} in the same hours of {n} other day.",
        "{own} of the measurements failed during the event. In the same hours of {n} other days the median was {usual} "
        "and the highest {worst}; days at least as bad: {as_bad}.",
    ),
    "chance.short": (
        "Our data cover {days} apart from the event, and {needed} are needed to estimate how often incidents begin."
    ),
    "chance.rate": (
        "The chance that an unrelated incident begins in the {window} from {lead} before the event to its end. "
        "Incidents are taken to begin at random (a Poisson process), as often as the others: {others_began} in {days}, "
        "plus one."
    ),
}
"""How an incident relates to an announced event, and how likely that is by chance."""

CLAIMS = {
    "claim.confirmed": "Confirmed in that time: {incidents}.",
    "claim.suspected": "Only suspected, not confirmed: {incidents}.",
    "claim.usual": "These kinds of sources showed nothing unusual: {families}.",
    "claim.seen.blocking": "Confirmed as blocked: {targets} ({incidents}).",
    "claim.seen.throttling": "Confirmed as slowed down: {targets} ({incidents}).",
    "claim.seen.outage": "An outage was confirmed ({incidents}).",
    "claim.seen.slowdown": "A general slowdown was confirmed ({incidents}).",
    "claim.kbps": "The speed was about {kbps} kbit/s.",
    "claim.whole_line_unmeasured": (
        "Single targets were blocked or slowed down. Whether everything else was slow too was not measured."
    ),
    "claim.other_kind": "What was confirmed is of another kind: {kinds}.",
    "claim.targets": "Each target named is confirmed: {targets}.",
    "claim.parts": "Only parts of a service that was named are confirmed: {targets}.",
    "claim.targets_missing": "Nothing is confirmed about {targets}.",
    "claim.region": "It was seen in one region.",
    "claim.scope": "Extent as measured: {scope}.",
    "claim.wider": "It reached further than claimed: {scope}.",
    "claim.narrower": "It did not reach as far as claimed: {scope}.",
    "claim.scope_at_least": "Extent as measured: {scope}. Too little of the rest was measured.",
    "claim.scope_unknown": "How far it reached is not known.",
    "claim.users": "Between {low} and {high} of users were affected.",
    "claim.users.networks": "Between {low} and {high} of networks were affected; no user figures are known.",
    "claim.networks": "It was seen on each network named.",
    "claim.networks_missing": "It was not seen on {networks}.",
    "claim.networks_unmeasured": "Nothing was measured on {networks} in that time.",
    "claim.began_before": "It was under way by {at}, before the time claimed ({stated}).",
    "claim.began_after": "It had not begun by {at}, after the time claimed ({stated}).",
    "claim.began_about": "It may have begun before or after the time claimed ({stated}).",
    "claim.length_unknown": "Its beginning or its end was not seen.",
    "claim.length": "It lasted about {best} ({least} to {most}), so {stated_hours} fits.",
    "claim.length_possible": (
        "It lasted about {best} ({least} to {most}), so {stated_hours} cannot be ruled out."
    ),
    "claim.length_spans": (
        "It lasted about {best} in all ({least} to {most}), in several periods; from the first to the end of the "
        "last it was about {stated_hours}."
    ),
    "claim.length_other": "It lasted about {best} ({least} to {most}), not {stated_hours}.",
}
"""How the evidence answers a claim."""

RATES = {
    "slow.few_probes": (
        "Only {probes} measured this target and another; {needed} are needed to tell a fixed limit from congestion."
    ),
    "slow.few_probes.none": (
        "No independent probe measured this target and another; {needed} are needed to tell a fixed limit from "
        "congestion."
    ),
    "slow.alike": "The probes have lines of about the same speed, so a fixed limit and congestion would look the same.",
    "slow.policer": (
        "The speed hardly depends on the probe's line, as under a fixed limit (slope {slope}, {slope_low} to "
        "{slope_high}; {probes})."
    ),
    "slow.congestion": (
        "The speed follows that of the probe's line, as on a congested path (slope {slope}, {slope_low} to "
        "{slope_high}; {probes})."
    ),
    "slow.cannot_tell": (
        "A fixed limit and congestion explain the speeds equally well (slope {slope}, {slope_low} to {slope_high}; "
        "{probes})."
    ),
}
"""Whether a fixed limit or a congested line held the speed down."""

SILENCES = {
    "silence.blacked_out": (
        "Other countries were heard from as usual, so the collector was up. The networks fell silent together, as in a "
        "blackout, and not one by one, as volunteers do."
    ),
    "silence.collector": "Other countries fell silent too, so the way to the collector failed rather than the country.",
    "silence.cannot_tell": "No other country was measured, so a cut and a failing collector look alike.",
}
"""What it may mean if almost no network is heard from for days."""

FINDINGS: dict[str, Text] = {**HINTS, **SEEN, **COVERAGE, **EVENTS, **CLAIMS, **RATES, **SILENCES}
