"""Reports: one incident to take away - HTML, PDF, Markdown, a post, a text message - from one gathering.

    store ─► gather ─► Report ─► html, pdf, markdown, short

A form decides nothing: what a report says stands in ``Report``.  To add a form: a module with a function from
a report, and its line in ``write.FORMS``.
"""
