"""Explanations: what else an incident could be, in sentences for a newspaper's reader.

Each row of ``analysis.explanations.table`` has a sentence here, and so has whatever excludes a row or leaves it
untested.  ``wording.reasons`` fills them in, and says why a row holds; ``narrative.what_else`` puts all in order.
"""

from fanous.model.explanation import Standing

STANDINGS = {Standing.HOLDS: "Possible", Standing.UNTESTED: "Not tested", Standing.EXCLUDED: "Excluded"}
"""How an explanation stands, in words.  One that holds may explain what was seen; that it does is not known."""

EXPLANATIONS = {
    "software.defect": "The version of the software that measured it is faulty.",
    "software.release": "The version of the test no longer fits the service, and fails in other countries too.",
    "software.nettest": "The version of the test that saw it fails by itself.",
    "software.each": "It was seen by a few devices, each behind a filter of its own.",
    "probe.defect": "The one device that saw it is faulty.",
    "platform.down": "The service itself was down everywhere.",
    "platform.partly": "The service itself was down in a part of the world.",
    "platform.but_helper": "The service was down for its users, although the control measurements reached it.",
    "resolver.at_fault": "The resolver, which looks up the addresses of sites, had a fault.",
    "resolver.denies_most": "The resolver gave false answers for nearly every name, not only for these.",
    "resolver.one_host": "The resolver could not reach the name servers of one hosting network.",
    "resolver.public_only": "A public resolver that people chose filtered the names, and the network did not.",
    "name.at_fault": "The name servers of the site itself were at fault.",
    "name.moved": "The site had moved, and its former address was still in use.",
    "site.may_refuse": "The site itself dropped connections from this country.",
    "site.own_page": "The site itself showed this page to visitors from this country.",
    "host.may_fail": "The network that hosts these sites had failed, or the route to it had.",
    "route.may_fail": "The route from this one network to the site had failed.",
    "routes.may_fail": "The routes to several hosting networks had failed at once, as when a cable breaks.",
    "line.at_fault": "The lines on which it was measured failed for nearly everything.",
    "line.may_be_slow": "The lines were slow for everything, not only for this.",
    "line.may_be_inspected": "An antivirus program or an employer inspected all encrypted connections.",
    "line.fault_passed": "A fault of the lines, or further along the route, passed within minutes.",
    "line.often_fails": "It often fails there, at the same time of every week.",
    "line.chance": "A few ordinary failures came close together by chance.",
    "network.abroad": "It happened in another country, to which the network belongs.",
    "publisher.at_fault": "The one publisher of the data, or the one source that passed them on, was at fault.",
    "publisher.shared": "All that shows it rests on the same collection, geolocation or lists, and these were wrong.",
    "usage.as_usual": "Only machines were cut off, and people's use went on as usual.",
    "usage.weekly": "It falls like this at the same time of every week.",
    "addresses.given_up": "Addresses were renumbered or given up, and no user lost anything.",
    "addresses.relisted": "The lists that say which addresses belong to the country had changed, and nothing else.",
    "network.taken_over": "Another network had taken over the addresses of the one that seemed to be cut off.",
    "shared.worldwide": "A publisher of data, or something that the whole internet uses, failed all over the world.",
}
"""Code of a row -> what it says, in one sentence."""

ONE_FAMILY = "Only one kind of source shows it."
DOES_NOT_FIT = "The way in which it failed does not fit ({mechanisms})."

