"""Public Alertmanager configurations through copy, start and delivery: `python benchmarks/configurations.py DIR`.

Each one that this version of Alertmanager loads (amtool says which) gets a label set for each route of its
tree; what Alertmanager says that it routes is compared with what the sink captured. Each one that it does not load
must be told in Alertmanager's own words. Templates that a configuration names and that are not there are stood in
for by empty ones. Files are read where they are.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from running import find_servers

from pytest_sre.errors import FileError
from pytest_sre.live.page import Delivery, NotLoaded, Office, deliver, open_office
from pytest_sre.model.finding import Location
from pytest_sre.model.routing import Integration, Matcher, Route, Routing
from pytest_sre.model.rules import Rule
from pytest_sre.settings import AlertmanagerServer, Servers
from pytest_sre.sources.alertmanager import parse_routing
from pytest_sre.stack.backend import Stack
from pytest_sre.stack.dummies import GLOBAL, KINDS, Kind, dummy, dummy_url
from pytest_sre.stack.process import open_stack
from pytest_sre.stack.sink import PostedAlert
from pytest_sre.synthesis.regexes import examples

_TEMPLATE = re.compile(r'template "([^"]+)"')
Opened = Callable[[Path, Path], AbstractContextManager[Stack]]
"""Opens a stack of the servers in a folder; the second folder is the run's."""
_SHORTEST = 6  # letters of a secret worth looking for


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one configuration; ``said`` is what a user is told about one that is not loaded."""

    name: str
    loads: bool
    sets: int = 0
    expected: int = 0
    captured: int = 0
    resolved: int = 0
    errors: tuple[str, ...] = ()
    said: str = ""
    own_words: str = ""
    secrets: tuple[str, ...] = ()


def label_sets(route: Route, above: tuple[Matcher, ...] = ()) -> Iterator[dict[str, str]]:
    """A label set for each route of the tree, as far as one satisfies all matchers on the way."""
    matchers = (*above, *route.matchers)
    by_label: dict[str, list[Matcher]] = {}
    for matcher in matchers:
        by_label.setdefault(matcher.label, []).append(matcher)
    values = {label: _value(mine) for label, mine in by_label.items()}
    if None not in values.values():
        yield {label: value for label, value in values.items() if value}
    for child in route.routes:
        yield from label_sets(child, matchers)


def _value(matchers: list[Matcher]) -> str | None:
    tries = ["", "other"]
    for one in matchers:
        tries += [one.value] if one.op == "=" else examples(one.value) if one.op == "=~" else []
    fitting = (text for text in tries if all(one.matches({one.label: text}) for one in matchers))
    return next(fitting, None)


def alerts_for(routing: Routing, most: int) -> dict[Rule, list[PostedAlert]]:
    """A rule of its own for each different label set, so that each is judged apart."""
    found: dict[frozenset[tuple[str, str]], dict[str, str]] = {}
    for labels in label_sets(routing.root):
        found.setdefault(frozenset(labels.items()), labels)
    notes = {"summary": "a summary", "description": "a description", "runbook_url": "https://example.com/"}
    result = {}
    for i, labels in enumerate(list(found.values())[:most]):
        full = {"alertname": f"Sample{i}", **labels}
        rule = Rule("alert", full["alertname"], "up", Location("rules.yml", 1), 1, "g", i)
        result[rule] = [PostedAlert(full, notes, "", "", "https://prometheus.example/graph", 0)]
    return result


def secrets_in(value: Any, kind: Kind = GLOBAL) -> Iterator[str]:
    """The texts under keys that hold secrets, and URLs that are secrets themselves."""
    keys = {*kind.secrets, *kind.secret_urls, "password", "credentials", "client_secret", "bearer_token"}
    pairs = value.items() if isinstance(value, Mapping) else enumerate(value)
    for key, item in pairs:
        if isinstance(item, (Mapping, list)):
            yield from secrets_in(item, KINDS.get(str(key).removesuffix("_configs"), kind))
        elif key in keys and isinstance(item, str) and len(item) >= _SHORTEST:
            replaced = dummy_url(item) if "://" in item else dummy(item)
            yield from [item] if replaced != item else []


def hidden(document: Mapping[str, Any]) -> list[str]:
    """The secrets of a configuration that are nowhere else in it: a password "password" proves nothing."""
    secrets = set(secrets_in(document))
    public = [text for text in _texts(document) if text not in secrets]
    return sorted(one for one in secrets if not any(one in text for text in public))


def _texts(value: Any) -> Iterator[str]:
    for key, item in value.items() if isinstance(value, Mapping) else enumerate(value):
        yield str(key)
        yield from _texts(item) if isinstance(item, (Mapping, list)) else [str(item)]


def stand_in(document: Mapping[str, Any], text: str, folder: Path) -> None:
    """Write the templates that a configuration names, with an empty text for each that it uses."""
    folder.mkdir()
    used = sorted(set(_TEMPLATE.findall(text)))
    content = "".join(f'{{{{ define "{name}" }}}}text{{{{ end }}}}\n' for name in used)
    for pattern in document.get("templates") or ():
        if isinstance(pattern, str):
            name = Path(pattern).name.replace("*", "stand-in")
            (folder / name).write_text(content, "utf-8")


def process_stack(servers: Path, folder: Path) -> AbstractContextManager[Stack]:
    """A stack of the programs in a folder."""
    binaries = {
        "backend": "process",
        "prometheus": {"binary": str(servers / "prometheus"), "promtool": str(servers / "promtool")},
        "alertmanager": {"binary": str(servers / "prometheus-alertmanager")},
    }
    return open_stack(Servers.model_validate(binaries), folder, keep=False)


def measure(path: Path, servers: Path, most: int, folder: Path, opened: Opened = process_stack) -> Outcome:
    """Put one configuration through all of it; ``folder`` is where its run lives."""
    amtool = subprocess.run([servers / "amtool", "check-config", path], capture_output=True, text=True)
    loads, own_words = amtool.returncode == 0, amtool.stdout + amtool.stderr
    text = path.read_text("utf-8")
    run = folder / "run"
    run.mkdir(parents=True)
    try:
        routing = parse_routing(path.name, str(folder / "users"), text)
        stand_in(routing.document, text, folder / "users")
        with opened(servers, run) as stack:
            office = Office(stack, AlertmanagerServer(), routing, run, keep=False)
            wave, changes = open_office(office, "wave0")
            alerts = alerts_for(routing, most)
            found = deliver(office, wave, alerts, lambda done, of: None)
            refused = stack.sink.refused
    except NotLoaded as error:
        said = f"{error.verdict.path}:{error.verdict.line}: {error.verdict.error}"
        return Outcome(path.name, loads, said=said, own_words=own_words)
    except FileError as error:
        return Outcome(path.name, loads, said=str(error), own_words=own_words)
    output = repr((found, changes, refused))
    leaked = tuple(one for one in hidden(routing.document) if _shows(one, output, run))
    return _outcome(path.name, loads, routing, found, (*map(str, refused),), leaked)


def _shows(secret: str, output: str, run: Path) -> bool:
    files = (path for path in run.rglob("*") if path.is_file())
    return secret in output or any(secret.encode() in path.read_bytes() for path in files)


def _outcome(
    name: str,
    loads: bool,
    routing: Routing,
    found: Mapping[Rule, Delivery],
    refused: tuple[str, ...],
    leaked: tuple[str, ...],
) -> Outcome:
    expected = captured = resolved = 0
    errors = list(refused)
    for rule, one in found.items():
        wanted = _wanted(routing.integrations, one)
        got = {note.integration for note in one.notifications}
        expected, captured = expected + len(wanted), captured + len(wanted & got)
        resolved += len(one.resolved)
        errors += one.errors
        errors += [f"{item}: not told that {rule.name} is over: {why}" for item, why in _silent(one)]
        errors += [f"{item} got nothing of {rule.name}" for item in wanted - got if not one.errors]
        errors += [f"{item} got {rule.name}, which is not routed there" for item in got - wanted]
    return Outcome(name, loads, len(found), expected, captured, resolved, tuple(errors), secrets=leaked)


def _silent(one: Delivery) -> list[tuple[Integration, str]]:
    return [(missing.integration, missing.why) for missing in one.unresolved]


def _wanted(integrations: tuple[Integration, ...], one: Delivery) -> set[Integration]:
    """What Alertmanager's own answer about the alerts means: who must be notified."""
    names = {
        receiver["name"]
        for alert in one.alerts
        if alert["status"]["state"] == "active"
        for receiver in alert["receivers"]
    }
    return {integration for integration in integrations if integration.receiver in names}


