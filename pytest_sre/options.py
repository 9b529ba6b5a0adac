"""pytest's ini and command-line options → Options and Settings."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pytest_sre.baseline import Baseline, read_baseline
from pytest_sre.errors import StackError, UserError
from pytest_sre.promtool.write import check
from pytest_sre.settings import FILE_NAMES, Servers, Settings, SreYaml, is_settings, of_scope, read_sre_yaml
from pytest_sre.stack import process

BACKENDS = ("auto", "docker", "process")
# option → where in `servers:` it belongs; given more than once, each value makes a stack of its own.
_SERVERS = {
    "prometheus": ("prometheus", "binary"),
    "promtool": ("prometheus", "promtool"),
    "alertmanager": ("alertmanager", "binary"),
    "prometheus-image": ("prometheus", "image"),
    "alertmanager-image": ("alertmanager", "image"),
}


@dataclass(frozen=True, slots=True)
class Options:
    """What holds for a whole run; ``scopes`` has the settings of each scope for each version, ``config`` is sre.yaml.

    ``alerts`` and ``runbooks`` say what is tested. ``changed`` is the revision to compare with: None when everything is tested, empty for the usual one.
    ``export_promtool`` is the folder for our scenarios as promtool's unit tests.
    """

    scopes: tuple[tuple[Settings, ...], ...]
    config: Path | None
    alerts: bool
    runbooks: bool
    keep: bool
    strict: bool
    json_path: str
    markdown_path: str
    codequality_path: str
    changed: str | None
    export_promtool: Path | None
    baseline: Baseline | None


def read_options(config: pytest.Config) -> Options:
    """sre.yaml, overridden by ini options, overridden by the command line. Raises UserError."""
    root = config.rootpath
    given = _path(config, "config")
    candidates = [Path(given)] if given else [root / name for name in FILE_NAMES]
    path = next((path for path in candidates if (path.is_file() if given else is_settings(path))), None)
    if given and path is None:
        raise UserError(f"there is no file {given}")
    file = read_sre_yaml(path) if path else SreYaml()
    folder = path.parent.resolve() if path else root
    file = file.model_copy(update=_overrides(config, file))
    keep = config.getoption("sre_keep")
    scopes = []
    for name, search, one in _scopes(file, root, folder):
        base = Settings(root=root, folder=folder, search=search, file=one, scope=name, keep=keep)
        servers = _matrix(config, _rooted(one.servers, folder))
        versions = _versions(servers) if len(servers) > 1 else [""]
        scopes.append(
            tuple(
                base.model_copy(
                    update={"version": version, "file": one.model_copy(update={"servers": server})}
                )
                for version, server in zip(versions, servers, strict=True)
            )
        )
    return Options(
        tuple(scopes),
        path,
        config.getoption("sre_alerts"),
        config.getoption("sre_runbooks"),
        keep,
        file.strict,
        _report(config, "json"),
        _report(config, "markdown"),
        _report(config, "codequality"),
        _changed(config),
        _export(config),
        _baseline(config),
    )


def _baseline(config: pytest.Config) -> Baseline | None:
    """The accepted findings; raises UserError."""
    path, update = _report(config, "baseline"), bool(config.getoption("sre_baseline_update"))
    if update and not path:
        raise UserError("--sre-baseline-update: where to? Name the file with --sre-baseline=FILE")
    return read_baseline(Path(path), update=update) if path else None


def _export(config: pytest.Config) -> Path | None:
    """The folder for promtool's unit tests; raises UserError where nothing can be written."""
    folder = _path(config, "export-promtool")
    if not folder:
        return None
    check(Path(folder))
    return Path(folder).resolve()


def _changed(config: pytest.Config) -> str | None:
    """The base revision; raises UserError for a path that --sre-changed has swallowed."""
    given: str | None = config.getoption("sre_changed")
    if given and (config.invocation_params.dir / given.partition("::")[0]).exists():
        raise UserError(
            f"--sre-changed {given}: this is a file; name the revision as --sre-changed=BASE, or put the option last"
        )
    return given


def _scopes(file: SreYaml, root: Path, folder: Path) -> list[tuple[str, Path, SreYaml]]:
    """Name, folder to search and settings of each scope."""
    if not file.scopes:
        return [("", root, file)]
    found = []
    for scope in file.scopes:
        search = (folder / scope.folder).resolve()
        if not search.is_dir():
            raise UserError(f"scopes: {scope.name}: there is no folder {search}")
        found.append((scope.name, search, of_scope(file, scope)))
    return found


def _overrides(config: pytest.Config, file: SreYaml) -> dict[str, Any]:
    updates: dict[str, Any] = {}
    rules = config.getoption("sre_rules") or config.getini("sre_rules")
    if rules:
        base = config.invocation_params.dir if config.getoption("sre_rules") else config.rootpath
        updates["rules"] = tuple(str(base / pattern) for pattern in rules)
    for name in ("alertmanager", "prometheus"):
        value = _path(config, f"{name}-config")
        if value:
            updates[name] = value
    if updates and file.scopes:
        raise UserError(
            "sre.yaml has scopes: rules and configurations are set there for each; select with -k or by path"
        )
    strict = config.getoption("sre_strict") or config.getini("sre_strict")
    if isinstance(strict, bool):  # in the ini file it may be false, or not there at all
        updates["strict"] = strict
    return updates


