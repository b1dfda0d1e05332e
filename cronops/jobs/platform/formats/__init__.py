"""What platforms write orders in: JSON, XML of any shape, openTRANS 2.1; each made into the same.

A format turns bytes into a `Page` of `PulledOrder`. It judges as little as it can: an amount that
is no number is the handler's to refuse, with the order kept.
"""
