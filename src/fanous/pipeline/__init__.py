"""Pipeline: the stages that write, and the only code that knows all of them: ingest, replay, pull, detect, revise,
retain, schedule."""
