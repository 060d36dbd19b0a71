"""Web: the pages, pictures and feeds for the public.  It reads the store and decides nothing.

A page or resource is declared in its own file, as ``fanous.web.pages`` explains. A feed format is a function in
``fanous.publish.feeds``.  All text goes through ``say``; translations are in ``fanous.wording``.
"""
