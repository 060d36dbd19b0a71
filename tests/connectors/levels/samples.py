"""One small sound file of each kind, for what holds for all kinds."""

SAMPLES: dict[str, bytes] = {
    "ioda-csv": (
        b'"Time (UTC)","Google (Search)","BGP (#Visible /24s)"\n'
        b'"2025-12-01 00:00:00","20.5","99.5"\n"2025-12-01 00:30:00","","99.25"\n'
    ),
    "csv": b"time,value\n2025-12-01T00:00Z,1\n2025-12-01T01:00Z,0\n",
}
