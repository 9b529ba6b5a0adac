"""RB401 to RB404: an alert and its runbook together, on the real servers."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from servers import REPO, Pair
from shop import Result, run

CHECKS = sorted((REPO / "docs" / "checks").glob("rb40*.md"))
_FENCE = re.compile(r"^````(\w+) (\w+)\n(.*?)^````$", re.M | re.S)
CASES = {
    f"{path.stem[:5].upper()}{kind.title()}{number}": (kind, text)
    for path in CHECKS
    for number, (_, kind, text) in enumerate(_FENCE.findall(path.read_text("utf-8")))
    if kind != "alert"
}
ALERT = {
    text for path in CHECKS for _, kind, text in _FENCE.findall(path.read_text("utf-8")) if kind == "alert"
}
_FOUND = re.compile(r"runbooks/(\w+)\.md:(\d+): (.*) \[(RB4\d+)\]")


@pytest.fixture(scope="module")
def ran(pair: Pair, tmp_path_factory: pytest.TempPathFactory) -> Result:
    """A project with an alert and a page for each example of the documentation."""
    folder = tmp_path_factory.mktemp("project") / "shop"
    (folder / "runbooks").mkdir(parents=True)
    (rules,) = ALERT
    head, _, alert = rules.partition("      - alert:")
    alerts = [f"      - alert:{alert}".replace("checkout.md", f"{name}.md") for name in CASES]
    texts = [text.replace("CheckoutErrors", name) for name, text in zip(CASES, alerts, strict=True)]
    (folder / "rules.yml").write_text(head + "".join(texts))
    for name, (_, text) in CASES.items():
        (folder / "runbooks" / f"{name}.md").write_text(text)
    (folder / "sre.yaml").write_text("rules: [rules.yml]\n")
    (folder / "pytest.ini").write_text("[pytest]\n")
    return run(folder, pair, "-k", "runbook")


def _found(result: Result) -> dict[str, set[tuple[str, int]]]:
    found: dict[str, set[tuple[str, int]]] = {}
    for name, line, _, check in _FOUND.findall(result.output):
        found.setdefault(name, set()).add((check, int(line)))
    return found


@pytest.mark.parametrize("name", CASES)
def test_the_examples_of_the_documentation_are_found_and_only_they(ran: Result, name: str) -> None:
    kind, _ = CASES[name]
    found = _found(ran).get(name, set())
    assert {check for check, _ in found} == ({name[:5]} if kind == "hit" else set()), ran.output


def test_findings_are_at_the_lines_of_what_is_wrong_and_say_what_was_meant(ran: Result) -> None:
    found = _found(ran)
    assert found["RB401Hit2"] == {("RB401", 6)}  # the second query of its block
    assert found["RB402Hit1"] == {("RB402", 6)}
    assert found["RB404Hit2"] == {("RB404", 2)}
    assert "no http_requests_total has job=chekout; did you mean checkout?" in ran.output
    assert "did you mean http_requests_total?" in ran.output
    assert "parse error: unclosed left parenthesis" in ran.output


def test_only_what_prometheus_refuses_fails(ran: Result) -> None:
    failed = {node for node in ran.failed() if "RB401Hit" not in node}
    assert not failed
    assert sum("RB401Hit" in node for node in ran.failed()) == 2


def _project(folder: Path, page: str, more: str = "") -> Path:
    (folder / "runbooks").mkdir(parents=True)
    (rules,) = ALERT
    (folder / "rules.yml").write_text(rules)
    (folder / "runbooks" / "checkout.md").write_text(page)
    (folder / "sre.yaml").write_text("rules: [rules.yml]\n" + more)
    (folder / "pytest.ini").write_text("[pytest]\n")
    return folder


MISSPELT = "# CheckoutErrors\n\n`kubectl -n <isntance> get pods`\n"
BROKEN = "# CheckoutErrors\n\n`kubectl get pods -A`\n\n```promql\nsum(up\n```\n"


def test_without_servers_the_page_is_read_all_the_same_and_their_lack_is_told(tmp_path: Path) -> None:
    pair = Pair("none", *(Path("/no/such/server") for _ in range(4)))
    done = run(_project(tmp_path / "shop", MISSPELT + BROKEN), pair, "-k", "runbook")
    assert done.failed() == {"rules.yml::CheckoutErrors::runbook"}
    assert "did you mean instance?" in done.output
    assert "[RB401]" in done.message("rules.yml::CheckoutErrors::runbook")
    assert "were not asked of Prometheus: the stack is broken" in done.output
    assert done.status == 10


def test_a_broken_stack_is_an_error_of_the_items_that_need_it_alone(tmp_path: Path) -> None:
    pair = Pair("none", *(Path("/no/such/server") for _ in range(4)))
    done = run(_project(tmp_path / "shop", MISSPELT), pair, "-k", "runbook or fires")
    assert done.failed() == {"rules.yml::CheckoutErrors::fires"}
    assert done.outcomes["rules.yml::CheckoutErrors::runbook"] == "PASSED"
    assert "were not asked" not in done.output


def test_a_suppression_and_a_severity_hold_here_too(tmp_path: Path) -> None:
    pair = Pair("none", *(Path("/no/such/server") for _ in range(4)))
    silent = BROKEN.replace("```promql", "<!-- pytest-sre: disable=RB401 a sketch -->\n\n```promql")
    done = run(_project(tmp_path / "a" / "shop", silent), pair, "-k", "runbook")
    assert "RB401" not in done.output
    mild = "runbooks: {severities: {RB401: warning}}\n"
    done = run(_project(tmp_path / "b" / "shop", BROKEN, mild), pair, "-k", "runbook")
    assert not done.failed()
    assert "[RB401]" in done.output


def test_an_alert_that_does_not_fire_costs_only_the_live_part(pair: Pair, tmp_path: Path) -> None:
    folder = _project(tmp_path / "shop", MISSPELT + BROKEN)
    rules = folder / "rules.yml"
    rules.write_text(rules.read_text().replace("> 0.05", "< -1"))
    done = run(folder, pair, "-k", "runbook")
    found = {check for _, _, _, check in _FOUND.findall(done.output)}
    assert found == {"RB401", "RB404"}, done.output
    assert "one of the alert's labels" in done.output


def test_no_server_is_started_where_no_page_is_here(tmp_path: Path) -> None:
    folder = _project(tmp_path / "shop", MISSPELT)
    (folder / "runbooks" / "checkout.md").unlink()
    pair = Pair("none", *(Path("/no/such/server") for _ in range(4)))
    done = run(folder, pair, "-k", "runbook")
    assert done.failed() == {"rules.yml::CheckoutErrors::runbook"}
    assert "were not asked" not in done.output
    assert done.status == 1
