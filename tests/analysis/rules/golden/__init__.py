"""Golden cases: whole measurements as a probe writes them, and what must be said of each.

To add one: a row in ``sound``, ``blocked`` or ``throttled`` that builds the record with ``record.Web``, and
the findings that a careful reader would state.
"""
