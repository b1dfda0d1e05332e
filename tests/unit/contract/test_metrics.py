from datetime import timedelta

from cronops.contract.job import job
from cronops.contract.metrics import METRIC_NAMES, metric_names
from cronops.contract.retry import Retry


@job(
    "stock export",
    cr="CR-002",
    lock="x",
    timeout=timedelta(minutes=1),
    retry=Retry.never(),
    idempotency="none needed",
    counts=("files", "rows"),
    accountable="Platform Export",
    responsible="Shared Ops",
)
def export(ctx: object) -> None:
    """Export stock."""


def test_a_jobs_metrics_name_its_counts():
    names = metric_names(export)
    assert names[-2:] == [
        'cronops_last_run_count{count="files"}',
        'cronops_last_run_count{count="rows"}',
    ]
    assert {name.partition("{")[0] for name in names} == set(METRIC_NAMES)
