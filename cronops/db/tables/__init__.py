"""The tables as SQLAlchemy Core knows them, for operators' listings; the migrations make them.

A test holds the two against each other. No schema is named: the connection's search path is.
"""

from cronops.db.tables import (
    contract,
    customers,
    driveright,
    dwh,
    images,
    platform,
    queue,
    simulator,
    stock,
    suppliers,
    upkeep,
    vehicles,
)
from cronops.db.tables.base import metadata

__all__ = [
    "contract",
    "customers",
    "driveright",
    "dwh",
    "images",
    "metadata",
    "platform",
    "queue",
    "simulator",
    "stock",
    "suppliers",
    "upkeep",
    "vehicles",
]
