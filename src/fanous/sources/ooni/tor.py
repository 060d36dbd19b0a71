"""Tor: directory authorities and bridges (ts-023), one observation each.

The layer is the last step that was taken: a directory answers HTTP, a relay TLS.  What follows a connection
to a bridge (obfs4) looks like nothing to anybody, so it has no layer of its own: where that handshake is cut,
the connection is.
"""

from collections.abc import Iterator
from dataclasses import replace

from fanous.model.observation import Layer, Observation
from fanous.sources.ooni.document import TorKeys, TorTarget
from fanous.sources.ooni.failure import failure_of
from fanous.sources.ooni.place import endpoint_of
from fanous.sources.ooni.steps import Reader

TARGET = "tor"

LAYERS = {
    "dir_port": Layer.HTTP,
    "or_port": Layer.TLS,
    "or_port_dirauth": Layer.TLS,
    "obfs4": Layer.TCP,
    "tcp": Layer.TCP,
}
"""``target_protocol`` -> the last step."""


CUT = frozenset({"generic_timeout_error", "connection_reset", "connection_aborted", "eof_error"})
"""How a handshake ends that somebody on the way ended; all else is the bridge's own matter (``ntor AUTH
mismatch`` in the first half of 2022, ts-023)."""


def role(_: str) -> str:
    """Relays and bridges are what the program talks to."""
    return "api"


def observe(keys: TorKeys, notes: list[str]) -> Iterator[Observation]:
    targets = keys.targets or ()
    for target in targets.values() if isinstance(targets, dict) else targets:
        yield _observation(target, notes)


def _observation(target: TorTarget, notes: list[str]) -> Observation:
    layer = LAYERS.get(target.target_protocol or "", Layer.TCP)
    steps = list(Reader(TARGET, role, notes).read(target))
    failed = [step for step in steps if step.failure is not None]
    of_layer = [step for step in steps if step.layer is layer]
    if failed:
        return replace(failed[0], target=TARGET)
    if of_layer:
        failure = failure_of(target.failure)
        return replace(of_layer[-1], failure=failure) if failure in CUT else of_layer[-1]
    ip, port = endpoint_of(target.target_address)
    return Observation(layer, TARGET, role="api", ip=ip, port=port, failure=failure_of(target.failure))
