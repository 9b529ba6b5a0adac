"""pytest's ini and command-line options → Settings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pytest_sre.errors import UserError
from pytest_sre.settings import FILE_NAMES, Settings, SreYaml, read_sre_yaml


def read_settings(config: pytest.Config) -> Settings:
    """Settings of one run: sre.yaml, overridden by ini options, overridden by the command line. Raises UserError."""
    root = config.rootpath
    given = _value(config, "config", root)
    candidates = [Path(given)] if given else [root / name for name in FILE_NAMES]
    path = next((path for path in candidates if path.is_file()), None)
    if given and path is None:
        raise UserError(f"there is no file {given}")
    file = read_sre_yaml(path) if path else SreYaml()
    folder = path.parent.resolve() if path else root
    updates: dict[str, Any] = {}
    rules = config.getoption("sre_rules") or config.getini("sre_rules")
    if rules:
        base = config.invocation_params.dir if config.getoption("sre_rules") else root
        updates["rules"] = tuple(str(base / pattern) for pattern in rules)
    for name in ("alertmanager", "prometheus"):
        value = _value(config, f"{name}-config", root)
        if value:
            updates[name] = value
    strict = config.getoption("sre_strict") or config.getini("sre_strict")
    if isinstance(strict, bool):  # in the ini file it may be false, or not there at all
        updates["strict"] = strict
    updates["servers"] = _servers(config, file, folder)
    json_path = _value(config, "json", root)
    return Settings(
        root=root,
        folder=folder,
        file=file.model_copy(update=updates),
        keep=config.getoption("sre_keep"),
        json_path=json_path or None,
    )


def _servers(config: pytest.Config, file: SreYaml, folder: Path) -> Any:
    """Binaries named in sre.yaml with a slash are relative to it; those on the command line to the current folder."""
    servers = file.servers
    binaries = {
        "prometheus": servers.prometheus.binary,
        "promtool": servers.prometheus.promtool,
        "alertmanager": servers.alertmanager.binary,
    }
    for name, value in binaries.items():
        binaries[name] = _value(config, name, config.rootpath) or (
            str(folder / value) if value and "/" in value else value
        )
    return servers.model_copy(
        update={
            "prometheus": servers.prometheus.model_copy(
                update={"binary": binaries["prometheus"], "promtool": binaries["promtool"]}
            ),
            "alertmanager": servers.alertmanager.model_copy(update={"binary": binaries["alertmanager"]}),
        }
    )


def _value(config: pytest.Config, name: str, root: Path) -> str:
    """An option's path: from the command line relative to the current folder, from the ini file to the root."""
    key = f"sre_{name.replace('-', '_')}"
    option = config.getoption(key)
    text, base = (option, config.invocation_params.dir) if option else (config.getini(key), root)
    if not text:
        return ""
    plain_command = name in ("prometheus", "promtool", "alertmanager") and "/" not in text
    return str(text) if plain_command else str(base / text)
