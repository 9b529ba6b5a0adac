"""Label selectors of Kubernetes."""

from __future__ import annotations

import pytest

from pytest_sre.sources.operator_selectors import Unreadable, requirements
from pytest_sre.sources.yamlfile import load_all

LABELS = {"team": "shop", "tier": "1"}


def asked(text: str) -> bool:
    return all(one.met(LABELS) for one in requirements(load_all(text)[0].value, "s"))


@pytest.mark.parametrize(
    ("selector", "selects"),
    [
        ("{}", True),
        ("matchLabels: {team: shop, tier: 1}", True),
        ("matchLabels: {team: bank}", False),
        ("matchExpressions: [{key: team, operator: In, values: [bank, shop]}]", True),
        ("matchExpressions: [{key: team, operator: In, values: [bank]}]", False),
        ("matchExpressions: [{key: none, operator: In, values: [None]}]", False),
        ("matchExpressions: [{key: team, operator: NotIn, values: [bank]}]", True),
        ("matchExpressions: [{key: team, operator: NotIn, values: [shop]}]", False),
        ("matchExpressions: [{key: none, operator: NotIn, values: [shop]}]", True),
        ("matchExpressions: [{key: team, operator: Exists}]", True),
        ("matchExpressions: [{key: none, operator: Exists}]", False),
        ("matchExpressions: [{key: none, operator: DoesNotExist}]", True),
        ("matchExpressions: [{key: team, operator: DoesNotExist}]", False),
        ("{matchLabels: {team: shop}, matchExpressions: [{key: tier, operator: In, values: [2]}]}", False),
    ],
)
def test_what_a_selector_selects(selector: str, selects: bool) -> None:
    assert asked(selector) is selects


@pytest.mark.parametrize(
    ("selector", "what"),
    [
        ("matchLabel: {team: shop}", "`matchLabel` of s is none of"),
        ("matchLabels: [team]", "is not a mapping"),
        ("matchExpressions: {key: team}", "is not a list"),
        ("matchExpressions: [team]", "has no `key`"),
        ("matchExpressions: [{key: team, operator: in, values: [a]}]", "'in' of s is none of"),
        ("matchExpressions: [{key: team, operator: In}]", "In takes some"),
        ("matchExpressions: [{key: team, operator: Exists, values: [a]}]", "Exists takes none"),
    ],
)
def test_what_kubernetes_refuses_is_told(selector: str, what: str) -> None:
    with pytest.raises(Unreadable) as error:
        asked("\n" + selector)

    assert what in str(error.value)
    assert error.value.line == 2
