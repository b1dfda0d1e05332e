{{- /* Made by `cronops schedules chart` from the program: change nothing here. */ -}}
{{- define "cronops.query.unseen" -}}
absent(kube_cronjob_info{namespace="{{ include "cronops.promText" .namespace }}"})
{{- end -}}

{{- define "cronops.query.migrationFailed" -}}
time() - (max(
  kube_job_status_start_time{namespace="{{ include "cronops.promText" .namespace }}",job_name=~"{{ include "cronops.promText" .migration }}|{{ include "cronops.promText" .hashedMigration }}-h[0-9a-f]{10}"}
  and on (job_name) (kube_job_failed{namespace="{{ include "cronops.promText" .namespace }}",job_name=~"{{ include "cronops.promText" .migration }}|{{ include "cronops.promText" .hashedMigration }}-h[0-9a-f]{10}",condition="true"} == 1)
) > max(
  kube_job_status_start_time{namespace="{{ include "cronops.promText" .namespace }}",job_name=~"{{ include "cronops.promText" .migration }}|{{ include "cronops.promText" .hashedMigration }}-h[0-9a-f]{10}"}
  and on (job_name) (kube_job_complete{namespace="{{ include "cronops.promText" .namespace }}",job_name=~"{{ include "cronops.promText" .migration }}|{{ include "cronops.promText" .hashedMigration }}-h[0-9a-f]{10}",condition="true"} == 1)
  or vector(0)
))
{{- end -}}

{{- define "cronops.query.noPushgateway" -}}
absent(pushgateway_build_info)
{{- end -}}

{{- define "cronops.query.overlong" -}}
time() - max(cronops:cronjob_unfinished_since:seconds{environment="{{ include "cronops.promText" .environment }}",cronjob="{{ include "cronops.promText" .cronjob }}"}) > {{ int64 .limit }}
{{- end -}}

{{- define "cronops.query.pending" -}}
time() - max(cronops:cronjob_pending_since:seconds{environment="{{ include "cronops.promText" .environment }}",cronjob="{{ include "cronops.promText" .cronjob }}"}) > {{ int64 .limit }}
{{- end -}}

{{- define "cronops.query.unstarted" -}}
time() - max(kube_cronjob_next_schedule_time{namespace="{{ include "cronops.promText" .namespace }}",cronjob="{{ include "cronops.promText" .cronjob }}"}) > {{ int64 .late }}
  unless max(kube_cronjob_status_active{namespace="{{ include "cronops.promText" .namespace }}",cronjob="{{ include "cronops.promText" .cronjob }}"}) > 0
  and time() - max(cronops:cronjob_watched_since:seconds{environment="{{ include "cronops.promText" .environment }}",cronjob="{{ include "cronops.promText" .cronjob }}",timezone="{{ include "cronops.promText" .zone }}"}) > {{ add .late .silence | int64 }}
or max(absent(kube_cronjob_info{namespace="{{ include "cronops.promText" .namespace }}",cronjob="{{ include "cronops.promText" .cronjob }}"})
  and on () cronops:cronjobs:count{environment="{{ include "cronops.promText" .environment }}"})
{{- end -}}

{{- define "cronops.query.missed" -}}
time() - max(
  kube_cronjob_status_last_successful_time{namespace="{{ include "cronops.promText" .namespace }}",cronjob="{{ include "cronops.promText" .cronjob }}"}
  or cronops:cronjob_watched_since:seconds{environment="{{ include "cronops.promText" .environment }}",cronjob="{{ include "cronops.promText" .cronjob }}"} unless on (cronjob) (kube_cronjob_spec_suspend{namespace="{{ include "cronops.promText" .namespace }}",cronjob="{{ include "cronops.promText" .cronjob }}"} == 1)
) > {{ int64 .limit }}
{{- end -}}

{{- define "cronops.query.missedReported" -}}
time() - max(
  cronops_last_success_timestamp_seconds{environment="{{ include "cronops.promText" .environment }}",schedule="{{ include "cronops.promText" .schedule }}"}
  or kube_cronjob_status_last_successful_time{namespace="{{ include "cronops.promText" .namespace }}",cronjob="{{ include "cronops.promText" .cronjob }}"}
  or cronops:cronjob_watched_since:seconds{environment="{{ include "cronops.promText" .environment }}",cronjob="{{ include "cronops.promText" .cronjob }}"} unless on (cronjob) (kube_cronjob_spec_suspend{namespace="{{ include "cronops.promText" .namespace }}",cronjob="{{ include "cronops.promText" .cronjob }}"} == 1)
) > {{ int64 .limit }}
{{- end -}}

