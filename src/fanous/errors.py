"""Errors: what an operator can mend is a ``FanousError``; everything else is a bug and rises."""


class FanousError(Exception):
    """Something the user can mend.  The message says what, where and what to do.

    Attributes:
        permanent: trying again without a change will not help.
    """

    def __init__(self, message: str, *, permanent: bool = True) -> None:
        super().__init__(message)
        self.permanent = permanent


class Rejected(FanousError):
    """A record that cannot be used; the message is the reason, in words for a reader."""
