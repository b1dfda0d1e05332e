"""``cronops platform set``: adds a platform, or changes one."""

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from cronops.cli.output import note, print_line, show_json
from cronops.cli.platform.selection import Code, audit
from cronops.cli.session import Json, MaybeReason, session
from cronops.cli.tree import examples, operator_app
from cronops.errors import UsageError

if TYPE_CHECKING:
    from cronops.cli.platform.given import Given
    from cronops.cli.session import Session
    from cronops.jobs.platform.platforms import Platform

app = operator_app()

_CODE = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")

_UPSERT = """
INSERT INTO platform (code, name, adapter, config, credential, article_id_column, active)
VALUES (%(code)s, %(name)s, %(adapter)s, %(config)s, %(credential)s, %(article_ids)s, %(active)s)
ON CONFLICT (code) DO UPDATE SET name = excluded.name, adapter = excluded.adapter,
    config = excluded.config, credential = excluded.credential,
    article_id_column = excluded.article_id_column, active = excluded.active,
    cursor = CASE WHEN platform.adapter = excluded.adapter THEN platform.cursor ELSE '{}' END,
    updated_at = now()
"""


@app.command(
    "set",
    epilog=examples(
        "cronops platform set tyre24 --preset tyre24 --credential tyre24",
        "cronops platform set roadzila --preset directory --location roadzila",
        "cronops platform set adtyres --option page_size=50 --option fields.external_id=orderNo",
        "cronops platform set easy4d --from easy4d.toml   # name, adapter, credential, config",
    ),
)
def set_(
    code: Code,
    preset: Annotated[
        str | None,
        typer.Option(
            "--preset",
            metavar="NAME",
            help="Begin with what is known of such a platform: tyre24, check24, check24-sets, "
            "euromaster, roadzila, easy4d, adtyres, zeroseven, directory.",
            show_default=False,
        ),
    ] = None,
    adapter: Annotated[
        Literal["rest", "xml-feed", "files"] | None,
        typer.Option("--adapter", help="How it is asked.", show_default=False),
    ] = None,
    name: Annotated[
        str | None,
        typer.Option("--name", metavar="TEXT", help="What people call it.", show_default=False),
    ] = None,
    url: Annotated[
        str | None,
        typer.Option("--url", metavar="URL", help="For rest and xml-feed.", show_default=False),
    ] = None,
    location: Annotated[
        str | None,
        typer.Option(
            "--location",
            metavar="PLACE",
            help="For files: sftp://host/dir, or a directory below platform.root.",
            show_default=False,
        ),
    ] = None,
    credential: Annotated[
        str | None,
        typer.Option(
            "--credential",
            metavar="NAME",
            help="Which entry of CRONOPS_CLIENTS__CREDENTIALS_FILE it is asked with; '' for none.",
            show_default=False,
        ),
    ] = None,
    article_ids: Annotated[
        Literal["tyre24_id", "topm_id", ""] | None,
        typer.Option(
            "--article-ids",
            help="The article's column that holds this platform's own numbers; '' for none.",
            show_default=False,
        ),
    ] = None,
    option: Annotated[
        list[str] | None,
        typer.Option(
            "--option",
            metavar="KEY=VALUE",
            help="Anything else of its configuration; null takes it away. May be given several "
            "times.",
            show_default=False,
        ),
    ] = None,
    from_: Annotated[
        Path | None,
        typer.Option(
            "--from", metavar="FILE", help="All of it from JSON or TOML.", show_default=False
        ),
    ] = None,
    inactive: Annotated[
        bool, typer.Option("--inactive", help="Do not pull it until it is enabled.")
    ] = False,
    reason: MaybeReason = None,
    as_json: Json = False,
) -> None:
    """Add a platform, or change one: only what is given changes.

    It is checked before it is written. Passwords and tokens never come here: `--credential` names
    an entry of the credentials file. Autodoc pushes its orders, and is not set up here.
    """
    from cronops.cli.platform.given import Given, from_file, from_options, from_preset, merged
    from cronops.jobs.platform.presets import PUSHES

    if code in PUSHES:
        raise UsageError(PUSHES[code])
    words = {key: value for key, value in (("url", url), ("location", location)) if value}
    typed = Given(name, adapter, credential, article_ids, merged(from_options(option or []), words))
    with session("platform set") as at:
        before = _found(at, code)
        wanted = _as_given(before)
        if preset is not None:
            wanted = wanted.under(from_preset(preset))
        if from_ is not None:
            wanted = wanted.under(from_file(from_))
        wanted = wanted.under(typed)
        _check(at, code, wanted)
        active = not inactive if before is None or inactive else before.active
        _write(at, code, wanted, active=active, before=before, reason=reason)
        if wanted.credential and wanted.credential not in at.settings.clients.credentials:
            note(
                f"note: there is no credential {wanted.credential!r} in the settings of this "
                "machine; pods read theirs from CRONOPS_CLIENTS__CREDENTIALS_FILE"
            )
    if as_json:
        show_json({"code": code, "created": before is None, "active": active})
    else:
        print_line(f"{'Added' if before is None else 'Changed'} platform {code}.")
        if active:
            print_line(f"Try it: cronops platform pull-orders --platform {code} --dry-run")


