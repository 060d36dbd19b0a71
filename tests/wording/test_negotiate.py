"""Which language a reader gets."""

import pytest

from fanous.wording.language import chosen, preferred
from tests.each import each


@each(
    ("header", "code"),
    [
        ("", "en"),
        ("ur", "ur"),
        ("ur-PK,en;q=0.8", "ur"),
        ("de,fr;q=0.5,fa;q=0.9", "fa"),
        ("ar;q=0,es;q=0.1", "es"),
        ("de,it", "en"),
        ("fr;q=nonsense,es;q=0.2", "es"),
        ("*", "en"),
        (",".join(["xx"] * 1000 + ["fr"]), "en"),
    ],
)
def test_the_best_wish_that_we_have_is_met(header: str, code: str) -> None:
    assert preferred(header).code == code


@pytest.mark.parametrize(("code", "found"), [("UR", "ur"), ("xx", None), ("", None), (None, None)])
def test_a_language_in_the_address_counts_if_we_have_it(code: str | None, found: str | None) -> None:
    language = chosen(code)
    assert (language.code if language else None) == found
