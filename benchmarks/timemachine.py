"""At which minute does each alert fire? `promtool test rules` and the time machine on the same question, in one run.

    python benchmarks/timemachine.py [--servers SUITE] [--promtool N] [--repeat N] [COUNT...]

Each SLO has seven recorded windows, a page and a ticket (as in slos.py); 3 days of healthy history sampled every minute,
then an error ratio of its own for 12 hours, evaluated every minute. promtool is given our answer: its tests look at the
minute before each alert fires, at that minute and at the last one, so they only pass where both tools agree.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import psutil
from running import find_servers
from slos import Slo, alerts, recordings, write

from pytest_sre.model import slo as model
from pytest_sre.model.finding import Location
from pytest_sre.model.rules import Rule, RuleFile
from pytest_sre.model.scenario import Labels
from pytest_sre.model.timeline import Stretch
from pytest_sre.promql.resolve import RuleIndex
from pytest_sre.promql.selector import selector
from pytest_sre.settings import Servers
from pytest_sre.sources.rulefile import parse_rule_file
from pytest_sre.stack import process
from pytest_sre.synthesis.contrast import Contrast, contrast
from pytest_sre.synthesis.slo import at_ratio
from pytest_sre.timemachine import spans, states
from pytest_sre.timemachine.ask import Machine, ask
from pytest_sre.timemachine.engine import Engine, open_engine
from pytest_sre.timemachine.labels import AlertLabels
from pytest_sre.timemachine.program import evaluate
from pytest_sre.timemachine.question import Asker, Question
from pytest_sre.timemachine.schedule import Schedule
from pytest_sre.timemachine.task import Program, Task

HISTORY, BURN = 3 * 1440, 720  # minutes
REQUESTS, WELL = 600_000, 6  # a minute, all and those that fail while the service is healthy
ONSET = 2000 * 86400.0
LOOKBACK = 300.0
LOW, HIGH = 3.0, 90.0  # burn rates; below 6 the page does not fire within 12 hours, nor the ticket

Answers = tuple[int | None, ...]
"""For each alert in the order of the rules the minute after the onset at which it fires; None: not in these 12 hours."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds, and bytes of resident memory at the peak, of this process (or promtool) and of the Prometheus it started."""

    wall: float
    cpu: float
    memory: int
    prometheus: int = 0
    answers: Answers = ()


def failing(slo: Slo) -> int:
    """Requests that fail each minute during the burn: another burn rate for each SLO, spread evenly."""
    burn = LOW + (HIGH - LOW) * (slo.number * 0.6180339887 % 1)
    return round(REQUESTS * slo.budget * burn)


def counters(slo: Slo) -> Iterator[tuple[str, int, int]]:
    """Label ``code``, and what is counted each minute before and after the onset."""
    bad = failing(slo)
    yield "200", REQUESTS - WELL, REQUESTS - bad
    yield "500", WELL, bad


def groups(slo: Slo) -> list[dict[str, Any]]:
    """Sloth's rules, without annotations: promtool would want to be told every word of them."""
    found: list[dict[str, Any]] = [recordings(slo), alerts(slo)]
    for rule in found[1]["rules"]:
        del rule["annotations"]
    return found


def unit_test(slo: Slo, answers: Answers) -> dict[str, Any]:
    """A promtool unit test that passes if the page and the ticket fire at these minutes."""
    rules = groups(slo)[1]["rules"]
    series = [
        {
            "series": f'http_requests_total{{job="{slo.labels["sloth_service"]}",code="{code}"}}',
            "values": f"0+{before}x{HISTORY} {HISTORY * before + after}+{after}x{BURN - 1}",
        }
        for code, before, after in counters(slo)
    ]
    looks = sorted({BURN, *(minute for fired in answers if fired for minute in (fired - 1, fired))})
    cases = [
        {
            "eval_time": f"{HISTORY + minute}m",
            "alertname": rules[0]["alert"],
            "exp_alerts": [
                {"exp_labels": {**slo.labels, **rule["labels"]}}
                for rule, fired in zip(rules, answers, strict=True)
                if fired is not None and fired <= minute
            ],
        }
        for minute in looks
    ]
    return {
        "rule_files": [f"rules-{slo.number}.yml"],
        "evaluation_interval": "1m",
        "group_eval_order": [group["name"] for group in groups(slo)],
        "tests": [{"interval": "1m", "input_series": series, "alert_rule_test": cases}],
    }


