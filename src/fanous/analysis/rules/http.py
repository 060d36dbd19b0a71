"""Rules for pages: a block page, the site's own page or another one; and requests that failed.

A page that comes over validated TLS is the site's own, whatever it contains.  A request fails because it was cut,
starved of data, sent in circles by the site, or because the page is down for everyone.
"""

from math import isnan, nan

from fanous.analysis.rules.answers import Lookup
from fanous.analysis.rules.connection import (
    CONNECTION_MECHANISMS,
    certificate_rules,
    group_failures,
    of_handshake,
    timeout_on_lossy_line,
)
from fanous.analysis.rules.dns import LOOKUP_MECHANISMS
from fanous.analysis.rules.evidence import Controls
from fanous.analysis.rules.failures import CERTIFICATE_CAUSES, LOOKUP_CAUSES, Cause
from fanous.analysis.rules.fingerprints import FingerprintKind, Where
from fanous.analysis.rules.pages import (
    Likeness,
    compared,
    is_challenge,
    is_redirect,
    leads_to_block_page,
    led_into_network,
    refused_by_site,
    sent_to_own_network,
    sent_to_sibling,
    site_speaks,
)
from fanous.analysis.rules.rule import Rule
from fanous.analysis.rules.transfer import (
    LEAST_BYTES,
    SILENT_SHARE,
    froze,
    line_kbps,
    of_freeze,
    of_slow_data,
)
from fanous.model.measurement import Layer, Observation, shown_name, shown_url
from fanous.model.threshold import threshold
from fanous.model.verdict import ERROR_PAGE, GEO_BLOCK, LEAST_RATIO, LINE, OTHER_PAGE, SERVER_DOWN, State

# --- pages ----------------------------------------------------------------------------------------------


def _block_page(o: Observation, c: Controls, where_location: bool) -> bool:
    """Is it a block page, or a redirect to one?  Asked also of requests that failed because a redirect led nowhere."""
    if not o.status_code or site_speaks(o, c):
        return False
    if where_location and leads_to_block_page(o, c):
        return True
    kinds = {match.kind for match in c.matches if (match.where is Where.LOCATION) is where_location}
    others = {match.kind for match in c.matches} & {FingerprintKind.BENIGN, FingerprintKind.PORTAL}
    return FingerprintKind.BLOCKPAGE in kinds and not others and compared(o, c) is not Likeness.SAME


def _has(o: Observation, c: Controls, kind: FingerprintKind) -> bool:
    return o.status_code > 0 and any(match.kind is kind for match in c.matches)


def _refused_by_country(o: Observation, c: Controls) -> bool:
    """Does the site itself refuse visitors from here, while it answers others?"""
    if o.status_code == 451:
        return True
    helper = c.evidence.helper_page
    return o.status_code == 403 and helper is not None and helper.status_code // 100 == 2


def _is_missing(o: Observation) -> bool:
    return o.status_code // 100 == 4 and o.status_code != 403


def _came_over_tls(o: Observation) -> bool:
    return o.failure is None and o.url.startswith("https:")


def _other_page_in_clear(o: Observation, c: Controls) -> bool:
    is_in_clear = o.failure is None and not _came_over_tls(o)
    return is_in_clear and not o.body_truncated and compared(o, c) is Likeness.DIFFERENT


def _is_astray(o: Observation, c: Controls) -> bool:
    """Did the page come from an address that shares no network with the control's, where these are known?"""
    networks = c.evidence.helper_networks.get(o.hostname)
    answers = [s for s in c.evidence.of(Layer.DNS) if s.hostname == o.hostname and o.ip in s.answers]
    return bool(networks and answers) and not any(Lookup(c.evidence, s).is_right for s in answers)


def _of_other_page(o: Observation, _c: Controls) -> str:
    """The mechanism of another page; for an empty page, which is not a notice, the taxonomy has no leaf."""
    if o.status_code // 100 == 4:
        return ERROR_PAGE
    return "http" if o.body_length == 0 else OTHER_PAGE


def _fingerprints(o: Observation, c: Controls) -> str:
    return f"{_url(o, c)}: {', '.join(match.id for match in c.matches[:3]) or _shown(o.location, c)}"


def _page(o: Observation, c: Controls) -> str:
    helper = c.evidence.helper_page
    theirs = f"; control {_answer(helper)}" if helper else ""
    return f"{_url(o, c)}: {_answer(o)}{theirs}"


def _answer(page: Observation) -> str:
    size = f"{page.body_length} bytes" if page.body_length >= 0 else "length unknown"
    return f"{page.status_code}, {size}"


def _url(o: Observation, c: Controls) -> str:
    return _shown(o.url, c)


