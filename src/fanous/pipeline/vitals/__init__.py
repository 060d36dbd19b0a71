"""Vitals: the monitor's own health - what is measured, and when that counts as an ailment.

``examine`` inspects a store and its folders, ``ailments`` decides what is wrong (pure), ``exposition`` writes
the figures for Prometheus, and ``status`` serves both.  To add one: a field of ``Vitals``, the code that reads
it in ``examine``, and a function in ``ailments.CHECKS``.
"""