def _found(at: "Session", code: str) -> "Platform | None":
    from cronops.jobs.platform.platforms import all_platforms

    return next((one for one in all_platforms(at.connection) if one.code == code), None)


def _as_given(before: "Platform | None") -> "Given":
    from cronops.cli.platform.given import Given

    if before is None:
        return Given()
    return Given(
        before.name,
        before.adapter,
        before.credential,
        before.article_id_column,
        dict(before.config),
    )


def _check(at: "Session", code: str, wanted: "Given") -> None:
    """Raise before anything is written."""
    from cronops.jobs.platform.adapters.table import configuration_of

    if not _CODE.fullmatch(code):
        raise UsageError(f"{code!r} is no code: lower-case letters, digits and hyphens, 40 at most")
    if wanted.adapter is None:
        raise UsageError("say how it is asked: --preset, --adapter or --from")
    for option, text in (("--name", wanted.name), ("--credential", wanted.credential)):
        if text and not text.isprintable():
            raise UsageError(f"{option}: control characters are refused")
    try:
        config = json.dumps(wanted.config, allow_nan=False)
    except (TypeError, ValueError):
        raise UsageError(
            "config: what JSON has no word for (a date, inf) is written as text"
        ) from None
    if r"\u0000" in config:
        raise UsageError("a NUL in a value is refused: no database takes it")
    if wanted.article_ids not in (None, "", "tyre24_id", "topm_id"):
        raise UsageError("article_ids is tyre24_id or topm_id")
    configuration = configuration_of(wanted.adapter, wanted.config, code)
    if wanted.adapter == "files":
        from cronops.clients.transfer import check_location

        location = configuration.location
        places = {"location": location}
        if "://" not in location:
            for name in ("backup", "rejected"):
                places[name] = str(Path(location) / getattr(configuration, name))
        for name, place in places.items():
            try:
                check_location(place, root=at.settings.platform.root)
            except ValueError as error:
                raise UsageError(f"{name}: {error}") from None


def _write(
    at: "Session",
    code: str,
    wanted: "Given",
    *,
    active: bool,
    before: "Platform | None",
    reason: str | None,
) -> None:
    from psycopg.types.json import Jsonb

    with at.connection.transaction():
        at.connection.execute(
            _UPSERT,
            {
                "code": code,
                "name": wanted.name or code,
                "adapter": wanted.adapter,
                "config": Jsonb(wanted.config),
                "credential": wanted.credential or None,
                "article_ids": wanted.article_ids or None,
                "active": active,
            },
        )
        details = {
            "created": before is None,
            "adapter": wanted.adapter,
            "config": wanted.config,
            "before": dict(before.config) if before else None,
        }
        audit(at, "platform set", code, reason, details)
