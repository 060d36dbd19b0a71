"""Pipeline: the only code that knows every stage: ingest, pull, detect, revise, query, retain, schedule."""
