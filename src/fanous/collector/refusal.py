"""Refusal: a request that is answered only with a status and a reason."""

from fanous.errors import FanousError


class Refused(FanousError):
    """The answer to a request that is not served; the message tells the client why.

    Attributes:
        status: HTTP status code.  4xx other than 408 and 429: sending the same again will not help.
        error: ooni/backend's word for it, where it answers with one; empty = it gives a sentence alone.
        retry_after: seconds after which the client may try again; ``None`` = nothing is said.
        closes: the connection is of no more use (its body was not read to the end).
    """

    def __init__(
        self,
        status: int,
        reason: str,
        *,
        error: str = "",
        retry_after: float | None = None,
        closes: bool = False,
    ) -> None:
        super().__init__(reason, permanent=status < 500 and status not in (408, 429))
        self.status = status
        self.error = error
        self.retry_after = retry_after
        self.closes = closes
