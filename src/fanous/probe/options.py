"""Options: what is to be measured - addresses and lists by name become sites and apps."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from fanous.errors import FanousError
from fanous.probe.endpoint import url_parts
from fanous.probe.messengers import MESSENGERS
from fanous.refdata.targets import target_list

DEFAULT_LIST = "social"
LEFT_OUT_SHOWN = 5


@dataclass(frozen=True, slots=True)
class ProbeOptions:
    """What is to be measured: sites by URL, and apps by the name of their nettest.

    Attributes:
        by_default: the user named nothing.
    """

    urls: tuple[str, ...]
    apps: tuple[str, ...] = ()
    by_default: bool = False


def wanted_of(inputs: Sequence[str], lists: Sequence[str], say: Callable[[str], None]) -> ProbeOptions:
    """Each once; without any wish the social platforms.

    Args:
        say: is told, in a sentence, what of a list is left out.

    Raises:
        FanousError: a list that is none, a URL that cannot be asked for, an app that nobody knows.
    """
    for url in inputs:
        if url_parts(url) is None:
            raise FanousError(f"{url!r} is no address of a site: it must be http:// or https:// with a host")
    names = lists or ([] if inputs else [DEFAULT_LIST])
    named = [target_list(name) for name in names]
    for name, one in zip(names, named, strict=True):
        if one.left_out:
            say(_left_out(name, one.left_out))
    urls = dict.fromkeys([*inputs, *(url for one in named for url in one.urls)])
    apps = dict.fromkeys(app for one in named for app in one.apps)
    unknown = apps.keys() - MESSENGERS.keys()
    if unknown:
        raise FanousError(f"no app {min(unknown)!r}: known are {', '.join(MESSENGERS)}")
    if not urls and not apps:
        raise FanousError("nothing to measure: the list holds no http:// or https:// address")
    return ProbeOptions(tuple(urls), tuple(apps), by_default=not inputs and not lists)


def _left_out(name: str, left_out: Sequence[str]) -> str:
    more = f" ... and {len(left_out) - LEFT_OUT_SHOWN:,} more" if len(left_out) > LEFT_OUT_SHOWN else ""
    shown = "; ".join(left_out[:LEFT_OUT_SHOWN])
    return f"left out of {name}, since it is no http:// or https:// address: {shown}{more}"
