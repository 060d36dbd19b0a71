"""Harbour: measurements of a made-up observatory that writes OONI's format."""

from fanous.model.place import Family
from fanous.sources.ooni.source import OoniFormat


class Harbour(OoniFormat):
    name = "harbour"
    title = "Harbour Observatory"
    help = "measurements of the Harbour Observatory"
    licence = "CC BY 4.0"
    is_open = True
    credit = "Harbour Observatory"
    remark = "measurements of the harbour's vantage points"
    family = Family.EDGE
