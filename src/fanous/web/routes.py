"""Routes: declarations of pages and resources.

The decorators ``page`` and ``resource`` register the function that answers. A wrong declaration (a missing
template, a path that is taken, a path parameter of unknown form) raises an error on import.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any, TypeVar

from starlette.convertors import StringConvertor, register_url_convertor
from starlette.routing import compile_path

from fanous.publish.feeds import Feed
from fanous.store.protocol import Store
from fanous.web.answers import NOTHING_ASKED, Maker, Visit

FORMS = {
    "country": "[A-Z]{2}",
    "lower": "[a-z]{2}",
    "network": "AS[1-9][0-9]{0,9}",
    "incident": "[A-Z]{2}-[0-9]{4}-[0-9]{4,6}",
    "event": "[A-Z]{2}-watch-[0-9]{1,6}",
    # A measurement's uid: 20231217150203.123_PK_webconnectivity_0123456789abcdef, or a digest.
    "uid": "[0-9A-Za-z][0-9A-Za-z._-]{0,119}",
}
"""Forms of path parameters: ``{country:country}`` matches ``PK``, but neither ``pk`` nor ``PKX``."""

for _name, _form in FORMS.items():
    register_url_convertor(_name, type(f"{_name.title()}Convertor", (StringConvertor,), {"regex": _form})())


Facts = Mapping[str, Any]
"""Variables of a template."""

Gather = Callable[[Store, Visit], Facts | None]
"""Reads the store, in its thread; ``None`` = there is no such page.  Raises ``Elsewhere``."""


@dataclass(frozen=True, slots=True)
class Page:
    """A page of HTML in six languages.

    Attributes:
        path: as Starlette writes routes, with the parts named in ``FORMS``: ``/{country:country}``.
        template: file in ``web/templates``.
        title: title in the navigation, in English (a key of the catalogues); empty = not listed there.
        place: position in the navigation, from 1.
        asks: query parameter -> pattern of accepted values.
        feed: content of the feeds below its path; ``None`` = it has none.
        feed_asks: as ``asks``, for the feeds.
    """

    path: str
    template: str
    gather: Gather
    title: str = ""
    place: int = 0
    asks: Mapping[str, str] = field(default_factory=dict)
    feed: Callable[[Store, Visit], Feed] | None = None
    feed_asks: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Resource:
    """Anything that is not a page: a picture, a citation, a document for programs.

    Attributes:
        path, asks: as in ``Page``.
    """

    path: str
    make: Maker
    asks: Mapping[str, str] = field(default_factory=dict)


PAGES: list[Page] = []
RESOURCES: list[Resource] = []
"""Everything declared; importing ``fanous.web.pages`` fills both."""

G = TypeVar("G", bound=Gather)
M = TypeVar("M", bound=Maker)


def page(
    path: str,
    template: str,
    *,
    title: str = "",
    place: int = 0,
    asks: Mapping[str, str] = NOTHING_ASKED,
    feed: Callable[[Store, Visit], Feed] | None = None,
    feed_asks: Mapping[str, str] = NOTHING_ASKED,
) -> Callable[[G], G]:
    """Declares a page whose facts the function returns; the arguments are the attributes of ``Page``.

    Raises:
        ValueError: the declaration is wrong.
    """

    def declare(gather: G) -> G:
        _check_path(path)
        if not (files("fanous.web") / "templates" / template).is_file():
            raise ValueError(f"page {path}: web/templates has no {template}")
        if bool(title) != bool(place):
            raise ValueError(f"page {path}: a title for the navigation needs a place in it, and the reverse")
        if place and place in (one.place for one in PAGES):
            raise ValueError(f"page {path}: place {place} in the navigation is taken")
        PAGES.append(Page(path, template, gather, title, place, asks, feed, feed_asks))
        return gather

    return declare


def resource(path: str, *, asks: Mapping[str, str] = NOTHING_ASKED) -> Callable[[M], M]:
    """Declares a resource that the function makes; the arguments are the attributes of ``Resource``.

    Raises:
        ValueError: as in ``page``.
    """

    def declare(make: M) -> M:
        _check_path(path)
        RESOURCES.append(Resource(path, make, asks))
        return make

    return declare


def _check_path(path: str) -> None:
    try:
        compile_path(path)
    except AssertionError as error:
        raise ValueError(
            f"{path}: {error}; FORMS in fanous.web.routes lists the forms of path parameters"
        ) from None
    if not path.startswith("/"):
        raise ValueError(f"{path}: a path begins with a slash")
    if path in paths():
        raise ValueError(f"{path}: there is a page or resource at this path already")


def paths() -> list[str]:
    """The routes of everything declared."""
    return [*(one.path for one in PAGES), *(one.path for one in RESOURCES)]


def navigation() -> list[Page]:
    """The pages that every page links to, in order."""
    return sorted((one for one in PAGES if one.place), key=lambda one: one.place)
