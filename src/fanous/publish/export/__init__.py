"""Export: open data as CSV, GeoJSON and Parquet, with a data package that describes it.

    store ─► tables (rows with their licence) ─► forms ─► a folder

Data under a non-commercial or unclear licence is left out, and so is anything that rests on it.  A cell of
measurements has at least ``tables.LEAST_PROBES`` probes behind it, and times are whole minutes.  To add a
table: its fields and a function that returns its rows, in ``tables``, and its line in ``tables.TABLES``.
"""