EXCLUDED_BY = {
    "answered_abroad": "It worked in other countries at the time.",
    "at_home": "Nothing shows that it happened in another country.",
    "beyond_chance": "More measurements failed together than chance explains.",
    "came_back": "The addresses came back later.",
    "country_lost_it": "The figures of the whole country show the loss as well.",
    "false_answers": "Visitors were given false answers. Something that has merely failed gives none.",
    "fell_here": "It did not fall in the same hour in countries all over the world (other countries: {some}).",
    "fell_together": (
        "Several networks fell at the same time ({some}), and not all of them can have been taken over."
    ),
    "found_otherwise": "The lookups were refused, or the name could be found from outside the country at the time.",
    "helper_got_page": "The control measurements from outside the country were shown the usual page.",
    "helper_reached_it": "The control measurements from outside the country reached it at the time.",
    "host_answered": (
        "Other names of the same hosting network were found through that resolver, or these names are hosted in "
        "different networks."
    ),
    "host_reached": "Other sites of the same hosting network were reached at the time ({entities}).",
    "hosts_differ": "The sites are hosted in different networks.",
    "is_platform": "A large platform is affected, and platforms are served from many places.",
    "known_for_a_week": "It was measured for at least a week before, and was different then.",
    "large_loss": "More than {share} of the usual level was lost.",
    "lasts": "It lasted longer than such faults do.",
    "names_answered": "Other names were found through the same resolver ({some}).",
    "no_false_answers": "Nearly all lookups had no answer at all, rather than a false one.",
    "no_former_address": "None of the addresses is known to be a former one of the site.",
    "no_helper": "Most of the failures come without a control measurement that reached it.",
    "no_target": "All connections were affected, so no site or service was singled out.",
    "not_alike": DOES_NOT_FIT,
    "not_one_network": "It is not about one network alone.",
    "one_family": ONE_FAMILY,
    "one_host": "Only one hosting network is affected.",
    "other_families": "Other kinds of sources show it too ({families}).",
    "other_way": DOES_NOT_FIT,
    "others_fell": "Figures that others measured fell too.",
    "others_reached": "Other targets were reached there at the time ({some}).",
    "others_reached_too": (
        "On {some} of the {all} lines on which another certificate was shown, other sites were reached as usual."
    ),
    "others_worked": "Enough of what else was measured on these lines worked at the time.",
    "own_probes_compare": "Probes of Fanous saw it too, and these try another name at the same moment.",
    "own_resolvers": "Most of those who saw it used the resolver of their own network.",
    "page_of_others": "The same page was shown in place of sites in other hosting networks.",
    "part_of_country": "It was seen only in parts of the country.",
    "release_works": "The same version of the test works abroad (countries: {some}).",
    "resolver_does_not_filter": "The resolver is not known to filter names ({resolvers}).",
    "several_deliverers": "Several publishers, independent of each other, show it ({deliverers}).",
    "several_networks": "It was seen on several networks ({entities}).",
    "several_probes": "It was seen by more than one device, or on more than one network (probes or test runs: {some}).",
    "several_resolvers": "It was seen through several resolvers ({resolvers}).",
    "share_nothing": (
        "The kinds of sources that show it ({families}) are not known to share any collection, geolocation or lists."
    ),
    "several_versions": "It was seen by several versions of the software or the test ({some}).",
    "usual_page_beside": "Others in the country were shown the usual page at the time (measurements: {some}).",
    "works_abroad": (
        "It went on working in {some} of {all} among the other countries with enough measurements, which does not fit."
    ),
    "worked_beside": "It worked on {networks} while it failed elsewhere in the country.",
}
"""Code of what speaks against a row -> its sentence."""

UNTESTED_FOR = {
    "few_names": "Of the names that were looked up through that resolver, too few can tell ({needed} are needed).",
    "few_neighbours": "Too few other probes on that network reached it to tell ({some}; {needed} are needed).",
    "few_others": "Too little else was measured on these lines to tell ({needed} targets are needed).",
    "few_sites": "Too few sites of one hosting network were seen to fail to tell ({some}; {needed} are needed).",
    "host_unknown": "Where the sites are hosted is not known.",
    "lists_unknown": "Which addresses these lists gave to the country at the time is not known.",
    "no_other_country": "No other country has enough measurements from that time.",
    "no_other_figures": "There are no figures of others from that time that could deny it.",
    "not_abroad": "Nothing from other countries shows whether it worked there at the time.",
    "methods_unknown": "How all of these series are collected and located is not known ({families}).",
    "nothing_usable": "None of the measurements that saw it can tell.",
    "one_family": ONE_FAMILY,
    "one_version": "Too few probes with other versions reached it on the same networks to tell.",
    "other_access": (
        "Mobile networks fell, and figures of people's traffic include fixed lines, which can keep it up."
    ),
    "other_addresses": "Only IPv6 fell, and people's traffic goes on over IPv4.",
    "resolvers_unknown": "Too few of those who saw it are known to use a public resolver.",
    "release_not_elsewhere": "Too little is known of how that version of the test does in other countries.",
    "short_history": "It is based on less than a week of history.",
    "small_loss": (
        "More than {share} of the usual level was left, and so small a loss need not show in figures of others."
    ),
    "version_unknown": "Which version of the software or the test saw it is not known.",
}
"""Code of why a row could not be tested -> its sentence."""

ALL_TESTED = "All of them could be tested."
UNTESTED_RARELY = "What could not be tested could be behind as many as one in {n} events like this."
UNTESTED_MOSTLY = (
    "What could not be tested could be behind most events like this: no one has shown that it is rare."
)
UNTESTED = (ALL_TESTED, UNTESTED_RARELY, UNTESTED_MOSTLY)
"""How often what could not be tested may be behind such events."""
