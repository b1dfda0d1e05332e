"""Suppliers of a scenario, set up and sending files as they really do."""

from pathlib import Path

from tests.acceptance.conftest import World

HEADER = "Item;Stock"


def add_supplier(world: World, supplier: int, *, active: bool = True) -> None:
    """Set one up by the command line; its guards against small files are off."""
    world.environment["CRONOPS_SUPPLIERS__ROOT"] = str(_root(world))
    steps = [
        f"suppliers set {supplier} --name 'Supplier {supplier}' --map sku=Item --map qty=Stock"
        " --quiet 0s"
    ]
    if not active:
        steps.append(f"suppliers disable {supplier} --reason 'out of season'")
    for step in steps:
        assert world.run(step).returncode == 0, world.ended.stderr


def send_file(world: World, supplier: int, *rows: str, name: str = "stock.csv") -> Path:
    """Put a file where the supplier's arrive."""
    incoming = _root(world) / str(supplier) / "incoming"
    incoming.mkdir(parents=True, exist_ok=True)
    path = incoming / name
    path.write_text("\n".join([HEADER, *rows, ""]), encoding="utf-8")
    return path


def imported(world: World) -> dict[int, int]:
    """What each supplier has in stock of the item ``A1``."""
    return dict(
        world.database.query("SELECT supplier_id, qty FROM supplier_stock WHERE sku = 'A1'")
    )


def _root(world: World) -> Path:
    return world.directory / "suppliers"
