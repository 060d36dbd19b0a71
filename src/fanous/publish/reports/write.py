"""Write: a report as files in a folder; each is whole or not there."""

from collections.abc import Callable
from pathlib import Path

from fanous.errors import FanousError
from fanous.publish.reports import forms
from fanous.publish.reports.report import Report
from fanous.refdata.atomic import replace_file

FORMS: dict[str, Callable[[Report], bytes]] = {
    "html": lambda report: forms.html(report).encode(),
    "pdf": forms.pdf,
    "md": lambda report: forms.markdown(report).encode(),
    "post.txt": lambda report: f"{forms.post(report)}\n".encode(),
    "sms.txt": lambda report: f"{forms.sms(report).text}\n".encode(),
    "svg": lambda report: report.chart.encode(),
}
"""Ending -> what makes it; an empty one is not written."""


def write(report: Report, folder: Path) -> list[Path]:
    """The files, named after incident and language.

    Raises:
        FanousError: the folder cannot be written.
    """
    written = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for ending, make in FORMS.items():
            content = make(report)
            if content:
                path = folder / f"{report.incident.id}.{report.language.code}.{ending}"
                replace_file(path, content)
                written.append(path)
    except OSError as error:
        raise FanousError(
            f"cannot write the report into {folder}: {error}; name another folder with -o"
        ) from error
    return written
