"""Regions by the names that sources write."""

from fanous.refdata.countries import region_name, region_of
from tests.each import each


@each(
    ("country", "name", "region"),
    [
        ("PK", "Punjab", "PK-PB"),
        ("PK", "Punjab Province", "PK-PB"),
        ("PK", "PK-SD", "PK-SD"),
        ("PK", "pk-sd", "PK-SD"),
        ("VE", "Anzoátegui", "VE-B"),
        ("VE", "Anzoategui", "VE-B"),
        ("IR", "Ardebil", "IR-24"),
        ("MM", "Bago", "MM-02"),
        ("IR", "Punjab", "IR:Punjab"),
        ("PK", "IR-24", "PK:IR-24"),
        ("PK", "  New   Town ", "PK:New Town"),
        ("PK", "", ""),
    ],
)
def test_a_name_leads_to_its_code_or_stays_itself(country: str, name: str, region: str) -> None:
    assert region_of(country, name) == region


def test_a_region_has_a_name_for_people() -> None:
    assert region_name("VE-B") == "Anzoátegui"
    assert region_name("IR:New Town") == "New Town"
    assert region_name("PK-XX") == "PK-XX"
