"""Which queries a page has, and what is said of them without servers."""

from __future__ import annotations

from pathlib import Path

import pytest
from servers import REPO

from pytest_sre.checks.case import Case
from pytest_sre.checks.runbooks import together
from pytest_sre.model.finding import Finding
from pytest_sre.model.observation import AlertObservation, FiredAlert
from pytest_sre.model.runbook_query import Answer, Part, Query
from pytest_sre.model.scenario import NotSynthesised
from pytest_sre.settings import Settings, SreYaml
from pytest_sre.sources.discover import Inventory, discover
from pytest_sre.sources.runbook import parse_runbook
from pytest_sre.sources.runbook_queries import queries_of


def _queries(text: str) -> list[tuple[str, int]]:
    runbook = parse_runbook(text)
    section = runbook.section(None)
    assert section
    return [(one.text, one.line) for one in queries_of(runbook, section)]


def _block(text: str, language: str = "promql") -> str:
    return f"# X\n\n```{language}\n{text}\n```\n"


@pytest.mark.parametrize(
    ("page", "queries"),
    [
        (_block("sum(\n  up\n)"), [("sum(\n  up\n)", 4)]),
        (_block("# all\nup"), [("up", 5)]),
        (_block("up\n\nsum(up"), [("up", 4), ("sum(up", 6)]),
        (_block("up\nsum(up)"), [("up", 4), ("sum(up)", 5)]),
        (_block("up\nsum(up) by ()()"), [("up", 4), ("sum(up) by ()()", 5)]),
        (_block("sum(\n  up{\n)"), [("sum(\n  up{\n)", 4)]),
        (_block("$ up > 1"), [("  up > 1", 4)]),
        (_block("rate(x_total{...})"), []),
        (_block('{app="x"} |= "error"'), []),
        (_block("# nothing\n"), []),
        (_block("rate(http_requests_total[5m])", ""), [("rate(http_requests_total[5m])", 4)]),
        (_block("$ curl x\nrate(x_total[5m])\n", "bash"), [("rate(x_total[5m])", 5)]),
        (_block("rate(http_requests_total[5m]", ""), []),
        (_block("kubectl get pods\nnode_x   1/1", "console"), []),
        ("Look at `up == 0` and `kubectl get pods`.", [("up == 0", 1)]),
        ("The metric `node_load1` is high.", []),
    ],
)
def test_the_queries_of_a_page(page: str, queries: list[tuple[str, int]]) -> None:
    assert _queries(page) == queries


def test_only_those_of_the_section_are_the_alerts() -> None:
    runbook = parse_runbook("# A\n\n`up == 0`\n\n# B\n\n`up == 1`\n")
    section = runbook.section("b")
    assert section
    assert [one.text for one in queries_of(runbook, section)] == ["up == 1"]


@pytest.fixture
def inventory(tmp_path: Path) -> Inventory:
    """A rule that reads errors by instance, and a recorded ratio."""
    (tmp_path / "rules.yml").write_text(
        """groups:
  - name: shop
    rules:
      - record: job:errors:ratio
        expr: sum by (job) (rate(shop_errors_total[5m]))
      - alert: Errors
        expr: sum by (instance, job) (rate(shop_errors_total{job="checkout"}[5m])) > 5
"""
    )
    return discover(
        Settings(root=tmp_path, search=tmp_path, folder=tmp_path, file=SreYaml(rules=("rules.yml",)))
    )


def _case(inventory: Inventory, alert: AlertObservation | None = None, **settings: object) -> Case:
    rule = next(one for one in inventory.rules if one.kind == "alert")
    file = SreYaml.model_validate({"runbooks": settings})
    return Case(rule, alert, {}, file, inventory, str(inventory.root))


def _found(case: Case, page: str) -> list[Finding]:
    runbook = parse_runbook(page)
    section = runbook.section(None)
    assert section
    return list(together.findings(case, runbook, section, "page.md"))


@pytest.mark.parametrize(
    ("page", "check", "line"),
    [
        (_block("sum(\n  up{\n)"), "RB401", 4),
        (_block("sum(\n  rate(shop_error_total[5m]))"), "RB403", 5),
        (_block("job:erors:ratio"), "RB403", 4),
        ("Type\n`ssh <instnace>`", "RB404", 2),
        ("`ssh $ISNTANCE`", "RB404", 1),
        ("`ssh {{ $labels.instanc }}`", "RB404", 1),
    ],
)
def test_without_servers(inventory: Inventory, page: str, check: str, line: int) -> None:
    found = [(one.check, one.location.line) for one in _found(_case(inventory), page)]
    assert found == [(check, line)]


