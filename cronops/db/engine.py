"""SQLAlchemy over the same connections as everything else: for listings, jobs and migrations."""

from datetime import timedelta

from sqlalchemy import Engine, create_engine
from sqlalchemy.pool import NullPool

from cronops.config import Settings
from cronops.db.connect import connect


def engine_for(
    settings: Settings,
    purpose: str,
    *,
    statement_timeout: timedelta | None = None,
    lock_timeout: timedelta | None = None,
) -> Engine:
    """An engine whose every connection comes from `cronops.db.connect.connect`, unpooled.

    Raises what that does, on the first use.
    """
    return create_engine(
        "postgresql+psycopg://",
        creator=lambda: connect(
            settings,
            purpose,
            autocommit=False,
            statement_timeout=statement_timeout,
            lock_timeout=lock_timeout,
        ),
        poolclass=NullPool,
        # Nothing of ours is an hstore, and asking for its type costs a query per connection.
        use_native_hstore=False,
    )
