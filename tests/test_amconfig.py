"""`AlertmanagerConfig` objects → parts of an Alertmanager configuration."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from amconfigs import RECEIVERS, config, of_kind
from hypothesis import given
from hypothesis import strategies as st
from servers import REPO

from pytest_sre.model.routing import Matcher, Routing
from pytest_sre.settings import Settings, SreYaml
from pytest_sre.sources.alertmanager import parse_matchers, parse_routing
from pytest_sre.sources.amconfig_merge import Refused, with_objects
from pytest_sre.sources.discover import discover
from pytest_sre.sources.operator_objects import looks_like_objects
from pytest_sre.sources.yamlfile import List, Map, load_all
from pytest_sre.stack.safe_alertmanager import safe_copy

HOOK = "  - name: r\n    webhookConfigs: [{url: https://x.example}]\n"
SERVER = "apiVersion: monitoring.coreos.com/v1\nkind: Alertmanager\nmetadata: {name: am, namespace: monitoring}\nspec:\n"
ALL = "  alertmanagerConfigSelector: {}\n  alertmanagerConfigNamespaceSelector: {}\n"
BASE = (
    "route: {receiver: a, routes: [{receiver: a}]}\nreceivers: [{name: a}]\ninhibit_rules: [{equal: [x]}]\n"
)


def joined(*texts: str, base: str = "") -> Routing:
    routing, refused = with_objects(
        parse_routing("base.yml", "/", base) if base else None,
        [(f"{i}.yml", text) for i, text in enumerate(texts)],
    )
    assert not refused
    assert routing is not None
    return routing


def refused(*texts: str) -> list[Refused]:
    return with_objects(None, [(f"{i}.yml", text) for i, text in enumerate(texts)])[1]


def test_receivers_are_named_and_routes_come_first_in_order_of_their_names() -> None:
    texts = (config("b", "shop", HOOK), config("a", "shop", HOOK) + "---\n" + config("z", "bank", HOOK))
    routing = joined(*texts, base=BASE)

    assert routing.receivers == ("a", "bank/z/r", "shop/a/r", "shop/b/r")
    assert [route.receiver for route in routing.root.routes] == ["bank/z/r", "shop/a/r", "shop/b/r", "a"]
    assert [route.continues for route in routing.root.routes] == [True, True, True, False]
    assert routing.root.routes[0].matchers == (Matcher("namespace", "=", "bank"),)
    assert routing.paths == ("base.yml", "0.yml", "1.yml")
    assert str(routing.root.routes[2].location) == "0.yml:2"


def test_inhibit_rules_and_intervals_belong_to_the_namespace() -> None:
    more = """  inhibitRules:
  - sourceMatch: [{name: severity, value: page}]
    targetMatch: [{name: severity, value: 'a|b', regex: true}]
    equal: [job]
  muteTimeIntervals:
  - name: nights
    timeIntervals:
    - times: [{startTime: "22:00", endTime: "24:00"}]
      weekdays: [Monday:Friday, sunday]
      daysOfMonth: [{start: 1, end: 5}, {start: -3, end: -1}]
      months: [January, 3]
      years: [2030, "2031:2032"]
