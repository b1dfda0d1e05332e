"""What can be set, with its type, default and meaning. How it is found: `cronops.config.load`."""

from datetime import timedelta
from pathlib import Path

from cronops.config.kinds import (
    boolean,
    choice,
    clock_time,
    duration,
    identifier,
    integer,
    moment,
    names,
    path,
    secret,
    secrets_by_name,
    text,
    time_zone,
)
from cronops.config.outside import ClientSettings, MailSettings
from cronops.config.rooms import (
    CustomersSettings,
    DriverightSettings,
    DwhSettings,
    ImagesSettings,
    LogsSettings,
    PlatformSettings,
    SessionsSettings,
    SimulatorSettings,
    StockSettings,
    SuppliersSettings,
    SystemSettings,
)
from cronops.config.setting import Section, section

_NONE_IS_ALL = "it would delete everything"
_ID = {"pattern": r"[^\s]{1,200}", "must": "must be 1 to 200 characters without blanks"}


class DatabaseSettings(Section):
    """Where our tables live and how long a connection may hang."""

    schema_name = identifier("cronops", "Schema of our own tables.", key="schema")
    shop_schema = identifier(
        "shop", "Schema of the shop's tables; created by us only for demo and tests."
    )
    connect_timeout = duration(
        timedelta(seconds=5), "Longest wait for a connection to be made.", at_least=timedelta(0)
    )
    tcp_user_timeout = duration(
        timedelta(seconds=15), "Unacknowledged data older than this ends a connection."
    )


class LockSettings(Section):
    """The leases which keep two runs of one job apart."""

    ttl = duration(
        timedelta(seconds=60),
        "A lease not renewed for this long is free; renewed every third of it.",
        at_least=timedelta(seconds=1),
    )


class SupervisorSettings(Section):
    """How a run's processes are ended."""

    grace = duration(
        timedelta(seconds=20), "Time between SIGTERM and SIGKILL for a run's processes."
    )


class QueueSettings(Section):
    """How messages are claimed, retried and given up."""

    stale_after = duration(
        timedelta(minutes=10),
        "An unfinished message without a sign of life for this long is restarted.",
    )
    backoff = duration(timedelta(seconds=30), "Wait before the second attempt; doubles each time.")
    backoff_max = duration(timedelta(hours=1), "Longest wait between attempts.")
    max_attempts = integer(
        5, "Attempts before CRASH, where neither message nor handler says.", at_least=1
    )
    max_crashes = integer(
        3, "Times a message may kill its process before it is put to CRASH.", at_least=1
    )
    batch_size = integer(
        100, "Most messages claimed, or settled, at once.", at_least=1, at_most=10_000
    )


class RetentionSettings(Section):
    """How long finished things are kept; `cronops queue clean` deletes what is older."""

    queue = duration(
        timedelta(days=30),
        "PROCESSED messages, by finish time.",
        at_least=timedelta(seconds=1),
        why=_NONE_IS_ALL,
    )
    runs = duration(
        timedelta(days=90),
        "Finished runs and their slots.",
        at_least=timedelta(seconds=1),
        why=_NONE_IS_ALL,
    )
    alerts = duration(
        timedelta(days=90), "Delivered alerts.", at_least=timedelta(seconds=1), why=_NONE_IS_ALL
    )
    audit = duration(
        timedelta(days=730),
        "What operators changed.",
        at_least=timedelta(seconds=1),
        why=_NONE_IS_ALL,
    )


class CleanWindowSettings(Section):
    """When the clean jobs may run; without start and end they always may."""

    start = clock_time("Local time of day the window opens.")
    end = clock_time("Local time of day it closes; before start means over midnight.")
    zone = time_zone("Europe/Brussels", "Time zone of start and end.")

    def check(self) -> None:
        """Both ends of the window, or neither; and not the same one."""
        if (self.start is None) != (self.end is None):
            raise ValueError("set both start and end of the clean window, or neither")
        if self.start is not None and self.start == self.end:
            raise ValueError("the clean window's start and end are the same: it would never open")


