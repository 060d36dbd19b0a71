"""Reports: one incident as HTML, PDF, Markdown, a post and a text message, all from the same facts.

    store ─► gather ─► Report ─► html, pdf, markdown, post, sms

A form decides nothing: what a report says is in ``Report``.  To add a form: a function from a ``Report`` to
bytes in ``forms``, and its line in ``write.FORMS``.
"""