"""
    text = config("t", "shop", HOOK, "receiver: r\n    muteTimeIntervals: [nights]", more)
    document = joined(text, base=BASE).document

    assert document["inhibit_rules"][1] == {
        "source_matchers": ['severity="page"', 'namespace="shop"'],
        "target_matchers": ['severity=~"a|b"', 'namespace="shop"'],
        "equal": ["job"],
    }
    assert document["route"]["routes"][0]["mute_time_intervals"] == ["shop/t/nights"]
    (interval,) = document["mute_time_intervals"]
    assert interval["name"] == "shop/t/nights"
    assert interval["time_intervals"] == [
        {
            "times": [{"start_time": "22:00", "end_time": "24:00"}],
            "weekdays": ["monday:friday", "sunday"],
            "days_of_month": ["1:5", "-3:-1"],
            "months": ["january", "3"],
            "years": ["2030", "2031:2032"],
        }
    ]


@pytest.mark.parametrize(
    ("strategy", "shop", "own"),
    [
        ("OnNamespace", True, True),
        ("OnNamespaceExceptForAlertmanagerNamespace", True, False),
        ("None", False, False),
    ],
)
def test_the_strategy_of_the_alertmanager_says_where_the_matcher_goes(
    strategy: str, shop: bool, own: bool
) -> None:
    server = SERVER + ALL + f"  alertmanagerConfigMatcherStrategy: {{type: {strategy}}}\n"
    routing = joined(config("t", "shop", HOOK), config("t", "monitoring", HOOK), server)

    guarded = {route.receiver: bool(route.matchers) for route in routing.root.routes}
    assert guarded == {"shop/t/r": shop, "monitoring/t/r": own}


def test_an_object_can_be_the_whole_configuration() -> None:
    whole = "  alertmanagerConfiguration:\n    name: main\n    global: {resolveTimeout: 3m, slackApiUrl: {name: s, key: k}}\n"
    server = SERVER + ALL + whole
    routing = joined(config("t", "shop", HOOK), config("main", "monitoring", HOOK), server)

    assert routing.root.receiver == "monitoring/main/r"
    assert routing.root.matchers == ()
    assert "continue" not in routing.document["route"]
    assert [route.receiver for route in routing.root.routes] == ["shop/t/r"]
    assert routing.document["global"]["resolve_timeout"] == "3m"
    assert routing.document["global"]["slack_api_url"].startswith("https://hooks.slack.com/")
    missing = refused(config("t", "shop", HOOK), server)
    assert "monitoring/main, which is not in this repository" in missing[0].reason


def test_what_the_alertmanager_does_not_select_is_no_part() -> None:
    for spec, why in (
        ("  replicas: 1\n", "alertmanagerConfigSelector` is not set"),
        ("  alertmanagerConfigSelector: {matchLabels: {team: a}}\n", "asks for team=a"),
        ("  alertmanagerConfigSelector: {}\n", "alertmanagerConfigNamespaceSelector` is not set"),
        (
            "  alertmanagerConfigSelector: {matchExpressions: [{key: team, operator: Exists}]}\n",
            "asks for team,",
        ),
        (
            "  alertmanagerConfigSelector: {}\n  alertmanagerConfigNamespaceSelector:\n    matchExpressions:\n"
            "    - {key: kubernetes.io/metadata.name, operator: NotIn, values: [shop, bank]}\n",
            "asks for kubernetes.io/metadata.name notin (shop, bank)",
        ),
    ):
        (one,) = refused(config("t", "shop", HOOK), SERVER + spec)
        assert why in one.reason
        assert not one.broken


@pytest.mark.parametrize(
    ("old", "new", "line", "what"),
    [
        ("receiver: r", "receiver: q", 6, 'receiver "shop/t/q" is not defined'),
        ("receiver: r", "receiver: r\n    group_by: [a]", 7, "`groupBy`"),
        ("receiver: r", "receiver: r\n    matchers: [{name: a, matchType: '==', value: b}]", 7, "'==' is none of"),
        ("receiver: r", "receiver: r\n    routes: [what]", 7, "not a mapping"),
        ("url:", "urlSecret:", 9, "reference to a Secret"),
        ("webhookConfigs", "pagerConfigs", 9, "`pagerConfigs`"),
        (", namespace: shop", "", 3, "no `metadata.namespace`"),
        ("  receivers:", "  receiver:", 7, "`receiver` of spec"),
        ("webhookConfigs", "jiraConfigs", 9, "no release of prometheus-operator has this field"),
        ("webhookConfigs", "incidentioConfigs", 9, "Alertmanager has `incidentio_configs`"),
        ("receiver: r", "groupBy: [a]", 5, "names no receiver"),
        ("receiver: r", "receiver: r\n    activeTimeIntervals: [day]", 7, '"day" is not defined'),
        ("  receivers:", "  timeIntervals: []\n  receivers:", 7, "v1alpha1, which calls it `muteTimeIntervals`"),
    ],
)  # fmt: skip
def test_what_has_no_place_is_told_with_its_line(old: str, new: str, line: int, what: str) -> None:
    good = config("t", "shop", HOOK)
    text = good.replace(old, new, 1)
    assert text != good
    routing, found = with_objects(None, [("bad.yml", text), ("good.yml", config("t", "bank", HOOK))])

    assert [(one.path, one.line, one.broken) for one in found] == [("bad.yml", line, True)]
    assert what in found[0].reason
    assert routing is not None
    assert routing.receivers == ("null", "bank/t/r")


def test_one_name_is_taken_once() -> None:
    (second,) = refused(config("t", "shop", HOOK), config("t", "shop", HOOK))

    assert (second.path, second.line) == ("1.yml", 2)
    assert "is there already, at 0.yml:2" in second.reason


@given(
    st.from_regex(r"[a-z_]{1,8}", fullmatch=True),
    st.sampled_from(["=", "!=", "=~", "!~"]),
    st.text(st.characters(exclude_categories=["Cs", "Cc"]) | st.just("\n"), max_size=9),
)
def test_matchers_say_the_same(name: str, op: str, value: str) -> None:
    matcher = f"receiver: r\n    matchers: [{{name: {name!r}, matchType: '{op}', value: {json.dumps(value, ensure_ascii=False)}}}]"
    written = joined(config("t", "shop", HOOK, matcher)).document["route"]["routes"][0]["matchers"][0]

    assert [(one.label, one.op, one.value) for one in parse_matchers(written)] == [(name, op, value)]


@pytest.mark.parametrize("kind", RECEIVERS)
def test_each_part_knows_the_line_that_it_came_from(kind: str) -> None:
    text = config("t", "shop", of_kind(kind))
    routing = joined(text, base=BASE)
    (receiver,) = routing.document["receivers"][1:]
    lines = text.splitlines()

    for key, line in keys(receiver[f"{kind}_configs"][0]):
        place = routing.place(line)
        assert place.path == "0.yml"
        words = key.replace("_", "").removeprefix("webhook").lower()
        assert words in lines[place.line - 1].lower() or key in (
            "api_url",
            "images",
            "links",
            "url",
            "text",
            "Subject",
            "a",
        )


def keys(value: Any) -> Iterator[tuple[str, int]]:
    if isinstance(value, Map):
        yield from value.lines.items()
    for item in value.values() if isinstance(value, Map) else value if isinstance(value, List) else ():
        yield from keys(item)


@pytest.mark.parametrize("kind", RECEIVERS)
def test_the_safe_copy_takes_every_kind(kind: str, tmp_path: Path) -> None:
    routing = joined(config("t", "shop", of_kind(kind)))
    copy = safe_copy(routing, lambda _: "http://127.0.0.1:1", lambda *_: "hello", "127.0.0.1:2", tmp_path)

    assert copy.document["receivers"][1][f"{kind}_configs"]


def test_they_are_found_in_lists_and_beside_others(tmp_path: Path) -> None:
    items = "".join(f"- {text}" for text in [config("t", "shop", HOOK).replace("\n", "\n  ").rstrip() + "\n"])
    (tmp_path / "list.yml").write_text(f"apiVersion: v1\nkind: List\nitems:\n{items}")
    (tmp_path / "two.yml").write_text("kind: Service\n---\n" + config("u", "bank", HOOK))
    (tmp_path / "crd.yml").write_text(
        "kind: CustomResourceDefinition\nspec: {names: {kind: AlertmanagerConfig}}\n"
    )
    (tmp_path / "helm.yml").write_text(config("{{ .Values.x }}", "shop", "{{ if }}\n"))
    inventory = discover(
        Settings(root=tmp_path, folder=tmp_path, search=tmp_path, file=SreYaml.model_validate({}))
    )

    assert inventory.broken == ()
    assert inventory.routing is not None
    assert inventory.routing.receivers == ("null", "bank/u/r", "shop/t/r")
    assert inventory.paths == ("list.yml", "two.yml")
    assert not looks_like_objects("kind: AlertmanagerConfig\napiVersion: monitoring.ridecell.io/v1beta1\n")


def test_the_documentation_shows_what_is_made_of_its_example() -> None:
    page = (REPO / "docs/alertmanagerconfig.md").read_text("utf-8")
    shown = {
        text.split("\n")[0].removeprefix("# "): text
        for text in re.findall(r"^```yaml\n(.*?)^```$", page, re.M | re.S)
    }
    routing = joined(shown["shop.yaml"], base=shown["alertmanager.yml"])

    assert routing.document == load_all(shown["result"])[0].value
    wrong = shown["shop.yaml"].replace("groupBy", "group_by")
    (error,) = with_objects(None, [("shop.yaml", wrong)])[1]
    assert f"{error.path}:{error.line}: {error.reason}\n" in page