def _rooted(servers: Servers, folder: Path) -> Servers:
    """Binaries named in sre.yaml with a slash are relative to it."""

    def rooted(value: str | None) -> str | None:
        return str(folder / value) if value and "/" in value else value

    prometheus, alertmanager = servers.prometheus, servers.alertmanager
    own = {"binary": rooted(prometheus.binary), "promtool": rooted(prometheus.promtool)}
    return servers.model_copy(
        update={
            "prometheus": prometheus.model_copy(update=own),
            "alertmanager": alertmanager.model_copy(update={"binary": rooted(alertmanager.binary)}),
        }
    )


def _matrix(config: pytest.Config, servers: Servers) -> list[Servers]:
    """The servers of each stack: a value given once is for all, the nth of several for the nth."""
    given = {name: values for name in _SERVERS if (values := _commands(config, name))}
    several = {name: len(values) for name, values in given.items() if len(values) > 1}
    if len(set(several.values())) > 1:
        counts = ", ".join(f"--sre-{name} {count} times" for name, count in several.items())
        raise UserError(f"{counts}: servers are paired one by one; give each once, or equally often")
    backend = config.getoption("sre_backend") or config.getini("sre_backend") or servers.backend
    if backend not in BACKENDS:
        raise UserError(f"sre_backend: {backend!r} is none of {', '.join(BACKENDS)}")
    sink = config.getoption("sre_docker_sink") or servers.docker.sink
    relay = config.getoption("sre_relay_image") or config.getini("sre_relay_image")
    docker = servers.docker.model_copy(
        update={"sink": sink, "relay_image": relay or servers.docker.relay_image}
    )
    servers = servers.model_copy(update={"backend": backend, "docker": docker})
    return [_nth(servers, given, number) for number in range(max(several.values(), default=1))]


def _nth(servers: Servers, given: dict[str, list[str]], number: int) -> Servers:
    images = any(name.endswith("-image") for name in given)
    if given and any(not name.endswith("-image") for name in given) != images and servers.backend == "auto":
        # What the command line names takes the place of what sre.yaml names.
        servers = servers.model_copy(update={"backend": "docker" if images else "process"})
    for name, values in given.items():
        part, key = _SERVERS[name]
        value = values[number] if len(values) > 1 else values[0]
        one = getattr(servers, part).model_copy(update={key: value})
        servers = servers.model_copy(update={part: one})
    return servers


def _versions(servers: Sequence[Servers]) -> list[str]:
    """A name for each stack of a matrix: the versions, as far as they differ."""
    prometheus = [_version(one, "prometheus", one.prometheus.image, one.prometheus.binary) for one in servers]
    alertmanager = [
        _version(one, "alertmanager", one.alertmanager.image, one.alertmanager.binary) for one in servers
    ]
    names = prometheus if len(set(prometheus)) > 1 else [""] * len(servers)
    if len(set(alertmanager)) > 1:
        names = ["+".join(filter(None, pair)) for pair in zip(names, alertmanager, strict=True)]
    return [
        name if names.count(name) == 1 else "-".join(filter(None, (name, str(number))))
        for number, name in enumerate(names, 1)
    ]


def _version(servers: Servers, program: str, image: str | None, binary: str | None) -> str:
    """What an image's tag or a binary says; of a binary that does not run its path."""
    if servers.backend != "process" and image:
        name = image.rpartition("/")[2]
        tag = name.partition("@")[2][:19] or name.partition(":")[2] or "latest"
        return tag.removeprefix("v")
    try:
        return process.version(getattr(process.find_binaries(servers), program))
    except StackError:
        return binary or program


def _commands(config: pytest.Config, name: str) -> list[str]:
    """The values of a server's option. Paths: from the command line relative to the current folder."""
    key = f"sre_{name.replace('-', '_')}"
    option = config.getoption(key)
    base = config.invocation_params.dir if option else config.rootpath
    values = [os.path.expanduser(value) for value in option or config.getini(key)]
    return [str(base / value) if "/" in value and not name.endswith("-image") else value for value in values]


def _path(config: pytest.Config, name: str) -> str:
    """An option's path: from the command line relative to the current folder, from the ini file to the root."""
    key = f"sre_{name.replace('-', '_')}"
    option = config.getoption(key)
    text, base = (option, config.invocation_params.dir) if option else (config.getini(key), config.rootpath)
    return str(base / text) if text else ""


def _report(config: pytest.Config, name: str) -> str:
    """The path of a report; raises UserError before anything is fired where it can't be written in the end."""
    text = _path(config, name)
    if text:
        above = next(folder for folder in Path(text).parents if folder.exists())
        if Path(text).is_dir():
            raise UserError(f"cannot write {text}: it is a folder")
        if not above.is_dir():
            raise UserError(f"cannot write {text}: {above} is no folder")
        if not os.access(above, os.W_OK):
            raise UserError(f"cannot write {text}: no permission to write to {above}")
    return text
