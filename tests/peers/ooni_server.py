"""OONI's own reports service and scorer, as a program in a separate environment.

    python ooni_server.py CHECKOUT PORT FOLDER [down]

Only what stands behind the service is replaced: its settings, its geo-look-up, and its fast path, which keeps what it
is sent as a file in FOLDER; ``down`` = it fails, as it does when it is overloaded.

    python ooni_server.py CHECKOUT score

reads measurements from standard input, one a line, and prints the scores of OONI's fast path.
"""

import json
import sys
from pathlib import Path
from typing import BinaryIO


def serve(port: int, folder: Path, is_down: bool) -> None:
    import uvicorn
    from fastapi import FastAPI  # type: ignore[import-not-found,unused-ignore]
    from ooniprobe.common.config import Settings  # type: ignore[import-not-found,unused-ignore]
    from ooniprobe.common.dependencies import get_clickhouse_session, get_settings  # type: ignore[import-not-found,unused-ignore]
    from ooniprobe.dependencies import get_asn_cc_reader  # type: ignore[import-not-found,unused-ignore]
    from ooniprobe.routers import reports  # type: ignore[import-not-found,unused-ignore]

    class Answer:
        def __enter__(self) -> None:
            pass

        def __exit__(self, *_: object) -> None:
            pass

        def raise_for_status(self) -> None:
            pass

    class FastPath:
        def post(self, url: str, data: bytes, **_: object) -> Answer:
            if is_down:
                raise OSError("the fast path is down")
            (folder / url.rpartition("/")[2]).write_bytes(data)
            return Answer()

    class Bucket:
        def upload_fileobj(self, stream: BinaryIO, **named: str) -> None:
            (folder / named["Key"].rpartition("/")[2]).write_bytes(stream.read())

    app = FastAPI()
    app.include_router(reports.router)
    app.state.fastpath_client, app.state.s3_client = FastPath(), Bucket()
    settings = Settings(fastpath_urls=["http://fastpath"], failed_reports_bucket="b", collector_id="1")
    overrides = app.dependency_overrides
    overrides[get_settings] = lambda: settings
    overrides[get_asn_cc_reader] = overrides[get_clickhouse_session] = lambda: None
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="warning")


def score() -> None:
    from fastpath.core import score_web_connectivity  # type: ignore[import-not-found,unused-ignore]

    for line in sys.stdin:
        print(json.dumps(score_web_connectivity(json.loads(line), [])))


if __name__ == "__main__":
    checkout = Path(sys.argv[1])
    sys.path[:0] = [str(checkout / "ooniapi/services/ooniprobe/src"), str(checkout / "fastpath")]
    if sys.argv[2] == "score":
        score()
    else:
        serve(int(sys.argv[2]), Path(sys.argv[3]), sys.argv[4:] == ["down"])
