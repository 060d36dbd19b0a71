"""What kind of outage it is."""

import pytest

from fanous.analysis.incidents.scope import Extent, outage_mechanisms
from fanous.model.incident import Scope
from fanous.model.place import Access


@pytest.mark.parametrize(
    ("scope", "access", "exact"),
    [
        (Scope.NATION, Access.ANY, "outage.national"),
        (Scope.NATION, Access.MOBILE, "outage.mobile"),
        (Scope.ISP, Access.ANY, "outage.isp"),
        (Scope.MULTI_ISP, Access.ANY, "outage"),
    ],
)
def test_the_reach_makes_an_outage_exact(scope: Scope, access: Access, exact: str) -> None:
    reach = Extent(scope, access, None)
    assert outage_mechanisms(["outage"], reach) == (exact,)
    assert outage_mechanisms(["outage.intranet", "outage"], reach) == ("outage.intranet", exact)
