"""Simulation: builders, fakes and generators, so that a test states only what it is about.

It is part of the package because ``fanous demo`` and other people's plug-ins use it too.  Nothing here may
import a rule or a detector: the code that generates an event must not share a parameter with the code that is
supposed to find it.
"""
