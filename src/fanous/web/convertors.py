"""Convertors: what may appear in a URL path, so that no other path is a page."""

from starlette.convertors import Convertor, register_url_convertor


class _Text(Convertor[str]):
    """A part of a path that has a form; it stays as it is written."""

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


class CountryConvertor(_Text):
    """``PK``."""

    regex = "[A-Z]{2}"


class Lower(_Text):
    """``pk``."""

    regex = "[a-z]{2}"


class NetworkConvertor(_Text):
    """``AS17557``."""

    regex = "AS[1-9][0-9]{0,9}"


class IncidentId(_Text):
    """``PK-2023-0042``."""

    regex = "[A-Z]{2}-[0-9]{4}-[0-9]{4,6}"


class EventId(_Text):
    """``PK-watch-1``."""

    regex = "[A-Z]{2}-watch-[0-9]{1,6}"


class Uid(_Text):
    """Of a measurement: ``20231217150203.123_PK_webconnectivity_0123456789abcdef``, or a digest."""

    regex = "[0-9A-Za-z][0-9A-Za-z._-]{0,119}"


def register() -> None:
    """Make the forms known to Starlette; doing it again changes nothing."""
    register_url_convertor("country", CountryConvertor())
    register_url_convertor("lower", Lower())
    register_url_convertor("network", NetworkConvertor())
    register_url_convertor("incident", IncidentId())
    register_url_convertor("event", EventId())
    register_url_convertor("uid", Uid())
