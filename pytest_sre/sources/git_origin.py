"""Where a repository was cloned from, read from its `.git` without running git."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

_REMOTE = re.compile(r'^\s*\[remote\s+"([^"\n]+)"\]\s*$|^\s*\[|^\s*url\s*=\s*"?([^"\s]+)"?', re.MULTILINE)
_SCP = re.compile(r"(?:[^@/\s]+@)?([^:/\s]+):(?!//)/?(.+)")
_USUAL = ("main", "master", "HEAD", "trunk", "develop", "default")
_RAW_HOST = "raw.githubusercontent.com"
# /blob/<ref>/<path> on GitHub, /-/blob/<ref>/<path> on GitLab.
_VIEW = re.compile(r"(?:-/)?(?:blob|tree|raw|edit|blame)/(.+)")


@dataclass(frozen=True, slots=True)
class Repository:
    """A clone: its folder, host and path (`owner/name`) of the origin, and branches whose files ought to be here."""

    top: Path
    host: str
    path: str
    branches: tuple[str, ...] = _USUAL

    def inside(self, url: str) -> str | None:
        """What follows the repository in one of its own URLs: `<ref>/<path>` of a file, empty for its front page.

        None: the URL is another's, or leads to no file (issues, wiki).
        """
        parts = urlsplit(url)
        host, path = (parts.hostname or "").lower(), unquote(parts.path).strip("/")
        own = self.path.lower()
        if not f"{path.lower()}/".startswith(f"{own}/"):
            return None
        rest = path[len(own) :].strip("/")
        if host == _RAW_HOST and self.host == "github.com":
            return rest.removeprefix("refs/heads/") or None
        if host.removeprefix("www.") != self.host:
            return None
        view = _VIEW.fullmatch(rest)
        return view[1].removeprefix("refs/heads/") if view else (None if rest else "")

    def file(self, inside: str) -> str | None:
        """The path of a file on a branch that ought to be here, None where it is on another branch, tag or commit."""
        for branch in self.branches:
            if inside == branch or inside.startswith(f"{branch}/"):
                return inside[len(branch) :].strip("/")
        return None


def repository_of(folder: Path) -> Repository | None:
    """The clone that a folder lies in; None where it lies in none, or nobody knows where that came from."""
    top = top_of(folder)
    return _read(top) if top else None


def top_of(folder: Path) -> Path | None:
    """The clone's own folder, that which holds `.git`."""
    return next((top for top in (folder, *folder.parents) if (top / ".git").exists()), None)


def _read(top: Path) -> Repository | None:
    try:
        own = _git_folder(top / ".git")
        shared = own
        if (own / "commondir").is_file():
            shared = (own / (own / "commondir").read_text("utf-8").strip()).resolve()
        place = _place(_origin((shared / "config").read_text("utf-8", "replace")))
        heads = [own / "HEAD", shared / "refs" / "remotes" / "origin" / "HEAD"]
        branches = [_branch(head.read_text("utf-8", "replace")) for head in heads if head.is_file()]
    except (OSError, ValueError):
        return None
    return (
        Repository(top, *place, tuple(dict.fromkeys((*filter(None, branches), *_USUAL)))) if place else None
    )


def _git_folder(git: Path) -> Path:
    """`.git` of a work tree or submodule is a file that says where the folder is."""
    if git.is_dir():
        return git
    return (git.parent / git.read_text("utf-8").removeprefix("gitdir:").strip()).resolve()


def _origin(config: str) -> str:
    """The URL of the remote `origin`, else of the only remote."""
    urls: dict[str, str] = {}
    remote = None
    for found in _REMOTE.finditer(config):
        if found[2] is None:
            remote = found[1]
        elif remote is not None:
            urls.setdefault(remote, found[2])
    return urls.get("origin") or (next(iter(urls.values())) if len(urls) == 1 else "")


def _place(url: str) -> tuple[str, str] | None:
    """Host and path of `https://host/o/r.git`, `ssh://git@host:22/o/r` or `git@host:o/r.git`."""
    scp = _SCP.fullmatch(url) if "://" not in url else None
    parts = urlsplit(url)
    host, path = (scp[1], scp[2]) if scp else (parts.hostname or "", unquote(parts.path))
    path = path.strip("/").removesuffix(".git")
    return (host.lower().removeprefix("www."), path) if host and path else None


def _branch(head: str) -> str:
    found = re.match(r"ref: refs/(?:heads|remotes/[^/\s]+)/(\S+)", head)
    return found[1] if found else ""
