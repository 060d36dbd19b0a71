"""Rules for pages: a block page, another page than the control's, or the site's own word?

What comes over validated TLS is the site's own word, whatever it says.
"""

from fanous.analysis.rules import mechanisms
from fanous.analysis.rules.answers import Lookup
from fanous.analysis.rules.controls import Controls
from fanous.analysis.rules.evidence import https_page
from fanous.analysis.rules.fingerprints import FingerprintKind, Where
from fanous.analysis.rules.http_failures import FAILURES
from fanous.analysis.rules.pages import Likeness, is_challenge, is_redirect, refused_by_site
from fanous.analysis.rules.rule import Rule
from fanous.model.measurement import Layer, Observation
from fanous.model.verdict import State


def _block_page(o: Observation, c: Controls, where_location: bool) -> bool:
    """Also of a request that failed since its redirect could not be followed."""
    if not o.status_code or c.site_speaks:
        return False
    if where_location and c.leads_to_block_page:
        return True
    kinds = {match.kind for match in c.matches if (match.where is Where.LOCATION) is where_location}
    others = {match.kind for match in c.matches} & {FingerprintKind.BENIGN, FingerprintKind.PORTAL}
    return FingerprintKind.BLOCKPAGE in kinds and not others and c.likeness is not Likeness.SAME


def _has(o: Observation, c: Controls, kind: FingerprintKind) -> bool:
    return o.status_code > 0 and any(match.kind is kind for match in c.matches)


def _refused_by_country(o: Observation, c: Controls) -> bool:
    """The site itself refuses visitors from here: it answers others."""
    if o.status_code == 451:
        return True
    helper = c.evidence.helper_page
    return o.status_code == 403 and helper is not None and helper.status_code // 100 == 2


def _is_missing(o: Observation) -> bool:
    return o.status_code // 100 == 4 and o.status_code != 403


def _other_page_in_clear(o: Observation, c: Controls) -> bool:
    return c.likeness is Likeness.DIFFERENT and not o.body_truncated and not https_page(o)


def _sent_to_sibling(o: Observation, c: Controls) -> bool:
    """A redirect led to another name of the site's: ``fr.``, or its name under another country's domain.

    To ``www.`` and back leads most sites' first page, everywhere.
    """
    asked = {s.hostname.lower() for s in c.evidence.of(Layer.HTTP) if s.role != "redirect"}
    own = o.hostname.lower()
    return (
        o.role == "redirect"
        and any(_label(own) == _label(name) for name in asked)
        and all(own.removeprefix("www.") != name.removeprefix("www.") for name in asked)
    )


def _is_astray(o: Observation, c: Controls) -> bool:
    """Did the page come from an address that shares no network with the control's, where these are known?"""
    _, networks = c.evidence.helper_answers.get(o.hostname, (frozenset[str](), frozenset[int]()))
    answers = [s for s in c.evidence.of(Layer.DNS) if s.hostname == o.hostname and o.ip in s.answers]
    return bool(networks and answers) and not any(Lookup(c.evidence, s).is_right for s in answers)


def _sent_to_own_network(o: Observation, c: Controls) -> bool:
    """Another name's page over TLS, to which a page in clear led, out of the user's own network."""
    if o.role != "redirect" or c.site_speaks or o.body_truncated or c.likeness is not Likeness.DIFFERENT:
        return False
    lookups = [s for s in c.evidence.of(Layer.DNS) if s.hostname and s.answers]
    is_elsewhere = all(_domain(s.hostname) != _domain(o.hostname) for s in lookups if s.role != "redirect")
    own = c.evidence.parsed.measurement.asn
    return is_elsewhere and any(s.hostname == o.hostname and own in s.answer_asns for s in lookups)


def _domain(hostname: str) -> list[str]:
    """The last two labels of the name: enough to see that a site stays within its own."""
    return hostname.lower().split(".")[-2:]


_SHARED = frozenset({"ac", "co", "com", "edu", "go", "gov", "ne", "net", "or", "org"})
"""Labels under which countries register: ``co.uk``, ``com.pk``, ``go.jp``."""


def _label(hostname: str) -> str:
    """What a site calls itself, under whichever country's domain."""
    labels = hostname.split(".")
    shared = len(labels) > 2 and labels[-2] in _SHARED
    return labels[-3] if shared else labels[-2] if len(labels) > 1 else hostname


def _fingerprints(o: Observation, c: Controls) -> str:
    return f"{o.url}: {', '.join(match.id for match in c.matches[:3]) or o.location}"


def _page(o: Observation, c: Controls) -> str:
    helper = c.evidence.helper_page
    theirs = f"; control {helper.status_code}, {helper.body_length} bytes" if helper else ""
    title = f" {o.title[:60]!r}" if o.title else ""
    return f"{o.url}: {o.status_code}, {o.body_length} bytes{title}{theirs}"


