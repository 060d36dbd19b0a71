"""The tables of thresholds: how values read, and what a document becomes."""

from typing import Any

from tools.tables import documented, renewed, value_of

from fanous.model.threshold import Threshold
from tests.each import each

DOCUMENT = """# Page

<!-- thresholds rules -->

| threshold | value | why |
|---|---|---|
| `rules.gone` | 1 | It was used. |

Text.

<!-- retired thresholds -->

- `rules.older`

End.
"""


@each(
    ("name", "value", "shown"),
    [
        ("rules.share", 0.2, "0.2"),
        ("rules.third", 1 / 3, "1/3"),
        ("rules.tiny", 1e-5, "0.00001"),
        ("rules.count", 4000, "4,000"),
        ("rules.nothing", 0, "0"),
        ("rules.room", 64 << 20, "64 MiB"),
        ("rules.room", 20 << 30, "20 GiB"),
        ("rules.freeze_bytes", (10_000, 24_000), "10,000 and 24,000"),
        ("rules.spans", (1, 2, 3), "1, 2 and 3"),
        ("rules.gap_seconds", 3 * 3600, "3 h"),
        ("rules.gap_seconds", 2 * 86_400.0, "2 d"),
        ("rules.gap_seconds", 450.0, "450 s"),
        ("rules.gap_seconds", 0.5, "0.5 s"),
    ],
)
def test_a_value_reads_as_people_write_it(name: str, value: Any, shown: str) -> None:
    assert value_of(Threshold(name, value, "")) == shown


def test_a_document_gets_the_rows_of_its_rooms_and_keeps_its_text() -> None:
    thresholds = [Threshold("rules.new", 3, "It is used."), Threshold("series.other", 1, "Elsewhere.")]
    fresh = renewed(DOCUMENT, thresholds, ["rules.gone", "rules.older"])
    assert documented(DOCUMENT) == ["rules.gone"]
    assert documented(fresh) == ["rules.new"]
    assert "| `rules.new` | 3 | It is used. |\n\nText." in fresh
    assert fresh.endswith("- `rules.gone`\n- `rules.older`\n\nEnd.\n")
    assert renewed(fresh, thresholds, ["rules.gone", "rules.older"]) == fresh
