"""Web: pages, pictures and feeds for the public.  It reads the store and decides nothing.

A page is a module of ``web/pages`` with a function that reads what it needs from a store (one question, asked
through ``Ask``), a template of the same name, and a line in ``web/routes.py``.  A feed or an interface for
programs is a module of ``web/feeds`` (or its own package) with a list of routes that ``routes`` adds.  All
texts go through ``say`` and have their translations in ``fanous.languages``.
"""
