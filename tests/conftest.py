"""Fixtures for all tests: the server pairs, and a copy of the example to break."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from servers import NO_SERVERS, PAIRS, REPO, Pair, unavailable

from pytest_sre.stack.process import ProcessStack, open_stack
from pytest_sre.timemachine.engine import Engine, open_engine

pytest_plugins = ["pytester"]
# Runs within a test are no steps of a real job.
for _name in ("GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY"):
    os.environ.pop(_name, None)


@pytest.fixture(params=PAIRS or [None], ids=[pair.name for pair in PAIRS] or ["no-servers"], scope="session")
def pair(request: pytest.FixtureRequest) -> Pair:
    """Each of the version pairs in turn."""
    if request.param is None:
        unavailable(NO_SERVERS)
    assert isinstance(request.param, Pair)
    return request.param


@pytest.fixture(scope="session")
def newest() -> Pair:
    """The newest pair: one is enough for what our own code says."""
    if not PAIRS:
        unavailable(NO_SERVERS)
    return PAIRS[-1]


@pytest.fixture
def stack(pair: Pair, tmp_path: Path) -> Iterator[ProcessStack]:
    """A stack without servers on each of the version pairs."""
    folder = tmp_path / "stack"
    folder.mkdir()
    with open_stack(pair.servers, folder, keep=False) as opened:
        yield opened


@pytest.fixture(scope="module")
def engine(pair: Pair, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """An engine for virtual time on each of the version pairs, one for all tests of a module."""
    folder = tmp_path_factory.mktemp("engine")
    with (
        open_stack(pair.servers, folder, keep=False) as opened,
        open_engine(opened, pair.servers.prometheus, folder / "engine", "engine") as started,
    ):
        yield started


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    """A copy of the example shop, with runbooks and fixtures at the places that it refers to, without its Python tests."""
    leave_out = shutil.ignore_patterns("__pycache__", ".pytest_cache", "test_*.py")
    for name in ("examples/shop", "runbooks", "fixtures"):
        shutil.copytree(REPO / name, tmp_path / name, ignore=leave_out)
    return tmp_path / "examples" / "shop"