PAGES = (
    Rule(
        id="http.redirect_to_blockpage",
        layer=Layer.HTTP,
        state=State.BLOCKED,
        why="The request was redirected to a known block page.",
        holds=lambda o, c: _block_page(o, c, True),
        mechanism="http.redirect",
        figures=_fingerprints,
    ),
    Rule(
        id="http.blockpage",
        layer=Layer.HTTP,
        state=State.BLOCKED,
        why="The page is a known block page.",
        holds=lambda o, c: _block_page(o, c, False),
        mechanism="http.blockpage",
        figures=_fingerprints,
    ),
    Rule(
        id="http.geo_block",
        layer=Layer.HTTP,
        state=State.OK,
        why="The site itself refuses visitors from here, over a connection that nobody tampered with.",
        holds=lambda o, c: (
            o.failure is None and c.site_speaks and _refused_by_country(o, c) and not is_challenge(o)
        ),
        mechanism=mechanisms.GEO_BLOCK,
        figures=_page,
    ),
    Rule(
        id="http.ok_over_tls",
        layer=Layer.HTTP,
        state=State.OK,
        why="The page came over validated TLS.",
        holds=lambda o, c: https_page(o) and (c.site_speaks or c.likeness is not Likeness.DIFFERENT),
    ),
    Rule(
        id="http.portal",
        layer=Layer.HTTP,
        state=State.INSUFFICIENT,
        why="The page is that of a captive portal or of the user's own equipment.",
        holds=lambda o, c: _has(o, c, FingerprintKind.PORTAL),
        figures=_fingerprints,
    ),
    Rule(
        id="http.after_wrong_answer",
        layer=Layer.HTTP,
        state=State.INSUFFICIENT,
        why="The address came from a wrong DNS answer: see the DNS layer.",
        holds=lambda _o, c: c.to_wrong_address,
    ),
    Rule(
        id="http.redirected",
        layer=Layer.HTTP,
        state=State.OK,
        why="The site answered with a redirect.",
        holds=lambda o, _c: o.failure is None and is_redirect(o),
    ),
    Rule(
        id="http.same_page",
        layer=Layer.HTTP,
        state=State.OK,
        why="The page is the one that the control got.",
        holds=lambda o, c: o.failure is None and c.likeness is Likeness.SAME,
    ),
    Rule(
        id="http.challenge",
        layer=Layer.HTTP,
        state=State.OK,
        why="The site's delivery network asks the visitor to prove that it is human.",
        holds=lambda o, c: o.failure is None and (is_challenge(o) or _has(o, c, FingerprintKind.CAPTCHA)),
        figures=_page,
    ),
    Rule(
        id="http.server_error",
        layer=Layer.HTTP,
        state=State.INSUFFICIENT,
        why="The server had trouble of its own or has had too many requests.",
        holds=lambda o, _c: o.failure is None and (o.status_code >= 500 or o.status_code == 429),
        figures=_page,
    ),
    Rule(
        id="http.refused_by_site",
        layer=Layer.HTTP,
        state=State.INSUFFICIENT,
        why="The site's own server refuses visitors from here, as far as an unprotected page can tell.",
        holds=lambda o, c: (
            o.failure is None
            and o.status_code in (401, 403, 451)
            and (o.status_code == 451 or refused_by_site(o, c.evidence.helper_page))
        ),
        mechanism=mechanisms.GEO_BLOCK,
        figures=_page,
    ),
    Rule(
        id="http.missing_page_in_other_network",
        layer=Layer.HTTP,
        state=State.INSUFFICIENT,
        why="A server in a network that is not the control's says that there is no such page, while the "
        "control got it: a near server, or one in the site's place.",
        holds=lambda o, c: _is_missing(o) and _other_page_in_clear(o, c) and _is_astray(o, c),
        mechanism=mechanisms.of_other_page,
        figures=_page,
        symptom=True,
    ),
    Rule(
        id="http.missing_page",
        layer=Layer.HTTP,
        state=State.INSUFFICIENT,
        why="The server says that there is no such page here, or refuses the request; sites and censors "
        "both do.",
        holds=lambda o, _c: o.failure is None and _is_missing(o),
        figures=_page,
    ),
    Rule(
        id="http.refused_by_a_server",
        layer=Layer.HTTP,
        state=State.INSUFFICIENT,
        why="A server that names itself refuses, while the control got the page: sites do it by suspicion, "
        "and networks in a site's place.",
        holds=lambda o, c: o.status_code == 403 and bool(o.server) and _other_page_in_clear(o, c),
        mechanism=mechanisms.of_other_page,
        figures=_page,
        symptom=True,
    ),
    Rule(
        id="http.sent_to_sibling",
        layer=Layer.HTTP,
        state=State.INSUFFICIENT,
        why="A redirect led to another name of the site's own, whose page is not the one that the control "
        "got: one for this place, or a notice instead of it.",
        holds=lambda o, c: _other_page_in_clear(o, c) and _sent_to_sibling(o, c),
        mechanism=mechanisms.of_other_page,
        figures=_page,
        symptom=True,
    ),
    Rule(
        id="http.other_page",
        layer=Layer.HTTP,
        state=State.BLOCKED,
        why="The page is not the one that the control got: it differs in all that can be compared.",
        holds=_other_page_in_clear,
        mechanism=mechanisms.of_other_page,
        figures=_page,
    ),
    Rule(
        id="http.sent_to_own_network",
        layer=Layer.HTTP,
        state=State.INSUFFICIENT,
        why="A page in clear led to another name within the user's own network, whose page is not the one "
        "that the control got: a notice that nobody knows yet, or the site's own choice.",
        holds=_sent_to_own_network,
        mechanism="http.redirect",
        figures=_page,
        symptom=True,
    ),
    Rule(
        id="http.incomparable",
        layer=Layer.HTTP,
        state=State.INSUFFICIENT,
        why="A page came that nothing vouches for, and too little of it can be compared with what the "
        "control got.",
        holds=lambda o, c: o.failure is None and (c.has_helper or c.helper_is_missing),
        figures=_page,
    ),
    Rule(
        id="http.answered",
        layer=Layer.HTTP,
        state=State.OK,
        why="The server answered, and nothing in the answer speaks of blocking.",
        holds=lambda o, _c: o.failure is None,
    ),
)

HTTP_RULES = PAGES + FAILURES
