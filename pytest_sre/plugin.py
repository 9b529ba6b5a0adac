"""pytest's hooks: options only; everything else is imported when a run asks for it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

_VALUES = (
    ("config", "the file sre.yaml (default: in the root folder)"),
    ("alertmanager-config", "the Alertmanager configuration to test with"),
    ("prometheus-config", "the prometheus.yml whose external_labels and alert relabelling count"),
    ("baseline", "findings that are accepted; only new ones fail"),
    ("json", "write all observations to this file"),
    ("markdown", "write a summary as Markdown to this file"),
    ("codequality", "write the findings as a GitLab Code Quality report to this file"),
)
_SERVERS = (
    ("prometheus", "FILE", "a prometheus binary"),
    ("promtool", "FILE", "a promtool binary (default: beside prometheus)"),
    ("alertmanager", "FILE", "an alertmanager binary"),
    ("prometheus-image", "IMAGE", "an image of Prometheus"),
    ("alertmanager-image", "IMAGE", "an image of Alertmanager"),
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the options; ini options have the same names with underscores."""
    group = parser.getgroup("sre", "alerts, fired for real (pytest-sre)")
    group.addoption("--sre-alerts", action="store_true", help="fire alert rules through real servers")
    group.addoption("--sre-runbooks", action="store_true", help="audit the runbooks of the alerts")
    group.addoption(
        "--sre-explain", metavar="CHECK", help="print the page of a check (RB101, pages, ...) and end"
    )
    group.addoption(
        "--sre-strict", action="store_true", help="fail where something is skipped, or only warned of"
    )
    group.addoption(
        "--sre-keep", action="store_true", help="leave the servers up at the end, print their addresses"
    )
    group.addoption(
        "--sre-rules", action="append", metavar="GLOB", help="rule files to test (more than once: all)"
    )
    group.addoption(
        "--sre-changed",
        nargs="?",
        const="",
        metavar="BASE",
        help="only alerts whose meaning changed since this git revision (default: the merge request's target)",
    )
    group.addoption(
        "--sre-export-promtool", metavar="DIR", help="write the scenarios as unit tests for promtool there"
    )
    group.addoption(
        "--sre-baseline-update",
        action="store_true",
        help="accept all findings of this run: write them down there",
    )
    parser.addini("sre_export_promtool", "where to write the scenarios as unit tests for promtool")
    group.addoption("--sre-backend", choices=("auto", "docker", "process"), help="what runs the servers")
    group.addoption(
        "--sre-docker-sink", choices=("auto", "gateway", "relay"), help="how containers reach pytest"
    )
    group.addoption("--sre-relay-image", metavar="IMAGE", help="an image that has python3, for the relay")
    parser.addini("sre_backend", "what runs the servers: auto, docker or process")
    parser.addini("sre_relay_image", "an image that has python3, for the relay")
    for name, metavar, text in _SERVERS:
        several = f"{text}; more than once: on each, side by side"
        group.addoption(f"--sre-{name}", action="append", metavar=metavar, help=several)
        parser.addini(f"sre_{name.replace('-', '_')}", several, type="args")
    parser.addini("sre_rules", "rule files to test (globs)", type="args")
    parser.addini("sre_strict", "fail where an alert's test is skipped", type="bool", default=None)
    for name, text in _VALUES:
        group.addoption(f"--sre-{name}", metavar="FILE", help=text)
        parser.addini(f"sre_{name.replace('-', '_')}", text)


def pytest_cmdline_main(config: pytest.Config) -> int | None:
    """With `--sre-explain` print a page instead of running tests; raises UsageError for an unknown check."""
    asked = config.getoption("sre_explain")
    if asked is None:
        return None
    import pytest

    from pytest_sre.errors import UserError
    from pytest_sre.explain import page_of

    try:
        text = page_of(asked)
    except UserError as error:
        raise pytest.UsageError(str(error)) from None
    encoding = sys.stdout.encoding or "utf-8"
    sys.stdout.write(text.encode(encoding, "replace").decode(encoding))
    return 0


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    """Declare the hooks that a project may implement."""
    from pytest_sre import hookspecs

    pluginmanager.add_hookspecs(hookspecs)


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker and the fixture; with `--sre-alerts` or `--sre-runbooks` the plugin that does the work."""
    text = "sre(scope, version): an alert's test, made by pytest-sre; chooses what the fixture `sre` works on"
    config.addinivalue_line("markers", text)
    from pytest_sre import pyfixture

    config.pluginmanager.register(pyfixture, "sre-fixture")
    if config.getoption("sre_alerts") or config.getoption("sre_runbooks"):
        from pytest_sre.reports import Reports
        from pytest_sre.session import Plugin

        run = Plugin(config)
        config.pluginmanager.register(run, "sre-alerts")
        config.pluginmanager.register(Reports(run), "sre-reports")
