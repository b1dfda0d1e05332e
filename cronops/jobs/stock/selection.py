"""Which exports a run is for."""

from collections.abc import Mapping, Sequence

from cronops.errors import BadInput
from cronops.jobs.stock.setting import ExportSetting

_NAMED = 10
_OPTION = {"id": "export", "supplier_id": "supplier", "customer_id": "customer"}


def select(
    settings: Sequence[ExportSetting],
    *,
    supplier: int | None = None,
    customer: int | None = None,
    export: int | None = None,
    inactive_too: bool = False,
) -> list[ExportSetting]:
    """The active exports that fit all that is given; none where there is none and none was named.

    With `inactive_too` the one that `export` names need not be active: to try it out.
    Raises `BadInput` where something is named that there is not, and says what there is.
    """
    if export is not None:
        _check_named(settings, export, inactive_too=inactive_too)
    active = [one for one in settings if one.active or (inactive_too and one.id == export)]
    given = {"id": export, "supplier_id": supplier, "customer_id": customer}
    wanted = {field: value for field, value in given.items() if value is not None}
    found = [
        one
        for one in active
        if all(getattr(one, field) == value for field, value in wanted.items())
    ]
    if wanted and not found:
        said = " ".join(f"--{_OPTION[field]} {value}" for field, value in wanted.items())
        raise BadInput(f"no active export fits {said}; {_what_there_is(active, wanted)}")
    return found


def _check_named(settings: Sequence[ExportSetting], export: int, *, inactive_too: bool) -> None:
    named = next((one for one in settings if one.id == export), None)
    if named is None:
        raise BadInput(f"there is no export {export}; {_listed(settings)}")
    if not (named.active or inactive_too):
        raise BadInput(
            f"export {named.label} is not active; run: cronops stock exports enable {export}"
        )


def _what_there_is(active: Sequence[ExportSetting], wanted: Mapping[str, int]) -> str:
    if len(wanted) > 1:
        return _listed(active)
    field = next(iter(wanted))
    known = sorted({value for one in active if (value := getattr(one, field)) is not None})
    if not known:
        return f"no active export is for one {_OPTION[field]}; {_listed(active)}"
    shown = ", ".join(map(str, known[:_NAMED])) + (" …" if len(known) > _NAMED else "")
    return f"active exports are for {_OPTION[field]} {shown}"


def _listed(settings: Sequence[ExportSetting]) -> str:
    if not settings:
        return "there is none; make one with: cronops stock exports set --help"
    shown = ", ".join(one.label for one in settings[:_NAMED])
    return f"there are {shown}{' …' if len(settings) > _NAMED else ''}"
