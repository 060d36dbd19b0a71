"""OONI: raw measurements in OONI's data format 0.2.0 (df-000), of any nettest and version since 2014.

``read`` gives records, ``parse`` turns one into its measurement and observations.  To add a nettest:
its structure in ``document``, a module that yields its observations, and a branch in ``parse``.
"""
