"""Series: verdicts become votes, and votes become series.  Pure."""
