"""Errors: what an operator can fix is a ``FanousError``; anything else is a bug and propagates."""


class FanousError(Exception):
    """Something the user can fix.  The message says what happened, where, and what to do next.

    Attributes:
        permanent: trying again without changing anything will not help.
    """

    def __init__(self, message: str, *, permanent: bool = True) -> None:
        super().__init__(message)
        self.permanent = permanent


class EngineFault(Exception):
    """The store's engine failed in a way that the user cannot fix: a bug in our code or in the engine.

    The message is the engine's, without the trace of its C++ code, which can fill a screen and helps no reader.
    """


class Rejected(FanousError):
    """A record that cannot be used; the message is the reason, written for a person."""
