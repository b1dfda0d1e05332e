"""Settings that belong to single jobs, a section a room."""

from cronops.config.rooms.customers import CustomersSettings
from cronops.config.rooms.driveright import DriverightSettings
from cronops.config.rooms.dwh import DwhSettings
from cronops.config.rooms.images import ImagesSettings
from cronops.config.rooms.logs import LogsSettings
from cronops.config.rooms.platform import PlatformSettings
from cronops.config.rooms.sessions import SessionsSettings
from cronops.config.rooms.simulator import SimulatorSettings
from cronops.config.rooms.stock import StockSettings
from cronops.config.rooms.suppliers import SuppliersSettings
from cronops.config.rooms.system import SystemSettings

__all__ = [
    "CustomersSettings",
    "DriverightSettings",
    "DwhSettings",
    "ImagesSettings",
    "LogsSettings",
    "PlatformSettings",
    "SessionsSettings",
    "SimulatorSettings",
    "StockSettings",
    "SuppliersSettings",
    "SystemSettings",
]
