"""What can be set, with its type, default and meaning. How it is found: `cronops.config.load`."""

from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from cronops.durations import Duration


class Section(BaseModel):
    """A group of settings; an unknown key in it is an error, not a surprise."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class DatabaseSettings(Section):
    """Where our tables live and how long a connection may hang."""

    schema_name: str = Field(
        "cronops",
        alias="schema",
        pattern=r"^[a-z_][a-z0-9_]{0,62}$",
        description="Schema of our own tables.",
    )
    shop_schema: str = Field(
        "shop",
        pattern=r"^[a-z_][a-z0-9_]{0,62}$",
        description="Schema of the shop's tables; created by us only for demo and tests.",
    )
    connect_timeout: Duration = Field(
        timedelta(seconds=5), description="Longest wait for a connection to be made."
    )
    tcp_user_timeout: Duration = Field(
        timedelta(seconds=15), description="Unacknowledged data older than this ends a connection."
    )


class LockSettings(Section):
    """The leases which keep two runs of one job apart."""

    ttl: Duration = Field(
        timedelta(seconds=60),
        description="A lease not renewed for this long is free; renewed every third of it.",
    )

    @field_validator("ttl")
    @classmethod
    def _long_enough(cls, value: timedelta) -> timedelta:
        if value < timedelta(seconds=1):
            raise ValueError("must be at least 1 second")
        return value


class SupervisorSettings(Section):
    """How a run's processes are ended."""

    grace: Duration = Field(
        timedelta(seconds=20), description="Time between SIGTERM and SIGKILL for a run's processes."
    )


class QueueSettings(Section):
    """How messages are claimed, retried and given up."""

    stale_after: Duration = Field(
        timedelta(minutes=10),
        description="An unfinished message without a sign of life for this long is restarted.",
    )
    backoff: Duration = Field(
        timedelta(seconds=30), description="Wait before the second attempt; doubles each time."
    )
    backoff_max: Duration = Field(timedelta(hours=1), description="Longest wait between attempts.")
    max_attempts: int = Field(
        5, ge=1, description="Attempts before CRASH, where neither message nor handler says."
    )
    max_crashes: int = Field(
        3, ge=1, description="Times a message may kill its process before it is put to CRASH."
    )
    batch_size: int = Field(
        100, ge=1, le=10_000, description="Most messages claimed, or settled, at once."
    )


class RetentionSettings(Section):
    """How long finished things are kept; `cronops queue clean` deletes what is older."""

    queue: Duration = Field(timedelta(days=30), description="PROCESSED messages, by finish time.")
    runs: Duration = Field(timedelta(days=90), description="Finished runs and their slots.")
    alerts: Duration = Field(timedelta(days=90), description="Delivered alerts.")
    audit: Duration = Field(timedelta(days=730), description="What operators changed.")

    @field_validator("queue", "runs", "alerts", "audit")
    @classmethod
    def _positive(cls, value: timedelta) -> timedelta:
        if value <= timedelta(0):
            raise ValueError("a retention must be longer than 0: it would delete everything")
        return value


