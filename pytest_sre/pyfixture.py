"""The fixture `sre`, there in every run; what it needs is imported when a test asks for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pytest_sre.incidents.fixture import Sre


@pytest.fixture
def sre(request: pytest.FixtureRequest) -> Sre:
    """Incidents on the real servers: burn an SLO's budget, fire an alert; see docs/python.md of pytest-sre."""
    if not request.config.getoption("sre_alerts"):
        pytest.skip("needs the real servers: run pytest --sre-alerts")
    from pytest_sre.incidents.fixture import open_sre

    return open_sre(request)
