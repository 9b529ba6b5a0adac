"""promtool's unit tests: our verdicts beside promtool's own of the same version, and how long both take.

    python benchmarks/promtool_cases.py FOLDER [--servers SUITE...] [--mutants N]

FOLDER is searched for files with `rule_files` and `tests`. Files that all pass on both sides agree in each case; of
the others each case is asked alone. With `--mutants N` every Nth case is broken in turn as well: another label or
value, another time, an alert or sample too few or too many; both must give the same verdict. Needs scripts/servers.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from running import find_servers

from pytest_sre.checks import unit, unit_names
from pytest_sre.checks.case import Skipped
from pytest_sre.model.unittest import UnitFile
from pytest_sre.settings import Servers
from pytest_sre.sources import unit_rules, yamlfile
from pytest_sre.sources.promtool_tests import looks_like_unit_tests, parse_unit_tests
from pytest_sre.sources.rulefile import Broken, Skip
from pytest_sre.stack.process import open_stack
from pytest_sre.timemachine.replay import UnitJob, replay

KINDS = ("alert_rule_test", "promql_expr_test")
AT_ONCE = 200
Verdicts = dict[str, tuple[str, str]]
"""By question: `pass`, `fail` or `skip`, and why."""


@dataclass(frozen=True)
class Question:
    """A document for promtool; ``path`` is where it is written, ``cases`` how many cases it has."""

    name: str
    document: Any
    path: Path

    @property
    def cases(self) -> list[tuple[dict[str, Any], str, dict[str, Any]]]:
        """(test, kind, case) of each case."""
        tests = self.document["tests"]
        return [(test, kind, case) for test in tests for kind in KINDS for case in test.get(kind) or ()]

    def with_case(self, name: str, test: Any, kind: str, case: Any) -> Question:
        """The question about one case alone."""
        rest = {key: value for key, value in test.items() if key not in KINDS}
        document = {**self.document, "tests": [{**rest, kind: [case]}]}
        return Question(name, document, self.path.parent / f"{name.replace('/', '_')}.yml")


def questions(root: Path, into: Path) -> Iterator[Question]:
    """A question for each file, with its rule files named absolutely."""
    for path in sorted(one for one in root.rglob("*.y*ml") if one.is_file()):
        text = path.read_text("utf-8-sig")
        if not looks_like_unit_tests(text):
            continue
        document = yamlfile.load_all(text)[0].value
        if isinstance(document, dict) and document.get("tests"):
            files = [str(path.parent / pattern) for pattern in document.get("rule_files") or ()]
            name = str(path.relative_to(root))
            yield Question(
                name, {**document, "rule_files": files}, into / f"{name.replace('/', '_')}.whole.yml"
            )


def singles(files: Iterable[Question]) -> Iterator[Question]:
    """Each case alone."""
    for file in files:
        for number, (test, kind, case) in enumerate(file.cases):
            yield file.with_case(f"{file.name}-{number}", test, kind, case)


def mutants(files: Iterable[Question], every: int) -> Iterator[Question]:
    """Broken copies of every so many cases."""
    cases = [(file, number, case) for file in files for number, case in enumerate(file.cases)]
    for file, number, (test, kind, case) in cases[::every]:
        for what, broken in _broken(kind, case):
            yield file.with_case(f"{file.name}-{number}-{what}", test, kind, broken)


def _broken(kind: str, case: Any) -> Iterator[tuple[str, Any]]:
    alerts = kind == KINDS[0]
    name = "exp_alerts" if alerts else "exp_samples"
    expected = list(case.get(name) or ())
    odd = {"exp_labels": {"mutant": "x"}} if alerts else {"labels": "mutant", "value": yamlfile.Plain("1")}
    yield "more", {**case, name: [*expected, odd]}
    yield "start", {**case, "eval_time": "0s"}
    if not expected:
        return
    first = expected[0]
    yield "fewer", {**case, name: expected[1:]}
    if alerts:
        yield (
            "label",
            {
                **case,
                name: [
                    {**first, "exp_labels": {**(first.get("exp_labels") or {}), "mutant": "x"}},
                    *expected[1:],
                ],
            },
        )
        texts = {**(first.get("exp_annotations") or {}), "summary": "mutant"}
        yield "text", {**case, name: [{**first, "exp_annotations": texts}, *expected[1:]]}
    else:
        value = yamlfile.Plain("12345.678")
        yield "value", {**case, name: [{**first, "value": value}, *expected[1:]]}


def promtool(binary: Path, asked: Sequence[Question]) -> Verdicts:
    """promtool's verdict on each file."""
    found: Verdicts = {}
    for first in range(0, len(asked), AT_ONCE):
        some = asked[first : first + AT_ONCE]
        done = subprocess.run(
            [binary, "test", "rules", *(one.path for one in some)],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        found.update(zip((one.name for one in some), _told(done.stdout), strict=True))
    return found


def _told(output: str) -> Iterator[tuple[str, str]]:
    verdict, why = "", list[str]()
    for line in output.splitlines():
        if line in ("  SUCCESS", "  FAILED:"):
            if verdict:
                yield verdict, "\n".join(why)
            verdict, why = ("pass" if line == "  SUCCESS" else "fail"), []
        elif not line.startswith(("Unit Testing:", "  WARNING: no file")):
            why.append(line)
    if verdict:
        yield verdict, "\n".join(why)


def ours(servers: Servers, asked: Sequence[Question], root: Path) -> tuple[Verdicts, int]:
    """Our verdict on each file, and how many warnings there are."""
    files: dict[str, UnitFile] = {}
    found: Verdicts = {}
    for one in asked:
        try:
            files[one.name] = parse_unit_tests(one.path.name, one.path.read_text("utf-8"), one.path, root)
        except (Broken, Skip) as error:
            found[one.name] = ("fail", str(error))
    tests = tuple((file, group) for file in files.values() for group in file.groups)
    with (
        tempfile.TemporaryDirectory() as folder,
        open_stack(servers, Path(folder), keep=False) as stack,
    ):
        rules = unit_rules.read(files.values(), root)
        job = UnitJob(servers.prometheus, tests, rules, {}, lambda text: None)
        seen = replay(job, stack, Path(folder) / "units")
    warnings = 0
    for name, file in files.items():
        verdicts = [
            unit.judge(file, group, case, seen[file.path, group.index], partial=False)
            for group in file.groups
            for _, case in unit_names.cases(group)
        ]
        skipped = [one.reason for one in verdicts if isinstance(one, Skipped)]
        findings = [finding for one in verdicts if not isinstance(one, Skipped) for finding in one]
        errors = [str(one) for one in findings if one.severity == "error"]
        warnings += len(findings) - len(errors)
        verdict = "fail" if errors else "skip" if skipped else "pass"
        found[name] = (verdict, "\n".join(errors or skipped))
    return found, warnings


def write(asked: Iterable[Question]) -> None:
    """Write the questions down."""
    for one in asked:
        one.path.write_text(yamlfile.dump(one.document)[0], "utf-8")


def compare(title: str, servers: Servers, asked: Sequence[Question], root: Path) -> tuple[Verdicts, Verdicts]:
    """Ask both, and print how often they agree and how long it took."""
    write(asked)
    began = time.monotonic()
    mine, warnings = ours(servers, asked, root)
    between = time.monotonic()
    theirs = promtool(Path(str(servers.prometheus.promtool)), asked)
    ended = time.monotonic()
    counts = Counter((mine[one.name][0], theirs[one.name][0]) for one in asked)
    agreed = sum(count for (one, other), count in counts.items() if one == other)
    details = ", ".join(
        f"ours {one}, promtool {other}: {count}" for (one, other), count in sorted(counts.items())
    )
    took = f"ours {between - began:.1f} s, promtool {ended - between:.1f} s"
    print(f"  {title}: {agreed} of {len(asked)} alike ({details}); {warnings} warnings; {took}", flush=True)
    return mine, theirs


def explain(mine: Verdicts, theirs: Verdicts) -> None:
    """Print each disagreement with what both say."""
    for name, (verdict, why) in mine.items():
        if verdict != theirs[name][0]:
            print(
                f"    {name}\n      ours: {verdict} {why[:1200]}\n      promtool: {theirs[name][0]} {theirs[name][1][:1200]}"
            )


def main() -> None:
    """Compare on each version."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--servers", nargs="*", default=["bookworm", "trixie", "forky"])
    parser.add_argument("--mutants", type=int, default=0, metavar="N", help="break every Nth case as well")
    options = parser.parse_args()
    for suite in options.servers:
        servers = _servers(suite)
        with tempfile.TemporaryDirectory() as name:
            root = Path(name).resolve()
            files = list(questions(options.folder.resolve(), root))
            print(f"{suite}: {len(files)} files, {sum(len(file.cases) for file in files)} cases", flush=True)
            mine, theirs = compare("whole files", servers, files, root)
            failing = [one for one in files if (mine[one.name][0], theirs[one.name][0]) != ("pass", "pass")]
            if alone := list(singles(failing)):
                explain(*compare("cases of files that do not pass, each alone", servers, alone, root))
            if broken := list(mutants(files, options.mutants)) if options.mutants else []:
                explain(*compare("broken cases", servers, broken, root))


def _servers(suite: str) -> Servers:
    given = os.environ.get("PYTEST_SRE_SERVERS")
    folder = Path(given, suite, "usr", "bin") if given else find_servers(suite)
    prometheus = {"binary": str(folder / "prometheus"), "promtool": str(folder / "promtool")}
    alertmanager = {"binary": str(folder / "prometheus-alertmanager")}
    return Servers.model_validate(
        {"backend": "process", "prometheus": prometheus, "alertmanager": alertmanager}
    )


if __name__ == "__main__":
    main()
