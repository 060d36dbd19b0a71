from math import nan

import pytest

from fanous.errors import FanousError
from fanous.store.database import decode_incident, encode_incident
from tests.store.cases import incident


def test_an_incident_reads_back_as_it_was_written() -> None:
    assert decode_incident(encode_incident(incident(id="PK-2023-0001"))) == incident(id="PK-2023-0001")


def test_a_field_of_a_later_version_is_ignored() -> None:
    later = '{"new_field": 1,' + encode_incident(incident())[1:]
    assert decode_incident(later) == incident()


def test_a_nan_is_a_bug_and_is_not_written() -> None:
    with pytest.raises(ValueError, match="cannot be written"):
        encode_incident(incident(confidence=nan))


@pytest.mark.parametrize("document", ["", "{}", "[1]"])
def test_a_document_that_is_not_an_incident_is_said_to_be_damaged(document: str) -> None:
    with pytest.raises(FanousError, match="restore the ledger"):
        decode_incident(document)
