"""``fanous probe stream``: measures whether live video plays from here, and at what resolution."""

import asyncio
import time
from dataclasses import asdict
from typing import Annotated

import typer

from fanous.cli.common import JsonOption, print_document
from fanous.cli.probe_options import (
    Asn,
    CaFile,
    CapMB,
    Country,
    Mobile,
    Out,
    SettingsFile,
    Yes,
    check_consent,
    country_of,
)
from fanous.cli.upload import Collectors, Proxy, send, sent_line, spooled
from fanous.probe.settings import probe_folder


def probe_stream(
    urls: Annotated[
        list[str],
        typer.Argument(metavar="URL...", help="An HLS (.m3u8) or DASH (.mpd) manifest, or a large file."),
    ],
    out: Out = None,
    country: Country = "ZZ",
    asn: Asn = 0,
    mobile: Mobile = False,
    cap_mb: CapMB = None,
    collectors: Collectors = None,
    proxy: Proxy = None,
    settings_file: SettingsFile = None,
    ca_file: CaFile = None,
    yes: Yes = False,
    as_json: JsonOption = False,
) -> None:
    """Fetch ten seconds of video as a player would, and report whether 240p, 480p or 720p would play.

    Each stream uses up to 4 MB of data.
    """
    from fanous.probe.allowance import day_meter
    from fanous.probe.net.sockets import SocketNetwork
    from fanous.probe.output import record_file
    from fanous.probe.record import ProbeVantage
    from fanous.probe.settings import adjusted, load_settings
    from fanous.probe.stream.nettest import stream_record
    from fanous.probe.stream.watchable import watchable

    settings = adjusted(load_settings(settings_file), mobile=mobile, cap_mb=cap_mb, ca_file=ca_file)
    vantage = ProbeVantage(country_of(country), asn, "mobile" if mobile else "")
    check_consent(yes, settings.cap_mb)
    folder, found = probe_folder(), []
    most = int(settings.cap_mb * 1e6)
    with day_meter(folder, most, time.time()) as meter, record_file(out) as to_file:
        write = spooled(folder / "spool", to_file) if collectors else to_file
        for url in urls:
            record = asyncio.run(stream_record(SocketNetwork(meter), settings, url, vantage))
            write(record)
            found.append(watchable(url, record))
            if not as_json:
                print(found[-1].sentence, flush=True)
    sent = send(folder / "spool", collectors, proxy) if collectors else None
    if as_json:
        streams = [asdict(one) for one in found]
        print_document({"streams": streams, "sent": asdict(sent) if sent else None})
    elif sent is not None:
        print(sent_line(sent))
