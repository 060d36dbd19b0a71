"""Pages: what sites and their front ends send in the clear, and what networks put in its place."""

from base64 import b64encode

from tests.analysis.rules.golden.case import PLAIN, TIMEOUT, Golden, works
from tests.analysis.rules.golden.record import ELSEWHERE, HOME, Web

SEIZED = "La Guardia di Finanza ha sequestrato tre siti, su decreto del tribunale."
RESTRICTED = "Доступ к сайту был заблокирован, сообщил Роскомнадзор."


def in_clear(country: str = "PK") -> Web:
    """Everything up to the request worked; no helper was asked."""
    return Web(PLAIN, country=country).lookup(HOME).connect(port=80)


def article(words: str, filler: str) -> str:
    """A page of the news, some 48 KB long."""
    rest = filler * (24_000 // len(filler.encode()))
    return f"<html><head><title>News</title></head><body>{rest}{words}{rest}</body></html>"


def at_another(code: int, body: str, server: str = "", url: str = PLAIN) -> Web:
    """In the clear, from an address in a network unknown to the helper."""
    web = Web(url).lookup(ELSEWHERE).connect(ELSEWHERE, 80).helper()
    return web.fetch(ip=ELSEWHERE, code=code, body=body, headers={"Server": server} if server else {})


def shielded(code: int, body: str, server: str = "awselb/2.0") -> Web:
    return works(PLAIN).fetch(code=code, body=body, headers={"Server": server})


def helper_was_tested(web: Web) -> Web:
    """A shield answered the helper with a script and no page."""
    web.control["http_request"] |= {"status_code": 202, "body_length": 0, "title": "", "headers": {}}
    return web


REFUSAL = "<html><head><title>Access Denied</title></head><body>You have no permission.</body></html>"
AKAMAI = REFUSAL.replace("permission.", "permission. Reference&#32;&#35;18&#46;4c")
MOMENT = "<title>Just a moment...</title>"
NOTICE = "<html><head><title>No entry</title></head><body>Not here.</body></html>"
WIDGETS = {
    "Turnstile": "https://challenges.cloudflare.com/turnstile/v0/api.js",
    "AWS WAF": "https://1a2b.eu-west-1.token.awswaf.com/1a2b/challenge.js",
    "SmartCaptcha": "https://smartcaptcha.yandexcloud.net/captcha.js",
}


def in_cyrillic(body: str) -> Web:
    """The page's bytes are windows-1251, which the header does not say; no helper was asked."""
    web = in_clear("RU").fetch(headers={"Content-Type": "text/html"}).no_helper()
    data = b64encode(body.encode("windows-1251")).decode()
    web.requests[0]["response"]["body"] = {"format": "base64", "data": data}
    return web


SOUND_PAGES = [
    Golden(
        "a page of 250 KB on a line of 200 kbit/s",
        works().read([5_000] * 50, 0.2).fetch(failure=TIMEOUT, took=10.0),
    ),
    Golden("Akamai refuses in clear, from a near server", at_another(403, AKAMAI, "AkamaiGHost")),
    Golden("Cloudflare asks in clear, told by an old helper", at_another(403, MOMENT, "cloudflare").older()),
    Golden("451 in clear, from a near server", at_another(451, REFUSAL, "golden")),
    Golden("404 in clear, from a near server", at_another(404, NOTICE, "golden")),
    Golden("a CAPTCHA with status 200, from a near server", at_another(200, WIDGETS["AWS WAF"])),
    Golden("a shield asks the helper, and the probe got the page", helper_was_tested(works(PLAIN).fetch())),
    Golden("a shield answers the probe with 202", shielded(202, "<html><script></script></html>")),
    Golden("a load balancer refuses", shielded(403, REFUSAL)),
    Golden("a server refuses that is none of the control's", shielded(403, REFUSAL, "nginx")),
    *(
        Golden(
            f"{name} with status {code} in clear", shielded(code, f"<script src='{widget}'></script>", "x")
        )
        for name, widget in WIDGETS.items()
        for code in (200, 202)
    ),
    Golden(
        "Italian news of a seizure, while the helper cannot be asked",
        in_clear("IT").fetch(body=article(SEIZED, "notizie ")).no_helper(),
    ),
    Golden(
        "Russian news of a block, while the helper cannot be asked",
        in_clear("RU").fetch(body=article(RESTRICTED, "новости ")).no_helper(),
    ),
    Golden(
        "a page that flows at a third of the rate of its own handshake",
        works().read([1_000] * 100, 0.1, began=0.4).fetch(failure=TIMEOUT, took=10.0),
    ),
    Golden(
        "a page of 250 KB that stands still in between",
        works().read([5_000] * 50, 0.1).read([5_000], 0.1, began=9.5).fetch(failure=TIMEOUT, took=10.0),
    ),
]

OTHER_PAGES = [
    Golden(
        "a notice that names its encoding itself, while the helper cannot be asked",
        in_cyrillic(f'<meta charset="windows-1251">{RESTRICTED}'),
        ("blocked http http.blockpage",),
    ),
    Golden("an answer without a page", works(PLAIN).fetch(body="", headers={}), ("blocked http http",)),
    Golden(
        "another page with status 200, from a network that is not the site's",
        at_another(200, NOTICE),
        ("blocked dns dns.injection.other",),
    ),
    Golden(
        "a known notice with status 403, from a network that is not the site's",
        at_another(403, "<title>Surf Safely!</title>This website is not accessible"),
        ("blocked dns dns.injection.other", "blocked http http.blockpage"),
    ),
    Golden(
        "another page with status 200, while the control has one with 200",
        works(PLAIN).fetch(body=NOTICE, headers={"Server": "nginx"}),
        ("blocked http http.blockpage.unknown",),
    ),
    Golden(
        "a refusal by nobody who names himself",
        works(PLAIN).fetch(code=403, body=REFUSAL, headers={}),
        ("blocked http http.error",),
    ),
    Golden(
        "an Italian notice with the words of the news, while the helper cannot be asked",
        in_clear("IT").fetch(body=f"<h1>Sito non disponibile</h1>{SEIZED}").no_helper(),
        ("blocked http http.blockpage",),
    ),
    Golden(
        "a Russian notice with the words of the news, while the helper cannot be asked",
        in_clear("RU").fetch(body=f"<h1>Нет доступа</h1>{RESTRICTED}").no_helper(),
        ("blocked http http.blockpage",),
    ),
    Golden(
        "a notice as long as the news, which links to the register, while the helper cannot be asked",
        in_clear("RU")
        .fetch(body=article('<a href="https://blocklist.rkn.gov.ru/">register</a>', "текст "))
        .no_helper(),
        ("blocked http http.blockpage",),
    ),
]
