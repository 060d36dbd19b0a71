"""``fanous init``: writes the configuration of a new monitor."""

import shutil
import sys
from collections.abc import Container, Sequence
from pathlib import Path

import typer

from fanous.cli.common import country_code, say
from fanous.cli.options import CONFIGURATION, Options, argument, command, option

PAGE = "127.0.0.1:8470"


class InitOptions(Options):
    """Options of ``fanous init``."""

    countries: list[str] | None = argument(None, "Countries to watch, such as PK.", metavar="[CC...]")
    accept: list[str] | None = option(
        None,
        "Pull from this source, and accept its terms; may be repeated; `all`, or `none`.",
        metavar="SOURCE",
    )
    listen: str = option("", "Where the pages are served.", metavar="HOST:PORT")
    url: str = option("", "Public address of the pages, if they have one.")
    days: int = option(60, "How many days of OONI's measurements to fetch.", min=1, max=3650)
    mirrors: list[str] | None = option(
        None,
        "Fetch from this address instead of the publisher's; may be repeated.",
        "--mirror",
        metavar="SOURCE=URL",
    )
    passphrase: bool = option(False, "Ask for a passphrase to log in to the desk with, as well as its token.")
    lists: bool | None = option(
        None,
        "Fetch Citizen Lab's lists of the sites whose names readers may see (CC BY-NC-SA 4.0), or do not ask.",
        "--lists/--no-lists",
    )
    config: Path = option(CONFIGURATION, "File to write; the secrets go next to it.", metavar="FILE")


@command
def init(options: InitOptions) -> None:
    """Write the configuration of a new monitor: countries, sources and their terms, secrets, retention.

    Asks for what is not given, if someone is at the terminal.  Otherwise every source that needs no key is included;
    the file names the terms of each.  Files that exist are never replaced.
    """
    listen = options.listen
    from fanous.base.files import make_folder
    from fanous.config import data_folder
    from fanous.pipeline.configure import NewMonitor, check_free, offered, write
    from fanous.publish.signer import KEY_FILE, ensure_key

    asks = sys.stdin.isatty()
    check_free(options.config)
    _check(listen, options.url)
    codes = tuple(dict.fromkeys(country_code(code) for code in options.countries or _asked_countries(asks)))
    sources = {source.name: source for source in offered()}
    accepted = _accepted(options.accept, list(sources), asks)
    asked_elsewhere = dict(_mirror(text, sources) for text in options.mirrors or ())
    if asks and not listen:
        listen = typer.prompt(
            "Where the pages are served, as HOST:PORT", default=PAGE, value_proc=_address, err=True
        )
    kept = _asked_passphrase() if options.passphrase else ""
    place = data_folder()
    make_folder(place)
    chosen = NewMonitor(
        codes,
        accepted,
        listen or PAGE,
        options.url,
        options.days,
        shutil.disk_usage(place).free,
        asked_elsewhere,
        kept,
    )
    beside = write(chosen, options.config)
    say(f"wrote {options.config}, and the secrets, which only you can read, to {beside}")
    if ensure_key(place / KEY_FILE):
        say(f"made the key that signs evidence bundles, {place / KEY_FILE}: keep a copy of it elsewhere")
    if not accepted:
        say("no source is enabled: the file lists each with its terms")
    for name in accepted:
        if sources[name].token:
            say(f"{name} needs a key: put it into {beside} as {sources[name].token}=...")
    _offer_lists(codes, options.lists, asks)
    is_default = options.config == CONFIGURATION
    say(
        f"next: fanous run{'' if is_default else f' --config {options.config}'}, then open http://{chosen.listen}/"
    )


def _offer_lists(codes: Sequence[str], wanted: bool | None, asks: bool) -> None:
    """Without lists, nearly every site is on none, and readers do not see its name."""
    from fanous.cli.refdata import failure, install, updated_lines
    from fanous.refdata.update import update_lists
    from fanous.refdata.watchlist import lists_folder

    if wanted is None and asks:
        wanted = typer.confirm(
            "Fetch Citizen Lab's lists of the sites whose names readers may see (CC BY-NC-SA 4.0)?",
            default=True,
            err=True,
        )
    command = f"fanous refdata lists {' '.join(codes)}"
    if not wanted:
        say(
            f"the names of sites on no list are withheld from readers; `{command}` fetches Citizen Lab's lists"
        )
        return
    folder = lists_folder()
    updates = install(lambda: update_lists(["global", *codes], folder), folder, ())
    for line in updated_lines(updates):
        say(line)
    if failure(updates):
        say(
            f"`{command}` tries again; without its list, the names of a country's sites are withheld from readers"
        )


