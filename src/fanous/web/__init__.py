"""Web: pages, pictures and feeds for the public.  It reads the store and decides nothing.

A page is a module of ``web/pages`` with a function that reads what it needs from a store (one question, asked
through ``Ask``), a template of the same name, and a line in ``web/pages/__init__.py``.  A format of feeds is
a module of ``fanous.publish.feeds``.  An interface for programs is a module or a package here with a list of
routes that ``application`` adds.  All texts go through ``say`` and have their translations in
``fanous.wording``.
"""
