"""`AlertmanagerConfig` objects with the real servers."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from amconfigs import RECEIVERS, config, of_kind
from servers import REPO, Pair
from shop import Result, run

from pytest_sre.model.routing import Integration
from pytest_sre.sources.amconfig_merge import with_objects
from pytest_sre.stack import alertmanager
from pytest_sre.stack.safe_alertmanager import safe_copy

RULES = """groups:
- name: g
  rules:
  - alert: ShopDown
    expr: up{job="shop"} == 0
    labels: {namespace: shop, severity: page}
    annotations: {summary: Shop is down}
  - alert: BankDown
    expr: up{job="bank"} == 0
    labels: {namespace: bank, severity: page}
    annotations: {summary: Bank is down}
"""
BASE = """route:
  receiver: all
  routes: [{receiver: audit}]
receivers:
- name: all
- name: audit
  webhook_configs: [{url: https://audit.example}]
"""
HOOK = "  - name: r\n    webhookConfigs: [{urlSecret: {name: s, key: k}}]\n"


def repository(tmp_path: Path, **files: str) -> Path:
    for name, text in {"rules": RULES, **files}.items():
        (tmp_path / f"{name}.yml").write_text(text)
    return tmp_path


def reached(result: Result) -> dict[str, set[str]]:
    return {
        alert["alert"]: {one["receiver"] for one in alert["notifications"]} for alert in result.seen["alerts"]
    }


def test_an_alert_reaches_the_object_of_its_namespace_and_no_other(tmp_path: Path, pair: Pair) -> None:
    repo = repository(
        tmp_path,
        objects=config("team", "shop", HOOK) + "---\n" + config("team", "bank", HOOK),
        alertmanager=BASE,
    )
    result = run(repo, pair, "-k", "pages or loads")

    assert result.status == 0, result.output
    assert reached(result) == {"ShopDown": {"shop/team/r", "audit"}, "BankDown": {"bank/team/r", "audit"}}
    assert result.outcomes["objects.yml::loads"] == "PASSED"


def test_the_example_of_the_documentation_pages(tmp_path: Path, pair: Pair) -> None:
    page = (REPO / "docs/alertmanagerconfig.md").read_text("utf-8")
    example, base, *_ = re.findall(r"^```yaml\n(.*?)^```$", page, re.M | re.S)
    result = run(repository(tmp_path, objects=example, alertmanager=base), pair, "-k", "pages")

    assert result.status == 0, result.output
    assert reached(result) == {"ShopDown": {"shop/team/pager", "audit"}, "BankDown": {"audit"}}


def test_objects_alone_join_the_configuration_of_the_operator(tmp_path: Path, pair: Pair) -> None:
    result = run(repository(tmp_path, objects=config("team", "shop", HOOK)), pair, "-k", "pages")

    assert reached(result) == {"ShopDown": {"shop/team/r"}, "BankDown": set()}


def test_what_alertmanager_refuses_is_told_at_the_line_of_the_object(tmp_path: Path, pair: Pair) -> None:
    receivers = '  - name: r\n    slackConfigs:\n    - apiURL: {name: s, key: k}\n      shortFields: "what"\n'
    repo = repository(tmp_path, a=config("team", "bank", HOOK), objects=config("team", "shop", receivers))
    result = run(repo, pair, "-k", "pages or loads")

    assert "objects.yml::loads" in result.failed()
    line = config("team", "shop", receivers).splitlines().index('      shortFields: "what"') + 1
    assert f"objects.yml:{line}" in result.message("objects.yml::loads"), result.output


def test_what_is_unknown_costs_that_object_alone(tmp_path: Path, pair: Pair) -> None:
    bad = config("team", "bank", HOOK.replace("urlSecret", "urlSecrett"))
    result = run(
        repository(tmp_path, bad=bad, objects=config("team", "shop", HOOK)), pair, "-k", "pages or loads"
    )

    assert "urlSecrett" in result.message("bad.yml::loads"), result.output
    assert result.outcomes["rules.yml::ShopDown::pages"] == "PASSED"
    assert reached(result)["BankDown"] == set()


@pytest.mark.parametrize("kind", RECEIVERS)
def test_every_kind_of_receiver_loads(kind: str, pair: Pair, tmp_path: Path) -> None:
    known = version(pair) >= tuple(map(int, RECEIVERS[kind][1].split(".")))
    routing, refused = with_objects(None, [("o.yml", config("team", "shop", of_kind(kind)))])

    assert not refused
    assert routing is not None
    assert routing.integrations == (Integration("shop/team/r", kind, 0),)
    for document in (
        routing.document,
        safe_copy(routing, lambda _: "http://127.0.0.1:1", lambda *_: "h", "127.0.0.1:1", tmp_path).document,
    ):
        path, _ = alertmanager.write_config(document, tmp_path)
        answer = subprocess.run(
            [pair.amtool, "check-config", path], capture_output=True, text=True, check=False
        )
        assert (answer.returncode == 0) == known, answer.stdout + answer.stderr


def version(pair: Pair) -> tuple[int, ...]:
    text = subprocess.run([pair.amtool, "--version"], capture_output=True, text=True, check=True).stdout
    found = re.search(r"version (\d+)\.(\d+)", text)
    assert found
    return tuple(map(int, found.groups()))
