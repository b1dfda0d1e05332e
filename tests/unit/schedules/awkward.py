"""Strings that have been misread, and ones that could be."""

# What one parser or another takes for a number, a truth value, a date, nothing, or no scalar.
AWKWARD = [
    *("12e4567890", "1e3", "0x1F", "0o7", "007", "1_000", "12:30:45", "190:20:30", "1.0", ".5"),
    *("-1", "+1", ".inf", "-.INF", ".nan", "nan", "inf", "Infinity", "0b1", "1.", "6.02E23"),
    *("y", "Y", "n", "N", "yes", "No", "on", "OFF", "true", "False", "null", "Null", "~", ""),
    *("=", "<<", "-", "--", "---", "...", "?", "!", "&", "*", "|", ">", "%", "@", "`", ",", "#"),
    *("[", "]", "{", "}", "{}", "[]", "- a", "a: b", "a:", ":a", "a #b", "# a", "'", '"', "\\"),
    *("!!str x", "&a", "*a", "%YAML 1.1", "2026-03-29", "2026-03-29T02:30:00Z", "@hourly"),
    *(" a", "a ", "\ta", "a\tb", "a\nb", "a\n", "\n", "\r", "\r\n", "a\n---\nb", "\x00", "\x1b"),
    *("\x7f", "\x80", "\x85", "\x9f", "\xa0", "\xad", "\u2028", "\u2029", "\ufeff", "a\ufeff"),
    *("\u200b", "\u202e", "\ufffd", "\ufffe", "\uffff", "\U0001f600", "\U0010ffff", "é", "日本"),
    *('until 2027-01-31 by O\'Brien: "why"#\n', "$(HOME)", "{{ x }}", "{% if %}", "\\n", "\\u0041"),
    *("* * * * *", "*/15 6-22 * * 1-5", "--queue=general", "sha256:00", "1Gi", "100m", "/tmp"),
]
