"""Pages: did the probe receive the same page as the helper, and from whom?

The tests are those of OONI's web_connectivity (ts-017): status, body length, title, and the names of uncommon headers.
Ours answer "unknown" more often, since sites differ by country for many reasons: only a page that differs in everything
that can be compared is another page.
"""

from enum import StrEnum

from fanous.analysis.rules.evidence import Controls
from fanous.analysis.rules.fingerprints import FingerprintKind
from fanous.model.measurement import Layer, Observation
from fanous.model.threshold import threshold

LEAST_PROPORTION = threshold(
    "rules.page_length_proportion",
    0.7,
    "Shorter body divided by longer body, from which two pages are equally long (OONI ts-017).",
)

LEAST_CONTROL = threshold(
    "rules.page_control_bytes",
    512,
    "A shorter control page is a frame or a script that fetches the page, and says nothing.",
)

LEAST_WORD = threshold(
    "rules.title_word_letters", 5, "Letters from which a word of a title distinguishes pages (OONI ts-017)."
)

COMMON_HEADERS = frozenset(
    {
        "accept-ranges",
        "age",
        "cache-control",
        "cf-ray",
        "connection",
        "content-encoding",
        "content-language",
        "content-length",
        "content-type",
        "date",
        "etag",
        "expires",
        "keep-alive",
        "last-modified",
        "link",
        "location",
        "p3p",
        "pragma",
        "server",
        "set-cookie",
        "strict-transport-security",
        "transfer-encoding",
        "vary",
        "via",
        "x-content-type-options",
        "x-frame-options",
        "x-powered-by",
        "x-varnish",
        "x-xss-protection",
    }
)
"""Sent by everyone; only a site's own headers identify its pages (ts-017)."""

_FRONTS = ("cloudflare", "akamai", "cloudfront", "sucuri", "ddos-guard", "imperva", "incapsula", "fastly")
"""``Server`` headers of delivery networks, which by themselves refuse visitors by country or on suspicion."""

REFUSERS = (
    *_FRONTS,
    "awselb",
    "google frontend",
    "azure",
    "varnish",
    "qrator",
    "stormwall",
    "bigip",
    "big-ip",
)
"""Those, and load balancers, caches and shields, which refuse but do not test for robots."""


class Likeness(StrEnum):
    """Whether two pages are the same."""

    SAME = "same"
    DIFFERENT = "different"
    UNKNOWN = "unknown"


def likeness(page: Observation, control: Observation) -> Likeness:
    """Compare the probe's page with the helper's; a redirect or a failed request cannot be compared."""
    has_failed = page.failure is not None or control.failure is not None
    if has_failed or is_redirect(page) or not page.status_code or not control.status_code:
        return Likeness.UNKNOWN
    status = page.status_code == control.status_code
    title = same_title(page.title, control.title)
    if not status:
        return _with_other_status(page, control, title)
    length, headers = _same_length(page, control), _same_headers(page, control)
    if headers is False and title is False:  # many pages happen to be equally long
        return Likeness.DIFFERENT if length is False and _is_page(control) else Likeness.UNKNOWN
    if length or title:
        return Likeness.SAME  # names of headers alone are no likeness: servers of one make send the same
    # Length and one more must differ: a page without title or own headers tells too little.
    different = length is False and (headers is False or title is False)
    if not different or not _is_page(control) or _is_set_up_alike(page, control):
        return Likeness.UNKNOWN
    return Likeness.DIFFERENT


def _with_other_status(page: Observation, control: Observation, title: bool | None) -> Likeness:
    if title:
        return Likeness.SAME
    refuses = page.status_code // 100 == 4 and page.status_code != 429
    if not _is_page(control) or not refuses:
        return Likeness.UNKNOWN
    length = _same_length(page, control)
    return Likeness.DIFFERENT if length is False or title is False else Likeness.UNKNOWN


def _is_page(control: Observation) -> bool:
    """Can anything be compared with it?  With 202 or 204 a server says that it sends no page, as shields do."""
    return control.status_code == 200 and control.body_length >= LEAST_CONTROL


def is_redirect(page: Observation) -> bool:
    return page.status_code // 100 == 3


def _same_length(page: Observation, control: Observation) -> bool | None:
    short, long = sorted((page.body_length, control.body_length))
    if short < 0 or long == 0:
        return None
    if page.body_truncated and page.body_length <= control.body_length:
        return None
    return short / long > LEAST_PROPORTION


def _same_headers(page: Observation, control: Observation) -> bool | None:
    """Do the pages share an uncommon header?  None = the control has none."""
    uncommon = set(control.header_names) - COMMON_HEADERS
    if not uncommon:
        return None
    return not uncommon.isdisjoint(page.header_names)


