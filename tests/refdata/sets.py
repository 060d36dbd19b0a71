"""Rows in the formats of the published sets, written for the tests; no row of a real set is here."""

from pathlib import Path

from fanous.refdata.trial import Trial, accept, on_trial
from fanous.refdata.update import update

OONI_HEADER = (
    "name,scope,other_names,location_found,pattern_type,pattern,confidence_no_fp,expected_countries,source,"
    "exp_url,notes\n"
)
CITIZENLAB_HEADER = (
    "name,common_name,pattern,location_found,exp_url,confidence_no_fp,source,scope,expected_countries,notes\n"
)
CITIZENLAB_DNS_HEADER = "name,response,confidence_no_fp,exp_url,source,scope,expected_countries,notes\n"

OWN = """
[[pattern]]
id = "own.notice"
where = "body"
kind = "blockpage"
pattern = "this page is kept from you"
source = "a test"
"""


def ooni(
    pattern: str = "kept from you by order",
    *,
    name: str = "test.one",
    scope: str = "nat",
    place: str = "body",
    how: str = "contains",
    confidence: str = "5",
    countries: str = "",
) -> str:
    """One row of OONI's CSV."""
    quoted = '"' + pattern.replace('"', '""') + '"'
    return f'{name},{scope},,{place},{how},{quoted},{confidence},"{countries}",a test,,\n'


def ooni_file(rows: int = 10) -> str:
    """A whole file with so many good rows."""
    return OONI_HEADER + "".join(ooni(f"kept from you by order {n}", name=f"test.{n}") for n in range(rows))


def citizenlab(
    pattern: str = "kept from you by order",
    *,
    name: str = "isp_zz_test",
    place: str = "body",
    confidence: str = "10",
    scope: str = "isp",
    countries: str = "['PK']",
) -> str:
    """One row of Citizen Lab's ``http.csv``."""
    return f"{name},A test,{pattern},{place},,{confidence},[''],{scope},\"{countries}\",\n"


def signature(name: str, pattern: str) -> str:
    """One line of Censored Planet's; ``pattern`` is a regular expression without double quotes."""
    escaped = pattern.replace("\\", "\\\\")
    return f'{{"fingerprint":"{name}","pattern":"{escaped}"}}\n'


def install(folder: Path, *files: Path) -> list[Trial]:
    """Put files on trial as an update does, and accept them."""
    update(files, folder)
    return accept([one.about.sha256 for one in on_trial(folder)], folder, "duty editor")
