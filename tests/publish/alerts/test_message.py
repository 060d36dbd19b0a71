"""The messages that a channel gets."""

from dataclasses import replace

from fanous.model.alert import AlertState, Delivery, Happening
from fanous.model.incident import Incident, Status
from fanous.model.measurement import Provenance
from fanous.publish.alerts.group import group_of
from fanous.publish.alerts.message import Message, Sender, compose, test_message
from fanous.wording.language import ENGLISH, LANGUAGES, Language
from tests.charts.events import ONGOING, SUSPECTED, incident
from tests.each import each

CONFIRMED = incident(**ONGOING, id="PK-2023-0001")
RETRACTED = replace(CONFIRMED, status=Status.RETRACTED)
SUSPICION = incident(**SUSPECTED, id="PK-2023-0001")
GROUP = group_of(CONFIRMED)
WAITING = Delivery(
    "k1", "desk", "PK-2023-0001", 2, 1, Happening.OPENED, AlertState.WAITING, 0, 0, 0, None, "", GROUP
)


def message(
    after: Incident,
    before: Incident | None = None,
    language: Language = ENGLISH,
    sender: Sender | None = None,
) -> Message:
    composed = compose(WAITING, before, after, {}, language, sender or Sender("https://fanous.example"))
    assert composed is not None
    return composed


@each("code", LANGUAGES)
def test_a_suspicion_is_never_said_as_confirmed(code: str) -> None:
    language = LANGUAGES[code]
    told = message(SUSPICION, language=language)
    for text in (told.title, told.text.splitlines()[0]):
        assert language.say("Suspected") in text
        assert language.say("Confirmed") not in text.replace(language.say("not confirmed"), "")


@each("code", LANGUAGES)
def test_a_retraction_says_so_before_the_claim(code: str) -> None:
    language = LANGUAGES[code]
    told = message(replace(CONFIRMED, status=Status.RETRACTED), CONFIRMED, language)
    assert told.title.startswith(language.say("Correction"))
    assert language.say("Retracted") in told.title
    assert told.ends_at is not None


def test_a_correction_says_what_is_taken_back() -> None:
    narrowed = replace(CONFIRMED, confirmed_at=None, status=Status.SUSPECTED)
    assert "No longer claimed: that it is confirmed." in message(narrowed, CONFIRMED).text


def test_the_address_is_permanent_and_on_a_separate_line() -> None:
    told = message(CONFIRMED, language=LANGUAGES["ur"])
    assert told.body.splitlines()[-1] == told.url == "https://fanous.example/PK/PK-2023-0001"


@each("code", LANGUAGES)
def test_short_forms_keep_the_status_and_their_length(code: str) -> None:
    language = LANGUAGES[code]
    for told in (message(SUSPICION, language=language), message(RETRACTED, CONFIRMED, language)):
        status = language.say("Retracted" if told.happening == "corrected" else "Suspected")
        assert len(told.as_post()) <= 280
        assert len(told.as_sms()) <= 160
        assert status in told.as_post()
        assert status in told.as_sms()
    assert language.say("Correction") in message(RETRACTED, CONFIRMED, language).as_sms()


def test_a_monitor_without_an_address_gives_none() -> None:
    told = message(CONFIRMED, sender=Sender())
    assert told.url == ""
    assert told.body == told.text


def test_what_is_synthetic_says_so() -> None:
    told = message(replace(CONFIRMED, provenance=Provenance.SYNTHETIC))
    assert told.title.startswith("[Synthetic]")
    assert told.text.startswith("Synthetic: a staged event.")
    assert all(one.startswith("[Synthetic]") for one in told.short)
    assert told.document["provenance"] == "synthetic"


def test_a_clock_that_runs_fast_is_named_first() -> None:
    told = message(CONFIRMED, sender=Sender(notice="Lab: the clock runs fast"))
    assert told.text.startswith("Lab: the clock runs fast")


def test_what_a_channel_knows_already_is_no_message() -> None:
    assert compose(WAITING, CONFIRMED, CONFIRMED, {}, ENGLISH, Sender()) is None


def test_a_test_says_that_nothing_has_happened() -> None:
    assert "Nothing has happened" in test_message("k", 0.0, Sender()).text
    urdu = test_message("k", 0.0, Sender(), LANGUAGES["ur"])
    assert "کچھ نہیں ہوا" in urdu.text and urdu.language == "ur"


test_message.__test__ = False  # type: ignore[attr-defined] # a function of Fanous with such a name
