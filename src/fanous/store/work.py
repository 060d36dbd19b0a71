"""Work: what detection still has to see, and which process is at it; a part of ``store.protocol.Store``."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Protocol

from fanous.store.leases import LEASE_SECONDS, Lease


class Work(Protocol):
    """Spans of measurements, unix seconds, and leases on countries (``fanous.store.leases``)."""

    def undetected(self) -> dict[str, tuple[float, float]]:
        """Country -> span of measurements that no detection has seen: what a killed run left to do."""

    def mark_undetected(self, spans: Mapping[str, tuple[float, float]]) -> None:
        """Widen the spans; done before measurements are stored, so that a crash forgets none."""

    def lease(self, seconds: float = LEASE_SECONDS, country: str | None = None) -> Lease | None:
        """Take a country for this process alone, until it is marked, given back or not renewed in time.

        Args:
            country: ``None`` = of those with something to detect the one whose turn is longest ago.

        Returns:
            ``None`` = there is none, or another process has it.
        """

    def renew(self, lease: Lease, seconds: float = LEASE_SECONDS) -> None:
        """Hold on to it.

        Raises:
            LeaseLost: another process took it over.
        """

    def mark_detected(self, lease: Lease) -> None:
        """Its incidents say what the measurements of its span say; the lease ends.

        What was marked since it was taken still waits.

        Raises:
            LeaseLost: another process took it over; nothing is marked.
        """

    def give_back(self, lease: Lease) -> None:
        """End a lease without having detected; one that was lost is left to who has it."""

    def leases(self) -> list[tuple[str, str]]:
        """Countries that are being worked on, each with who does, the longest first."""

    def holding(self, lease: Lease) -> AbstractContextManager[None]:
        """What this thread writes of incidents meanwhile is written only while the lease is held.

        Raises:
            LeaseLost: from ``put`` and ``retract``, which then write nothing.
        """
