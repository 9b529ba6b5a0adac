"""`@pytest.mark.sre(scope=…, version=…)` with several scopes and versions, on real servers."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from servers import NO_SERVERS, PAIRS, Pair, unavailable
from shop import run

from pytest_sre.stack.process import version

ALERTMANAGER = """\
route: {receiver: pager-SCOPE}
receivers:
- name: pager-SCOPE
  webhook_configs: [{url: "https://SCOPE.example/x"}]
"""
RULES = """\
groups:
- name: SCOPE
  rules:
  - {alert: SCOPEDown, expr: up == 0, labels: {severity: page}}
"""
SRE = """\
slos: [{name: api, objective: 99, errors: e_total, total: t_total}]
scopes:
- {name: eu, folder: eu}
- {name: us, folder: us, slos: [{name: shop, objective: 99, errors: e_total, total: t_total}]}
"""
TESTS = """\
import pytest

pytestmark = pytest.mark.sre(scope="us")

def test_the_modules_mark(sre):
    assert sre.route({"a": "b"}) == ("pager-us",)
    sre.fire("usDown").expect_page("usDown", receiver="pager-us")

@pytest.mark.sre(scope="eu")
class TestEu:
    def test_the_classes_mark_is_nearer(self, sre):
        assert sre.route({"a": "b"}) == ("pager-eu",)
        sre.together("euDown").expect_notifications({"pager-eu": "euDown"})

    @pytest.mark.sre(scope="us")
    def test_its_own_is_nearest(self, sre):
        assert sre.route({"a": "b"}) == ("pager-us",)

@pytest.mark.sre(scope="eu")
def test_alerts_of_the_other_scope_are_not_there(sre):
    with pytest.raises(Exception, match="there is no alert usDown; did you mean euDown"):
        sre.fire("usDown")
    with pytest.raises(Exception, match="there is no SLO shop; there are: api"):
        sre.burn(slo="shop", error_ratio=0.5)

@pytest.mark.sre(scope="uk")
def test_unknown(sre): ...
"""
NO_MARK = "def test_no_mark(sre): ...\n"
VERSIONS = """\
import pytest

def test_the_first(sre):
    with pytest.raises(Exception, match="is no alert to this Alertmanager"):
        sre.route({{"a b": "c"}})

@pytest.mark.sre(version="{0}")
def test_the_one_that_is_named(sre):
    assert sre.route({{"a b": "c"}}) == ("pager-eu",)

@pytest.mark.sre(version="1.0.0+0.1.0")
def test_unknown(sre): ...
"""


@pytest.fixture(autouse=True)
def _servers() -> None:
    if not PAIRS:
        unavailable(NO_SERVERS)


@pytest.fixture
def scoped(tmp_path: Path) -> Path:
    """Two scopes with an alert and a receiver of their own."""
    folder = tmp_path / "scoped"
    for scope in ("eu", "us"):
        (folder / scope).mkdir(parents=True)
        (folder / scope / "alertmanager.yml").write_text(ALERTMANAGER.replace("SCOPE", scope))
        (folder / scope / "rules.yml").write_text(RULES.replace("SCOPE", scope))
    (folder / "sre.yaml").write_text(SRE)
    (folder / "pytest.ini").write_text("[pytest]\n")
    return folder


def test_the_nearest_mark_chooses_the_scope(scoped: Path) -> None:
    (scoped / "test_scopes.py").write_text(TESTS)
    seen = run(scoped, PAIRS[-1], "test_scopes.py")
    assert seen.failed() == {"test_scopes.py::test_unknown"}, seen.output
    assert len(seen.outcomes) == 5
    assert seen.outcomes["test_scopes.py::test_unknown"] == "ERROR"
    assert "@pytest.mark.sre: there is no scope uk; " in seen.output
    assert "During handling" not in seen.output


def test_without_a_mark_the_scopes_are_named(scoped: Path) -> None:
    (scoped / "test_scopes.py").write_text(NO_MARK)
    seen = run(scoped, PAIRS[-1], "test_scopes.py")
    assert seen.outcomes == {"test_scopes.py::test_no_mark": "ERROR"}
    assert 'there are several scopes; choose one: @pytest.mark.sre(scope="eu")' in seen.output


def _full(pair: Pair) -> str:
    return f"{version(str(pair.prometheus))}+{version(str(pair.alertmanager))}"


def test_the_mark_chooses_the_version(scoped: Path) -> None:
    oldest = next((one for one in PAIRS if one.name == "bookworm"), None)
    newest = PAIRS[-1]
    if oldest is None or oldest is newest:
        unavailable("needs Alertmanager 0.25, which takes no blank in a label's name, and a newer one")
    (scoped / "test_versions.py").write_text(VERSIONS.format(_full(newest)))
    (scoped / "sre.yaml").write_text(re.sub("- {name: us.*\n", "", SRE))
    seen = run(scoped, oldest, *newest.options, "test_versions.py")
    assert seen.failed() == {"test_versions.py::test_unknown"}, seen.output
    assert "there is no version 1.0.0+0.1.0; " in seen.output
