"""What would have been seen on a network, in one sentence of every language."""

from fanous.model.coverage import Sensitivity
from fanous.model.instant import DAY, HOUR
from fanous.wording import ENGLISH, LANGUAGES
from fanous.wording.sensitivity import would_be_seen
from tests.each import each


def found(shortest: float | None, alike: float | None = None) -> Sensitivity:
    return Sensitivity(1, "telegram", 10, 10, shortest, None, alike)


@each(
    ("one", "words"),
    [
        (found(1500), "A cut of 25 minutes or longer would have been seen here."),
        (found(2.1 * HOUR), "A cut of 3 hours or longer would have been seen here."),  # never rounded down
        (found(2.1 * DAY, 0.95), "A cut of 3 days or longer would have been seen here."),
        (
            found(None),
            "Even a cut of days could have gone unnoticed here while it lasted, because too little was measured.",
        ),
        (found(None, 0.95), "A cut like this one would have been seen here."),
        (found(5 * HOUR, 0.89), "About 8 in ten cuts like this one would have been seen here."),
        (found(None, 0.1), "About 1 in ten cuts like this one would have been seen here."),
        (
            found(None, 0.09),
            "A cut like this one would have been missed here, because too little was measured.",
        ),
    ],
)
def test_what_would_have_been_seen(one: Sensitivity, words: str) -> None:
    assert would_be_seen(one, ENGLISH).text == words
    for language in LANGUAGES.values():
        assert would_be_seen(one, language).language is language
