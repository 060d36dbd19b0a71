"""Rehearsal: a scenario of the lab run through the real probe, the real collector and the real pipeline.

        probes -> spool -> collector -> inbox -> pipeline -> incidents -> compared with the scenario

Judging and detection are the same as in production: rules, detectors and thresholds are the live ones.  Two
things differ, and the output says so: probes use a screening profile (short time-outs, one address), and one
tick of the lab represents ten minutes of the monitor's clock.
"""
