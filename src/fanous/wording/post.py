"""Post: an incident as a post and as a text message, with less and less detail; its status always stays.

Details that do not fit are left out whole, but never a hedge.  A text message carries 160 characters of the GSM
alphabet or 70 of any other (3GPP TS 23.038): one letter of Arabic script, or one ``ç``, puts all of it in the latter.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil

from fanous.model.incident import Incident, Kind, Scope
from fanous.refdata.countries import country_name
from fanous.wording.headline import claim_line, led, networks_named, target_names
from fanous.wording.language import ISOLATES, Language
from fanous.wording.words import status_word

GSM = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
GSM_EXTENDED = frozenset("^{}\\[~]|€\f")
"""Characters that take two places each."""

GSM_ONE, GSM_MORE = 160, 153
WIDE_ONE, WIDE_MORE = 70, 67
"""Places in a single message, and in each of several that belong together."""

POST = 280
"""Characters of a post."""

SMS = 160
"""Characters of a text message."""

MOST_MESSAGES = 2
"""Most messages for a claim: 134 letters of Arabic script; 70 hold little more than a status and a place."""

PLAIN = str.maketrans(
    {"–": "-", "—": "-", "’": "'", "‘": "'", "“": '"', "”": '"', "\u00a0": " ", "\u202f": " "}
)


@dataclass(frozen=True, slots=True)
class Sms:
    """A text as a phone sends it.

    Attributes:
        alphabet: ``GSM-7`` or ``UCS-2``.
        places: number of places it takes in that alphabet.
        messages: number of messages that an operator charges for.
    """

    text: str
    alphabet: str
    places: int
    messages: int


def sms_of(text: str) -> Sms:
    """The text message as a phone would send it."""
    if all(letter in GSM or letter in GSM_EXTENDED for letter in text):
        places = len(text) + sum(letter in GSM_EXTENDED for letter in text)
        return Sms(text, "GSM-7", places, _messages(places, GSM_ONE, GSM_MORE))
    places = len(text.encode("utf-16-be")) // 2
    return Sms(text, "UCS-2", places, _messages(places, WIDE_ONE, WIDE_MORE))


def _messages(places: int, one: int, more: int) -> int:
    return 1 if places <= one else ceil(places / more)


def post_text(claims: Sequence[str], details: Iterable[str]) -> str:
    """The longest claim that fits, then as many details as fit, in order.

    Args:
        claims: the same claim with its hedge, the longest first; the last one always fits.
        details: what may be left out, the most important first.
    """
    text = next((claim for claim in claims if len(claim) <= POST), claims[-1])
    for detail in details:
        if detail and len(text) + 1 + len(detail) <= POST:
            text = f"{text} {detail}"
    return text


def sms_text(claims: Sequence[str], details: Iterable[str]) -> Sms:
    """The longest claim that fits in ``MOST_MESSAGES``, and details if they need no further message."""
    plain = [claim.translate(ISOLATES).translate(PLAIN) for claim in claims]
    fitting = (one for one in plain if len(one) <= SMS and sms_of(one).messages <= MOST_MESSAGES)
    claim = next(fitting, plain[-1])
    for detail in details:
        longer = f"{claim} {detail.translate(ISOLATES).translate(PLAIN)}"
        if detail and len(longer) <= SMS and sms_of(longer).messages == sms_of(claim).messages:
            claim = longer
    return sms_of(claim)


STATES = {
    Kind.OUTAGE: "Offline",
    Kind.BLOCKING: "Blocked",
    Kind.THROTTLING: "Slowed",
    Kind.SLOWDOWN: "Slowed",
}


TRAFFIC_FELL = "Traffic fell"
"""Said of a platform whose traffic fell, if nothing shows how."""


def shorter(
    incident: Incident, names: Mapping[int, str], language: Language, before: str = ""
) -> tuple[str, ...]:
    """The claim, and shorter forms for less room: words of the glossary, then where to look.

    Args:
        before: as for ``claim_line``.
    """
    claim = claim_line(incident, names, language, before).text
    word = language.say(status_word(incident))
    status = led(incident, f"{language.say(before)}: {word}" if before else word, language)
    place = country_name(incident.country, language.code)
    where = f"{status}: {place}, {incident.id}"
    kinds = {part.kind for part in incident.parts} or {incident.kind}
    if len(kinds) > 1:
        return claim, where
    what = language.say(TRAFFIC_FELL if incident.is_of_traffic else STATES[next(iter(kinds))])
    targets = target_names(incident, language)
    if incident.scope is not Scope.NATION:
        place = f"{networks_named(incident, names, language)}, {place}"
    return claim, f"{status}: {targets} - {what}, {place}", where
