"""Web: the pages, pictures and feeds for the public.  It reads the store and decides nothing.

A page is a module in ``web/pages`` with a function that reads what it needs from a store (one question, asked
through ``Ask``), a template of the same name, and a line in ``web/pages/__init__.py``.  A feed format is a
module in ``fanous.publish.feeds``.  An interface for programs is a module or package here with a list of
routes that ``application`` adds.  All text goes through ``say``; translations are in ``fanous.wording``.
"""
