"""Export: open data to take away - CSV, GeoJSON, Parquet, and a data package that describes them.

    store ─► tables (rows with their licence) ─► forms ─► a folder

What a source gives under a non-commercial or unclear licence never enters, nor what rests on it; a cell of
measurements has at least ``tables.LEAST_PROBES`` probes behind it, and times are whole minutes.  To add a
table: its fields and a function that gives its rows, in ``tables``, and its line in ``TABLES``.
"""
