"""What alembic runs; each revision is a file in ``versions``."""
