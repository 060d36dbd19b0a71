"""Need: one thing that a part of Fanous stands on, and whether this machine has it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Need:
    """What is needed.

    Attributes:
        part: ``probe``, ``server`` or ``lab``.
        name: a program, a module, a feature of the kernel.
        found: is it there?
        mend: what to do where it is not; empty = nothing can be done by a command.
        without: what does not work without it.
        is_vital: ``False`` = the part works without it, as ``without`` says.
    """

    part: str
    name: str
    found: bool
    mend: str
    without: str
    is_vital: bool = True
