"""Schedules as code: read, checked, explained and rendered; pure, without a cluster.

::

    source     text to values, with the place of everything
    model      the shape of the file, and parts of which its pods are made
    merge      defaults, environment, schedule and override made one
    resolve    one environment's schedules as manifests need them
    rules      what is wrong, or unwise
    cron       the cluster's cron dialect
    upcoming   the coming runs, and what clock changes do to them
    render     manifests
    chart      the Helm chart
"""
