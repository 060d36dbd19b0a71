"""Pages: one module a page, each with a function from the store and a visit to the facts of its template.

The order of ``PAGES`` is that of matching: what is fixed stands before what takes any word.
"""

from fanous.web.page import Page
from fanous.web.pages.now import now_facts

PAGES: tuple[Page, ...] = (Page("/", "now.html", now_facts),)
