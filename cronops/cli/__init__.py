"""The command line: one command a job, made from its signature, and the operators' commands.

Nothing here is imported before it is named on the command line: see `cronops.cli.tree`.
"""