{{- define "cronops.query.unrecorded" -}}
time() - (max(cronops:cronjob_failed_start:seconds{environment="{{ include "cronops.promText" .environment }}",cronjob="{{ include "cronops.promText" .cronjob }}"}) > max(
  cronops_last_failure_timestamp_seconds{environment="{{ include "cronops.promText" .environment }}",schedule="{{ include "cronops.promText" .schedule }}"}
  or kube_cronjob_status_last_successful_time{namespace="{{ include "cronops.promText" .namespace }}",cronjob="{{ include "cronops.promText" .cronjob }}"}
  or vector(0)
))
{{- end -}}

{{- define "cronops.recording.cronops:cronjobs:count" -}}
count(kube_cronjob_info{namespace="{{ include "cronops.promText" .namespace }}"})
{{- end -}}

{{- define "cronops.recording.cronops:cronjob_watched_since:seconds" -}}
group by (cronjob, schedule, timezone) (kube_cronjob_info{namespace="{{ include "cronops.promText" .namespace }}"} and on (cronjob) (kube_cronjob_spec_suspend{namespace="{{ include "cronops.promText" .namespace }}"} == 1)) * time()
or on (cronjob, schedule, timezone) last_over_time(cronops:cronjob_watched_since:seconds{environment="{{ include "cronops.promText" .environment }}"}[1d]) and on (cronjob, schedule, timezone) kube_cronjob_info{namespace="{{ include "cronops.promText" .namespace }}"}
or on (cronjob, schedule, timezone) group by (cronjob, schedule, timezone) (kube_cronjob_info{namespace="{{ include "cronops.promText" .namespace }}"}) * time()
{{- end -}}

{{- define "cronops.recording.cronops:cronjob_unfinished_since:seconds" -}}
min by (cronjob) (label_replace(
  max by (job_name, owner_name) (kube_job_owner{namespace="{{ include "cronops.promText" .namespace }}",owner_kind="CronJob"})
  * on (job_name) group_left ()
  min by (job_name) (
    kube_job_status_start_time{namespace="{{ include "cronops.promText" .namespace }}"}
    unless on (job_name) (kube_job_complete{namespace="{{ include "cronops.promText" .namespace }}",condition="true"} == 1 or kube_job_failed{namespace="{{ include "cronops.promText" .namespace }}",condition="true"} == 1)
  ),
  "cronjob", "$1", "owner_name", "(.*)"
))
{{- end -}}

{{- define "cronops.recording.cronops:cronjob_failed_start:seconds" -}}
max by (cronjob) (label_replace(
  max by (job_name, owner_name) (kube_job_owner{namespace="{{ include "cronops.promText" .namespace }}",owner_kind="CronJob"})
  * on (job_name) group_left ()
  max by (job_name) (
    (kube_job_status_start_time{namespace="{{ include "cronops.promText" .namespace }}"}
    or label_replace(
      max by (pod, owner_name) (kube_pod_owner{namespace="{{ include "cronops.promText" .namespace }}",owner_kind="Job"})
      * on (pod) group_left ()
      max by (pod) (
        kube_pod_created{namespace="{{ include "cronops.promText" .namespace }}"}
        and on (pod) (kube_pod_status_phase{namespace="{{ include "cronops.promText" .namespace }}",phase="Failed"} == 1)
      ),
      "job_name", "$1", "owner_name", "(.*)"
    ))
    and on (job_name) (kube_job_failed{namespace="{{ include "cronops.promText" .namespace }}",condition="true"} == 1)
  ),
  "cronjob", "$1", "owner_name", "(.*)"
))
{{- end -}}

{{- define "cronops.recording.cronops:cronjob_pending_since:seconds" -}}
min by (cronjob) (label_replace(
  max by (job_name, owner_name) (kube_job_owner{namespace="{{ include "cronops.promText" .namespace }}",owner_kind="CronJob"})
  * on (job_name) group_left ()
  min by (job_name) (
    label_replace(
      max by (pod, owner_name) (kube_pod_owner{namespace="{{ include "cronops.promText" .namespace }}",owner_kind="Job"})
      * on (pod) group_left ()
      min by (pod) (
        kube_pod_created{namespace="{{ include "cronops.promText" .namespace }}"}
        and on (pod) (kube_pod_status_phase{namespace="{{ include "cronops.promText" .namespace }}",phase="Pending"} == 1)
      ),
      "job_name", "$1", "owner_name", "(.*)"
    )
  ),
  "cronjob", "$1", "owner_name", "(.*)"
))
{{- end -}}

{{- define "cronops.recordings" -}}
["cronops:cronjobs:count", "cronops:cronjob_watched_since:seconds", "cronops:cronjob_unfinished_since:seconds", "cronops:cronjob_failed_start:seconds", "cronops:cronjob_pending_since:seconds"]
{{- end -}}
