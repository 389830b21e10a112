"""The files in ops/: every number that they ask for is one that we give."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import LazySettings
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families

from tests.docs.pages import anchors

ROOT = Path(__file__).parents[2]
OPS = ROOT / "ops"
PAGE = ROOT / "docs" / "observability.md"
# reliability: each of these has to wake somebody up, or to be seen in the morning.
ALARMS = {
    "unknown_age_max": {"warn", "page"},
    "due_lag_max": {"warn", "page"},
    "lease_expired_total": {"warn", "page"},
    "discrepancy_open": {"warn", "page"},
    "discrepancy_open_age_max": {"page"},
    "faena_reconciliation_age": {"warn", "page"},
    "ledger_imbalance": {"page"},
    "outbox_lag": {"warn", "page"},
    "faena_wallet_clock_skew_seconds": {"warn", "page"},
    "grant_lost_total": {"warn", "page"},
    "breaker_open": {"warn", "page"},
    "tick_heartbeat_age": {"warn", "page"},
}
# What Prometheus says of each scrape.
OWN = {"up"}
# What PromQL has besides names of metrics: functions, operators, and labels after `by` and `on`.
_LABELS = re.compile(r"\{[^}]*\}|\b(?:by|on|without|ignoring|group_left)\s*\([^)]*\)|\[[^\]]*\]")
_WORDS = {
    *("and", "or", "unless", "sum", "max", "min", "abs", "rate", "increase", "absent", "topk"),
    *("histogram_quantile", "avg", "count", "time", "clamp_min", "label_values"),
}


def names_in(expression: str) -> set[str]:
    """The metrics that a PromQL expression reads."""
    bare = re.sub(r"\"[^\"]*\"|'[^']*'", "", _LABELS.sub(" ", expression))
    return set(re.findall(r"[a-zA-Z_:][\w:]*", bare)) - _WORDS


def alerts() -> list[dict[str, Any]]:
    groups = yaml.safe_load((OPS / "prometheus" / "alerts.yml").read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def panels() -> list[dict[str, Any]]:
    dashboard = json.loads((OPS / "grafana" / "faena.json").read_text())
    return [panel for panel in dashboard["panels"] if panel["type"] != "row"]


@pytest.fixture
def known(client: Client, settings: LazySettings, db: None) -> set[str]:
    settings.DEBUG, settings.METRICS_TOKEN = True, ""
    shown = client.get("/metrics").content.decode()
    names = set()
    for family in text_string_to_metric_families(shown):
        # A family without samples yet is announced by its name alone.
        match family.type:
            case "counter":
                names.add(f"{family.name}_total")
            case "histogram":
                names |= {f"{family.name}_{part}" for part in ("bucket", "count", "sum")}
            case _:
                names.add(family.name)
    return names


def test_the_extraction_finds_what_promql_reads() -> None:
    expression = (
        'sum by (le) (rate(a_bucket{le="x"}[5m])) / 2 > 1 and on (host) b_total or absent(c)'
    )

    assert names_in(expression) == {"a_bucket", "b_total", "c"}


def test_every_alert_asks_for_numbers_that_exist(known: set[str]) -> None:
    for rule in alerts():
        assert names_in(rule["expr"]), rule
        assert names_in(rule["expr"]) <= known | OWN, rule["alert"]


def test_every_panel_asks_for_numbers_that_exist(known: set[str]) -> None:
    assert len(panels()) >= 12
    for panel in panels():
        for target in panel["targets"]:
            assert names_in(target["expr"]), panel["title"]
            assert names_in(target["expr"]) <= known, panel["title"]


@pytest.mark.parametrize("metric", ALARMS)
def test_every_alarm_has_its_rules(metric: str) -> None:
    found = {rule["labels"]["severity"] for rule in alerts() if metric in names_in(rule["expr"])}

    assert ALARMS[metric] <= found


def test_every_alert_says_what_to_do_and_where_to_read_on() -> None:
    known = anchors(PAGE)
    for rule in alerts():
        notes = rule["annotations"]
        page, _, anchor = notes["runbook"].partition("#")
        assert notes["do"].endswith("."), rule["alert"]
        assert (page, anchor in known) == ("docs/observability.md", True), rule["alert"]


def test_the_page_names_every_number_and_every_alert(known: set[str]) -> None:
    text = PAGE.read_text()
    ours = {name for name in known if not name.startswith(("python_", "process_"))}
    plain = {re.sub(r"_(bucket|count|sum)$", "", name) for name in ours}

    assert {name for name in plain if f"`{name}`" not in text} == set()
    assert {rule["alert"] for rule in alerts() if f"`{rule['alert']}`" not in text} == set()


def test_what_is_scraped_is_what_is_served() -> None:
    config = yaml.safe_load((OPS / "prometheus" / "scrape.yml").read_text())

    assert config["rule_files"] == ["alerts.yml"]
    assert {job["metrics_path"] for job in config["scrape_configs"]} == {"/metrics"}


def test_the_services_of_compose_are_scraped_where_they_show_their_numbers() -> None:
    config = yaml.safe_load((OPS / "prometheus" / "scrape.yml").read_text())
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    jobs = {
        job["job_name"]: job["static_configs"][0]["targets"] for job in config["scrape_configs"]
    }
    environment = services["worker"]["environment"]

    assert jobs["faena-web"] == ["web:8000"]
    assert jobs["faena-worker"] == [f"worker:{environment['METRICS_PORT']}"]
    assert environment["METRICS_HOST"] == "0.0.0.0"
    asked_for = re.findall(r'job="([^"]+)"', str([rule["expr"] for rule in alerts()]))
    assert sorted(asked_for) == sorted(jobs)