def _shown(url: str, c: Controls) -> str:
    return shown_url(url, c.evidence.parsed.measurement.input)


PAGES = (
    Rule(
        id="http.redirect_to_blockpage",
        state=State.BLOCKED,
        why="The request was redirected to a known block page.",
        holds=lambda o, c: _block_page(o, c, True),
        mechanism="http.redirect",
        figures=_fingerprints,
    ),
    Rule(
        id="http.blockpage",
        state=State.BLOCKED,
        why="The page is a known block page.",
        holds=lambda o, c: _block_page(o, c, False),
        mechanism="http.blockpage",
        figures=_fingerprints,
    ),
    Rule(
        id="http.geo_block",
        state=State.OK,
        why="The site itself refuses visitors from here, over a connection that was not tampered with.",
        holds=lambda o, c: (
            o.failure is None and site_speaks(o, c) and _refused_by_country(o, c) and not is_challenge(o)
        ),
        mechanism=GEO_BLOCK,
        figures=_page,
    ),
    Rule(
        id="http.ok_over_tls",
        state=State.OK,
        why="The page came over TLS with a valid certificate.",
        holds=lambda o, c: (
            _came_over_tls(o) and (site_speaks(o, c) or compared(o, c) is not Likeness.DIFFERENT)
        ),
    ),
    Rule(
        id="http.portal",
        state=State.INSUFFICIENT,
        why="The page belongs to a captive portal or to the user's own equipment.",
        holds=lambda o, c: _has(o, c, FingerprintKind.PORTAL),
        figures=_fingerprints,
    ),
    Rule(
        id="http.after_wrong_answer",
        state=State.INSUFFICIENT,
        why="The address came from a wrong DNS answer; see the DNS layer.",
        holds=lambda _o, c: c.to_wrong_address,
    ),
    Rule(
        id="http.redirected",
        state=State.OK,
        why="The site responded with a redirect.",
        holds=lambda o, _c: o.failure is None and is_redirect(o),
    ),
    Rule(
        id="http.same_page",
        state=State.OK,
        why="The page is the one that the control received.",
        holds=lambda o, c: o.failure is None and compared(o, c) is Likeness.SAME,
    ),
    Rule(
        id="http.challenge",
        state=State.OK,
        why="The site's delivery network asks visitors to prove that they are human.",
        holds=lambda o, c: o.failure is None and (is_challenge(o) or _has(o, c, FingerprintKind.CAPTCHA)),
        figures=_page,
    ),
    Rule(
        id="http.server_error",
        state=State.INSUFFICIENT,
        why="The server had a fault or received too many requests.",
        holds=lambda o, _c: o.failure is None and (o.status_code >= 500 or o.status_code == 429),
        figures=_page,
    ),
    Rule(
        id="http.refused_by_site",
        state=State.INSUFFICIENT,
        why="The site's own server refuses visitors from here, as far as an unprotected page can show.",
        holds=lambda o, c: (
            o.failure is None
            and o.status_code in (401, 403, 451)
            and (o.status_code == 451 or refused_by_site(o, c.evidence.helper_page))
        ),
        mechanism=GEO_BLOCK,
        figures=_page,
    ),
    Rule(
        id="http.missing_page_in_other_network",
        state=State.INSUFFICIENT,
        why="A server in another network than the control's says that the page does not exist, while the "
        "control received it: the server is a nearby copy, or impersonates the site.",
        holds=lambda o, c: _is_missing(o) and _other_page_in_clear(o, c) and _is_astray(o, c),
        mechanism=_of_other_page,
        figures=_page,
        symptom=True,
    ),
    Rule(
        id="http.missing_page",
        state=State.INSUFFICIENT,
        why="The server says that the page does not exist, or refuses the request, which both sites and "
        "censors do.",
        holds=lambda o, _c: o.failure is None and _is_missing(o),
        figures=_page,
    ),
    Rule(
        id="http.refused_by_a_server",
        state=State.INSUFFICIENT,
        why="A server that identifies itself refused the request, while the control received the page: sites "
        "do this to visitors they suspect, and networks do it in a site's name.",
        holds=lambda o, c: o.status_code == 403 and bool(o.server) and _other_page_in_clear(o, c),
        mechanism=_of_other_page,
        figures=_page,
        symptom=True,
    ),
    Rule(
        id="http.sent_to_sibling",
        state=State.INSUFFICIENT,
        why="A redirect led to another name of the same site, whose page is not the one that the control "
        "received: a version for this country, or a notice in its place.",
        holds=lambda o, c: _other_page_in_clear(o, c) and sent_to_sibling(o, c),
        mechanism=_of_other_page,
        figures=_page,
        symptom=True,
    ),
    # The control says: which page is the site's. The site may show another here (may_be_site); no line makes one up.
    Rule(
        id="http.other_page",
        state=State.BLOCKED,
        why="The page is not the one that the control received: it differs in everything that can be "
        "compared.",
        holds=_other_page_in_clear,
        mechanism=lambda o, c: "http.redirect" if led_into_network(o, c) else _of_other_page(o, c),
        figures=_page,
        may_be_site=lambda o, c: not led_into_network(o, c),
    ),
    Rule(
        id="http.sent_to_own_network",
        state=State.INSUFFICIENT,
        why="An unencrypted page led to another name within the user's own network, whose page is not the one "
        "that the control received: a block notice not yet known, or the site's own choice.",
        holds=lambda o, c: o.role == "redirect" and sent_to_own_network(o, c),
        mechanism="http.redirect",
        figures=_page,
        symptom=True,
    ),
    Rule(
        id="http.incomparable",
        state=State.INSUFFICIENT,
        why="A page came whose origin nothing proves, and too little of it can be compared with what the "
        "control received.",
        holds=lambda o, c: o.failure is None and (c.has_helper or c.helper_is_missing),
        figures=_page,
    ),
    Rule(
        id="http.answered",
        state=State.OK,
        why="The server responded, and nothing in the response indicates blocking.",
        holds=lambda o, _c: o.failure is None,
    ),
)