@pytest.mark.parametrize(
    "page",
    [
        _block("rate(other_total[5m])"),
        _block("job:errors:other"),
        "`ssh <pod>`",
        "`ssh {{ $labels.pod }}`",  # the labels that it fires with are not known
        "`ssh <instances>`",
        _block("name: {{ $labels.instnace }}", "yaml"),
        _block("ISNTANCE=$(hostname)\nssh $ISNTANCE", "bash"),
        _block("read -r isntance\nssh $isntance", "bash"),
    ],
)
def test_what_nobody_can_know_is_not_told(inventory: Inventory, page: str) -> None:
    assert not _found(_case(inventory), page)


FIRED = FiredAlert({"alertname": "Errors", "instance": "i-1", "job": "checkout"}, {}, "9", "")


def _answered(inventory: Inventory, asked: str, *parts: Part, error: str = "", line: int = 4) -> Case:
    rule = next(one for one in inventory.rules if one.kind == "alert")
    answer = Answer(Query(asked, line, sure=True), asked, error, not error, parts)
    plan = NotSynthesised(rule, "")
    return _case(inventory, AlertObservation(rule, plan, "firing", fired=(FIRED,), answers=(answer,)))


def test_prometheus_is_the_judge_where_it_was_asked(inventory: Inventory) -> None:
    new = "sum(up) brand_new_operator"
    assert not [one for one in _found(_answered(inventory, new), _block(new)) if one.check == "RB401"]
    refused = _answered(inventory, "sum(\nup)", error='invalid parameter "query": 2:1: parse error: no')
    (found,) = _found(refused, _block("sum(\nup)"))
    assert (found.check, found.location.line, found.summary) == (
        "RB401",
        5,
        "this is not PromQL: 2:1: parse error: no",
    )


SERIES = {"job": ("checkout", "payments"), "instance": ("i-1", "i-2"), "code": ("200", "500")}


@pytest.mark.parametrize(
    ("query", "name", "reason"),
    [
        ('rate(shop_errors_total{job="chekout"}[5m])', "shop_errors_total", "did you mean checkout?"),
        ('rate(shop_errors_total{jbo="x"}[5m])', "shop_errors_total", "did you mean job?"),
        ('rate(shop_errors_total{job="other"}[5m])', "shop_errors_total", ""),
        ('rate(shop_errors_total{code="503"}[5m])', "shop_errors_total", ""),
        ('rate(shop_errors_total{path="/"}[5m])', "shop_errors_total", ""),
        ('rate(other_total{job="chekout"}[5m])', "other_total", ""),
        ('absent(shop_errors_total{job="chekout"})', "shop_errors_total", ""),
        ('shop_errors_total{job!="chekout"} > 5', "shop_errors_total", ""),
    ],
)
def test_a_query_that_returned_nothing(inventory: Inventory, query: str, name: str, reason: str) -> None:
    case = _answered(inventory, query, Part(name, False, SERIES))
    found = [one for one in _found(case, _block(query)) if one.check == "RB402"]
    assert bool(found) == bool(reason)
    assert all(reason in one.summary for one in found)


def test_below_verification_it_may_return_nothing(inventory: Inventory) -> None:
    query = 'rate(shop_errors_total{job="chekout"}[5m])'
    case = _answered(inventory, query, Part("shop_errors_total", False, SERIES), line=6)
    page = f"# X\n\n## Verification\n\n```promql\n{query}\n```\n"
    assert not _found(case, page)
    assert _found(case, page.replace("Verification", "Diagnosis"))


def test_metrics_are_compared_with_snapshots(inventory: Inventory, tmp_path: Path) -> None:
    (tmp_path / "a.prom").write_text("shop_orders_total 5\n")
    settings = SreYaml(rules=("rules.yml",), metrics=("a.prom",))
    whole = discover(Settings(root=tmp_path, search=tmp_path, folder=tmp_path, file=settings))
    found = _found(_case(whole), _block("rate(shop_orders_total[5m]) / rate(never_seen[5m])"))
    assert [(one.check, one.seen) for one in found] == [("RB403", "never_seen")]


def test_the_examples_pages_are_clean_without_servers() -> None:
    shop = REPO / "examples" / "shop"
    whole = discover(Settings(root=shop, search=shop, folder=shop, file=SreYaml(rules=("rules/*.yml",))))
    rule = next(one for one in whole.rules if one.kind == "alert")
    case = Case(rule, None, {}, SreYaml(), whole, str(shop))
    for path in sorted((REPO / "runbooks").glob("*.md")):
        assert not _found(case, path.read_text("utf-8"))
