"""Pages: what comes in clear from sites and their fronts, and what networks put in its place."""

from tests.rules.golden.case import PLAIN, Golden
from tests.rules.golden.record import HOME, Web

SEIZED = "La Guardia di Finanza ha sequestrato tre siti, su decreto del tribunale."
RESTRICTED = "Доступ к сайту был заблокирован, сообщил Роскомнадзор."


def in_clear(country: str = "PK") -> Web:
    """Everything up to the request worked; no helper was asked."""
    return Web(PLAIN, country=country).lookup(HOME).connect(port=80)


def article(words: str, filler: str) -> str:
    """A page of the news, some 48 KB long."""
    rest = filler * (24_000 // len(filler.encode()))
    return f"<html><head><title>News</title></head><body>{rest}{words}{rest}</body></html>"


SOUND_PAGES = [
    Golden(
        "Italian news of a seizure, while the helper cannot be asked",
        in_clear("IT").fetch(body=article(SEIZED, "notizie ")).no_helper(),
    ),
    Golden(
        "Russian news of a block, while the helper cannot be asked",
        in_clear("RU").fetch(body=article(RESTRICTED, "новости ")).no_helper(),
    ),
]

OTHER_PAGES = [
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
