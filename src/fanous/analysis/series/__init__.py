"""Series: turns verdicts into votes and votes into series; baselines, silence, repeats and slowness."""
