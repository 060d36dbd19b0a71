"""Meter: counts the bytes of all connections, so that a data cap holds also in the middle of a page."""

from fanous.errors import FanousError


class OverCap(FanousError):
    """The data cap is reached: measuring stops here, what was measured is kept."""


class Meter:
    """Bytes spent and how many may be.

    Attributes:
        most: bytes that may be sent and received; ``None`` = no cap.
        spent: bytes of payload so far (headers of IP and TCP are not counted: some 5 % more).
    """

    def __init__(self, most: int | None = None, spent: int = 0) -> None:
        self.most = most
        self.spent = spent

    def spend(self, count: int) -> None:
        """Count ``count`` bytes.

        Raises:
            OverCap: the cap is reached.
        """
        self.spent += count
        self.check()

    def check(self) -> None:
        """Raise ``OverCap`` where nothing may be spent any more."""
        if self.most is not None and self.spent >= self.most:
            raise OverCap(
                f"the data cap of {self.most / 1e6:.0f} MB a day is reached; measuring goes on tomorrow, or "
                "raise it with --cap-mb"
            )
