"""Vitals: whether the monitor itself is well - what is measured of it, and what of that is an ailment.

``examine`` looks at a store and its folders, ``ailments`` says what is wrong (pure), ``exposition`` writes
the figures for Prometheus, ``status`` serves both.  To add one: a field of ``Vitals``, how it is read in
``examine``, a function in ``ailments.CHECKS``.
"""
