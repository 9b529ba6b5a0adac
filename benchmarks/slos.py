"""What a run over N SLOs costs: `python benchmarks/slos.py [--servers SUITE] [--backend NAME]... [--repeat N] [-k WORDS] [COUNT...]`.

Writes rule files as Sloth generates them, and an Alertmanager configuration that routes by team, into a
temporary folder, runs `pytest --sre-alerts` there, and prints a Markdown table.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import yaml
from running import Cost, find_servers, measure

WINDOWS = ("5m", "30m", "1h", "2h", "6h", "1d", "3d")
PAGE = (("5m", "1h", 14.4), ("30m", "6h", 6))
TICKET = (("2h", "1d", 3), ("6h", "3d", 1))
SLOS_PER_FILE = 50
TEAMS = 10
VERSIONS = {"bookworm": ("2.42", "0.25"), "trixie": ("2.53", "0.28"), "forky": ("3.5", "0.33")}


@dataclass(frozen=True, slots=True)
class Slo:
    """An SLO of the generated company; every label is its own, as in Sloth's output."""

    number: int

    @property
    def labels(self) -> dict[str, str]:
        service = f"service-{self.number:04d}"
        return {"sloth_id": f"{service}-availability", "sloth_service": service, "sloth_slo": "availability"}

    @property
    def team(self) -> str:
        return f"team-{self.number % TEAMS}"

    @property
    def budget(self) -> float:
        return (0.01, 0.005, 0.001)[self.number % 3]


def recordings(slo: Slo) -> dict[str, object]:
    """The group that records the error ratio over each window."""
    selector = f'job="{slo.labels["sloth_service"]}"'
    rules = [
        {
            "record": f"slo:sli_error:ratio_rate{window}",
            "expr": f'(sum(rate(http_requests_total{{{selector},code=~"(5..|429)"}}[{window}])))\n'
            f"/\n(sum(rate(http_requests_total{{{selector}}}[{window}])))\n",
            "labels": {**slo.labels, "sloth_window": window},
        }
        for window in WINDOWS
    ]
    return {"name": f"sloth-slo-sli-recordings-{slo.labels['sloth_id']}", "rules": rules}


def burning(slo: Slo, windows: tuple[tuple[str, str, float], ...]) -> str:
    """Sloth's expression: either pair of windows burns faster than its factor."""
    selector = ", ".join(f'{name}="{value}"' for name, value in slo.labels.items())

    def above(window: str, factor: float) -> str:
        ratio = f"slo:sli_error:ratio_rate{window}{{{selector}}}"
        return f"max({ratio} > ({factor} * {slo.budget})) without (sloth_window)"

    pairs = [f"(\n    {above(a, factor)}\n    and\n    {above(b, factor)}\n)" for a, b, factor in windows]
    return "\nor\n".join(pairs) + "\n"


def alerts(slo: Slo) -> dict[str, object]:
    """The group with the page and the ticket; both have one name, as Sloth gives them."""
    rules = [
        {
            "alert": f"Service{slo.number:04d}HighErrorRate",
            "expr": burning(slo, windows),
            "for": hold,
            "labels": {"severity": severity, "sloth_severity": severity, "team": slo.team},
            "annotations": {
                "summary": "{{ $labels.sloth_service }} burns its error budget: "
                "{{ $value | humanizePercentage }} of requests fail",
                "title": f"({severity}) {{{{ $labels.sloth_service }}}} {{{{ $labels.sloth_slo }}}} "
                "SLO error budget burn rate is too fast.",
                "runbook_url": f"https://runbooks.example.com/{slo.labels['sloth_service']}/errors",
            },
        }
        for severity, hold, windows in (("page", "2m", PAGE), ("ticket", "15m", TICKET))
    ]
    return {"name": f"sloth-slo-alerts-{slo.labels['sloth_id']}", "rules": rules}


def alertmanager(inhibit: bool) -> dict[str, object]:
    """Pages go to the team's PagerDuty, tickets to its Slack channel."""
    teams = [f"team-{number}" for number in range(TEAMS)]
    children = [
        {"receiver": f"{tool}-{team}", "matchers": [f'team="{team}"', f'severity="{severity}"']}
        for team in teams
        for tool, severity in (("pagerduty", "page"), ("slack", "ticket"))
    ]
    receivers: list[dict[str, object]] = [{"name": "null"}]
    for number, team in enumerate(teams):
        receivers += [
            {"name": f"pagerduty-{team}", "pagerduty_configs": [{"routing_key": f"{number:032x}"}]},
            {"name": f"slack-{team}", "slack_configs": [{"channel": f"#{team}"}]},
        ]
    same = {
        "source_matchers": ['severity="page"'],
        "target_matchers": ['severity="ticket"'],
        "equal": ["sloth_id"],
    }
    return {
        "global": {
            "slack_api_url": "https://hooks.slack.com/services/T00000000/B00000000/abcdefghijklmnopqrstuvwx"
        },
        "route": {"receiver": "null", "group_by": ["alertname", "sloth_id"], "routes": children},
        "inhibit_rules": [same] if inhibit else [],
        "receivers": receivers,
    }


