"""Posts and text messages."""

from fanous.wording.post import post_text, sms_of, sms_text
from tests.each import each

URDU = "مشتبہ: پاکستان میں X بند ہو سکتا ہے"


@each(
    ("text", "alphabet", "places", "messages"),
    [
        ("", "GSM-7", 0, 1),
        ("a" * 160, "GSM-7", 160, 1),
        ("a" * 161, "GSM-7", 161, 2),
        ("a" * 306, "GSM-7", 306, 2),
        ("a" * 307, "GSM-7", 307, 3),
        ("€" * 80, "GSM-7", 160, 1),  # each takes two places
        ("é" * 160, "GSM-7", 160, 1),
        ("ç", "UCS-2", 1, 1),  # the small one is not in GSM's alphabet
        ("م" * 70, "UCS-2", 70, 1),
        ("م" * 71, "UCS-2", 71, 2),
        ("م" * 134, "UCS-2", 134, 2),
        ("م" * 135, "UCS-2", 135, 3),
        ("a" * 69 + "م", "UCS-2", 70, 1),  # one letter makes all of it wide
        ("😀" * 35, "UCS-2", 70, 1),  # beyond the first plane: two places
    ],
)
def test_a_message_takes_what_a_network_charges(text: str, alphabet: str, places: int, messages: int) -> None:
    sms = sms_of(text)
    assert (sms.alphabet, sms.places, sms.messages) == (alphabet, places, messages)


def test_what_does_not_fit_is_left_out_whole() -> None:
    claims = ["Suspected: " + "x" * 300, "Suspected: X may be blocked"]
    assert post_text(claims, ["y" * 300, "since 19:45"]) == "Suspected: X may be blocked since 19:45"
    sms = sms_text(claims, ["y" * 140, "PK-2023-0001"])
    assert sms.text == "Suspected: X may be blocked PK-2023-0001"


def test_details_cost_no_further_message() -> None:
    sms = sms_text([URDU], ["PK-2023-0001", "م" * 60])
    assert (sms.text, sms.messages) == (f"{URDU} PK-2023-0001", 1)


def test_typographic_marks_do_not_make_a_message_wide() -> None:
    assert sms_text(["Bloqué\u00a0: 5–7 h, l’accès"], []).alphabet == "GSM-7"


def test_the_shortest_claim_is_given_even_where_it_is_long() -> None:
    assert sms_text(["م" * 200], []).messages == 3
