"""What every table is made of: the one `MetaData`, and column types and defaults they share."""

from sqlalchemy import DateTime, MetaData, text

metadata = MetaData()

TIME = DateTime(timezone=True)
CLOCK = text("clock_timestamp()")
NOW = text("now()")
FALSE = text("false")
TRUE = text("true")
EMPTY_OBJECT = text("'{}'")
EMPTY_LIST = text("'[]'")
