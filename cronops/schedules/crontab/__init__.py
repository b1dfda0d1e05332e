"""Old crontabs, read as cron reads them, and turned into schedules without losing a line.

::

    lines     a file taken apart: variables, entries, comments, what is none of these
    shell     a command line taken apart: what it runs behind `cd`, `nice`, `flock` and redirections
    legacy    the scripts of before, and which job each is now
    secrets   what must not be repeated
    times     when an entry runs, under cron and in the cluster
    propose   all of it together, line by line
    written   the proposal as a file of schedules
"""
