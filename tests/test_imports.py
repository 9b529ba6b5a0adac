"""A run without `--sre-*` costs nothing noticeable: the plugin module imports nothing heavy."""

from __future__ import annotations

import subprocess
import sys

HEAVY = (
    "pydantic", "yaml", "requests", "docker", "testcontainers", "promql_parser", "cryptography", "trustme",
    "google.protobuf", "prometheus_client", "aiosmtpd", "psutil", "asyncio",
    "markdown_it", "tree_sitter",
)  # fmt: skip


def test_the_plugin_module_imports_nothing_heavy() -> None:
    code = "import sys, pytest_sre.plugin; print(*sorted(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    loaded = done.stdout.split()
    assert "pytest_sre.plugin" in loaded
    assert [name for name in loaded if name.startswith("pytest_sre.")] == ["pytest_sre.plugin"]
    assert not set(HEAVY) & set(loaded)
    assert "pytest" not in loaded
