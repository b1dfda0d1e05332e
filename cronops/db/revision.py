"""Which revision of our tables this program works with; known without a database driver."""

SCHEMA_REVISION = "0011"
"""The newest migration; a test holds it against the migrations folder."""
