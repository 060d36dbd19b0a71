"""Client: what those of RIPE Atlas and Globalping share: a key, and answers that are bounded in size and time."""

from typing import Self

import httpx

from fanous import __version__
from fanous.errors import FanousError
from fanous.sources.fetch import DEADLINE, NO_ANSWER, Waits, check_encrypted

_TRANSFER = ("content-encoding", "content-length", "transfer-encoding")
"""Headers that no longer hold for an answer that was decoded."""


class RemoteClient:
    """A context manager.

    Args:
        root: address of the service, or of a mirror that is asked instead.
        authorization: the header that carries the key; empty = none is sent.
        largest: bytes of an answer.
    """

    def __init__(self, root: str, authorization: str, largest: int, waits: Waits | None) -> None:
        self.waits = waits or Waits()
        self._root = check_encrypted(root.rstrip("/"))
        self._largest = largest
        headers = {"User-Agent": f"fanous/{__version__} (open monitor of internet disruptions)"}
        self._client = httpx.Client(
            headers=headers | ({"Authorization": authorization} if authorization else {}),
            timeout=httpx.Timeout(self.waits.stall),
            follow_redirects=False,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._client.close()

    def response(self, method: str, path: str, body: bytes | None = None) -> httpx.Response:
        """The whole answer, whatever its status.

        Raises:
            FanousError: there is none, or it is too long or too slow.
        """
        headers = {"Content-Type": "application/json"} if body is not None else None
        try:
            with self._client.stream(method, self._root + path, content=body, headers=headers) as response:
                ends, content = self.waits.clock() + DEADLINE, bytearray()
                for part in response.iter_bytes():
                    content += part
                    if len(content) > self._largest or self.waits.clock() > ends:
                        raise FanousError(f"{path}: the answer is too long or too slow", permanent=False)
        except NO_ANSWER as error:
            why = str(error) or type(error).__name__
            raise FanousError(f"cannot reach {self._root}: {why}", permanent=False) from error
        plain = {name: value for name, value in response.headers.items() if name not in _TRANSFER}
        return httpx.Response(response.status_code, headers=plain, content=bytes(content))
