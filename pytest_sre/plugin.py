"""pytest's hooks: options only; everything else is imported when `--sre-alerts` asks for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

# (name, whether a command-line value adds up, help)
_VALUES = (
    ("config", "the file sre.yaml (default: in the root folder)"),
    ("alertmanager-config", "the Alertmanager configuration to test with"),
    ("prometheus-config", "the prometheus.yml whose external_labels and alert relabelling count"),
    ("prometheus", "the prometheus binary"),
    ("promtool", "the promtool binary"),
    ("alertmanager", "the alertmanager binary"),
    ("json", "write all observations to this file"),
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the options; ini options have the same names with underscores."""
    group = parser.getgroup("sre", "alerts, fired for real (pytest-sre)")
    group.addoption("--sre-alerts", action="store_true", help="fire alert rules through real servers")
    group.addoption("--sre-strict", action="store_true", help="fail where an alert's test is skipped")
    group.addoption(
        "--sre-keep", action="store_true", help="leave the servers up at the end, print their addresses"
    )
    group.addoption(
        "--sre-rules", action="append", metavar="GLOB", help="rule files to test (more than once: all)"
    )
    parser.addini("sre_rules", "rule files to test (globs)", type="args")
    parser.addini("sre_strict", "fail where an alert's test is skipped", type="bool", default=None)
    for name, text in _VALUES:
        group.addoption(f"--sre-{name}", metavar="FILE", help=text)
        parser.addini(f"sre_{name.replace('-', '_')}", text)


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker; with `--sre-alerts` also the plugin that does the work."""
    config.addinivalue_line("markers", "sre: an alert's test, made by pytest-sre")
    if config.getoption("sre_alerts"):
        from pytest_sre.collect import Plugin

        config.pluginmanager.register(Plugin(config), "sre-alerts")
