"""Where platforms keep their orders, and how one asks: an adapter is a module with an `Adapter`.

`protocol.py` says what each promises, `configuration.py` what each is told by a platform's
configuration, `table.py` which there are.
"""
