"""Testing: builders, fakes and generators, so that a test states only what it is about.

They are part of the package because ``fanous demo`` and other people's plug-ins use them too.  Nothing
here may import a rule or a detector: what generates an event must not share a parameter with what is
supposed to find it.
"""
