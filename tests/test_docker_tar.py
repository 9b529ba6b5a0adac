"""Files keep their paths on the way into a container and back, and every user there can read and write them."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from pytest_sre.errors import StackError
from pytest_sre.stack import docker_tar


def entries(paths: list[Path]) -> dict[str, tarfile.TarInfo]:
    with docker_tar.pack(paths) as packed, tarfile.open(fileobj=packed) as tar:
        return {entry.name: entry for entry in tar}


def test_all_users_may_read_and_write_what_is_ours_and_only_pass_what_leads_there(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    (folder / "empty").mkdir(parents=True)
    (folder / "secret").write_text("x")
    (folder / "secret").chmod(0o600)
    found = entries([folder])
    name = str(folder).lstrip("/")
    assert found[f"{name}/secret"].mode == 0o666
    assert found[f"{name}/empty"].isdir()
    assert found[name].mode == 0o777
    assert found[str(tmp_path).lstrip("/")].mode == 0o755
    assert all(entry.uid == entry.gid == 0 for entry in found.values())
    if str(tmp_path).startswith("/tmp/"):
        assert found["tmp"].mode == 0o1777


def test_a_file_alone_takes_nothing_beside_it(tmp_path: Path) -> None:
    (tmp_path / "a.tmpl").write_text("a")
    (tmp_path / "b.tmpl").write_text("b")
    assert [
        name.rpartition("/")[2] for name, entry in entries([tmp_path / "a.tmpl"]).items() if entry.isfile()
    ] == ["a.tmpl"]


def test_a_file_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(StackError, match=r"none\.yml to a container: No such file"):
        docker_tar.pack([tmp_path / "none.yml"])


def test_what_comes_back_lands_where_it_belongs(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    docker_tar.unpack(
        archive({"data/": b"", "data/block/": b"", "data/block/meta.json": b"{}"}), tmp_path / "data"
    )
    assert (tmp_path / "data/block/meta.json").read_text() == "{}"


@pytest.mark.parametrize("name", ["data/../../x", "../x", "/etc/x", "other/x"])
def test_nothing_else_is_written(tmp_path: Path, name: str) -> None:
    with pytest.raises(StackError, match="which is not in"):
        docker_tar.unpack(archive({name: b"x"}), tmp_path / "data")
    assert list(tmp_path.rglob("x")) == []


def archive(files: dict[str, bytes]) -> list[bytes]:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(name.rstrip("/"))
            entry.size = len(content)
            entry.type = tarfile.DIRTYPE if name.endswith("/") else tarfile.REGTYPE
            tar.addfile(entry, io.BytesIO(content))
    return [out.getvalue()]
