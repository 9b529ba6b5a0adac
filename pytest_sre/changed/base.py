"""The base revision as a Side: its files in a folder, its settings as they would have been."""

from __future__ import annotations

import glob
import os
from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel

from pytest_sre.changed.side import Side
from pytest_sre.errors import UserError
from pytest_sre.model.snapshot import Snapshots
from pytest_sre.settings import FILE_NAMES, Settings, SreYaml, is_settings, of_scope, read_sre_yaml
from pytest_sre.sources.discover import Inventory, discover
from pytest_sre.sources.prometheus import PrometheusConfig

_Model = TypeVar("_Model", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Tree:
    """A revision's files: ``top`` is the repository's folder, ``into`` where the revision was exported to."""

    top: Path
    into: Path

    def moved(self, path: Path) -> Path:
        """A path of the work tree in the exported tree; what lies outside of the repository stays where it is."""
        top = os.path.realpath(self.top)
        # Links below the top are left to the tree: they may have led elsewhere.
        for parent in reversed([path, *path.parents]):
            if os.path.realpath(parent) == top:
                return Path(os.path.realpath(self.into)) / path.relative_to(parent)
        return path

    def moved_text(self, folder: Path, text: str) -> str:
        """A path or glob of sre.yaml: relative ones stay so where they stay in the repository."""
        path = Path(os.path.normpath(folder / text))
        moved = str(self.moved(path))
        if moved == str(path):
            return str(path)
        return text if not os.path.isabs(text) else moved


def read_base(
    settings: Settings, tree: Tree, config: Path | None = None, named: Collection[Path] = ()
) -> Side:
    """The old side of a run with these settings. ``config`` is the run's sre.yaml, ``named`` are files given to pytest.

    Raises nothing: what can't be read is told in ``Side.unreadable``.
    """
    config = config or next(
        (path for name in FILE_NAMES if is_settings(path := settings.folder / name)), None
    )
    work, base, trouble = _file(config), SreYaml(), ""
    candidates = [config] if config else []
    candidates += [settings.folder / name for name in FILE_NAMES]
    try:
        base = _file(next(filter(is_settings, map(tree.moved, candidates)), None))
    except UserError as error:
        base, trouble = work, _told(tree, error)
    side = read_side(base_settings(settings, tree, work, base), tree, [tree.moved(path) for path in named])
    return replace(side, unreadable=trouble or side.unreadable)


def base_settings(settings: Settings, tree: Tree, work: SreYaml, base: SreYaml) -> Settings:
    """The base's sre.yaml under the same ini options and command line, with all paths in the exported tree.

    ``work`` and ``base`` are the files as written: what differs between ``work`` and ``settings.file`` was given elsewhere.
    A scope that the base doesn't have is taken to have been as it is now.
    """
    search = settings.search
    if settings.scope:
        before = next((one for one in base.scopes if one.name == settings.scope), None)
        work = next((of_scope(work, one) for one in work.scopes if one.name == settings.scope), work)
        base = of_scope(base, before) if before else work
        search = (settings.folder / before.folder) if before else search
    file = _overlaid(settings.file, work, base, settings.folder)

    def moved(text: str) -> str:
        return tree.moved_text(settings.folder, text)

    runbooks = file.runbooks.model_copy(
        update={"urls": {url: moved(folder) for url, folder in file.runbooks.urls.items()}}
    )
    updates: dict[str, Any] = {
        "rules": tuple(map(moved, file.rules)),
        "metrics": tuple(one.model_copy(update={"path": moved(one.path)}) for one in file.metrics),
        "alertmanager": moved(file.alertmanager) if file.alertmanager else None,
        "prometheus": moved(file.prometheus) if file.prometheus else None,
        "runbooks": runbooks,
    }
    places = {"root": tree.moved(settings.root), "folder": tree.moved(settings.folder)}
    places["search"] = tree.moved(Path(os.path.normpath(search)))
    return settings.model_copy(update={**places, "file": file.model_copy(update=updates)})


def read_side(settings: Settings, tree: Tree, named: Collection[Path] = ()) -> Side:
    """Discover in the exported tree; files that were not there yet are no error. Raises nothing."""
    file, folder = settings.file, settings.folder
    there = tuple(one for one in file.rules if glob.glob(str(folder / one), recursive=True))
    alertmanager = file.alertmanager and (folder / file.alertmanager).is_file()
    prometheus = file.prometheus and (folder / file.prometheus).is_file()
    updates: dict[str, Any] = {"rules": there}
    updates |= {} if alertmanager else {"alertmanager": None}
    updates |= {} if prometheus else {"prometheus": None}
    present = settings.model_copy(update={"file": file.model_copy(update=updates)})
    try:
        found = discover(present, [path for path in named if path.is_file()])
    except UserError as error:
        return Side(settings, _nothing(settings.root), _told(tree, error))
    # Without its setting each of them would have been searched for.
    if file.rules and not there:
        found = replace(found, rule_files=(), skipped=(), broken=())
    if file.alertmanager and not alertmanager:
        found = replace(found, routing=None)
    if file.prometheus and not prometheus:
        found = replace(found, prometheus=PrometheusConfig())
    return Side(settings, found)


def _file(path: Path | None) -> SreYaml:
    return read_sre_yaml(path) if path and path.is_file() else SreYaml()


def _overlaid(effective: _Model, work: _Model, base: _Model, folder: Path) -> _Model:
    """The base's values, but for those that neither came from the work tree's file."""
    found: dict[str, Any] = {}
    for name in type(effective).model_fields:
        now, was, then = (getattr(model, name) for model in (effective, work, base))
        if isinstance(now, BaseModel):
            found[name] = _overlaid(now, was, then, folder)
        elif now == was:
            found[name] = then
        elif isinstance(was, str) and now == str(folder / was):  # a binary, made absolute
            found[name] = str(folder / then) if then and "/" in then else then
        else:
            found[name] = now
    return base.model_copy(update=found)


def _nothing(root: Path) -> Inventory:
    return Inventory(root, (), (), (), None, PrometheusConfig(), Snapshots())


def _told(tree: Tree, error: UserError) -> str:
    text = str(error).replace(f"{os.path.realpath(tree.into)}{os.sep}", "")
    return f"the base could not be read: {text}"
