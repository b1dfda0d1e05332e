"""Who is told of a failure and of its end, in which words, and how it reaches them.

`texts` writes the words (pure), `outbox` keeps what is to be said in the same transaction as
what happened, `deliver` brings it to Apprise URLs and an Alertmanager within a bound.
"""
