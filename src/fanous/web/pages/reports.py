"""Reports: an incident to print or to paste, made where it is asked for."""

from fanous.publish.reports import forms
from fanous.publish.reports.report import gather
from fanous.store.protocol import Store
from fanous.web.answers import Later
from fanous.web.pages.pictures import found
from fanous.web.reply import Reply
from fanous.web.visit import Visit

PDF, MARKDOWN = "application/pdf", "text/markdown; charset=utf-8"


def report_pdf(store: Store, visit: Visit) -> Later | None:
    """Printed outside the store's thread."""
    incident = found(store, visit)
    if incident is None:
        return None
    report = gather(store, incident, visit.language, visit.base, visit.site.notice)
    return lambda: Reply.of(forms.pdf(report), PDF)


def report_markdown(store: Store, visit: Visit) -> Reply | None:
    incident = found(store, visit)
    if incident is None:
        return None
    report = gather(store, incident, visit.language, visit.base, visit.site.notice)
    return Reply.of(forms.markdown(report), MARKDOWN)
