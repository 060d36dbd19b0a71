"""Reference data: facts that are not measured - countries, networks, platforms, user shares.

To add a table: one data file and one module that reads it through ``tables``; README.md beside them
says its source, date and licence.
"""
