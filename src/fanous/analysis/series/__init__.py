"""Series: verdicts become votes, votes become series; baselines, silence, repeats and slowness."""
