"""Verdicts: why a rule decided as it did, and why a measurement may support no conclusion.

The store keeps the sentence of a rule in English, with the figures of the case.  In another language the sentence is
found by the id of its rule, and the figures are left to the observations that the page lists below it.
"""

from fanous.text import printable
from fanous.wording.language import ENGLISH, Language, Sentence

DEFECTS = {
    "vpn": "It came through a VPN, so it does not show the network it came from.",
    "no network": "The probe had no network.",
    "captive portal": "A captive portal answered in place of the sites.",
    "nothing outside the country answers": "Nothing outside the country answered the probe.",
    "outside the country only sites of a list answer": "Outside the country, only the sites of a list answered.",
    "no look at the line in it": "It contains no check of the line.",
    "unknown network": "The network or the country of the probe is not known.",
    "the probe is older than Signal's certificate authority": (
        "The probe is older than Signal's certificate authority."
    ),
    "the control failed at the same probe": "The control failed on the same probe.",
    "the probe could not run the test": "The probe could not run the test.",
}
"""Defect of a measurement, as the store and the JSON name it -> sentence."""


def rule_said(rule: str, why: str, language: Language) -> Sentence:
    """Why a rule decided as it did.

    Args:
        rule: its id.
        why: its sentence in English as stored; shown where today's rules have no translation.
    """
    if language.code != "en":
        from fanous.analysis.rules import RULES_BY_ID  # not for `confirm`, whose reader waits

        if rule in RULES_BY_ID and language.knows(RULES_BY_ID[rule].why):
            return Sentence(language.say(RULES_BY_ID[rule].why), language)
    return Sentence(printable(why), ENGLISH)


def defect_said(defect: str, language: Language) -> Sentence:
    """What was wrong with the instrument or its line, so that a measurement supports no conclusion."""
    if defect in DEFECTS:
        return language.sentence(DEFECTS[defect])
    return Sentence(whole(defect), ENGLISH)


def whole(text: str) -> str:
    """Made printable, with a capital letter and a full stop."""
    text = printable(text).strip()
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith(('.', '!', '?')) else '.'}"