def expectations() -> dict[str, object]:
    """sre.yaml: each team's pages and tickets reach that team and nobody else."""
    rules = [
        {
            "match": {"severity": severity, "team": f"team-{number}"},
            "reaches": [f"{tool}-team-{number}"],
            "never": ["null", *(f"*-team-{other}" for other in range(TEAMS) if other != number)],
        }
        for number in range(TEAMS)
        for tool, severity in (("pagerduty", "page"), ("slack", "ticket"))
    ]
    return {"oncall": rules}


def generate(folder: Path, count: int, inhibit: bool = False) -> None:
    """Writes the repository of a company with that many SLOs."""
    (folder / "rules").mkdir(parents=True)
    slos = [Slo(number) for number in range(count)]
    for start in range(0, count, SLOS_PER_FILE):
        groups = [make(slo) for slo in slos[start : start + SLOS_PER_FILE] for make in (recordings, alerts)]
        write(folder / "rules" / f"slos-{start // SLOS_PER_FILE:02d}.yml", {"groups": groups})
    write(folder / "alertmanager.yml", alertmanager(inhibit))
    write(folder / "sre.yaml", expectations())
    (folder / "pytest.ini").write_text("[pytest]\n")


class Dumper(yaml.CSafeDumper):
    """Writes texts of several lines as blocks, as people and Sloth do."""


Dumper.add_representer(
    str,
    lambda dumper, text: dumper.represent_scalar(
        "tag:yaml.org,2002:str", text, style="|" if "\n" in text else None
    ),
)


def write(path: Path, document: dict[str, object]) -> None:
    path.write_text(yaml.dump(document, Dumper=Dumper, sort_keys=False, width=1000))


def options_of(backend: str, suite: str) -> list[str]:
    """What makes pytest use a backend: `process`, or `gateway` or `relay` of docker with images of scripts/images."""
    if backend == "process":
        return ["--sre-backend=process"]
    prometheus, alertmanager = VERSIONS[suite]
    return [
        "--sre-backend=docker",
        f"--sre-docker-sink={backend}",
        f"--sre-prometheus-image=pytest-sre/prometheus:{prometheus}",
        f"--sre-alertmanager-image=pytest-sre/alertmanager:{alertmanager}",
        "--sre-relay-image=pytest-sre/python:3",
    ]


def report(backend: str, count: int, costs: list[Cost]) -> str:
    """A row of the table: medians, and what pytest said of the last run."""
    wall = statistics.median(cost.wall for cost in costs)
    cpu = statistics.median(cost.cpu for cost in costs)
    own = statistics.median(cost.own for cost in costs)
    memory, own_memory = (
        max(found) / 2**20 for found in zip(*((c.memory, c.own_memory) for c in costs), strict=True)
    )
    per_alert = wall / (2 * count) * 1000
    cells = (
        backend,
        count,
        2 * count,
        f"{wall:.1f}",
        f"{cpu:.1f}",
        f"{own:.1f}",
        f"{memory:.0f}",
        f"{own_memory:.0f}",
        f"{per_alert:.1f}",
        costs[-1].outcomes,
    )
    return "| " + " | ".join(map(str, cells)) + " |"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("counts", metavar="COUNT", nargs="*", type=int, default=[1, 10, 100, 500])
    parser.add_argument(
        "--servers", metavar="SUITE", help="bookworm, trixie or forky; default: those on PATH"
    )
    parser.add_argument(
        "--backend",
        action="append",
        choices=("process", "gateway", "relay"),
        help="more than once: all, in turns; containers' CPU and memory are not in the figures",
    )
    parser.add_argument("--repeat", type=int, default=1, help="runs of each size; the table shows medians")
    parser.add_argument("-k", metavar="WORDS", default="", help="only these items, as pytest's -k")
    parser.add_argument("--inhibit", action="store_true", help="a page inhibits the ticket of the same SLO")
    parser.add_argument(
        "--keep", metavar="DIR", type=Path, help="only write the files of the last COUNT there"
    )
    options = parser.parse_args()
    if options.keep:
        generate(options.keep, options.counts[-1], options.inhibit)
        return 0
    servers = find_servers(options.servers) if options.servers else None
    print(
        "| backend | SLOs | alerts | wall s | CPU s | pytest's | peak MiB | pytest's | ms per alert | outcome |"
    )
    print("|---|" + "---:|" * 8 + "---|")
    worst = 0
    for count in options.counts:
        with tempfile.TemporaryDirectory(prefix="slos-") as folder:
            generate(Path(folder), count, options.inhibit)
            costs: dict[str, list[Cost]] = {backend: [] for backend in options.backend or ["process"]}
            for _ in range(options.repeat):  # in turns, so that what else the machine does hits all alike
                for backend, found in costs.items():
                    given = options_of(backend, options.servers or "bookworm")
                    given += ["-k", options.k] if options.k else []
                    found.append(measure(Path(folder), servers, given))
                    if found[-1].status:
                        print(found[-1].tail, file=sys.stderr)
        for backend, found in costs.items():
            print(report(backend, count, found), flush=True)
            worst = max(worst, *(cost.status for cost in found))
    return worst


if __name__ == "__main__":
    sys.exit(main())
