"""Where a template is that Alertmanager complains about."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

from pytest_sre.model.finding import Location
from pytest_sre.model.routing import Routing
from pytest_sre.sources.yamlfile import line_of

_PLACE = re.compile(r"\btemplate: ([^:/]+):(\d+)")


def template_place(routing: Routing, files: Sequence[Path], message: str) -> Location | None:
    """The file and line that a message about a template means; None where it is about something else.

    ``files`` are those that Alertmanager was given. Messages know a file by its name alone: where several have
    it, the place is that of `templates` in the configuration.
    """
    found = _PLACE.search(message)
    if not found:
        return None
    name, line = found[1], int(found[2])
    for path, held in routing.held.items():
        if Path(path).name == name:
            return held.place(line)
    named = [path for path in files if path.name == name]
    if len(named) == 1:
        return Location(shown(routing, named[0]), line)
    return routing.place(line_of(routing.document, "templates"))


def shown(routing: Routing, path: Path) -> str:
    """A file's path as users see it, relative to the root as the configuration's own is."""
    base = Path(routing.base)
    root = next((one for one in (base, *base.parents) if (one / routing.path).is_file()), base)
    return Path(os.path.relpath(path, root)).as_posix()
