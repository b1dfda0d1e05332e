"""Two exports must not replace each other's file: each would be right once, and neither then."""

import os
from collections.abc import Iterable
from pathlib import Path

from cronops.errors import BadInput, ConfigurationError
from cronops.jobs.stock.setting import SOME_MOMENT, ExportSetting


def check_is_first(
    setting: ExportSetting, settings: Iterable[ExportSetting], *, root: Path
) -> None:
    """Raise `ConfigurationError` where an active export with a lower id has the same file.

    `root` is the export directory.
    """
    other = _same_file(setting, (one for one in settings if one.id < setting.id), root)
    if other is not None:
        raise ConfigurationError(_told(setting, other))


def check_is_alone(
    setting: ExportSetting, settings: Iterable[ExportSetting], *, root: Path
) -> None:
    """Raise `BadInput` where another active export has the same file; for who makes it active."""
    other = _same_file(setting, settings, root)
    if other is not None:
        raise BadInput(f"nothing was changed: {_told(setting, other)}")


def _told(setting: ExportSetting, other: ExportSetting) -> str:
    return (
        f"export {setting.label} would replace the file of export {other.label}, which goes to "
        f"{setting.destination} too; give one of them another --to or --file-name, or disable it"
    )


def _same_file(
    setting: ExportSetting, settings: Iterable[ExportSetting], root: Path
) -> ExportSetting | None:
    own = _file(setting, root)
    for one in settings:
        if one.active and one.id != setting.id and _file(one, root) == own:
            return one
    return None


def _file(setting: ExportSetting, root: Path) -> tuple[str, str, str | None]:
    name = setting.file_name(SOME_MOMENT)
    # Who logs in as somebody else may be somewhere else.
    scheme, separator, rest = setting.transport.partition("://")
    if not separator or scheme.lower() == "file":
        place = rest if separator else setting.transport
        return os.path.realpath(root / place), name, None
    host, _, path = rest.partition("/")
    return f"{scheme.lower()}://{host.lower()}/{path.strip('/')}", name, setting.credential
