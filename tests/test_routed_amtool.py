"""Routes that Alertmanager says against what amtool of the same version says, for trees made up and for real ones."""

from __future__ import annotations

import itertools
import json
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from servers import REPO, Pair

from pytest_sre.live.page import Office
from pytest_sre.live.routed import routed
from pytest_sre.model.routing import preorder
from pytest_sre.settings import AlertmanagerServer
from pytest_sre.sources.alertmanager import parse_routing
from pytest_sre.stack.process import ProcessStack

CORPUS = REPO.parent / "shared" / "corpora" / "alertmanager"
RECEIVERS = ("r0", "r1", "r2", "r3", "r4")
LABELS = ("team", "severity", "tier")
VALUES = ("a", "b", "ab", "a.b", "é b")
PATTERNS = ("a", "a.*", "a|b", ".+", ".*", "[^a]", "(?i)A", "")
_numbers = itertools.count()

_equal = st.tuples(st.sampled_from(LABELS), st.sampled_from(["=", "!="]), st.sampled_from((*VALUES, "")))
_regex = st.tuples(st.sampled_from(LABELS), st.sampled_from(["=~", "!~"]), st.sampled_from(PATTERNS))


@st.composite
def routes(draw: st.DrawFn, depth: int = 3) -> dict[str, Any]:
    """A route below the root; notations old and new."""
    route: dict[str, Any] = {}
    if draw(st.booleans()):
        route["receiver"] = draw(st.sampled_from(RECEIVERS))
    written = draw(st.lists(st.one_of(_equal, _regex), max_size=2))
    if written:
        route["matchers"] = [f'{label}{op}"{value}"' for label, op, value in written]
    if draw(st.integers(0, 3)) == 0:
        route["match"] = {draw(st.sampled_from(LABELS)): draw(st.sampled_from(VALUES))}
    if draw(st.integers(0, 3)) == 0:
        route["match_re"] = {draw(st.sampled_from(LABELS)): draw(st.sampled_from(PATTERNS[:-1]))}
    route["continue"] = draw(st.booleans())
    if depth:
        route["routes"] = draw(st.lists(routes(depth=depth - 1), max_size=3))
    return route


_trees = st.lists(routes(), min_size=1, max_size=4).map(
    lambda children: {"receiver": "r0", "routes": children}
)
_sets = st.lists(
    st.dictionaries(st.sampled_from(LABELS), st.sampled_from(VALUES), min_size=1), min_size=1, max_size=6
)


def amtool(pair: Pair, config: Path, labels: Mapping[str, str]) -> list[str]:
    """The receivers that amtool says."""
    written = [f'{name}="{value}"' for name, value in labels.items()]
    done = subprocess.run(
        [pair.amtool, "config", "routes", "test", f"--config.file={config}", *written],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return done.stdout.strip().split(",")


def reached(stack: ProcessStack, config: Path, sets: Sequence[Mapping[str, str]]) -> list[list[str]]:
    """The receivers that we say."""
    routing = parse_routing(config.name, str(config.parent), config.read_text())
    office = Office(stack, AlertmanagerServer(), routing, stack.folder, False)
    every = list(preorder(routing.root))
    ends = routed(office, sets, f"routes-{next(_numbers)}")
    return [[every[number].receiver for number in numbers] for numbers in ends]


@given(tree=_trees, sets=_sets)
@hypothesis_settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_random_trees_lead_where_amtool_says(
    tree: dict[str, Any], sets: list[dict[str, str]], pair: Pair, stack: ProcessStack, tmp_path: Path
) -> None:
    config = tmp_path / "alertmanager.yml"
    config.write_text(json.dumps({"route": tree, "receivers": [{"name": name} for name in RECEIVERS]}))

    assert reached(stack, config, sets) == [amtool(pair, config, labels) for labels in sets]


def test_label_sets_of_a_real_repository_reach_the_receivers_listed(stack: ProcessStack) -> None:
    listed = CORPUS / "giantswarm.routing-tests.json"
    if not listed.exists():
        pytest.skip(f"{listed} is not there")
    tests = json.loads(listed.read_text())
    seen = {}
    for config, group in itertools.groupby(
        sorted(tests, key=lambda one: str(one["config"])), lambda one: one["config"]
    ):
        mine = list(group)
        sets = [dict(text.split("=", 1) for text in one["labels"]) for one in mine]
        for one, got in zip(mine, reached(stack, CORPUS / config, sets), strict=True):
            seen[one["config"], one["name"]] = got

    assert len(seen) == len(tests) == 35
    assert seen == {(one["config"], one["name"]): one["got"] for one in tests}
