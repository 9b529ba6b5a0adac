"""Routes in Python tests, by a real Alertmanager that stays open for the run."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path

import psutil
import pytest
from servers import PAIRS, Pair, unavailable
from shop import command, edit, run

from pytest_sre.errors import UserError
from pytest_sre.incidents.routes import read_label_sets
from pytest_sre.session import EXIT_BROKEN_STACK

ALERTMANAGER = """\
route:
  receiver: rest
  routes:
  - matchers: [severity="page"]
    receiver: audit
    continue: true
  - matchers: [severity="page", team="a"]
    receiver: pager-a
    continue: true
    mute_time_intervals: [christmas]
  - matchers: [severity="page"]
    receiver: pager
    routes:
    - {matchers: [team="b"], receiver: audit}
time_intervals:
- name: christmas
  time_intervals: [{months: [december], days_of_month: ["25"]}]
receivers: [{name: rest}, {name: audit}, {name: pager-a}, {name: pager}]
"""
PASSING = """\
import os

CHRISTMAS = "2026-12-25T03:00+00:00"

def test_order(sre):
    assert sre.route({"alertname": "A"}) == ("rest",)
    assert sre.route({"severity": "page", "team": "a"}) == ("audit", "pager-a", "pager")
    assert sre.route({"severity": "page", "team": "b", "zone": ""}) == ("audit",)

def test_at(sre):
    labels = {"severity": "page", "team": "a"}
    assert sre.route(labels, at=CHRISTMAS) == ("audit", "pager")
    assert sre.route(labels, at="2026-12-24T03:00+01:00") == ("audit", "pager-a", "pager")

def test_many(sre):
    for number in range(50):
        assert sre.route({"severity": "page", "number": str(number)}) == ("audit", "pager")
    asked = [{"team": "a", "severity": "page" if number % 2 else "low", "n": str(number)} for number in range(500)]
    assert sre.routes(asked) == [("audit", "pager-a", "pager") if n % 2 else ("rest",) for n in range(500)]
    assert sre.routes([]) == []
"""
FAILING = """\
import pytest

def test_wrong(sre):
    assert sre.route({"severity": "page"}) == ("pager",)

def test_empty(sre):
    sre.route({"severity": ""})

def test_refused(sre):
    sre.routes([{"a": "b"}, {"a": "b\\\\udc00"}])
"""
HANGING = """\
import time

def test_hanging(sre):
    sre.route({"alertname": "A"})
    print("asked", flush=True)
    time.sleep(600)
"""
AGAIN = """\
import signal

import pytest

from pytest_sre.errors import UserError
from pytest_sre.incidents import asked

def ask(sre):
    with pytest.raises((UserError, asked.BrokenStack)) as raised:
        sre.route({"alertname": "A"})
    return str(raised.value)

def test_again(sre, monkeypatch):
    said, end = ask(sre), signal.getsignal(signal.SIGTERM)
    monkeypatch.setattr(asked, "open_router", None)
    assert [ask(sre) for _ in range(3)] == [said] * 3
    assert signal.getsignal(signal.SIGTERM) is end
"""
SAFETY_TIMEOUT = 120.0


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A repository of a few routes."""
    folder = tmp_path / "tree"
    folder.mkdir()
    (folder / "alertmanager.yml").write_text(ALERTMANAGER)
    (folder / "sre.yaml").write_text("alertmanager: alertmanager.yml\n")
    (folder / "pytest.ini").write_text("[pytest]\n")
    return folder


def test_receivers_in_the_order_of_the_routes(tree: Path, pair: Pair) -> None:
    (tree / "test_routes.py").write_text(PASSING)
    seen = run(tree, pair, "test_routes.py")
    assert seen.status == 0, seen.output
    assert list(seen.outcomes.values()) == ["PASSED"] * 3


def test_each_worker_may_ask(tree: Path, newest: Pair) -> None:
    (tree / "test_routes.py").write_text(PASSING)
    seen = run(tree, newest, "-n", "2", "test_routes.py")
    assert seen.status == 0, seen.output
    assert list(seen.outcomes.values()) == ["PASSED"] * 3


def test_failures(tree: Path, newest: Pair) -> None:
    (tree / "test_routes.py").write_text(FAILING)
    seen = run(tree, newest, "test_routes.py")
    assert seen.status == 1, seen.output
    assert "assert ('audit', 'pager') == ('pager',)" in seen.output
    assert "sre.route: labels: needs a label that is not empty" in seen.output
    assert "pytest_sre/" not in seen.output, seen.output


