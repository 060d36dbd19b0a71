"""Desk: the operator's pages, behind a login.  They decide and change through ``pipeline.actions``, as the command
line does.  ``pages`` says how to add one.
"""
