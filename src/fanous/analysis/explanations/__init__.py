"""Explanations: what else an event could be.  Every row of the table is weighed, and every one is shown."""
