"""Verdicts: each rule and each defect has its sentence in every language."""

import pytest

from fanous.analysis.rules import RULES
from fanous.analysis.series.signals import SIGNALS
from fanous.model.coverage import ALLOW_LIST, NO_NETWORK, NOTHING_OUTSIDE, PORTAL
from fanous.model.reason import Reason
from fanous.sources.ooni.nettests import UNREADABLE
from fanous.sources.remote.record import UNSOUND
from fanous.wording import ENGLISH, LANGUAGES, Language
from fanous.wording.reasons import DEFECTS, defect_said, reasons_said, rule_said

TRANSLATED = [language for language in LANGUAGES.values() if language.code != "en"]


@pytest.mark.parametrize("language", TRANSLATED, ids=lambda language: language.code)
def test_every_rule_and_every_signal_is_said_in_the_readers_language(language: Language) -> None:
    for rule in RULES:
        said = rule_said(rule.id, f"{rule.why} (x.com by 192.0.2.1: {rule.state})", language)
        assert said.language == language, rule.id
        assert said.text != rule.why
        assert "192.0.2.1" not in said.text
    assert [one.name for one in SIGNALS.values() if not language.knows(one.title)] == []


def test_in_english_the_figures_of_the_case_are_kept() -> None:
    why = "The connection failed, while the control's succeeded. (192.0.2.1:443: connection_reset)"
    assert rule_said("tcp.failure_control_ok", why, ENGLISH).text == why


def test_a_rule_of_another_version_is_said_as_it_was_stored() -> None:
    said = rule_said("tcp.of_tomorrow", "It failed in a new way.", LANGUAGES["ur"])
    assert (said.text, said.language) == ("It failed in a new way.", ENGLISH)


def test_every_defect_that_a_source_finds_has_its_sentence() -> None:
    found = {NO_NETWORK, PORTAL, NOTHING_OUTSIDE, ALLOW_LIST, UNREADABLE, *UNSOUND}
    assert found - set(DEFECTS) == set()
    for language in TRANSLATED:
        for defect in DEFECTS:
            assert defect_said(defect, language).language == language


def test_a_target_of_unsound_measurements_is_said_to_be_so_in_every_language() -> None:
    vpn = Reason("not_judged", {"rule": "", "why": "vpn", "some": 3, "all": 4})
    (english,) = reasons_said([vpn], ENGLISH)
    assert english.text == (
        "It came through a VPN, so it does not show the network it came from. "
        "That applies to 3 of 4 measurements."
    )
    for language in TRANSLATED:
        (said,) = reasons_said([vpn], language)
        assert said.language == language
        assert "VPN" in said.text


def test_a_defect_without_a_translation_stays_unchanged_and_is_english() -> None:
    said = defect_said("of tomorrow\x1b[31m", LANGUAGES["fa"])
    assert (said.text, said.language) == ("Of tomorrow[31m.", ENGLISH)
