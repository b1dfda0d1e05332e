"""The operating contract: what a job declares, and what every run of it then guarantees."""
