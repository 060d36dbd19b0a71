"""Pages: one file for each group of related pages and resources.

To add a page:

1. A file here with a function that reads what the page needs from a store, and gives names for its template;
   above it ``@page(...)`` (``fanous.web.routes``), which declares its path, its template, its place in the
   navigation, the parameters of the query that it reads, and its feed.
2. The template in ``web/templates``; all text goes through ``say`` or ``marked``.
3. A line below.
4. A test that asks the application for it, as ``tests/web/test_pages.py`` does with a page that it writes.

Anything else (a picture, a document for programs) is a function with ``@resource(...)`` in the file of its page. An
incomplete or repeated declaration raises ``ValueError`` on import.
"""

from fanous.web.pages import about as about
from fanous.web.pages import country as country
from fanous.web.pages import events as events
from fanous.web.pages import explore as explore
from fanous.web.pages import home as home
from fanous.web.pages import incident as incident
from fanous.web.pages import incidents as incidents
from fanous.web.pages import measurements as measurements
from fanous.web.pages import search as search
from fanous.web.pages import target as target
from fanous.web.routes import PAGES, RESOURCES

__all__ = ["PAGES", "RESOURCES"]
