"""Run inside a namespace: localise ``site.example`` at the address given, and print what is noted."""

import asyncio
import json
import sys

from msgspec.structs import replace

from fanous.probe.localise import localise
from fanous.probe.net.sockets import SocketNetwork
from fanous.probe.trace import Trace
from tests.probe.scene import SETTINGS, SITE


def main(ip: str) -> None:
    trace = Trace(SocketNetwork())
    where = {"address": f"{ip}:443"}
    trace.tls_handshakes = [
        where | {"server_name": "example.com", "failure": None},
        where | {"server_name": SITE, "failure": "connection_reset"},
    ]
    settings = replace(SETTINGS, hop_timeout=0.4)
    asyncio.run(localise(trace, settings, f"https://{SITE}/"))
    print(json.dumps(trace.localisations))


if __name__ == "__main__":
    main(sys.argv[1])
