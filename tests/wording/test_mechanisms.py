"""Methods in words."""

import re
from pathlib import Path

import fanous.analysis.rules
from fanous.wording.words import mechanism_words
from tests.each import each

NAME = re.compile(r'"((?:dns|tcp|tls|http|ip|quic|encdns)\.[a-z_.]+)"')


@each(
    ("mechanism", "words"),
    [
        ("tls.reset.sni", "connections reset when the name is sent"),
        ("dns.injection.bogon", "forged DNS answers"),
        ("dns.injection.blockpage", "DNS answers that lead to a block page"),
        ("dns", "DNS interference"),
        ("http.something.new", "interference with web requests"),
        ("carrier.pigeon", "carrier.pigeon"),
        ("", ""),
    ],
)
def test_the_longest_prefix_gives_the_words(mechanism: str, words: str) -> None:
    assert mechanism_words(mechanism) == words


def test_every_mechanism_that_the_rules_name_has_words() -> None:
    source = Path(fanous.analysis.rules.__file__).with_name("mechanisms.py").read_text(encoding="utf-8")
    named = set(NAME.findall(source))
    assert len(named) > 15
    assert [name for name in named if mechanism_words(name) == name] == []
