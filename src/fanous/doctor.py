"""Doctor: what the probe, the server parts and the lab need, and what of it this machine lacks."""

import shutil
import sys
from importlib.util import find_spec

from fanous.model.need import Need

SERVER_MODULES = {
    "babel": "names of countries",
    "backports.zstd": "the archive",
    "chdb": "the facts",
    "clickhouse_connect": "the facts",
    "numpy": "series and detection",
    "obstore": "an archive in a bucket",
    "psycopg": "a ledger on PostgreSQL",
    "sqlalchemy": "the ledger",
    "starlette": "the collector",
    "uvicorn": "the collector",
}
"""Modules of the extra ``server`` -> what does not work without them."""

LEAST_FREE = 1 << 30
"""Bytes: a store of a country's measurements of some weeks, and the engine's temporary files."""


def examine() -> list[Need]:
    """Everything, in the order in which it is shown."""
    from fanous.lab.needs import needs as lab_needs

    return [*_of_the_probe(), *_of_the_server(), *lab_needs()]


def _of_the_probe() -> list[Need]:
    version = f"Python {sys.version_info.major}.{sys.version_info.minor}"
    fast = "fingerprints of block pages are then searched one by one: a thousand times slower"
    return [
        Need("probe", version, sys.version_info >= (3, 11), "Python 3.11 or newer", "nothing works"),
        Need("probe", "aioquic", _has("aioquic"), "pip install fanous", "QUIC is not measured"),
        Need("probe", "hyperscan", _has("hyperscan"), "pip install hyperscan", fast, is_vital=False),
    ]


def _of_the_server() -> list[Need]:
    mend = "pip install 'fanous[server]'"
    found = [Need("server", name, _has(name), mend, without) for name, without in SERVER_MODULES.items()]
    free = shutil.disk_usage("/").free >= LEAST_FREE
    return [*found, Need("server", "1 GB of free disk", free, "free some", "a store may fill the disk")]


def _has(module: str) -> bool:
    if module == "backports.zstd" and sys.version_info >= (3, 14):
        return True  # the standard library has it
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:
        return False