def run_all(
    paths: Sequence[Path], servers: Path, most: int, workers: int = 4, opened: Opened = process_stack
) -> list[Outcome]:
    """Put configurations through all of it, some at a time, for most of the time is spent waiting."""
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(workers) as pool:
        return list(
            pool.map(lambda path: measure(path, servers, most, Path(folder) / path.stem, opened), paths),
        )


def main() -> int:
    """Print the table; 1 where something of a loadable configuration was not captured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--servers", nargs="*", default=["bookworm", "trixie", "forky"], help="or folders")
    parser.add_argument("--json", type=Path, help="write all outcomes to this file")
    parser.add_argument("--most", type=int, default=12, help="label sets of each configuration at most")
    options = parser.parse_args()
    print("| servers | configurations | loadable | label sets | expected | captured | resolved | errors |")
    print("|---|---:|---:|---:|---:|---:|---:|---:|")
    paths = sorted(options.corpus.rglob("*.yml"))
    bad, everything = 0, list[dict[str, Any]]()
    for suite in options.servers:
        servers = Path(suite) if Path(suite).is_dir() else find_servers(suite)
        outcomes = run_all(paths, servers, options.most)
        everything += [asdict(one) for one in outcomes]
        whole = [one for one in outcomes if one.loads]
        total = Counter[str]()
        for one in whole:
            for name in ("sets", "expected", "captured", "resolved"):
                total[name] += getattr(one, name)
            total["errors"] += len(one.errors) + bool(one.said)
        figures = [total[name] for name in ("sets", "expected", "captured", "resolved", "errors")]
        print(f"| {suite} | {len(outcomes)} | {len(whole)} | {' | '.join(map(str, figures))} |", flush=True)
        for one in outcomes:
            for error in (*one.errors, one.said, *(f"SECRET {len(text)} letters" for text in one.secrets)):
                if error:
                    print(f"  {one.name}: {error[:300]}", file=sys.stderr)
        bad += total["errors"] + sum(len(one.secrets) for one in outcomes)
    if options.json:
        options.json.write_text(json.dumps(everything, indent=1))
    return int(bad > 0)


if __name__ == "__main__":
    sys.exit(main())
