"""What a command accepts: a class whose fields are its options and arguments, each declared once.

    class ExampleOptions(StoreOptions):
        rounds: int = option(0, "Stop after this many rounds; 0: never.", min=0)

    @command
    def example(options: ExampleOptions) -> None: ...

Help lists a class's own fields first, then those of its bases.
"""

from collections.abc import Callable, Iterator
from dataclasses import MISSING, Field, dataclass, field, fields
from functools import wraps
from inspect import Parameter, Signature, get_annotations
from pathlib import Path
from typing import Annotated, Any, TypeVar, dataclass_transform, get_type_hints

import typer

CONFIGURATION = Path("fanous.toml")
"""File that `fanous init` writes; read by default if it is in the current folder."""


def option(default: Any, help: str, *names: str, **settings: Any) -> Any:  # noqa: A002 - typer's word
    """A field that is an option.

    Args:
        default: ``...`` = the option is required.
        names: as typed; by default that of the field, ``--like-this``.
        settings: further ones of ``typer.Option``.
    """
    return field(default=default, metadata={"names": names, "settings": {"help": help} | settings})


def argument(default: Any, help: str, **settings: Any) -> Any:  # noqa: A002 - typer's word
    """A field that is an argument; it is required if its default is ``...``."""
    return field(default=default, metadata={"settings": {"help": help} | settings})


@dataclass_transform(kw_only_default=True, frozen_default=True)
class Options:
    """What one command accepts."""

    def __init_subclass__(cls) -> None:
        dataclass(frozen=True, kw_only=True)(cls)


C = TypeVar("C", bound=Options)


def command(function: Callable[[C], None]) -> Callable[..., None]:
    """The function as typer takes it: with a parameter for each field of its only parameter, ``options``."""
    kind = get_type_hints(function)["options"]
    types, declared = get_type_hints(kind, include_extras=True), {field.name: field for field in fields(kind)}
    parameters = [_parameter(declared[name], types[name]) for name in dict.fromkeys(_names(kind))]

    @wraps(function)
    def typed(**given: Any) -> None:
        function(kind(**given))

    typed.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    vars(typed)["__signature__"] = Signature(parameters)
    return typed


def _names(kind: type[Options]) -> Iterator[str]:
    """The fields in the order in which help lists them."""
    yield from get_annotations(kind)
    for base in kind.__bases__:
        if issubclass(base, Options):
            yield from _names(base)


def _parameter(declared: "Field[Any]", kind: Any) -> Parameter:
    metadata = declared.metadata
    if "names" in metadata:
        names = metadata["names"] or (f"--{declared.name.replace('_', '-')}",)
        kind = Annotated[kind, typer.Option(*names, **metadata["settings"])]
    elif metadata:
        kind = Annotated[kind, typer.Argument(**metadata["settings"])]
    default = Parameter.empty if declared.default in (..., MISSING) else declared.default
    return Parameter(declared.name, Parameter.KEYWORD_ONLY, annotation=kind, default=default)


# --- what many commands accept --------------------------------------------------------------------

StoreOption = Annotated[
    Path | None,
    typer.Option("--store", envvar="FANOUS_STORE", help="Folder of the store.", show_default=False),
]
ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config",
        envvar="FANOUS_CONFIG",
        callback=lambda named: named if named is not None or not CONFIGURATION.is_file() else CONFIGURATION,
        help="TOML configuration file; its `store` table names the store.  By default fanous.toml in the current "
        "folder, if there is one.",
        show_default=False,
    ),
]
JsonOption = Annotated[
    bool, typer.Option("--json", help="Print one JSON document on stdout and nothing else.")
]
WhyOption = Annotated[
    bool, typer.Option("--why", help="List everything else that it could be, and what speaks against it.")
]
LangOption = Annotated[str, typer.Option("--lang", help="Language: en, ur, fa, ar, fr or es.")]
CountryArgument = Annotated[str, typer.Argument(metavar="CC", help="Country: its code or name, such as PK.")]
OneCountry = Annotated[str | None, typer.Argument(metavar="[CC]", help="Only this country.")]

SinceOption = Annotated[
    str | None, typer.Option("--since", help="Start: a date or time, in UTC unless it gives an offset.")
]
UntilOption = Annotated[
    str | None, typer.Option("--until", help="End, exclusive: a date or time, as for --since.")
]


class StoreOptions(Options):
    """The store, which the options or the configuration name."""

    store: StoreOption = None
    config: ConfigOption = None


class JsonOptions(Options):
    """How the answer is printed."""

    as_json: JsonOption = False


class ReadOptions(StoreOptions, JsonOptions):
    """A store, and how the answer from it is printed."""


class TimeOptions(Options):
    """A range of time; either end may be open."""

    since: SinceOption = None
    until: UntilOption = None


def is_given(context: typer.Context, name: str) -> bool:
    """Does the command line itself name the option, and not a variable for all commands or a file in the current
    folder?"""
    source = context.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"
