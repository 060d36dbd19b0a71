"""Settings: the table ``[collector]`` of a monitor's configuration; its keys are ``fanous collect``'s
options.
"""

from pathlib import Path
from typing import Annotated

from msgspec import Meta
from msgspec.structs import force_setattr

from fanous.collector.credentials import NETWORK_DAY
from fanous.collector.limits import ADDRESS_MB, DAY_MB, MOST_CONNECTIONS, NETWORK_MB
from fanous.collector.origin import NOTHING, trusted_proxies
from fanous.collector.reach import networks_of
from fanous.collector.services import read_urls
from fanous.config import OptionalAddress, Section, Some, Text, WrongKey, about, check_web_address


class DoorSettings(Section, frozen=True):
    """The embedded collector.

    Attributes:
        listen: empty (``none`` in the file) = nothing is received.
        networks: table of networks by address; ``none`` = derive nothing from addresses.
        per_address: requests per second.
        helper_never: addresses and networks to which the test helper never connects.
        helper_neighbours: whether it may connect to this machine's neighbours (the same /24 or /64).
        connections: most open ones, in all.
        address_mb, network_mb: MiB of measurements an hour, unpacked, from one address and from one network.
        network_day_mb: MiB a day that one network may add to the archive, before compression; one address, a quarter.
        open_to_all: whether strangers send, too: their measurements are unvouched, and what one address sends in a day
            counts as one probe.  If not, the operator answers for every sender.
        credentials: the keys with which this collector, and others that have the same file, issue credentials; by
            default in the store's folder, and made at the first start.
        network_day_credentials: issued in a day to one network (ASN); one to each /24 or /48.
        lab: whether the test helper may connect to private addresses.
        ca_file: PEM file with the authorities that it trusts instead of Mozilla's; only with ``lab``.
    """

    on: bool = True
    listen: OptionalAddress = OptionalAddress("127.0.0.1:8471")
    trust_proxy: Some[Text] = ()
    networks: Path | None = None
    urls: Path | None = None
    orders: Path | None = None
    helper_url: str = ""
    per_address: Annotated[float, Meta(ge=0.01)] = 10.0
    connections: Annotated[int, Meta(ge=16, le=100_000)] = MOST_CONNECTIONS
    address_mb: Annotated[int, Meta(ge=1)] = ADDRESS_MB
    network_mb: Annotated[int, Meta(ge=1)] = NETWORK_MB
    network_day_mb: Annotated[int, Meta(ge=1)] = DAY_MB
    contact: Text = ""
    helper_never: Some[Text] = ()
    helper_neighbours: bool = False
    open_to_all: bool = True
    credentials: Path | None = None
    network_day_credentials: Annotated[int, Meta(ge=0)] = NETWORK_DAY
    lab: bool = False
    ca_file: Path | None = None

    def __post_init__(self) -> None:
        if not self.listen:
            force_setattr(self, "on", False)
        with about("trust_proxy"):
            trusted_proxies(self.trust_proxy)
        if self.ca_file is not None and not self.lab:
            raise WrongKey(
                "ca_file", "private authorities are trusted in a lab only: add --lab, or lab = true"
            )
        networks = self.networks if self.networks and self.networks.name != NOTHING else None
        for key, file in (("networks", networks), ("orders", self.orders), ("ca_file", self.ca_file)):
            if file is not None and not file.is_file():
                raise WrongKey(key, f"file not found: {file}")
        if self.urls is not None:
            with about("urls"):
                read_urls(self.urls)
        with about("helper_never"):
            networks_of(self.helper_never)
        check_web_address("helper_url", self.helper_url)
        force_setattr(self, "helper_url", self.helper_url.rstrip("/"))
