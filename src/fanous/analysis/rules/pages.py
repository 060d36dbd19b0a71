"""Pages: did the probe receive the same page as the helper?

The tests are those of OONI's web_connectivity (ts-017): status, body length, title, and the names of uncommon headers.
Ours answer "unknown" more often, since sites differ by country for many reasons: only a page that differs in everything
that can be compared is another page.
"""

from enum import StrEnum

from fanous.model.measurement import Observation

LEAST_PROPORTION = 0.7
"""Ratio of the shorter body to the longer from which two pages count as equally long (ts-017)."""

LEAST_CONTROL = 512
"""Bytes.  A shorter page of the control is a frame or a script that fetches the page, and proves nothing."""

LEAST_WORD = 5
"""Least letters for a word of a title to distinguish pages (ts-017)."""

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
    if page.failure is not None or control.failure is not None or is_redirect(page):
        return Likeness.UNKNOWN
    if not page.status_code or not control.status_code:
        return Likeness.UNKNOWN
    status = page.status_code == control.status_code
    title = same_title(page.title, control.title)
    if not status:
        return _with_other_status(page, control, title)
    length, headers = _same_length(page, control), _same_headers(page, control)
    if headers is False and title is False:  # many pages happen to be equally long
        return Likeness.DIFFERENT if length is False and _is_page(control) else Likeness.UNKNOWN
    if length or headers or title:
        return Likeness.SAME
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
    """Does a refusal in clear come from the site's own front, a delivery network or the same server?"""
    server = page.server.casefold()
    if any(front in server for front in REFUSERS):
        return True
    return bool(server) and control is not None and server == control.server.casefold()


def is_challenge(page: Observation) -> bool:
    """Is it a test for robots by the site's delivery network, judging by status and server alone?"""
    return page.status_code in (403, 429, 503) and any(f in page.server.casefold() for f in _FRONTS)
