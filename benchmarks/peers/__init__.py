"""Other Python queues on PostgreSQL, each driven as its own documentation says it is fastest."""
