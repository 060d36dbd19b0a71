"""What every room stands on: other people's text made safe to show, files, what may be replaced, answers over HTTP with
limits, threads that end with the process."""
