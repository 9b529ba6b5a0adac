"""At which routes label sets end: what Alertmanager says, against what its own amtool says."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_sre.live.page import NotLoaded, Office
from pytest_sre.live.routed import routed
from pytest_sre.model.routing import Routing, preorder
from pytest_sre.settings import AlertmanagerServer
from pytest_sre.sources.alertmanager import parse_routing
from pytest_sre.stack.process import ProcessStack

CONFIG = """\
route:
  receiver: default
  routes:
    - match: {team: payments}
      receiver: payments
      continue: true
      routes:
        - match_re: {severity: page|critical}
          receiver: pager
    - matchers: ['team=~"pay.*"', 'tier!=""']
      group_by: ['...']
      receiver: tiers
    - match: {team: payments}
      receiver: never
receivers:
  - name: default
    webhook_configs: [{url: 'http://user:secret@127.0.0.1/'}]
  - name: payments
  - name: pager
  - name: tiers
  - name: never
"""


def office(stack: ProcessStack, text: str, folder: Path) -> Office:
    routing = parse_routing("alertmanager.yml", str(folder), text)
    return Office(stack, AlertmanagerServer(), routing, folder, False)


def receivers(routing: Routing, numbers: tuple[int, ...]) -> list[str]:
    routes = list(preorder(routing.root))
    return [routes[number].receiver for number in numbers]


def test_alertmanager_says_at_which_routes_label_sets_end(stack: ProcessStack, tmp_path: Path) -> None:
    sets = [
        {"team": "payments", "severity": "page", "tier": "1"},
        {"team": "payments", "tier": ""},
        {"team": "payments"},
        {"team": "other", "tier": "1"},
        {"team": ""},
    ]
    asked = office(stack, CONFIG, tmp_path)
    ends = routed(asked, sets)
    assert ends == [(2, 3), (1, 4), (1, 4), (0,), ()]
    assert receivers(asked.routing, ends[0]) == ["pager", "tiers"]
    assert "secret" not in (tmp_path / "alertmanager-routes" / "alertmanager.yml").read_text()


def test_a_tree_that_does_not_load_says_where(stack: ProcessStack, tmp_path: Path) -> None:
    text = CONFIG.replace("page|critical", "(")
    with pytest.raises(NotLoaded) as error:
        routed(office(stack, text, tmp_path), [{"team": "a"}])
    assert "missing closing )" in error.value.verdict.error
