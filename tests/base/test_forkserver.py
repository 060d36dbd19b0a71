"""A fork server loads what a child needs once, for all that follow."""

import sys
from collections.abc import Iterator, Sequence
from multiprocessing.connection import Connection

import pytest

from fanous.base.forkserver import ForkServer

MODULE = "wave"
"""One that nothing of the server imports."""


def say_whether_loaded(connection: Connection, _descriptors: Sequence[int], module: str) -> None:
    """In the child: was the module there before it began?"""
    connection.send_bytes(b"yes" if module in sys.modules else b"no")


@pytest.fixture
def server() -> Iterator[ForkServer]:
    server = ForkServer()
    yield server
    server.stop()


def is_loaded(server: ForkServer, loads: str = "") -> bool:
    child = server.start(say_whether_loaded, MODULE, loads=loads)
    try:
        return bool(child.connection.recv_bytes() == b"yes")
    finally:
        child.end()


def test_a_module_is_loaded_before_the_child_that_needs_it_and_stays(server: ForkServer) -> None:
    assert not is_loaded(server)
    assert is_loaded(server, loads=MODULE)
    assert is_loaded(server)


def test_a_module_that_cannot_be_loaded_stops_nothing(server: ForkServer) -> None:
    assert not is_loaded(server, loads="fanous.is.not.there")
