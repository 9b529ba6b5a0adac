"""The base revision of a change, and its files. Only here is git run, and only to read.

Nothing but plumbing runs: it uses no pager, hook, filter or text conversion, and all ways to the network are closed.
The user's own configuration stays in force, because `safe.directory` counts there only.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pytest_sre.errors import UserError

_SAFE = (
    "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "-c", "core.pager=cat",
    "-c", "protocol.allow=never",
)  # fmt: skip
_DEEPER = (
    "Fetch the whole history: `fetch-depth: 0` for actions/checkout in GitHub Actions, `GIT_DEPTH: 0` in GitLab CI, "
    "`git fetch --unshallow` by hand"
)


@dataclass(frozen=True, slots=True)
class Revision:
    """What is compared with: ``sha`` is the merge base of ``name`` and HEAD, ``top`` the repository's folder."""

    name: str
    sha: str
    top: Path

    def __str__(self) -> str:
        return f"{self.name} ({self.sha[:10]})"


class _Failure(Exception):
    """git said no; ``text`` is what it said."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


def base_revision(root: Path, given: str = "", env: Mapping[str, str] = os.environ) -> Revision:
    """The merge base of HEAD and BASE as given, or as the CI system or the repository tell it.

    Raises UserError (no git, no repository, no such revision, history too short, none in common).
    """
    top = _top(root)
    if not _commit(top, "HEAD"):
        raise UserError(f"--sre-changed: {top} has no commits yet, so there is nothing to compare with")
    name = _given(top, given) if given else _from_ci(top, env) or _default(top)
    return Revision(name, _merge_base(top, name), top)


def git(top: Path, *arguments: str) -> bytes:
    """What git prints; raises _Failure, or UserError where git can't be run."""
    done = _run(top, arguments)
    if done.returncode:
        raise _Failure(done.stderr.decode("utf-8", "replace").strip())
    return done.stdout


def stream(top: Path, arguments: tuple[str, ...], requests: Path) -> subprocess.Popen[bytes]:
    """A git that reads ``requests`` and whose output is read bit by bit."""
    with requests.open("rb") as given:
        return subprocess.Popen(
            ["git", *_SAFE, *arguments],
            cwd=top,
            env=_environment(),
            stdin=given,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )


def _run(folder: Path, arguments: tuple[str, ...]) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(
            ["git", *_SAFE, *arguments],
            cwd=folder,
            env=_environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
    except FileNotFoundError:
        raise UserError("--sre-changed needs the program git, which is not on PATH; install it") from None


def _environment() -> dict[str, str]:
    # A hook sets GIT_DIR and GIT_INDEX_FILE, which would lead away from the folder that we look at.
    kept = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    config = {key: value for key, value in os.environ.items() if key.startswith("GIT_CONFIG")}
    return {
        **kept,
        **config,
        "LC_ALL": "C",
        "LANGUAGE": "",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_ALLOW_PROTOCOL": "none",
        "GIT_LFS_SKIP_SMUDGE": "1",
    }


def _top(root: Path) -> Path:
    try:
        return Path(os.fsdecode(git(root, "rev-parse", "--show-toplevel")).rstrip("\n"))
    except _Failure as failure:
        if "dubious ownership" in failure.text:
            raise UserError(
                f"--sre-changed: git refuses to read {root}, because it belongs to another user. If you trust it: "
                f"git config --global --add safe.directory {root} (or the folder of the repository above it)"
            ) from None
        if "not a git repository" in failure.text:
            raise UserError(
                f"--sre-changed: {root} is in no git repository, so there is nothing to compare with"
            ) from None
        raise UserError(
            f"--sre-changed: {root} is no work tree of a git repository: {failure.text}"
        ) from None


def _commit(top: Path, name: str) -> str:
    """A commit's full id, empty where there is none of that name."""
    try:
        return git(top, "rev-parse", "--verify", "--quiet", f"{name}^{{commit}}").decode().strip()
    except _Failure:
        return ""


def _given(top: Path, given: str) -> str:
    found = "" if given.startswith("-") else _named(top, given)
    if not found:
        more = f" {_DEEPER}." if _is_shallow(top) else ""
        raise UserError(
            f"--sre-changed: there is no branch, tag or commit {given} here. Fetch it (`git fetch origin {given}`) or "
            f"name another one.{more}"
        )
    return found


def _named(top: Path, name: str) -> str:
    """The name itself, or a remote's branch of that name; empty where there is neither."""
    remotes = _lines(top, "remote")
    ordered = sorted(remotes, key=lambda remote: (remote != "origin", remote))
    return next((one for one in (name, *(f"{r}/{name}" for r in ordered)) if _commit(top, one)), "")


def _from_ci(top: Path, env: Mapping[str, str]) -> str:
    """The target of the merge request that CI tests; empty outside of one."""
    # In a pipeline for merged results HEAD holds the target branch, so its tip is the base, not the older diff base.
    shas = ("CI_MERGE_REQUEST_TARGET_BRANCH_SHA", "CI_MERGE_REQUEST_DIFF_BASE_SHA")
    for key in shas:
        if env.get(key) and _commit(top, env[key]):
            return env[key]
    for key in ("GITHUB_BASE_REF", "CI_MERGE_REQUEST_TARGET_BRANCH_NAME"):
        branch = env.get(key)
        if branch:
            # A local branch of that name may be old; what CI has just fetched isn't.
            return f"origin/{branch}" if _commit(top, f"origin/{branch}") else _given(top, branch)
    sha = next((env[key] for key in shas if env.get(key)), "")
    return _given(top, sha) if sha else ""


def _default(top: Path) -> str:
    """The remote's main branch; without a remote the local one, if we aren't on it; else HEAD."""
    remote = _lines(top, "symbolic-ref", "--quiet", "--short", "refs/remotes/origin/HEAD")
    branch = (_lines(top, "symbolic-ref", "--quiet", "--short", "HEAD") or [""])[0]
    candidates = [*remote, "refs/remotes/origin/main", "refs/remotes/origin/master"]
    if branch not in ("main", "master"):
        candidates += ["refs/heads/main", "refs/heads/master"]
    found = next((name for name in candidates if _commit(top, name)), "HEAD")
    return found.removeprefix("refs/remotes/").removeprefix("refs/heads/")


def _merge_base(top: Path, name: str) -> str:
    bases = _lines(top, "merge-base", name, "HEAD")
    if bases:
        return bases[0]
    if _is_shallow(top):
        raise UserError(
            f"--sre-changed: this clone is shallow and does not reach back to where HEAD left {name}. {_DEEPER}."
        )
    raise UserError(
        f"--sre-changed: HEAD and {name} have no history in common. Name a revision that HEAD comes from: "
        "--sre-changed=BASE"
    )


def _is_shallow(top: Path) -> bool:
    return _lines(top, "rev-parse", "--is-shallow-repository") == ["true"]


def _lines(top: Path, *arguments: str) -> list[str]:
    """The lines that git prints; none where it refuses."""
    try:
        return os.fsdecode(git(top, *arguments)).split()
    except _Failure:
        return []


def entries(revision: Revision) -> Iterator[tuple[str, str, str]]:
    """Mode, object and path (as git writes it, relative to the top) of all files of a revision."""
    try:
        listed = git(revision.top, "ls-tree", "-r", "-z", "--full-tree", revision.sha)
    except _Failure as failure:
        raise UserError(f"--sre-changed: cannot read {revision}: {failure.text}") from None
    for line in listed.split(b"\0")[:-1]:
        head, _, path = line.partition(b"\t")
        mode, _, sha = head.decode().split()
        yield mode, sha, os.fsdecode(path)
