"""Reference data: facts that are not measured: countries, networks, platforms, user shares, block pages.

To add a table: one data file, one module that reads it through ``refdata.tables``, and its source, date and
licence in README.md next to them.
"""