class CleanWindowSettings(Section):
    """When the clean jobs may run; without start and end they always may."""

    start: time | None = Field(None, description="Local time of day the window opens.")
    end: time | None = Field(
        None, description="Local time of day it closes; before start means over midnight."
    )
    zone: str = Field("Europe/Brussels", description="Time zone of start and end.")

    @field_validator("zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ValueError(f"no time zone is called {value!r}") from error
        return value

    @model_validator(mode="after")
    def _both_or_neither(self) -> "CleanWindowSettings":
        if (self.start is None) != (self.end is None):
            raise ValueError("set both start and end of the clean window, or neither")
        if self.start is not None and self.start == self.end:
            raise ValueError("the clean window's start and end are the same: it would never open")
        return self


class AlertSettings(Section):
    """Who is told of a failure, and how."""

    routes: dict[str, list[SecretStr]] = Field(
        default_factory=dict,
        description="Owner to Apprise URLs, as JSON. Best kept in a secret file.",
    )
    delivery_timeout: Duration = Field(
        timedelta(seconds=10), description="Longest a run waits for its alerts to be delivered."
    )
    repeated_skips: int = Field(
        5, ge=1, description="Skips in a row for a held lock after which a schedule alerts."
    )


class PodSettings(Section):
    """What the manifests tell a pod about itself."""

    name: str | None = Field(None, description="The pod's name, for logs and the lock's holder.")
    backoff_limit: int | None = Field(
        None, ge=0, description="The Job's backoffLimit: the page is sent on the final attempt."
    )


class Settings(Section):
    """All settings. The name in the environment is ``CRONOPS_`` and the path joined by ``__``."""

    environment: str = Field(
        "development", description="Which installation this is; part of every alert's key."
    )
    database_url: SecretStr | None = Field(
        None, description="PostgreSQL to use; unset means the embedded one in data_dir."
    )
    data_dir: Path = Field(
        Path("~/.local/share/cronops"),
        validate_default=True,
        description="Home of the embedded PostgreSQL.",
    )
    db: DatabaseSettings = DatabaseSettings()
    lock: LockSettings = LockSettings()
    supervisor: SupervisorSettings = SupervisorSettings()
    queue: QueueSettings = QueueSettings()
    retention: RetentionSettings = RetentionSettings()
    clean_window: CleanWindowSettings = CleanWindowSettings()
    alerts: AlertSettings = AlertSettings()
    pod: PodSettings = PodSettings()
    cron_running: bool = Field(
        True, description="The legacy global switch; false makes every run a skipped one."
    )
    owners: list[str] = Field(
        default_factory=list, description="Teams beyond the built-in ones, as a JSON list."
    )
    log_format: Literal["json", "console"] | None = Field(
        None, description="Unset: console at a terminal, else json."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="The least severe level that is logged."
    )
    pushgateway_url: SecretStr | None = Field(
        None, description="Prometheus Pushgateway that takes each run's metrics."
    )
    metrics_textfile: Path | None = Field(
        None, description="File for node_exporter's textfile collector."
    )
    alertmanager_url: SecretStr | None = Field(
        None, description="Alertmanager that takes alerts by its API v2."
    )
    termination_log: Path | None = Field(
        None, description="Where the run's receipt is written; in a cluster /dev/termination-log."
    )
    schedule: str | None = Field(None, description="Name of the schedule that started this run.")
    scheduled_at: datetime | None = Field(
        None, description="The slot's time; normally decoded from the run id."
    )
    run_id: str | None = Field(
        None, min_length=1, max_length=200, description="In a pod: the Job's name."
    )
    correlation_id: str | None = Field(
        None, min_length=1, max_length=200, description="Ties this run to what caused it."
    )
    operator: str | None = Field(
        None, description="Who is at the terminal, for the audit trail; default: the login name."
    )
    completion_index: int | None = Field(
        None, ge=0, description="Index of this pod in an Indexed Job (JOB_COMPLETION_INDEX)."
    )
    in_cluster: bool = Field(
        False, description="Whether this is a pod (KUBERNETES_SERVICE_HOST is set)."
    )
    login_name: str = Field("unknown", description="The login name (SUDO_USER, USER or LOGNAME).")

    @field_validator("data_dir", "metrics_textfile", "termination_log")
    @classmethod
    def _expand_home(cls, value: Path | None) -> Path | None:
        return value.expanduser() if value else None

    @field_validator("scheduled_at")
    @classmethod
    def _has_zone(cls, value: datetime | None) -> datetime | None:
        if value is not None and value.tzinfo is None:
            raise ValueError("give the time with its zone, as in 2026-11-23T04:00:00Z")
        return value

    @property
    def is_production(self) -> bool:
        """Whether a silent embedded database would be a mistake."""
        return self.in_cluster or self.environment == "production"

    @property
    def actor(self) -> str:
        """Who is acting, for the audit trail."""
        return self.operator or self.login_name
