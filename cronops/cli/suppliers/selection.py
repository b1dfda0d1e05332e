"""How suppliers are named on the command line, and what is said of those nobody knows."""

from typing import TYPE_CHECKING, Annotated

import typer

from cronops.errors import UsageError

if TYPE_CHECKING:
    from cronops.cli.session import Session
    from cronops.jobs.suppliers.setting import ImportSetting

Supplier = Annotated[
    int, typer.Argument(metavar="SUPPLIER", min=1, max=2**31 - 1, help="The supplier's id.")
]
MaybeSupplier = Annotated[
    int | None,
    typer.Option(
        "--supplier",
        metavar="ID",
        min=1,
        max=2**31 - 1,
        help="Only of this supplier.",
        show_default=False,
    ),
]


def known_setting(at: "Session", supplier: int) -> "ImportSetting":
    """The supplier's setting; `UsageError` with the nearest ids where there is none."""
    from cronops.jobs.suppliers.setting import find_setting, unknown_supplier

    setting = find_setting(at.connection, supplier)
    if setting is None:
        raise UsageError(unknown_supplier(at.connection, supplier))
    return setting
