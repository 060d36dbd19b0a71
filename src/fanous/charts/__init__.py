"""Charts: every picture: plots, grids, cards and maps.

A chart decides nothing: every figure and status comes from an incident or a series.  To add one: a module
with a function that takes them and returns text, SVG or bytes.
"""
