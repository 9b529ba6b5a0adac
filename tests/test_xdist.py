"""Workers of pytest-xdist share one observation; whichever process is killed, no server outlives the run."""

from __future__ import annotations

import dataclasses
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
import pytest
from servers import NO_SERVERS, PAIRS, Pair, unavailable
from shop import SUMMARY, command, run

SAFETY_TIMEOUT = 120.0
SOME = "BurnFast or MemoryLow or loads or policy"
CLOCKS = 3
"""Servers of a run: the live one, that for virtual time, that for unit tests."""


@pytest.fixture
def noted(tmp_path: Path) -> Pair:
    """A pair whose Prometheus notes its process id in the file `starts` before it becomes the real one."""
    if not PAIRS:
        unavailable(NO_SERVERS)
    script = tmp_path / "prometheus"
    note = f'[ "$1" = --version ] || echo $$ >>{tmp_path}/starts'
    script.write_text(f'#!/bin/sh\n{note}\nexec {PAIRS[0].prometheus} "$@"\n')
    script.chmod(0o755)
    return dataclasses.replace(PAIRS[0], prometheus=script)


def started(pair: Pair) -> list[int]:
    """Process ids of all Prometheus servers that were started."""
    path = pair.prometheus.with_name("starts")
    return list(map(int, path.read_text().split())) if path.exists() else []


def wait_for(what: Callable[[], object]) -> None:
    deadline = time.monotonic() + SAFETY_TIMEOUT
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:  # it may end between any two questions
        return False


def what_fired(seen: Any) -> list[Any]:
    return [(alert["alert"], alert["state"], len(alert["notifications"])) for alert in seen["alerts"]]


def test_one_stack_serves_all_workers(repo: Path, noted: Pair) -> None:
    alone = run(repo, noted, "-k", SOME, "-p", "no:xdist")
    servers = len(started(noted))
    result = run(repo, noted, "-k", SOME, "-n", "4")

    assert alone.status == result.status == 0, result.output
    assert servers == CLOCKS
    assert len(started(noted)) == 2 * servers
    assert what_fired(result.seen) == what_fired(alone.seen)
    assert "4 alerts fired" in result.output
    assert re.search(SUMMARY, result.output)


def test_a_failure_is_told_with_its_chain(repo: Path, noted: Pair) -> None:
    rules = repo / "rules" / "platform.yml"
    rules.write_text(rules.read_text().replace("severity: ticket", "severity: nothing"))
    result = run(repo, noted, "-k", "MemoryLow", "-n", "2")

    assert result.status == 1
    assert "route     alertmanager.yml:" in result.output


def test_a_broken_stack_is_told_once(repo: Path, noted: Pair) -> None:
    missing = dataclasses.replace(noted, alertmanager=Path("/nowhere/alertmanager"))
    result = run(repo, missing, "-k", SOME, "-n", "2", "-rE")

    assert result.status == 10, result.output
    assert result.output.count("/nowhere/alertmanager (not an executable file)") <= 2  # message and summary
    assert "1 error" in result.output
    assert "Traceback" not in result.output


def test_workers_share_what_python_tests_ask(repo: Path, noted: Pair) -> None:
    asked = ["burn(slo='checkout-availability', error_ratio=0.05)", "fire('CheckoutErrorBudgetBurnSlow')"]
    text = "def test_{}(sre):\n    assert sre.{}.expect_ticket('CheckoutErrorBudgetBurnSlow').title\n"
    tests = [text.format(number, asked[number % 2]) for number in range(6)]
    (repo / "tests" / "test_slow.py").write_text("\n".join(tests))
    alone = run(repo, noted, "tests/test_slow.py", "-p", "no:xdist")
    servers = len(started(noted))
    seen = run(repo, noted, "tests/test_slow.py", "-n", "2")
    assert alone.status == seen.status == 0, seen.output
    assert list(seen.outcomes.values()) == ["PASSED"] * 6
    assert servers > 0
    assert len(started(noted)) == 2 * servers

    broken = dataclasses.replace(noted, alertmanager=Path("/nowhere/alertmanager"))
    seen = run(repo, broken, "tests/test_slow.py", "-n", "2")
    assert seen.status == 10, seen.output
    assert "6 errors" in seen.output
    assert "/nowhere/alertmanager (not an executable file)" in seen.output


def test_when_the_worker_that_fires_is_killed_another_one_does(repo: Path, noted: Pair) -> None:
    running = subprocess.Popen(
        command(noted, "-k", SOME, "-n", "2"), cwd=repo, stdout=subprocess.PIPE, text=True
    )
    wait_for(lambda: started(noted))
    first = started(noted)[0]
    os.kill(psutil.Process(first).ppid(), signal.SIGKILL)
    output, _ = running.communicate(timeout=SAFETY_TIMEOUT)

    assert "4 alerts fired" in output
    assert CLOCKS < len(started(noted)) <= 2 * CLOCKS
    wait_for(lambda: not any(map(alive, started(noted))))


def test_when_the_controller_is_killed_no_server_is_left(repo: Path, noted: Pair) -> None:
    running = subprocess.Popen(command(noted, "-k", SOME, "-n", "2"), cwd=repo, stdout=subprocess.DEVNULL)
    wait_for(lambda: started(noted))
    workers = psutil.Process(running.pid).children()
    running.send_signal(signal.SIGKILL)
    running.wait()

    wait_for(lambda: not any(map(alive, started(noted))))
    wait_for(lambda: not any(alive(worker.pid) for worker in workers))


def test_a_terminated_controller_ends_its_workers_at_once(repo: Path, noted: Pair, tmp_path: Path) -> None:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    running = subprocess.Popen(
        command(noted, "-k", SOME, "-n", "2"),
        cwd=repo,
        env={**os.environ, "TMPDIR": str(temporary)},
        stdout=subprocess.PIPE,
        text=True,
    )
    wait_for(lambda: started(noted))
    running.send_signal(signal.SIGTERM)
    output, _ = running.communicate(timeout=SAFETY_TIMEOUT)

    assert running.returncode == 128 + signal.SIGTERM, output
    wait_for(lambda: not any(map(alive, started(noted))))
    assert [path for path in temporary.iterdir() if path.name.startswith("pytest-sre-")] == []
    assert "alerts fired" not in output


def test_runs_side_by_side_do_not_disturb_each_other(repo: Path, noted: Pair) -> None:
    other = repo.parent.parent / "other" / "shop"
    other.parent.mkdir()
    shutil.copytree(repo, other)
    with ThreadPoolExecutor(2) as pool:
        runs = [pool.submit(run, folder, noted, "-k", "MemoryLow", "-n", "2") for folder in (repo, other)]
        results = [one.result() for one in runs]

    assert [result.status for result in results] == [0, 0], results[0].output + results[1].output
    assert what_fired(results[0].seen) == what_fired(results[1].seen)
