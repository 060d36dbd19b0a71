"""Message: the text for one channel, in its language, as cautious as the incident's status demands."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from fanous.analysis.incidents.revision import WHOLE, happenings, reach_changed, what_was_wrong
from fanous.model.alert import Delivery, Happening
from fanous.model.incident import Incident, MethodChange, Status
from fanous.model.measurement import Provenance
from fanous.model.place import asn_of
from fanous.publish.alerts.group import names_platform
from fanous.publish.document import detailed_document
from fanous.refdata.countries import country_name
from fanous.wording.headline import claim_line, led, networks_named
from fanous.wording.language import ENGLISH, Language
from fanous.wording.narrative import because, sentences
from fanous.wording.post import post_text, shorter, sms_text
from fanous.wording.reasons import corrected, method_said, reasons_said
from fanous.wording.words import NAMED

TITLED = {Happening.CORRECTED: "Correction", Happening.WIDENED: "Widened", Happening.NARROWED: "Narrowed"}
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
        document: the incident for programs; empty = it is not about one.
        alerts: what a message about several incidents carries, as each would be sent alone; empty = it is alone.
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
    alerts: tuple["Message", ...] = ()

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
    lines = [
        *filter(None, [sender.notice]),
        *(sentence.text for sentence in sentences(incident, names, language)),
    ]
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


Networks = Callable[[Provenance, str], Mapping[int, str]]
"""Names of networks by ASN, in the measurements of a provenance and country."""

LISTED = 20
"""Most alerts of one message that are named in its text; corrections always are."""

TOGETHER = "Several alerts came close together and were put into one message."


Alert = tuple[Message, Incident]
"""A message about one incident, and that incident."""


def compose_group(
    key: str,
    alerts: Sequence[Alert],
    networks: Networks,
    language: Language,
    sender: Sender,
    change: MethodChange | None = None,
) -> Message:
    """Several alerts in one message: how many have which status, then a line for each, the most important first.

    Args:
        change: the change of the method that took all of it back; ``None`` = there was none.
    """
    alerts = sorted(alerts, key=_importance)
    messages = [message for message, _ in alerts]
    listed = messages[: max(LISTED, sum(map(_corrects, messages)))]
    if change is None:
        title, why, page = _group_title(alerts, networks, language), language.say(TOGETHER), ""
    else:
        (title, why), page = method_said(change, language), "corrections"
    lines = [*filter(None, [sender.notice]), why]
    lines += [f"{message.title} {message.url or f'{message.incident}, r{message.n}'}" for message in listed]
    if more := len(messages) - len(listed):
        lines.append(language.count("{n} more is not listed here.", "{n} more are not listed here.", more))
    country = messages[0].country if len({message.country for message in messages}) == 1 else ""
    ends = [message.ends_at for message in messages if message.ends_at is not None]
    return Message(
        key=key,
        happening=messages[0].happening,
        incident="",
        n=0,
        title=_led_if_staged(alerts, title, language),
        text="\n".join(lines),
        url=f"{sender.url}/{page or country}".rstrip("/") if sender.url else "",
        language=language.code,
        country=country,
        starts_at=min(message.starts_at for message in messages),
        ends_at=max(ends) if len(ends) == len(messages) else None,
        alerts=tuple(messages),
    )


def _corrects(message: Message) -> bool:
    return message.happening == Happening.CORRECTED


def _importance(alert: Alert) -> tuple[bool, bool, bool, float]:
    message, incident = alert
    unsure = incident.confirmed_at is None
    return not _corrects(message), not names_platform(incident), unsure, -incident.confidence


def _group_title(alerts: Sequence[Alert], networks: Networks, language: Language) -> str:
    """``Pakistan, PTCL: 45 alerts (40 confirmed, 5 suspected)``, after *Correction* if any is one."""
    standing = [incident for message, incident in alerts if not _corrects(message)]
    over = sum(incident.status is Status.ENDED for incident in standing)
    sure = sum(incident.is_open and incident.confirmed_at is not None for incident in standing)
    unsure = len(standing) - over - sure
    corrections = len(alerts) - len(standing)
    counts = (
        (corrections, language.count("{n} correction", "{n} corrections", corrections)),
        (sure, language.count("{n} confirmed", "{n} confirmed", sure)),
        (unsure, language.count("{n} suspected", "{n} suspected", unsure)),
        (over, language.count("{n} ended", "{n} ended", over)),
    )
    first = alerts[0][1]
    countries = sorted({incident.country for _, incident in alerts})
    where = [country_name(country, language.code) for country in countries[:NAMED]]
    if len({incident.entities for _, incident in alerts}) == 1 and any(map(asn_of, first.entities)):
        where.append(networks_named(first, networks(first.provenance, first.country), language))
    before = [language.say(TITLED[Happening.CORRECTED])] if corrections else []
    counted = language.comma.join(words for n, words in counts if n)
    said = f"{language.count('{n} alert', '{n} alerts', len(alerts))} ({counted})"
    return language.colon.join([*before, language.comma.join(map(language.apart, where)), said])


def _led_if_staged(alerts: Sequence[Alert], title: str, language: Language) -> str:
    staged = (incident for _, incident in alerts if incident.provenance.is_synthetic)
    return led(next(staged, alerts[0][1]), title, language)


def test_message(key: str, now: float, sender: Sender, language: Language = ENGLISH) -> Message:
    """A test message, which says that nothing happened."""
    title, text = f"Fanous: {language.say(A_TEST)}", language.say(NOTHING)
    return Message(key, TEST, "", 0, title, text, sender.url, language.code, "ZZ", now, now + 300)


def _over_at(incident: Incident) -> float | None:
    """When a retracted incident ended: at the end it would have had, otherwise at its onset."""
    if incident.status is Status.RETRACTED:
        return incident.onset if incident.end is None else incident.end
    return incident.end
