"""Several `Alertmanager` objects in one repository."""

from __future__ import annotations

import pytest
from amconfigs import config
from test_operator_whole import HOOK, merged

SERVER = """apiVersion: monitoring.coreos.com/v1
kind: Alertmanager
metadata: {{name: main, namespace: {}}}
spec:
"""
TAKEN = "  alertmanagerConfigSelector: {}\n"
ANYWHERE = TAKEN + "  alertmanagerConfigNamespaceSelector: {}\n"
EXCEPT = "  alertmanagerConfigMatcherStrategy: {type: OnNamespaceExceptForAlertmanagerNamespace}\n"
WHOLE = "  alertmanagerConfiguration: {name: t}\n"


def refusals(spec: str) -> list[tuple[str, str]]:
    servers = [SERVER.format(namespace) + spec for namespace in ("mon", "bank")]
    objects = [config("t", namespace, HOOK) for namespace in ("mon", "bank")]
    return [(one.path, one.reason) for one in merged(*servers, *objects)[1] if one.broken]


@pytest.mark.parametrize("spec", [TAKEN, ANYWHERE + EXCEPT, WHOLE, ANYWHERE + WHOLE])
def test_two_in_two_namespaces_take_different_objects_where_their_own_decides(spec: str) -> None:
    ((path, reason),) = refusals(spec)

    assert path == "1.yml"
    assert "the Alertmanagers mon/main and bank/main take different AlertmanagerConfig objects" in reason
    assert "`scopes:`" in reason


@pytest.mark.parametrize("spec", ["  replicas: 1\n", EXCEPT, ANYWHERE])
def test_two_in_two_namespaces_may_take_the_same(spec: str) -> None:
    assert refusals(spec) == []


@pytest.mark.parametrize(
    ("spec", "what"),
    [
        (WHOLE, "alertmanagerConfiguration names AlertmanagerConfig bank/t, which is not in this repository"),
        ("  alertmanagerConfigMatcherStrategy: {type: Foo}\n", "alertmanagerConfigMatcherStrategy 'Foo' is none of"),
        ("  alertmanagerConfigSelector: {matchLabel: {}}\n", "`matchLabel`"),
    ],
)  # fmt: skip
def test_one_that_is_wrong_is_told_without_any_object(spec: str, what: str) -> None:
    routing, (one,) = merged(SERVER.format("mon") + TAKEN, SERVER.format("bank") + spec)

    assert routing is None
    assert one.path == "1.yml"
    assert one.broken
    assert what in one.reason


def test_two_that_would_take_different_objects_are_right_where_there_are_none() -> None:
    assert merged(*(SERVER.format(namespace) + TAKEN for namespace in ("mon", "bank"))) == (None, [])