def promtool(binary: Path, slos: Sequence[Slo], answers: Sequence[Answers]) -> Cost:
    """`promtool test rules` with a test file for each SLO; exits where a test fails."""
    with tempfile.TemporaryDirectory(prefix="promtool-") as base:
        tests = []
        for slo, fired in zip(slos, answers, strict=True):
            write(Path(base, f"rules-{slo.number}.yml"), {"groups": groups(slo)})
            tests.append(Path(base, f"test-{slo.number}.yml"))
            write(tests[-1], unit_test(slo, fired))
        began = time.monotonic()
        child = subprocess.Popen([binary, "test", "rules", *tests], stdout=subprocess.PIPE, text=True)
        memory, cpu, running = 0, 0.0, psutil.Process(child.pid)
        while child.poll() is None:
            now = seen(running)
            memory, cpu = max(memory, now[0]), max(cpu, now[1])
            time.sleep(0.02)
        if child.returncode:
            raise SystemExit(f"promtool disagrees: {child.communicate()[0]}")
        return Cost(time.monotonic() - began, cpu, memory)


def seen(one: psutil.Process) -> tuple[int, float]:
    """Resident bytes and CPU seconds so far; nothing of a process that has ended."""
    try:
        with one.oneshot():
            times = one.cpu_times()
            return one.memory_info().rss, times.user + times.system
    except psutil.Error:
        return 0, 0.0


def watched(task: Callable[[], Answers]) -> Cost:
    """Run a task that starts a Prometheus, in a process of its own."""
    me, done = psutil.Process(), threading.Event()
    peak, servers, cpu = [0], [0], [0.0]

    def watch() -> None:
        while not done.wait(0.1):
            peak[0] = max(peak[0], seen(me)[0])
            for child in me.children():
                memory, used = seen(child)
                servers[0], cpu[0] = max(servers[0], memory), max(cpu[0], used)

    watcher = threading.Thread(target=watch)
    watcher.start()
    began, used = time.monotonic(), time.process_time()
    try:
        answers = task()
    finally:
        done.set()
        watcher.join()
    return Cost(time.monotonic() - began, time.process_time() - used + cpu[0], peak[0], servers[0], answers)


def rule_file(slos: Sequence[Slo]) -> RuleFile:
    """The rules of all SLOs."""
    with tempfile.TemporaryDirectory(prefix="rules-") as base:
        write(Path(base, "slos.yml"), {"groups": [group for slo in slos for group in groups(slo)]})
        return parse_rule_file("slos.yml", Path(base, "slos.yml").read_text())


def every_rule(file: RuleFile) -> Iterator[Rule]:
    """Recording rules too."""
    return (rule for group in file.groups for rule in group.rules)


def engine_alone(folder: Path, count: int) -> Cost:
    """Samples and programs as given: what promtool is asked, and nothing else."""
    slos = [Slo(number) for number in range(count)]
    file = rule_file(slos)
    return with_engine(folder, lambda engine, labels: evaluated(engine, labels, slos, file))


def evaluated(engine: Engine, labels: AlertLabels, slos: Sequence[Slo], file: RuleFile) -> Answers:
    """Write, evaluate over the burn, read off the minutes."""
    schedule = Schedule([file], {}, RuleIndex(every_rule(file)))
    stretch = Stretch(ONSET + 60, ONSET + 60 * BURN, 60.0)
    engine.write((name, samples) for slo in slos for name, samples in series(slo))
    pairs = [file.alerts[place : place + 2] for place in range(0, len(file.alerts), 2)]
    programs = [program(pair, stretch, schedule) for pair in pairs]
    found: list[int | None] = []
    for pair, outcome in zip(pairs, evaluate(engine, programs, labels.of), strict=True):
        for rule in pair:
            history = states.history(rule, outcome[rule], labels.of(rule, outcome[rule]))
            fired = [one.fired_at for one in history.periods if one.fired_at is not None]
            found.append(round((min(fired) - ONSET) / 60) if fired else None)
    return tuple(found)


