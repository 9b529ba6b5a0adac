"""Public Alertmanager configurations: all that is routed is captured, nothing gets out, and what is wrong is told."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from servers import REPO, Pair, run_isolated

from pytest_sre.sources.alertmanager import parse_routing
from pytest_sre.sources.yamlfile import load_all
from pytest_sre.stack.blamed import blamed

sys.path.insert(0, str(REPO / "benchmarks"))

from configurations import hidden, label_sets

CORPUS = REPO.parent / "shared" / "corpora" / "alertmanager"
FALLBACK = Path("/work/shared/corpora/alertmanager")
# Our own reader sees that it routes to a receiver that is not there, before Alertmanager sees an unknown field.
FOUND_BEFORE = {"config__testdata__conf.opsgenie-default-apikey-old-team.yml"}
SAFETY_TIMEOUT = 900.0


@pytest.fixture(scope="module")
def corpus() -> Path:
    return find_corpus()


def find_corpus() -> Path:
    found = next((path for path in (CORPUS, FALLBACK) if path.is_dir()), None)
    if found is None:
        pytest.skip("no corpus of configurations")
    return found


def run(pair: Pair, corpus: Path, folder: Path) -> tuple[list[dict[str, Any]], str]:
    """The benchmark, where nothing but loopback leads anywhere."""
    report = folder / "report.json"
    script = REPO / "benchmarks" / "configurations.py"
    options = ["--servers", pair.alertmanager.parent, "--json", report]
    done = run_isolated([sys.executable, script, corpus, *options], timeout=SAFETY_TIMEOUT)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (done.leaked, done.destinations) == (0, ())
    return json.loads(report.read_text()), done.stdout


def test_public_configurations_from_copy_to_the_last_notification(
    pair: Pair, corpus: Path, tmp_path: Path
) -> None:
    outcomes, table = run(pair, corpus, tmp_path)
    loaded = [one for one in outcomes if one["loads"]]
    assert len(loaded) >= 30
    assert not [one for one in loaded if one["said"] or one["errors"] or not one["sets"]]
    assert sum(one["expected"] for one in loaded) == sum(one["captured"] for one in loaded) > 100
    assert not [one["name"] for one in outcomes if one["secrets"]]
    assert str(len(loaded)) in table

    for one in outcomes:
        if one["loads"]:
            continue
        place, _, message = one["said"].partition(": ")
        assert place.startswith(f"{one['name']}:")
        assert int(place.rpartition(":")[2]) > 1, one
        if one["name"] not in FOUND_BEFORE:
            assert message in " ".join(one["own_words"].split())


CONFIG = """\
route:
  receiver: a
  routes:
  - matchers: [team=~"x|y", severity!=page]
    receiver: b
    routes:
    - matchers: [severity=~"w.+"]
      receiver: a
receivers:
- name: a
  telegram_configs:
  - bot_token: "12:abcdefgh"
    chat_id: 1
- name: b
  victorops_configs:
  - api_key: not-a-public-one
    routing_key: in-the-open
"""


def test_a_label_set_for_each_route() -> None:
    routing = parse_routing("am.yml", ".", CONFIG)
    found = list(label_sets(routing.root))
    assert found[0] == {}
    leaf = routing.root.routes[0]
    assert [set(labels) for labels in found[1:]] == [{"team"}, {"team", "severity"}]
    for matcher in (*leaf.matchers, *leaf.routes[0].matchers):
        assert matcher.matches(found[2])


def test_secrets_are_known_by_the_kind_that_holds_them() -> None:
    assert hidden(load_all(CONFIG)[0].value) == ["12:abcdefgh", "not-a-public-one"]


@pytest.mark.parametrize(
    ("message", "line"),
    [
        ("missing bot_token or bot_token_file on telegram_config", 12),
        ("no global VictorOps API Key set", 15),
        ('undefined receiver "b" used in route', 5),
        ("couldn't parse timestamp 12:abcdefgh, invalid format", 12),
        ("error parsing regexp: missing closing ): `^(?:in-the-open)$`", 17),
        ("something else is wrong", 1),
    ],
)
def test_a_complaint_without_a_line_points_at_what_it_names(message: str, line: int) -> None:
    assert blamed(load_all(CONFIG)[0].value, message) == line


@given(st.text())
def test_any_complaint_has_a_line_of_the_file(message: str) -> None:
    assert 1 <= blamed(load_all(CONFIG)[0].value, message) <= len(CONFIG.splitlines())