class AlertSettings(Section):
    """Who is told of a failure, and how."""

    routes = secrets_by_name("Owner to Apprise URLs, as JSON. Best kept in a secret file.")
    delivery_timeout = duration(
        timedelta(seconds=10), "Longest a run waits for its alerts to be delivered."
    )
    repeated_skips = integer(
        5, "Skips in a row for a held lock after which a schedule alerts.", at_least=1
    )


class PodSettings(Section):
    """What the manifests tell a pod about itself."""

    name = text(None, "The pod's name, for logs and the lock's holder.")
    cronjob = text(
        None, "The CronJob's name, where a prefix or shortening made it differ from the schedule's."
    )
    backoff_limit = integer(
        None, "The Job's backoffLimit: the page is sent on the final attempt.", at_least=0
    )


class Settings(Section):
    """All settings. The name in the environment is ``CRONOPS_`` and the path joined by ``__``."""

    environment = text("development", "Which installation this is; part of every alert's key.")
    database_url = secret("PostgreSQL to use; unset means the embedded one in data_dir.")
    data_dir = path(Path("~/.local/share/cronops"), "Home of the embedded PostgreSQL.")
    db = section(DatabaseSettings)
    lock = section(LockSettings)
    supervisor = section(SupervisorSettings)
    queue = section(QueueSettings)
    retention = section(RetentionSettings)
    clean_window = section(CleanWindowSettings)
    alerts = section(AlertSettings)
    pod = section(PodSettings)
    clients = section(ClientSettings)
    mail = section(MailSettings)
    images = section(ImagesSettings)
    stock = section(StockSettings)
    suppliers = section(SuppliersSettings)
    platform = section(PlatformSettings)
    customers = section(CustomersSettings)
    driveright = section(DriverightSettings)
    dwh = section(DwhSettings)
    logs = section(LogsSettings)
    sessions = section(SessionsSettings)
    simulator = section(SimulatorSettings)
    system = section(SystemSettings)
    cron_running = boolean(True, "The legacy global switch; false makes every run a skipped one.")
    owners = names("Teams beyond the built-in ones, as a JSON list.")
    log_format = choice("Unset: console at a terminal, else json.", None, "json", "console")
    log_level = choice(
        "The least severe level that is logged.", "info", "debug", "info", "warning", "error"
    )
    pushgateway_url = secret("Prometheus Pushgateway that takes each run's metrics.")
    metrics_textfile = path(None, "File for node_exporter's textfile collector.")
    alertmanager_url = secret("Alertmanager that takes alerts by its API v2.")
    termination_log = path(
        None, "Where the run's receipt is written; in a cluster /dev/termination-log."
    )
    schedule = text(None, "Name of the schedule that started this run.")
    scheduled_at = moment("The slot's time; normally decoded from the run id.")
    run_id = text(None, "In a pod: the Job's name.", **_ID)
    correlation_id = text(None, "Ties this run to what caused it.", **_ID)
    operator = text(None, "Who is at the terminal, for the audit trail; default: the login name.")
    completion_index = integer(
        None, "Index of this pod in an Indexed Job (JOB_COMPLETION_INDEX).", at_least=0
    )
    in_cluster = boolean(False, "Whether this is a pod (KUBERNETES_SERVICE_HOST is set).")
    login_name = text(None, "The login name (SUDO_USER, USER or LOGNAME); default: the account's.")

    @property
    def is_production(self) -> bool:
        """Whether a silent embedded database would be a mistake."""
        return self.in_cluster or self.environment == "production"

    @property
    def actor(self) -> str:
        """Who is acting, for the audit trail."""
        return self.operator or self.login_name or _account_name()


def _account_name() -> str:
    # A container's environment often names nobody, and its account may have no name either.
    import os
    import pwd

    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"uid {os.getuid()}"