# --- requests that failed -------------------------------------------------------------------------------

FREEZE = threshold(
    "rules.page_freeze_bytes",
    (10_000, 24_000),
    "A flow that stops between these sizes was frozen: in Russia in 2025 after 16 to 20 KB of the connection. "
    "Probes count from the request on, without the 3 to 6 KB of the handshake.",
)

LONGEST_FLOW_GAP = threshold(
    "rules.flow_gap_seconds",
    3.0,
    "Silence from which a flow is frozen: it stays silent until the time-out, while a slowed one resumes within "
    "a few retransmissions.",
)

MOST_KBPS = threshold(
    "rules.starved_kbps",
    1_000.0,
    "A faster flow (kbit/s) is a large file that did not finish in time: Russia left Twitter 130 to 150 kbit/s "
    "in 2021 (Xue and others, IMC 2021), and at this rate 3.7 MB arrive within the 30 s that probes wait.",
)

UNCLEAR = frozenset({Cause.UNKNOWN, Cause.ALERT, Cause.SERVFAIL})
"""Causes that old software, a broken resolver and interference have in common."""

LEAST_RECEIVED = threshold(
    "rules.page_received_bytes",
    8_000,
    "Without any response, fewer may be the end of the handshake (certificates are 3 to 6 KB), session tickets "
    "and retransmissions.",
)


def _data_came(o: Observation) -> bool:
    return o.status_code > 0 or o.body_length > 0 or o.received >= LEAST_RECEIVED


def _starved(o: Observation, c: Controls) -> bool:
    return c.cause is Cause.TIMEOUT and _data_came(o) and c.path_is_healthy


def _froze(o: Observation, c: Controls) -> bool:
    went_silent = isnan(o.largest_gap) or o.largest_gap >= LONGEST_FLOW_GAP
    return _in_window(o) and went_silent and _starved(o, c)


def _in_window(o: Observation) -> bool:
    return o.url.startswith("https:") and FREEZE[0] <= o.received <= FREEZE[1]


def _froze_as_downloads_do(o: Observation, c: Controls) -> bool:
    """Was the page given too little time to show a freeze, while a download of the same name froze?"""
    return _starved(o, c) and any(
        froze(s, Controls(c.evidence, s)) for s in c.evidence.of(Layer.TRANSFER) if s.hostname == o.hostname
    )


def _of_slow_page(o: Observation, c: Controls) -> str:
    """If it stopped within ``FREEZE``, the request may have ended before that could show whether it froze or was slowed
    down."""
    if _froze(o, c):
        return of_freeze(o, c)
    stopped = _in_window(o) and o.largest_gap >= SILENT_SHARE * o.seconds
    return "tls" if stopped else of_slow_data(o, c)


def _flows(o: Observation, c: Controls) -> bool:
    return page_kbps(o, c) >= MOST_KBPS and _starved(o, c)


def _unclear(_o: Observation, c: Controls) -> str:
    return "dns" if c.cause is Cause.SERVFAIL else "http"


