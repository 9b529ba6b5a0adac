"""A server that ends by itself in the middle of a run is a broken stack, never a verdict."""

from __future__ import annotations

import subprocess
import time
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from servers import Pair
from shop import command

from pytest_sre.errors import StackError
from pytest_sre.settings import PrometheusServer
from pytest_sre.sources.prometheus import PrometheusConfig
from pytest_sre.stack import prometheus
from pytest_sre.stack.process import ProcessStack

SAFETY_TIMEOUT = 120.0


@pytest.mark.parametrize("victim", ["prometheus", "alertmanager"])
def test_a_server_that_dies_is_told_with_its_log(repo: Path, pair: Pair, victim: str) -> None:
    binary = getattr(pair, victim)
    running = subprocess.Popen(
        command(pair, "-k", "MemoryLow"),
        cwd=repo,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    deadline = time.monotonic() + SAFETY_TIMEOUT
    killed = False
    while not killed and time.monotonic() < deadline:
        for child in psutil.Process(running.pid).children(recursive=True):
            with suppress(psutil.NoSuchProcess):
                line = child.cmdline()
                # Prometheus needs seconds until it sends its alerts, so both are still wanted.
                serves = line[:1] == [str(binary)] and any(word.startswith("--config.file") for word in line)
                if serves and time.time() - child.create_time() > 0.5:
                    child.kill()
                    killed = True
        time.sleep(0.05)
    output, _ = running.communicate(timeout=SAFETY_TIMEOUT)

    assert running.returncode == 10, output
    assert f"{victim}-" in output
    assert "Its last log lines:" in output
    assert "Traceback" not in output


def test_check_knows_who_runs(stack: ProcessStack, tmp_path: Path) -> None:
    (tmp_path / "rules").mkdir()
    prometheus.write_config(PrometheusConfig(), stack.sink.address, "p", tmp_path)
    server = prometheus.start(stack, PrometheusServer(), tmp_path, "p")
    stack.check(server)
    stack.stop(server)
    with pytest.raises(StackError, match="p ended by itself"):
        stack.check(server)
    stack.close()
    with pytest.raises(StackError, match="the run is being ended"):
        stack.check()
