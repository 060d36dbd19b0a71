"""Evaluation: is Fanous right?  Labelled corpora, simulators, rehearsals in the lab, adversaries, calibration."""
