"""Message: the text for one channel, in its language, as cautious as the incident's status demands."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from fanous.analysis.incidents.revision import WHOLE, happenings, reach_changed, what_was_wrong
from fanous.model.alert import Delivery, Happening
from fanous.model.incident import Incident, Status
from fanous.publish.document import detailed_document
from fanous.wording.headline import claim_line
from fanous.wording.language import ENGLISH, Language
from fanous.wording.narrative import because, sentences
from fanous.wording.post import post_text, shorter, sms_text
from fanous.wording.reasons import corrected, reasons_said

TITLED = {
    Happening.CORRECTED: "Correction",
    Happening.WIDENED: "Widened",
    Happening.NARROWED: "Narrowed",
}
"""What stands before the claim in a title."""

MORE = "Evidence and history"
A_TEST = "Test"
NOTHING = "This is a test of a channel of Fanous. Nothing has happened."

TEST = "test"
"""``happening`` of a message that only tests a channel."""


@dataclass(frozen=True, slots=True)
class Message:
    """One alert as it is sent, in the language of its channel.

    Attributes:
        key: the same however often it is sent.
        happening: one of ``Happening``, or ``test``.
        incident: label; empty for a test.
        n: revision.
        title: one line.
        text: lines, without the address.
        url: permanent address of the incident; empty = the monitor has none.
        language: code.
        starts_at, ends_at: unix seconds; no end = it is ongoing.
        document: the incident for programs.
    """

    key: str
    happening: str
    incident: str
    n: int
    title: str
    text: str
    url: str
    language: str
    country: str
    starts_at: float
    ends_at: float | None
    document: Mapping[str, Any] = field(default_factory=dict)
    short: tuple[str, ...] = ()

    def as_post(self) -> str:
        """At most 280 characters, including the address."""
        return post_text(self.short or (self.title,), [self.url])

    def as_sms(self) -> str:
        """At most 160 characters, or as few messages as the claim needs."""
        return sms_text(self.short or (self.title,), [self.incident, self.url]).text

    @property
    def body(self) -> str:
        """The text with the address, for people."""
        return f"{self.text}\n{self.url}" if self.url else self.text


@dataclass(frozen=True, slots=True)
class Sender:
    """The monitor that sends the message.

    Attributes:
        url: public address of the monitor without a slash at its end; empty = none.
        notice: included in every message (a recorded event, a lab's clock); empty = none.
    """

    url: str = ""
    notice: str = ""


def compose(
    delivery: Delivery,
    told: Incident | None,
    incident: Incident,
    names: Mapping[int, str],
    language: Language,
    sender: Sender,
) -> Message | None:
    """The news for a channel that was last sent ``told``; ``None`` = there is none."""
    happened = happenings(told, incident)
    if not happened:
        return None
    first = happened[0]
    before = TITLED.get(first, "")
    url = f"{sender.url}/{incident.country}/{incident.id}" if sender.url else ""
    lines = [*filter(None, [sender.notice]), *(one.text for one in sentences(incident, names, language))]
    if first is Happening.CORRECTED and told is not None:
        lines.append(corrected(what_was_wrong(told, incident) or (WHOLE,), (), language))
    lines += [one.text for one in reasons_said(reach_changed(told, incident), language)]
    if incident.confirmed_at is None and incident.status is not Status.RETRACTED:
        lines.append(" ".join(one.text for one in because(incident, language)))
    lines.append(f"{language.say(MORE)}: {incident.id}, r{delivery.n}")
    return Message(
        key=delivery.key,
        happening=str(first),
        incident=incident.id,
        n=delivery.n,
        title=claim_line(incident, names, language, before).text,
        text="\n".join(lines),
        url=url,
        language=language.code,
        country=incident.country,
        starts_at=incident.onset,
        ends_at=_over_at(incident),
        document=detailed_document(incident),
        short=shorter(incident, names, language, before),
    )


def test_message(key: str, now: float, sender: Sender, language: Language = ENGLISH) -> Message:
    """A test message, which says that nothing happened."""
    title, text = f"Fanous: {language.say(A_TEST)}", language.say(NOTHING)
    return Message(key, TEST, "", 0, title, text, sender.url, language.code, "ZZ", now, now + 300)


def _over_at(incident: Incident) -> float | None:
    """When a retracted incident ended: at the end it would have had, otherwise at its onset."""
    if incident.status is Status.RETRACTED:
        return incident.onset if incident.end is None else incident.end
    return incident.end
