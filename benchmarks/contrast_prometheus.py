"""Ask a real Prometheus about healthy, near and burning data, each alert at a time of its own."""

from __future__ import annotations

import json
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests

from pytest_sre.errors import StackError
from pytest_sre.model.rules import Rule
from pytest_sre.model.scenario import Labels
from pytest_sre.promql.resolve import RuleIndex, selectors
from pytest_sre.stack.remote_write import write
from pytest_sre.synthesis.contrast import Contrast
from pytest_sre.synthesis.search import sample_times
from pytest_sre.synthesis.signals import Track

LOOKBACK = 300.0
STATES = ("healthy", "near", "burning")


@dataclass
class Question:
    """A contrast whose signals' time 0 is ``now``, in seconds since the epoch."""

    contrast: Contrast
    now: float


def wrong(questions: list[Question], rules: RuleIndex, binaries: Path) -> list[tuple[Question, str, str]]:
    """Where a real Prometheus disagrees: question, state, what it says."""
    found = []
    for state in STATES:
        some = [q for q in questions if state != "near" or q.contrast.near is not None]
        with tempfile.TemporaryDirectory() as folder, _server(Path(folder), some, state, binaries) as url:
            session = requests.Session()
            session.trust_env = False
            found += [(q, state, said) for q in some if (said := _ask(session, url, q, rules, state))]
    return found


def _ask(session: requests.Session, url: str, question: Question, rules: RuleIndex, state: str) -> str:
    alert = question.contrast.shape.rule
    try:
        record(session, url, alert, rules, question.now)
        rows = query(session, url, alert.expr, question.now)
    except ValueError as error:
        return str(error)
    if bool(rows) == (state == "burning"):
        return ""
    return f"{len(rows)} rows, e.g. {rows[:1]}"


def query(session: requests.Session, url: str, expr: str, now: float) -> list[tuple[dict[str, str], str]]:
    """(labels, value) of each element. Raises ValueError where Prometheus reports an error."""
    answer = session.post(f"{url}/api/v1/query", data={"query": expr, "time": f"{now:.3f}"}).json()
    if answer["status"] != "success":
        raise ValueError(answer["error"])
    result = answer["data"]["result"]
    if answer["data"]["resultType"] == "scalar":
        return [({}, result[1])]
    return [(row["metric"], row["value"][1]) for row in result]


def record(session: requests.Session, url: str, alert: Rule, rules: RuleIndex, now: float) -> None:
    """Write what an alert's recording rules give at a time, those that others need first."""
    for rule in _ordered(alert, rules, {}):
        try:
            rows = query(session, url, rule.expr, now)
        except ValueError:
            continue
        series: list[tuple[Labels, list[tuple[float, float]]]] = []
        for metric, value in rows:
            labels = {**metric, **rule.labels, "__name__": rule.name}
            series.append((tuple(sorted((k, v) for k, v in labels.items() if v)), [(now, float(value))]))
        try:
            write(session, url, series)
        except (
            StackError
        ):  # another rule wrote the same series with another value: Prometheus keeps the first
            continue


def _ordered(rule: Rule, rules: RuleIndex, found: dict[Rule, None]) -> list[Rule]:
    """The recording rules behind a rule, those that others need first; cycles are cut."""
    found[rule] = None
    inner: list[Rule] = []
    for selector in selectors(rule.expr):
        for behind in rules.behind(selector):
            if behind not in found:
                inner += [*_ordered(behind, rules, found), behind]
    return inner


@contextmanager
def _server(folder: Path, questions: list[Question], state: str, binaries: Path) -> Iterator[str]:
    """A Prometheus with the data of one state."""
    with (folder / "in.om").open("w") as out:
        for labels, samples in _series(questions, state):
            text = ",".join(
                f"{key}={json.dumps(value, ensure_ascii=False)}" for key, value in labels if key != "__name__"
            )
            out.writelines(
                f"{dict(labels)['__name__']}{{{text}}} {value!r} {moment:.3f}\n" for moment, value in samples
            )
        out.write("# EOF\n")
    command = [binaries / "promtool", "tsdb", "create-blocks-from", "openmetrics"]
    options = ["--max-block-duration=40000h", "-q", folder / "in.om", folder / "data"]
    subprocess.run([*command, *options], check=True, capture_output=True, text=True)
    config = {"storage": {"tsdb": {"out_of_order_time_window": "36500d"}}}
    (folder / "prometheus.yml").write_text(json.dumps(config))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        url = f"127.0.0.1:{probe.getsockname()[1]}"
    server_command = [
        str(binaries / "prometheus"), f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data",
        "--storage.tsdb.retention.time=100y", f"--web.listen-address={url}", "--web.enable-remote-write-receiver",
    ]  # fmt: skip
    with (
        (folder / "log").open("w") as log,
        subprocess.Popen(server_command, stderr=log, stdout=log) as server,
    ):
        try:
            yield _ready(f"http://{url}", server, folder / "log")
        finally:
            server.terminate()
            server.wait()


def _series(questions: list[Question], state: str) -> Iterator[tuple[Labels, list[tuple[float, float]]]]:
    """All series with their samples up to each question's time, series by series."""
    found: dict[Labels, list[tuple[float, float]]] = {}
    for question in sorted(questions, key=lambda question: question.now):
        times = sample_times(question.contrast.shape, LOOKBACK)
        for behaviour in question.contrast.behaviours:
            track = Track(dict(behaviour.labels), times, getattr(behaviour, state))
            samples = [(question.now + time, value) for time, value in track.samples() if time <= 0]
            found.setdefault(behaviour.labels, []).extend(samples)
    yield from found.items()


def _ready(url: str, server: subprocess.Popen[bytes], log: Path) -> str:
    session = requests.Session()
    session.trust_env = False
    for _ in range(300):
        try:
            if session.get(f"{url}/-/ready", timeout=2).ok:
                return url
        except requests.ConnectionError:
            pass
        if server.poll() is not None:
            break
        time.sleep(0.1)
    raise SystemExit(f"Prometheus did not start:\n{log.read_text()[-3000:]}")
