"""Desk: the operator's pages, behind a login.  They decide and change through ``pipeline.actions``, as the command
line does.

To add a page: a function in a file here that gathers what its template needs, its template in ``web/templates/desk``,
and its line in ``PAGES``.
"""
