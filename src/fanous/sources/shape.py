"""Shape: what a publisher's answer looks like, and how an answer differs from that, in words.

A source on the internet declares the shape of its answers next to its reader.  ``fanous doctor --sources``
compares one small real answer with it, so that a publisher's change is noticed before a series is silently empty;
contract tests compare recorded and typed answers.

A shape is written like the answer: a dict has the fields of an object (a name with ``?`` may be missing), a list with
one shape has elements like it, a tuple has alternatives, and ``str``, ``float`` (any number), ``bool``, ``None`` and
``object`` (anything) are values.
"""

from collections.abc import Callable, Iterator
from typing import Any

import msgspec

Differs = Callable[[bytes], list[str]]
"""Sentences, each about one thing that differs; empty = the answer is as expected."""

MOST_SAID = 12
"""Most differences listed for one answer."""

MOST_ELEMENTS = 200
"""Most elements of one list that are compared."""

_WORDS = {str: "text", float: "a number", bool: "true or false", None: "null", object: "anything"}


def json_like(shape: Any) -> Differs:
    """For JSON answers."""

    def differs(data: bytes) -> list[str]:
        try:
            document = msgspec.json.decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            return [f"it is not JSON: {error}"]
        return list(dict.fromkeys(_differences(document, shape, "")))[:MOST_SAID]

    return differs


def columns(*names: str) -> Differs:
    """For CSV with a preamble of lines with ``#``: the first other line names these columns, and a row follows."""

    def differs(data: bytes) -> list[str]:
        lines = [line for line in data.decode("utf-8", "replace").splitlines() if not line.startswith("#")]
        lines = [line for line in lines if line.strip()]
        found = [name.strip() for name in lines[0].split(",")] if lines else []
        missing = [f"the column `{name}` is missing" for name in names if name not in found]
        new = [f"the column `{name[:40]}` is new" for name in found if name not in names and not missing]
        return (missing + new if lines else ["it is empty"]) or ([] if len(lines) > 1 else ["it has no rows"])

    return differs


def _differences(value: Any, shape: Any, path: str) -> Iterator[str]:
    """What differs at ``path``, such as ``data[].stats[].asns_ris``."""
    if isinstance(shape, tuple):
        if not any(_fits(value, one) for one in shape):
            alike = [one for one in shape if isinstance(one, dict | list) and isinstance(value, type(one))]
            if alike:
                yield from min((list(_differences(value, one, path)) for one in alike), key=len)
            else:
                wanted = " or ".join(_named(one) for one in shape)
                yield f"`{path or 'the answer'}` is {_kind(value)}, not {wanted}"
    elif isinstance(shape, dict):
        yield from _of_object(value, shape, path)
    elif isinstance(shape, list):
        if not isinstance(value, list):
            yield f"`{path or 'the answer'}` is {_kind(value)}, not a list"
            return
        for element in value[:MOST_ELEMENTS]:
            yield from _differences(element, shape[0], f"{path}[]")
    elif not _fits(value, shape):
        yield f"`{path or 'the answer'}` is {_kind(value)}, not {_named(shape)}"


def _of_object(value: Any, shape: dict[str, Any], path: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"`{path or 'the answer'}` is {_kind(value)}, not an object"
        return
    wanted = {name.removesuffix("?"): name for name in shape}
    for name, spelled in wanted.items():
        if name in value:
            yield from _differences(value[name], shape[spelled], f"{path}.{name}".lstrip("."))
        elif name == spelled:
            yield f"`{f'{path}.{name}'.lstrip('.')}` is missing"
    for name in value:
        if name not in wanted:
            yield f"`{f'{path}.{name[:40]}'.lstrip('.')}` is new"


def _fits(value: Any, shape: Any) -> bool:
    if isinstance(shape, dict | list | tuple):
        return next(_differences(value, shape, ""), None) is None
    if shape is None or value is None:
        return shape is value or shape is object
    if shape is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    return isinstance(value, shape)


def _named(shape: Any) -> str:
    if isinstance(shape, dict | list):
        return "an object" if isinstance(shape, dict) else "a list"
    return _WORDS[shape]


def _kind(value: Any) -> str:
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "a list"
    kinds = ((bool, "true or false"), (int, "a number"), (float, "a number"), (str, "text"))
    return next((words for kind, words in kinds if isinstance(value, kind)), "null")