def _address(typed: str) -> str:
    _check(typed.strip(), "")
    return typed.strip()


def _check(listen: str, url: str) -> None:
    """Refuse what `fanous run` would refuse later."""
    from fanous.config import Address, WrongKey
    from fanous.web.settings import SiteSettings

    try:
        if listen:
            Address.from_toml(listen)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--listen") from None
    try:
        SiteSettings(url=url)
    except WrongKey as error:
        raise typer.BadParameter(str(error), param_hint="--url") from None


def _asked_passphrase() -> str:
    """The hash of a passphrase; without a terminal, the first line of standard input is the passphrase."""
    from fanous.web.settings import hashed

    if not sys.stdin.isatty():
        return hashed(sys.stdin.readline().rstrip("\n"))
    passphrase: str = typer.prompt(
        "Passphrase for the desk", hide_input=True, confirmation_prompt=True, err=True
    )
    return hashed(passphrase)


def _asked_countries(asks: bool) -> list[str]:
    if not asks:
        raise typer.BadParameter("name the countries, such as: fanous init PK", param_hint="CC")
    codes: list[str] = typer.prompt(
        "Countries to watch, by name or code (such as Pakistan, IN)", value_proc=_countries, err=True
    )
    return codes


def _countries(typed: str) -> list[str]:
    """Codes of the countries that someone at the terminal names."""
    from fanous.wording.names import countries_named, not_a_country

    found = countries_named(typed)
    for name, code in found.items():
        if not code:
            raise typer.BadParameter(not_a_country(name))
    return list(dict.fromkeys(found.values()))


def _accepted(names: list[str] | None, offered_names: list[str], asks: bool) -> tuple[str, ...]:
    """Names of the sources whose terms are accepted."""
    from fanous.cli.common import screen
    from fanous.pipeline.configure import offered, terms

    keyless = [one.name for one in offered() if not one.token]
    if names is None:
        console = screen(stderr=True)
        for one in offered():
            console.print(
                f"{one.name}: {one.title}\n    {terms(one)}", markup=False, highlight=False, soft_wrap=True
            )
        if not asks:
            say(
                "included: every source that needs no key; remove those whose terms you do not accept",
                file=sys.stderr,
            )
            return tuple(keyless)
        chosen: tuple[str, ...] = typer.prompt(
            "Sources whose terms you accept (names, all, or none)",
            default=" ".join(keyless),
            value_proc=lambda told: _sources(told.replace(",", " ").split(), offered_names),
            err=True,
        )
        return chosen
    return _sources(names, offered_names)


def _sources(wanted: list[str], offered_names: list[str]) -> tuple[str, ...]:
    if wanted == ["none"]:
        return ()
    names = offered_names if wanted == ["all"] else wanted
    for name in names:
        if name not in offered_names:
            raise typer.BadParameter(
                f"{name!r} is not one of {', '.join(offered_names)}, all, none", param_hint="--accept"
            )
    return tuple(name for name in offered_names if name in names)


def _mirror(text: str, sources: Container[str]) -> tuple[str, str]:
    from fanous.config import LOOPBACK, split_url

    name, separator, address = text.partition("=")
    if not separator or name not in sources:
        raise typer.BadParameter(
            f"{text!r} is not SOURCE=URL, such as ooni=https://mirror.example", param_hint="--mirror"
        )
    parts = split_url(address)
    is_own = parts is not None and parts.scheme == "http" and parts.hostname in LOOPBACK
    if parts is None or not parts.hostname or not (is_own or parts.scheme == "https"):
        raise typer.BadParameter(
            f"{name} needs an address with https: without encryption, the data may have been tampered with",
            param_hint="--mirror",
        )
    return name, address