def page_kbps(o: Observation, c: Controls) -> float:
    """Speed of a page in kbit/s: at least that if it came whole, at most that if it did not; NaN = unknown.

    Probes before 0.5 neither count what came nor say when a request began: then it was less than the page that the
    control received, in less time than since the measurement began.
    """
    helper = c.evidence.helper_page
    size = o.received
    if size < 0:
        size = o.body_length if o.failure is None else helper.body_length if helper else -1
    seconds = o.at if isnan(o.seconds) else o.seconds
    if size < 0 or not seconds > 0 or (o.failure is None and size < LEAST_BYTES):
        return nan  # of a small page that came, the time is only that of round trips
    return size * 8 / 1000 / seconds


def _is_slower_than_line(o: Observation, c: Controls) -> bool:
    """Did other names do several times as well on this line in the same measurement?  False if none was tried: what a
    control gets elsewhere says nothing about this line."""
    return page_kbps(o, c) < LEAST_RATIO * line_kbps(c)


def _as_slow_as_others(o: Observation, c: Controls) -> bool:
    """Was it no slower than other names on this line in the same measurement?  False if none was tried."""
    return line_kbps(c) * LEAST_RATIO <= page_kbps(o, c)


def _lower_layer_failed(o: Observation, c: Controls) -> bool:
    """Did a step below fail for this name and never work, so that this one could not be made?"""
    evidence = c.evidence
    below = [Layer.DNS, Layer.TCP]
    if o.url.startswith("https:"):
        below.append(Layer.TLS)
    steps = {(layer, o.hostname, 0 if layer is Layer.DNS else o.port) for layer in below if o.hostname}
    if not steps.isdisjoint(evidence.tried - evidence.worked):
        return True
    endpoint = [s for s in evidence.probe if s.layer in below and (s.ip, s.port) == (o.ip, o.port) and o.ip]
    failed = {s.layer for s in endpoint if s.failure is not None}
    return bool(failed - {s.layer for s in endpoint if s.failure is None})


def _of_request(o: Observation, c: Controls, cause: Cause | None = None) -> str:
    """The mechanism of a failed request.  Over TLS, the ``Host`` header cannot be the trigger.

    Args:
        cause: of the failure, if it is not the observation's own.
    """
    cause = cause or c.cause
    if cause in LOOKUP_CAUSES:
        return LOOKUP_MECHANISMS.get(cause, "dns")
    if cause in (Cause.REFUSED, Cause.UNREACHABLE):
        return CONNECTION_MECHANISMS[cause]
    over_tls = o.url.startswith("https:")
    if over_tls and not any(at is Layer.TLS and name == o.hostname for at, name, _ in c.evidence.tried):
        return of_handshake(o, c, cause)
    if cause is Cause.TIMEOUT:
        return "http.timeout"
    if cause is Cause.RESET:
        return "tls.reset" if over_tls else "http.reset.host"
    return "tls" if over_tls else "http"


def _beside_control(o: Observation, c: Controls) -> str:
    return f"{_url(o, c)}: {page_kbps(o, c):.0f} kbit/s, control {line_kbps(c):.0f} kbit/s"


def _request(o: Observation, c: Controls) -> str:
    return f"{_url(o, c) or shown_name(o.hostname)}: {o.failure}"


def _starved_figures(o: Observation, c: Controls) -> str:
    size = f", {o.received} bytes" if o.received >= 0 else ""
    seconds = "" if isnan(o.seconds) else f" in {o.seconds:.1f} s"
    return f"{_url(o, c)}: {o.failure} after the first data{size}{seconds}"