def test_one_that_is_refused_is_named(tree: Path) -> None:
    oldest = next((one for one in PAIRS if one.name == "bookworm"), None)
    if oldest is None:
        unavailable("Alertmanager 0.25 takes no blank in a label's name; there is none here")
    text = 'def test_refused(sre):\n    sre.routes([{"a": "b"}, {"a b": "c"}])\n'
    (tree / "test_routes.py").write_text(text)
    seen = run(tree, oldest, "test_routes.py")
    assert seen.status == 1, seen.output
    assert "{'a b': 'c'} is no alert to this Alertmanager: " in seen.output
    assert "pytest_sre/" not in seen.output, seen.output


def test_a_configuration_that_does_not_load(tree: Path, newest: Pair) -> None:
    (tree / "test_routes.py").write_text(PASSING)
    edit(tree / "alertmanager.yml", "mute_time_intervals: [christmas]", "mute_time_intervals: [easter]")
    seen = run(tree, newest, "-k", "order", "test_routes.py")
    assert seen.status == 1, seen.output
    assert re.search(r'UserError: alertmanager.yml:\d+: undefined time interval "easter"', seen.output)


def test_one_that_does_not_open_is_not_started_again(tree: Path, newest: Pair) -> None:
    (tree / "test_routes.py").write_text(AGAIN)
    seen = run(tree, replace(newest, alertmanager=Path("/nowhere/alertmanager")), "test_routes.py")
    assert seen.outcomes == {"test_routes.py::test_again": "PASSED"}, seen.output
    edit(tree / "alertmanager.yml", "mute_time_intervals: [christmas]", "mute_time_intervals: [easter]")
    seen = run(tree, newest, "test_routes.py")
    assert seen.outcomes == {"test_routes.py::test_again": "PASSED"}, seen.output


def test_a_broken_stack_is_an_error(tree: Path, newest: Pair) -> None:
    (tree / "test_routes.py").write_text(PASSING)
    broken = replace(newest, alertmanager=Path("/nowhere/alertmanager"))
    for workers in ("0", "2"):
        seen = run(tree, broken, "-n", workers, "test_routes.py")
        assert seen.status == EXIT_BROKEN_STACK, seen.output
        assert "3 errors" in seen.output
        assert "/nowhere/alertmanager (not an executable file)" in seen.output
        assert "pytest_sre/" not in seen.output, seen.output


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_no_server_outlives_the_run(tree: Path, newest: Pair, how: signal.Signals) -> None:
    (tree / "test_routes.py").write_text(HANGING)
    running = subprocess.Popen(
        command(newest, "-s", "test_routes.py"),
        cwd=tree,
        stdout=subprocess.PIPE,
        text=True,
        # A shell's background jobs ignore SIGINT, and so would what they start.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    assert running.stdout is not None
    assert any("asked" in line for line in running.stdout)
    servers = psutil.Process(running.pid).children()
    assert [one.name()[:12] for one in servers] == ["prometheus-a"]
    os.kill(running.pid, how)
    running.communicate(timeout=SAFETY_TIMEOUT)
    deadline = time.monotonic() + SAFETY_TIMEOUT
    while any(one.is_running() for one in servers):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    if how != signal.SIGKILL:
        assert not Path(servers_folder(running.pid)).exists()


def servers_folder(pid: int) -> str:
    """The folder of a run's servers; the process's id is in its name."""
    base = Path(f"/tmp/pytest-sre-{os.getuid()}")
    return str(next(base.glob(f"{pid}-*"), base / "none"))


@pytest.mark.parametrize(
    ("labels", "at", "words"),
    [
        ({}, None, "needs a label that is not empty"),
        ({"": "a"}, None, "a label without a name"),
        ({"a": 1}, None, "must be a string"),
        ("a", None, "must be a mapping"),
        ({"a": "b"}, "2026-12-25T03:00", "needs an offset"),
        ({"a": "b"}, datetime(2026, 12, 25), "needs an offset"),
        ({"a": "b"}, "noon", "at: "),
    ],
)
def test_what_cannot_be_asked(labels: object, at: datetime | str | None, words: str) -> None:
    with pytest.raises(UserError, match=words):
        read_label_sets([labels], at)  # type: ignore[list-item]


def test_times_with_an_offset() -> None:
    christmas = datetime(2026, 12, 25, 3, tzinfo=timezone.utc)
    assert read_label_sets([{"a": "b"}], "2026-12-25T04:00+01:00") == ([{"a": "b"}], christmas)
    assert read_label_sets([{"a": "b"}], christmas)[1] == christmas
