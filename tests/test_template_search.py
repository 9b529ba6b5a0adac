"""Files of templates that a configuration names by a path in production."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pytest_sre.changed.templates import template_files as changed_files
from pytest_sre.errors import FileError
from pytest_sre.live.template_files import template_files
from pytest_sre.live.template_place import template_place
from pytest_sre.model.routing import Routing
from pytest_sre.sources.alertmanager import parse_routing

CONFIG = """route: {receiver: r}
receivers: [{name: r}]
templates:
- /etc/nowhere/PATTERN
"""


def written(root: Path, **texts: str) -> None:
    for name, text in texts.items():
        path = root / name.replace("__", "/").replace("_tmpl", ".tmpl")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def routing_of(root: Path, pattern: str) -> Routing:
    return parse_routing("alertmanager.yml", str(root), CONFIG.replace("PATTERN", pattern))


def found(root: Path, pattern: str) -> tuple[list[Path], list[str]]:
    routing = routing_of(root, pattern)
    files, changes = template_files(routing, routing.document, root / "copy")
    return files, [change.what for change in changes]


def test_those_of_tools_and_dependencies_are_none_of_them(tmp_path: Path) -> None:
    written(tmp_path, texts__a_tmpl="ours")
    for folder in (".git", "node_modules", "vendor/x"):
        written(tmp_path / folder, a_tmpl=f"of {folder}")

    files, changes = found(tmp_path, "a.tmpl")
    assert files == list(changed_files(["/etc/nowhere/a.tmpl"], tmp_path)) == [tmp_path / "texts/a.tmpl"]
    assert changes == ["/etc/nowhere/a.tmpl is taken from texts/a.tmpl"]


def test_several_of_one_name_must_not_differ(tmp_path: Path) -> None:
    written(tmp_path, one__a_tmpl="a", two__a_tmpl="a", two__b_tmpl="b")
    assert found(tmp_path, "*.tmpl")[0] == [tmp_path / "one/a.tmpl", tmp_path / "two/b.tmpl"]

    written(tmp_path, two__a_tmpl="other")
    with pytest.raises(FileError) as error:
        found(tmp_path, "*.tmpl")
    assert str(error.value).startswith("alertmanager.yml:4")
    assert "/etc/nowhere/*.tmpl may be one/a.tmpl or two/a.tmpl, which differ" in str(error.value)
    assert "`scopes:`" in str(error.value)


def test_none_of_the_name_is_told(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"no file matches /etc/nowhere/a\.tmpl"):
        found(tmp_path, "a.tmpl")


def test_a_message_means_the_one_file_of_its_name(tmp_path: Path) -> None:
    written(tmp_path, **{"am__alertmanager.yml": "", "am__one__a_tmpl": "", "am__two__a_tmpl": ""})
    routing = routing_of(tmp_path / "am", "*.tmpl")
    routing = replace(routing, path="am/alertmanager.yml")
    files = [tmp_path / "am/one/a.tmpl", tmp_path / "am/two/a.tmpl"]
    message = "err: template: a.tmpl:7: unexpected {{end}}"

    assert str(template_place(routing, files[1:], message)) == "am/two/a.tmpl:7"
    assert str(template_place(routing, files, message)) == "am/alertmanager.yml:3"
    assert template_place(routing, files, "missing to address in email config") is None