FAILURES = (
    Rule(
        id="http.redirects_badly",
        state=State.OK,
        why="The site responded, but its redirects lead nowhere.",
        holds=lambda _o, c: c.cause is Cause.REDIRECT,
        figures=_request,
    ),
    Rule(
        id="http.unexpected_answer",
        state=State.INSUFFICIENT,
        why="The server responded, but not as the test expects.",
        holds=lambda _o, c: c.cause is Cause.ANSWER,
        figures=_request,
    ),
    Rule(
        id="http.own_fault",
        state=State.INSUFFICIENT,
        why="The probe could not make the request because of a fault of its own.",
        holds=lambda _o, c: c.cause is Cause.LOCAL,
        figures=_request,
    ),
    Rule(
        id="http.lower_layer",
        state=State.INSUFFICIENT,
        why="The request could not be sent; see the lower layer that failed.",
        holds=lambda o, c: _lower_layer_failed(o, c),
        figures=_request,
    ),
    *certificate_rules(Layer.HTTP),
    Rule(
        id="http.other_attempt_works",
        state=State.OK,
        why="One request failed, but another to the same host worked.",
        holds=lambda _o, c: c.works_elsewhere,
        figures=_request,
    ),
    Rule(
        id="http.down",
        state=State.DOWN,
        why="The page cannot be loaded from outside either.",
        holds=lambda _o, c: c.reachable is False,
        mechanism=SERVER_DOWN,
        figures=_request,
    ),
    Rule(
        id="http.starved_like_control",
        state=State.INSUFFICIENT,
        why="The page did not arrive in time, but data from another name are just as slow on this line.",
        holds=lambda o, c: _starved(o, c) and _as_slow_as_others(o, c),
        mechanism=LINE,
        figures=_beside_control,
    ),
    Rule(
        id="http.large",
        state=State.INSUFFICIENT,
        why="The page was not complete in time, but its data came faster than throttling would allow.",
        holds=_flows,
        figures=_starved_figures,
    ),
    # The control says: the site is well. That other names did well here says that the line is.
    Rule(
        id="http.frozen",
        state=State.THROTTLED,
        why="The data stopped for good after the first 10 to 24 KB, while the control loaded the page and data from "
        "other names came several times as fast on this line.",
        holds=lambda o, c: (
            c.reachable is True
            and (_froze_as_downloads_do(o, c) or (_froze(o, c) and _is_slower_than_line(o, c)))
        ),
        mechanism=of_freeze,
        figures=_starved_figures,
    ),
    # As above: the control speaks for the site, the other names for the line.
    Rule(
        id="http.starved",
        state=State.THROTTLED,
        why="Data began to arrive, but so slowly that the request timed out, while the control loaded the "
        "page and data from other names came several times as fast on this line.",
        holds=lambda o, c: c.reachable is True and _starved(o, c) and _is_slower_than_line(o, c),
        mechanism=_of_slow_page,
        figures=_starved_figures,
    ),
    Rule(
        id="http.starved_on_bad_path",
        state=State.INSUFFICIENT,
        why="Data came slowly, but so does everything on this path.",
        holds=lambda o, c: c.cause is Cause.TIMEOUT and _data_came(o) and not c.path_is_healthy,
        mechanism=LINE,
        figures=_starved_figures,
    ),
    # Nothing in the record speaks for the line (analysis.series.line does), whether or not the control says that the
    # site is well, which makes it a controlled symptom.
    Rule(
        id="http.starved_no_rate",
        state=State.INSUFFICIENT,
        why="Data came, but so slowly that the request timed out, and nothing shows whether this line can do "
        "better.",
        holds=_starved,
        mechanism=_of_slow_page,
        figures=_starved_figures,
        symptom=True,
    ),
    Rule(
        id="http.unclear_failure",
        state=State.INSUFFICIENT,
        why="The request failed in an unknown way, or because of a fault of the resolver.",
        holds=lambda _o, c: c.cause in UNCLEAR and (c.has_helper or c.group.fails),
        mechanism=_unclear,
        figures=_request,
        symptom=True,
    ),
    Rule(
        id="http.slow_line",
        state=State.INSUFFICIENT,
        why="The request timed out, but bare connections are so slow that the line itself is bad.",
        holds=lambda _o, c: c.cause is Cause.TIMEOUT and (c.line_is_slow or not c.path_is_healthy),
        mechanism=LINE,
        figures=_request,
    ),
    timeout_on_lossy_line(Layer.HTTP, _of_request, _request),
    # The control says: the site is well. A reset or a false answer has a sender; silence may be this line's
    # (analysis.series.line).
    Rule(
        id="http.failure_control_ok",
        state=State.BLOCKED,
        why="The request was cut or got no response, while the control loaded the page.",
        holds=lambda _o, c: (
            c.reachable is True and c.cause not in CERTIFICATE_CAUSES | {Cause.UNKNOWN, Cause.ALERT}
        ),
        mechanism=_of_request,
        figures=_request,
    ),
    Rule(
        id="http.few_endpoints",
        state=State.OK,
        why="Enough of the target's endpoints respond; a few failures are normal.",
        holds=lambda _o, c: c.few_endpoints_fail,
        figures=group_failures,
    ),
    Rule(
        id="http.group_fails_elsewhere",
        state=State.INSUFFICIENT,
        why="Most of the target's endpoints fail, but at another layer.",
        holds=lambda _o, c: c.group.layer is not Layer.HTTP,
        figures=group_failures,
    ),
    Rule(
        id="http.no_control",
        state=State.INSUFFICIENT,
        why="The request failed, but nothing shows whether it succeeds elsewhere.",
        holds=lambda _o, _c: True,
        mechanism=lambda o, c: _of_request(o, c, c.group.cause),
        figures=_request,
        symptom=True,
    ),
)


HTTP_RULES = PAGES + FAILURES
