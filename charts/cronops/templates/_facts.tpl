{{- /* Made by `cronops schedules chart` from the program: change nothing here. */ -}}
{{- define "cronops.facts" -}}
{
  "container": "job",
  "jobNameField": "metadata.labels['batch.kubernetes.io/job-name']",
  "podFailurePolicies": {
    "retried": {
      "action": "FailJob",
      "operator": "In",
      "codes": [
        2,
        64,
        65,
        78
      ],
      "onDisruption": "Ignore"
    },
    "retriedIndexed": {
      "action": "FailIndex",
      "operator": "In",
      "codes": [
        2,
        64,
        65,
        78
      ],
      "onDisruption": "Ignore"
    },
    "once": {
      "action": "FailJob",
      "operator": "NotIn",
      "codes": [
        0
      ],
      "onDisruption": "FailJob"
    },
    "onceIndexed": {
      "action": "FailIndex",
      "operator": "NotIn",
      "codes": [
        0
      ],
      "onDisruption": "FailIndex"
    }
  },
  "pushgateway": [
    "CRONOPS_PUSHGATEWAY_URL",
    "CRONOPS_PUSHGATEWAY_URL_FILE"
  ],
  "reporting": [
    "CRONOPS_METRICS_TEXTFILE",
    "CRONOPS_PUSHGATEWAY_URL",
    "CRONOPS_PUSHGATEWAY_URL_FILE"
  ],
  "rulesInOneObject": 60,
  "terminationLog": "/dev/termination-log",
  "unpinnedWaivers": {
    "checkov.io/skip1": "CKV_K8S_43=only what is released is pinned by digest"
  },
  "user": 10001
}
{{- end -}}
