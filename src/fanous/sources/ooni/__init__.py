"""OONI: raw measurements in OONI's data format 0.2.0 (df-000), of any nettest and version since 2014.

``read`` gives records, ``parse`` turns one into its measurement and observations.

To add a nettest, write ``sources/ooni/NAME.py`` with

- the structure of its ``test_keys``: of these nothing else is read or stored,
- a function that makes observations of them,
- a ``Nettest`` (``sources.ooni.nettests``), which names both,

and add it to ``NETTESTS`` in ``sources/ooni/parse.py``.  A text of a new name also needs its form in ``keep``, which
refuses to start without it: no record may store what names a person.  ``tests/sources/test_recipes.py`` performs this.
"""
