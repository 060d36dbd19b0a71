"""What each test of alerts leaves behind."""

from collections.abc import Iterator

import pytest

from tests.publish.alerts.outbox import close_ledgers


@pytest.fixture(autouse=True)
def ledgers_are_closed() -> Iterator[None]:
    yield
    close_ledgers()
