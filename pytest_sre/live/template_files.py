"""The files of templates that a configuration names."""

from __future__ import annotations

import glob
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pytest_sre.errors import FileError
from pytest_sre.live.template_place import shown
from pytest_sre.model.observation import Change
from pytest_sre.model.routing import Routing
from pytest_sre.sources.template_search import by_name
from pytest_sre.sources.yamlfile import line_of


def template_files(
    routing: Routing, document: Mapping[str, Any], folder: Path
) -> tuple[list[Path], tuple[Change, ...]]:
    """The template files, which must be there: Alertmanager takes a pattern that matches none for an empty one.

    A path that exists in production only (/etc/alertmanager/x.tmpl) is looked for by name beside the configuration.
    Raises FileError for a pattern that matches nothing, and for one that several files of one name may be meant by.
    """
    written = routing.document.get("templates") or []
    files: list[Path] = []
    changes: list[Change] = []
    for i, pattern in enumerate(document.get("templates") or []):
        if str(written[i]) in routing.held:
            files.append(
                _held(routing.held[str(written[i])].text, folder / "templates" / Path(str(pattern)).name)
            )
            continue
        found = sorted(Path(path) for path in glob.glob(str(pattern)))
        if not found and Path(str(written[i])).is_absolute():
            found = _by_name(routing, written, i)
            which = ", ".join(shown(routing, path) for path in found)
            changes.append(Change(routing.path, "templates", f"{written[i]} is taken from {which}"))
        if not found:
            error = f"templates: no file matches {written[i]}"
            place = routing.place(line_of(written, i))
            raise FileError(place.path, place.line, error)
        files += found
    return files, tuple(changes)


def _by_name(routing: Routing, written: Any, i: int) -> list[Path]:
    """The files that have the name of a path in production, one for each name; raises FileError."""
    found = by_name(str(written[i]), Path(routing.base))
    several = next((files for files in found if len(files) > 1), None)
    if several:
        place = routing.place(line_of(written, i))
        which = " or ".join(shown(routing, path) for path in several)
        what = f"templates: {written[i]} may be {which}, which differ. Put them into different `scopes:`, or delete one."
        raise FileError(place.path, place.line, what)
    return [path for (path,) in found]


def _held(text: str, path: Path) -> Path:
    """Write a file of templates that an object of Kubernetes holds."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    return path