def _is_set_up_alike(page: Observation, control: Observation) -> bool:
    """Does the same kind of server send exactly the same headers, as for a site's page for this place or visitor?

    ts-017 takes equal header names for the same page, but the plain servers of many sites have those too.
    """
    server = page.server.casefold()
    alike = bool(server) and server == control.server.casefold()
    return alike and set(page.header_names) == set(control.header_names)


def same_title(page: str, control: str) -> bool | None:
    """Do the titles share most of their long words?  None = one has no title."""
    if not page or not control:
        return None
    if page.casefold() == control.casefold():
        return True
    ours, theirs = _words(page), _words(control)
    if not ours or not theirs:
        return False
    return 2 * len(ours & theirs) >= min(len(ours), len(theirs))


def _words(title: str) -> set[str]:
    return {word for word in title.casefold().split() if len(word) >= LEAST_WORD}


def refused_by_site(page: Observation, control: Observation | None) -> bool:
    """Does a refusal in the clear come from the site's own front, a delivery network or the same server?"""
    server = page.server.casefold()
    if any(front in server for front in REFUSERS):
        return True
    return bool(server) and control is not None and server == control.server.casefold()


def is_challenge(page: Observation) -> bool:
    """Is it a test for robots by the site's delivery network, judging by status and server alone?"""
    return page.status_code in (403, 429, 503) and any(f in page.server.casefold() for f in _FRONTS)


# --- among the other observations of its measurement ----------------------------------------------------


def compared(o: Observation, c: Controls) -> Likeness:
    """How this page compares with the helper's."""
    helper = c.evidence.helper_page
    return Likeness.UNKNOWN if helper is None else likeness(o, helper)


def leads_to_block_page(o: Observation, c: Controls) -> bool:
    """Is it a redirect to a page that is a block page?"""
    return bool(o.location) and any(
        page.url == o.location
        and any(match.kind is FingerprintKind.BLOCKPAGE for match in c.evidence.matches(page))
        for page in c.evidence.of(Layer.HTTP)
        if page is not o
    )


def site_speaks(o: Observation, c: Controls) -> bool:
    """Does the page come from the site itself, so that no one on the path could have written it?

    True over validated TLS, unless a page in the clear sent the probe on to another host.
    """
    if not o.url.startswith("https:"):
        return False
    return o.role != "redirect" or not any(
        page.url.startswith("http:") and page.location and page.role != "redirect"
        for page in c.evidence.of(Layer.HTTP)
    )


def sent_to_sibling(o: Observation, c: Controls) -> bool:
    """Did a redirect lead to another name of the site's: ``fr.``, or its name under another country's domain?

    A redirect to ``www.`` or back does not count, since most sites have one everywhere.
    """
    asked = {s.hostname.lower() for s in c.evidence.of(Layer.HTTP) if s.role != "redirect"}
    own = o.hostname.lower()
    return (
        o.role == "redirect"
        and any(_label(own) == _label(name) for name in asked)
        and all(own.removeprefix("www.") != name.removeprefix("www.") for name in asked)
    )


def sent_to_own_network(o: Observation, c: Controls) -> bool:
    """Did an unencrypted page lead to another name's page over TLS, from within the user's own network?"""
    if site_speaks(o, c) or o.body_truncated or compared(o, c) is not Likeness.DIFFERENT:
        return False
    lookups = [s for s in c.evidence.of(Layer.DNS) if s.hostname and s.answers]
    is_elsewhere = all(_domain(s.hostname) != _domain(o.hostname) for s in lookups if s.role != "redirect")
    own = c.evidence.parsed.measurement.asn
    return is_elsewhere and any(s.hostname == o.hostname and own in s.answer_asns for s in lookups)


def led_into_network(o: Observation, c: Controls) -> bool:
    """Did a redirect lead to a bare address, or to another site's name in the user's own network?  No site sends its
    visitors there."""
    if o.role != "redirect" or not o.hostname:
        return o.role == "redirect"
    own = c.evidence.parsed.measurement.asn
    lookups = list(c.evidence.of(Layer.DNS))
    is_own = any(s.hostname == o.hostname and own in s.answer_asns for s in lookups)
    return is_own and all(_domain(s.hostname) != _domain(o.hostname) for s in lookups if s.role != "redirect")


def _domain(hostname: str) -> list[str]:
    """The last two labels of the name: enough to see that a site stays within its own."""
    return hostname.lower().split(".")[-2:]


_SHARED = frozenset({"ac", "co", "com", "edu", "go", "gov", "ne", "net", "or", "org"})
"""Labels under which countries register: ``co.uk``, ``com.pk``, ``go.jp``."""


def _label(hostname: str) -> str:
    """The name of a site, without the country's domain."""
    labels = hostname.split(".")
    shared = len(labels) > 2 and labels[-2] in _SHARED
    return labels[-3] if shared else labels[-2] if len(labels) > 1 else hostname
