"""Known times of real outages: each lies within what Fanous says of it."""

from pathlib import Path

import pytest

from fanous_lab.evaluation.corpus import load_corpus
from fanous_lab.evaluation.evaluate import evaluate_corpus
from tests.shared_data import shared_file

pytestmark = pytest.mark.shared_data

CORPORA = Path(__file__).parents[2] / "corpora"


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("venezuela-2019", "monash_ven_2019-07.csv.gz"),
        ("iran-2019-ioda", "ioda_irn_2019-11_probing.csv.gz"),
        ("uganda-2021", "routeviews_uga_2021-01_country.csv.gz"),
    ],
)
def test_every_known_time_lies_in_its_bracket_and_nothing_is_confirmed(name: str, file: str) -> None:
    """IranCell's was held against the bracket of the country, which was cut 165 minutes later."""
    evaluation = evaluate_corpus(load_corpus(CORPORA / name), shared_file(f"signals/{file}").parents[1])
    for event in evaluation.events:
        assert event.status_right
        assert (event.onset_inside, event.end_inside) != (None, None)
        assert event.onset_inside is not False and event.end_inside is not False
        assert event.level_inside is not False
    assert not any(one.confirmed or one.suspected for one in evaluation.quiet_intervals)
