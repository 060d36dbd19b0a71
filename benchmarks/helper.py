"""Helper: processor time of one question to the test helper, next to an earlier commit's on the same site.

    python -m benchmarks.helper --against COMMIT [--questions N] [--rounds N]

A site on loopback, in a process of its own, answers over TLS (certificate of an authority made here) with a page of
60 kB.  Each side is asked the same questions one after another, in a process of its own, as the door asks it: the name,
three addresses that a probe found, a handshake with each, and the page.  Prints the least
processor time a question over all rounds, which the sides take in turn.  Needs root, for port 443.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from inspect import signature
from pathlib import Path
from typing import Any

from tools.compare import checked_out, python_of, search_path

ROOT = Path(__file__).resolve().parents[1]
ADDRESSES = ("127.9.9.1", "127.9.9.2", "127.9.9.3")
NAME = "site.example"
PAGE = b"<html><head><title>A page</title></head><body>" + b"<p>hello</p>" * 5_000 + b"</body></html>"
QUESTION = {
    "http_request": f"https://{NAME}/",
    "http_request_headers": {"Accept": ["*/*"], "User-Agent": ["Mozilla/5.0"]},
    "tcp_connect": [f"{address}:443" for address in ADDRESSES],
}


async def serve(folder: Path) -> None:
    """The site; says when it listens, then serves until it is killed."""
    from tests.probe.net.authority import Authority
    from tests.probe.net.servers import pages

    answered = pages(default=PAGE)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):  # connections that only shake hands
            await answered(reader, writer)
        writer.close()

    trusted = Authority(folder).context(NAME, alpn=("http/1.1",))
    for address in ADDRESSES:
        await asyncio.start_server(answer, address, 443, ssl=trusted)
    print("listening", flush=True)
    await asyncio.Event().wait()


def ask(ca_file: str, questions: int) -> None:
    """Ask this side's helper, and print the seconds of processor time of one question."""
    from fanous.collector import helper as module

    async def resolve(_name: str) -> list[str]:
        return list(ADDRESSES[:1])

    helper = module.Helper(module.HelperPolicy(allow_private=True, resolve=resolve, ca_file=ca_file))
    body = json.dumps(QUESTION).encode()
    # Earlier versions took the bytes of a question, and this one takes what they say.
    is_bytes = "body" in signature(helper.answer).parameters

    async def one() -> Any:
        asked: Any = body if is_bytes else module.asked_of(body)
        return await helper.answer(asked, "fanous-probe/1")

    async def every() -> float:
        for _ in range(20):
            answer = await one()
            assert answer.http_request.body_length == len(PAGE), answer
            assert len(answer.tls_handshake) == len(ADDRESSES), answer
        began = time.process_time()
        for _ in range(questions):
            await one()
        return (time.process_time() - began) / questions

    print(asyncio.run(every()))


def asked_apart(root: Path, ca_file: Path, questions: int) -> float:
    """One side in a process of its own."""
    command = [python_of(root), str(Path(__file__)), "--ask", str(ca_file), "--questions", str(questions)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join((search_path(root), str(ROOT)))}
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, cwd=root, env=environment)
    return float(done.stdout)


def against(commit: str, questions: int, rounds: int) -> None:
    """Both sides in turn."""
    with tempfile.TemporaryDirectory() as temporary, checked_out(commit, Path(temporary)) as then:
        command = [sys.executable, "-m", "benchmarks.helper", "--serve", temporary]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as site:
            try:
                if site.stdout is None or not site.stdout.readline():
                    sys.exit("the site cannot listen on port 443 of 127.9.9.1: run this as root")
                ca_file = Path(temporary) / "ca.pem"
                spent: dict[Path, list[float]] = {then: [], ROOT: []}
                for _ in range(rounds):
                    for root, seconds in spent.items():
                        seconds.append(asked_apart(root, ca_file, questions))
            finally:
                site.kill()
        before, now = min(spent[then]), min(spent[ROOT])
        print(
            f"a question to the helper, processor time: {commit} {before * 1e3:.2f} ms, the working tree "
            f"{now * 1e3:.2f} ms, {now / before:.2f} times as long (least of {rounds} rounds of {questions})"
        )


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--against", metavar="COMMIT", help="the earlier commit")
    options.add_argument("--questions", type=int, default=300)
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--ask", metavar="CA_FILE", help=argparse.SUPPRESS)
    options.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    chosen = options.parse_args()
    if chosen.serve:
        asyncio.run(serve(chosen.serve))
    elif chosen.ask:
        ask(chosen.ask, chosen.questions)
    elif chosen.against:
        against(chosen.against, chosen.questions, chosen.rounds)
    else:
        options.error("name the commit to compare with: --against COMMIT")


if __name__ == "__main__":
    main()
