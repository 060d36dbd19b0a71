"""Methods in words."""

from fanous.wording.words import mechanism_words
from tests.each import each
from tests.ontology_tables import mechanisms_named


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
    named = mechanisms_named()
    assert len(named) > 15
    assert [name for name in named if mechanism_words(name) == name] == []