def series(slo: Slo) -> Iterator[tuple[Labels, list[tuple[float, float]]]]:
    """The samples of promtool's ``input_series``."""
    for code, before, after in counters(slo):
        labels = (("__name__", "http_requests_total"), ("code", code), ("job", slo.labels["sloth_service"]))
        yield (
            labels,
            [
                (ONSET + 60.0 * minute, float(before * (HISTORY + min(minute, 0)) + after * max(minute, 0)))
                for minute in range(-HISTORY, BURN + 1)
            ],
        )


def program(pair: Sequence[Rule], stretch: Stretch, schedule: Schedule) -> Program:
    """A page and a ticket with the records behind them, each once."""
    tasks: dict[Rule, Task] = {}
    for alert in pair:
        tasks.update((task.rule, task) for task in spans.tasks(alert, [stretch], ONSET, schedule, LOOKBACK))
    return Program(tuple(tasks[rule] for rule in schedule.ordered(tasks)))


def as_run(folder: Path, count: int) -> Cost:
    """As users run it: the data searched, samples no denser than needed, a first look and a closer one."""
    slos = [Slo(number) for number in range(count)]
    file = rule_file(slos)
    return with_engine(folder, lambda engine, labels: asked(engine, labels, slos, file))


def asked(engine: Engine, labels: AlertLabels, slos: Sequence[Slo], file: RuleFile) -> Answers:
    """Make the questions, ask them, read off the minutes."""
    index = RuleIndex(every_rule(file))
    schedule = Schedule([file], {}, index)
    questions = [
        question(slos[place // 2], rule, place, index, schedule) for place, rule in enumerate(file.alerts)
    ]
    passages = ask(Machine(engine, schedule, labels, LOOKBACK), questions, lambda done, of: None)
    return tuple(None if one is None or one.fired is None else round(one.fired / 60) for one in passages)


def question(slo: Slo, rule: Rule, place: int, index: RuleIndex, schedule: Schedule) -> Question:
    """The SLO's error ratio for 12 hours."""
    now = float(int(time.time()))
    found = contrast(rule, index, types={}, now=now, lookback=LOOKBACK, serial=str(place))
    assert isinstance(found, Contrast), found
    job, ratio = slo.labels["sloth_service"], failing(slo) / REQUESTS
    truth = model.Slo(
        job, 100 - 100 * slo.budget, 30 * 86400.0,
        selector(f'http_requests_total{{job="{job}",code=~"(5..|429)"}}'), None,
        selector(f'http_requests_total{{job="{job}"}}'), Location("sre.yaml", 1),
    )  # fmt: skip
    made = at_ratio(found, truth, ratio, WELL / REQUESTS / slo.budget)
    assert made is not None
    one = Asker(schedule, LOOKBACK, now).at_ratio(rule, found, made, truth, ratio)
    return replace(one, burn=60.0 * BURN)


def with_engine(suite: Path, task: Callable[[Engine, AlertLabels], Answers]) -> Cost:
    """The cost of a task from opening its engine on, until the engine is closed."""
    servers = settings(suite)
    with (
        tempfile.TemporaryDirectory(prefix="engine-") as base,
        process.open_stack(servers, Path(base), keep=False) as stack,
    ):

        def run() -> Answers:
            with open_engine(stack, servers.prometheus, Path(base, "engine"), "engine") as engine:
                return task(engine, AlertLabels(stack))

        return watched(run)


def settings(suite: Path) -> Servers:
    """The servers of a folder."""
    prometheus, alertmanager = (str(suite / name) for name in ("prometheus", "prometheus-alertmanager"))
    return Servers.model_validate(
        {"prometheus": {"binary": prometheus}, "alertmanager": {"binary": alertmanager}}
    )


def alone(task: Callable[[Path, int], Cost], suite: Path, count: int) -> Cost:
    """In a fresh process, so that its memory is its own."""
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        return pool.submit(task, suite, count).result()


def rounds(suite: Path, counts: Sequence[int], few: int, repeat: int) -> dict[tuple[str, int], list[Cost]]:
    """All measurements, in turns, so that what else the machine does hits all alike."""
    found: dict[tuple[str, int], list[Cost]] = {}
    for _ in range(repeat):
        for count in counts:
            for name, task in (("time machine", engine_alone), ("time machine, as run", as_run)):
                found.setdefault((name, count), []).append(alone(task, suite, count))
        answers = found["time machine", max(counts)][-1].answers
        pairs = [answers[2 * number : 2 * number + 2] for number in range(few)]
        for count in sorted({1, few}):
            slos = [Slo(number) for number in range(count)]
            cost = promtool(suite / "promtool", slos, pairs[:count])
            found.setdefault(("promtool", count), []).append(cost)
    return found


def table(found: dict[tuple[str, int], list[Cost]], few: int) -> None:
    """Medians, and how many times ours promtool's cost per SLO is, turn by turn."""
    print(
        "| tool | SLOs | wall s | CPU s | peak MiB | its Prometheus | ms per SLO | CPU ms per SLO "
        "| promtool takes | in CPU |"
    )
    print("|---|" + "---:|" * 9)
    for (name, count), costs in sorted(found.items()):
        cells = [name, str(count), f"{median(costs, 'wall'):.2f}", f"{median(costs, 'cpu'):.2f}"]
        cells += [f"{median(costs, what) / 2**20:.0f}" for what in ("memory", "prometheus")]
        cells += [f"{1000 * median(costs, what) / count:.1f}" for what in ("wall", "cpu")]
        for what in ("wall", "cpu"):
            pairs = zip(found["promtool", few], costs, strict=True)
            ratios = [getattr(theirs, what) / few * count / getattr(ours, what) for theirs, ours in pairs]
            cells.append(f"{statistics.median(ratios):.3g}x")
        print("| " + " | ".join(cells) + " |")


def median(costs: Sequence[Cost], what: str) -> float:
    """Of one figure over the turns."""
    return statistics.median(float(getattr(cost, what)) for cost in costs)


def disagreements(found: dict[tuple[str, int], list[Cost]]) -> int:
    """Alerts for which one way of asking gives another minute than the largest run of the engine."""
    ours = {key: cost.answers for key, costs in found.items() for cost in costs if cost.answers}
    reference = max(ours.values(), key=len)
    return sum(
        one != other for answers in ours.values() for one, other in zip(answers, reference, strict=False)
    )


def main() -> int:
    """Measure and print; 1 where answers differ."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("counts", metavar="COUNT", nargs="*", type=int, default=[1, 10, 100, 400])
    parser.add_argument("--servers", metavar="SUITE", default="bookworm", help="bookworm, trixie or forky")
    parser.add_argument(
        "--promtool", metavar="N", type=int, default=3, help="SLOs that promtool is asked about"
    )
    parser.add_argument("--repeat", type=int, default=3, help="turns; the table shows medians")
    options = parser.parse_args()
    suite, few = find_servers(options.servers), min(options.promtool, max(options.counts))
    found = rounds(suite, options.counts, few, options.repeat)
    print(f"Prometheus and promtool {process.version(str(suite / 'prometheus'))}, {options.repeat} turns\n")
    table(found, few)
    answers = found["time machine", max(options.counts)][-1].answers
    fired, off = sum(one is not None for one in answers), disagreements(found)
    print(
        f"\n{fired} of {len(answers)} alerts fire. promtool's tests of {2 * few} alerts pass with our minutes; "
        f"between our ways of asking {off} minutes differ."
    )
    return 1 if off else 0


if __name__ == "__main__":
    raise SystemExit(main())
