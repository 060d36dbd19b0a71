"""Is the probe's page the helper's?"""

from typing import Any

from fanous.analysis.rules.pages import Likeness, likeness
from fanous.model.measurement import Layer
from tests.builders import helper, observation
from tests.each import each

CONTROL: dict[str, Any] = {
    "title": "Freedom Today: news of the world",
    "body_length": 20_000,
    "header_names": ("date", "x-our-own"),
}


BARE: dict[str, Any] = {"server": "nginx", "header_names": ("content-type", "date", "server")}


@each(
    ("page", "control", "expected"),
    [
        ({}, {}, Likeness.SAME),
        ({"title": "", "header_names": ()}, {}, Likeness.SAME),  # as long
        ({"body_length": 200, "header_names": ()}, {}, Likeness.SAME),  # the title
        ({"body_length": 200, "title": ""}, {}, Likeness.UNKNOWN),  # a header of its own
        ({"body_length": 200, "title": "Access denied", "header_names": ()}, {}, Likeness.DIFFERENT),
        ({"body_length": 200, "title": "", "header_names": ("date",)}, {}, Likeness.DIFFERENT),
        ({"body_length": 200, "title": "", "header_names": ()}, {"header_names": ()}, Likeness.UNKNOWN),
        ({"body_length": 14_001, "title": ""}, {"header_names": ()}, Likeness.SAME),  # ratio .70005
        # As long by chance, under another title and with none of the site's headers.
        ({"body_length": 19_000, "title": "Other", "header_names": ()}, {}, Likeness.UNKNOWN),
        # A bare server's page for this place or this visitor; and another server's with as few headers.
        ({"title": "Other", "body_length": 9} | BARE, BARE, Likeness.UNKNOWN),
        ({"title": "Other", "body_length": 9} | BARE | {"server": "squid"}, BARE, Likeness.DIFFERENT),
        ({"title": "Other", "body_length": 9} | BARE | {"header_names": ("date",)}, BARE, Likeness.DIFFERENT),
        ({"body_length": 14_000, "title": "Other", "header_names": ()}, {}, Likeness.DIFFERENT),
        (
            {"body_length": 200, "title": "Freedom news", "header_names": ()},
            {},
            Likeness.SAME,
        ),  # shared words
        # The recorded body is only a beginning: its length says nothing.
        (
            {"body_length": 200, "body_truncated": True, "title": "Other", "header_names": ()},
            {},
            Likeness.UNKNOWN,
        ),
        ({"body_length": 0, "title": "", "header_names": ()}, {"body_length": 0}, Likeness.UNKNOWN),
        ({"status_code": 403, "title": "Forbidden", "body_length": 100}, {}, Likeness.DIFFERENT),
        ({"status_code": 403}, {}, Likeness.SAME),  # the site's own title
        ({"status_code": 503, "title": "Busy", "body_length": 100}, {}, Likeness.UNKNOWN),
        ({"status_code": 429, "title": "Busy", "body_length": 100}, {}, Likeness.UNKNOWN),
        ({"title": "Other", "body_length": 9}, {"status_code": 500}, Likeness.UNKNOWN),
        ({"title": "Other", "body_length": 9}, {"status_code": 404}, Likeness.UNKNOWN),
        # Who says 202 or 204 gives no page: shields do while they look at the visitor.
        ({"status_code": 202, "title": "", "body_length": 90}, {}, Likeness.UNKNOWN),
        ({"title": ""}, {"status_code": 202, "title": "", "body_length": 0}, Likeness.UNKNOWN),
        ({"title": ""}, {"status_code": 204, "title": "", "body_length": 0}, Likeness.UNKNOWN),
        (
            {"status_code": 403, "title": "Forbidden", "body_length": 100},
            {"body_length": 272},
            Likeness.UNKNOWN,
        ),
        ({"status_code": 999, "title": "", "body_length": 100}, {}, Likeness.UNKNOWN),
        ({"status_code": 302, "title": "", "body_length": 9}, {}, Likeness.UNKNOWN),
        ({"title": "Other", "body_length": 9}, {"failure": "eof_error"}, Likeness.UNKNOWN),
        # The control got a frame of 272 bytes that fetches the page.
        ({"title": "", "body_length": 7936, "header_names": ()}, {"body_length": 272}, Likeness.UNKNOWN),
    ],
)
def test_a_page_differs_only_in_all_that_can_be_compared(
    page: dict[str, Any], control: dict[str, Any], expected: Likeness
) -> None:
    assert (
        likeness(observation(Layer.HTTP, **(CONTROL | page)), helper(Layer.HTTP, **(CONTROL | control)))
        is expected
    )
