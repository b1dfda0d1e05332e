"""What could still start a job over HTTP, found wherever it stands."""

import pytest

from cronops.schedules.http_triggers import find_triggers

OURS = "https://shop.example/_shopupdating/cronjobs/atx/dwh/updateCounters.php?token=hush"


@pytest.mark.parametrize(
    "text",
    [
        f"*/5 * * * * curl -s '{OURS}'",
        f"*/5 * * * * root /usr/bin/wget -qO- {OURS}",
        f"ExecStart=/usr/bin/curl {OURS}",
        f'args: ["-s", "{OURS}"]',
        "*/5 * * * * curl -s https://shop.example/run?job=5",
        "@hourly wget https://shop.example/x",
        "kind: CronJob\ncommand: [sh, -c, curl https://shop.example/run]",
        "kind: CronJob\nimage: x\n        - curl -X POST http://web.default.svc/jobs/3",
        "location /_shopupdating/ {\n  fastcgi_pass php;\n}",
        "location ~ ^/cronjobs/ {\n  fastcgi_pass php;\n}",
        '<Location "/_shopupdating">\n  Require all granted\n</Location>',
        "RewriteRule ^cron/(.*)$ /_shopupdating/cronjobs/$1 [L]",
        "Alias /run /var/www/_shopupdating",
        "kind: Ingress\n  - path: /_shopupdating\n    pathType: Prefix",
        "handle /_shopupdating/* {\n  php_fastcgi app:9000\n}",
        "location /_shopupdating/ {\n  fastcgi_pass php;\n}\nlocation /x/ {\n  deny all;\n}",
        f"# cronops: http-ok\n*/5 * * * * curl {OURS}",
    ],
)
def test_what_starts_a_job(text):
    found = find_triggers(text)
    assert len(found) == 1, found
    assert "hush" not in found[0].text


@pytest.mark.parametrize(
    "text",
    [
        "*/5 * * * * php /var/www/_shopupdating/cronjobs/atx/dwh/updateCounters.php",
        f"# */5 * * * * curl {OURS}",
        "0 0 * * * /backup && curl -fsS https://hc-ping.com/1234 >/dev/null",
        "location /_shopupdating/ {\n  deny all;\n}",
        "location /_shopupdating/ { return 404; }",
        '<Location "/_shopupdating">\n  Require all denied\n</Location>',
        "RewriteRule ^_shopupdating - [F,L]",
        "location / {\n  try_files $uri /index.php;\n}",
        "kind: Deployment\nimage: curlimages/curl\nargs: [https://shop.example/health]",
        "kind: CronJob\nargs: [queue, process, --queue=general]",
        f"# cronops: http-ok: until the new year, INC-7\n*/5 * * * * curl {OURS}",
        f"*/5 * * * * curl {OURS} # cronops: http-ok until the new year",
        "",
    ],
)
def test_what_does_not(text):
    assert find_triggers(text) == []


def test_our_own_manifests_start_nothing_over_http():
    from pathlib import Path

    root = Path(__file__).parents[3]
    files = [*(root / "k8s").rglob("*.yaml"), *(root / "charts").rglob("*.yaml")]
    assert files
    assert [path for path in files if find_triggers(path.read_text(encoding="utf-8"))] == []
