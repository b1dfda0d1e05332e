{{- /* The inside of a PromQL string, in ASCII. */ -}}
{{- define "cronops.promText" -}}
{{- regexReplaceAll "\\\\u([0-9a-f]{4})" (printf "%+q" .) "\\U0000${1}" | trimPrefix "\"" | trimSuffix "\"" -}}
{{- end -}}

{{- /* Text that Prometheus, which fills in Go templates, gives back as it is. */ -}}
{{- define "cronops.promLiteral" -}}
{{- regexReplaceAll "\\{{2,}|\\{$" . "{{ \"${0}\" }}" -}}
{{- end -}}

{{- /* Whether one of the variables is given: (dict "names" … "settings" … "env" … "secrets" …). */ -}}
{{- define "cronops.has" -}}
{{- $given := include "cronops.merged" (list .settings .env) | fromJson -}}
{{- range $secret := .secrets -}}{{- with $secret.env }}{{ $_ := set $given . "" }}{{ end -}}{{- end -}}
{{- range $name := .names -}}{{- if hasKey $given $name }}yes{{ end -}}{{- end -}}
{{- end -}}

{{- /* One alert: (dict "alert" … "expr" … "for" … "labels" … "summary" … "description" … "owners" …). */ -}}
{{- define "cronops.alert" -}}
- alert: {{ .alert }}
  expr: |-
    {{- .expr | nindent 4 }}
{{- with .for }}
  for: {{ . }}
{{- end }}
  labels:
    {{- include "cronops.pairs" .labels | nindent 4 }}
  annotations:
    summary: {{ .summary | quote }}
    description: {{ .description | quote }}
    runbook: {{ printf "docs/alerts.md#%s" (lower .alert) | quote }}
    {{- include "cronops.pairs" .owners | nindent 4 }}
{{- end -}}

{{- /* Nothing would be heard of what is amiss. */ -}}
{{- define "cronops.blindAlerts" -}}
{{- $environment := include "cronops.promLiteral" .Values.environment -}}
{{- $place := dict "environment" .Values.environment "namespace" .Release.Namespace -}}
{{- $facts := include "cronops.facts" . | fromJson -}}
{{- $sources := dict "kube-state-metrics" (include "cronops.query.unseen" $place) -}}
{{- range $name, $own := .Values.schedules -}}
{{- if not (kindIs "invalid" $own) -}}
{{- $effective := include "cronops.effective" (dict "root" $ "own" $own) | fromJson -}}
{{- if include "cronops.has" (dict "names" $facts.pushgateway "settings" $.Values.settings "env" $own.env "secrets" $effective.secrets) -}}
{{- $_ := set $sources "pushgateway" (include "cronops.query.noPushgateway" $place) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- range $source, $query := $sources }}
{{ include "cronops.alert" (dict
  "alert" "CronopsBlind" "expr" $query "for" "15m"
  "labels" (dict "severity" ($.Values.defaults.severity | default "warning") "environment" $environment "namespace" (include "cronops.promLiteral" $.Release.Namespace) "source" $source "responsible" "shared-ops")
  "summary" (printf "cronops, %s: Prometheus sees nothing of %s" $environment $source)
  "description" "Missed, overlong and unrecorded runs may go unnoticed until it does again."
  "owners" (dict "responsible" "Shared Ops")) }}
{{- end -}}
{{- end -}}

{{- /* The tables were not upgraded. */ -}}
{{- define "cronops.migrationAlert" -}}
{{- $environment := include "cronops.promLiteral" .Values.environment -}}
{{- $name := include "cronops.named" (dict "root" . "name" "cronops-migration") -}}
{{- /* The name of `cronops schedules render` ends in twelve characters more. */ -}}
{{- $hashed := include "cronops.shortened" (list (printf "%scronops-migration" .Values.namePrefix) 51) -}}
{{- $about := dict "namespace" .Release.Namespace "migration" (replace "." "[.]" $name) "hashedMigration" (replace "." "[.]" $hashed) -}}
{{ include "cronops.alert" (dict
  "alert" "CronopsMigrationFailed" "expr" (include "cronops.query.migrationFailed" $about)
  "labels" (dict "severity" (.Values.defaults.severity | default "warning") "environment" $environment "namespace" (include "cronops.promLiteral" .Release.Namespace) "responsible" "shared-ops")
  "summary" (printf "cronops, %s: the tables were not upgraded" $environment)
  "description" "The Job of the migration that began {{ $value | humanizeDuration }} ago has failed, and is not tried again."
  "owners" (dict "responsible" "Shared Ops")) }}
{{- end -}}

{{- /* The alerts of one schedule: (dict "root" $ "facts" … "name" … "own" …). */ -}}
{{- define "cronops.scheduleAlerts" -}}
{{- $own := .own -}}
{{- $facts := .facts -}}
{{- $effective := include "cronops.effective" . | fromJson -}}
{{- $reported := include "cronops.has" (dict "names" $facts.reporting "settings" .root.Values.settings "env" $own.env "secrets" $effective.secrets) -}}
{{- $cronjob := include "cronops.cronjob" . -}}
{{- $zone := $effective.timeZone -}}
{{- $about := dict "environment" .root.Values.environment "namespace" .root.Release.Namespace "schedule" .name "cronjob" $cronjob "zone" $zone -}}
{{- $labels := dict "severity" ($effective.severity | default "warning") "environment" (include "cronops.promLiteral" .root.Values.environment) "namespace" (include "cronops.promLiteral" .root.Release.Namespace) "schedule" (include "cronops.promLiteral" .name) "cr" (include "cronops.promLiteral" $own.cr) -}}
{{- $owners := dict -}}
{{- with $own.declared -}}
{{- $_ := set $labels "responsible" (include "cronops.slug" .responsible) -}}
{{- $_ := set $labels "accountable" (include "cronops.slugs" (.accountable | default list)) -}}
{{- $_ := set $owners "responsible" (include "cronops.promLiteral" .responsible) -}}
{{- $_ := set $owners "accountable" (include "cronops.promLiteral" (join ", " (.accountable | default list))) -}}
{{- end -}}
{{- $where := include "cronops.promLiteral" (printf "%s, %s" .name .root.Values.environment) -}}
{{- $named := include "cronops.promLiteral" $cronjob -}}
{{- $value := "{{ $value | humanizeDuration }}" -}}
{{- $cadence := include "cronops.promLiteral" (printf "\"%s\" in %s" $own.schedule $zone) -}}
{{- $command := include "cronops.promLiteral" (printf "cronops %s" (include "cronops.command" $own)) -}}
{{- $alerts := list
  (dict "alert" "CronopsRunMissed" "for" "5m"
    "expr" (include (ternary "cronops.query.missedReported" "cronops.query.missed" (not (empty $reported))) (merge (dict "limit" $own.alerts.missedAfter) $about))
    "summary" (printf "no good run for %s" $value)
    "description" (printf "%s runs at %s: there are at most %s between two runs, and %s between two good ones." $command $cadence (include "cronops.words" $own.alerts.longestSilence) (include "cronops.words" $own.alerts.missedAfter)))
  (dict "alert" "CronopsRunNotStarted" "for" "10m"
    "expr" (include "cronops.query.unstarted" (merge (dict "late" $own.alerts.notStartedAfter "silence" $own.alerts.longestSilence) $about))
    "summary" "Kubernetes did not start its run"
    "description" (printf "CronJob %s (%s) has started no Job within %s of a run's time, or the CronJob is not there." $named $cadence (include "cronops.words" $own.alerts.notStartedAfter))) -}}
{{- if not (kindIs "invalid" $own.alerts.overlongAfter) -}}
{{- $alerts = append $alerts (dict "alert" "CronopsRunOverlong"
    "expr" (include "cronops.query.overlong" (merge (dict "limit" $own.alerts.overlongAfter) $about))
    "summary" (printf "a run has not ended for %s" $value)
    "description" (printf "A Job of CronJob %s has taken longer than one pod may (%s). Kubernetes kills it after %s." $named (include "cronops.words" $own.alerts.overlongAfter) (include "cronops.words" $own.activeDeadlineSeconds))) -}}
{{- end -}}
{{- $alerts = append $alerts (dict "alert" "CronopsRunPending"
    "expr" (include "cronops.query.pending" (merge (dict "limit" $own.alerts.pendingAfter) $about))
    "summary" (printf "a pod has waited for %s to start" $value)
    "description" (printf "A pod of CronJob %s may wait for %s. Its Job gives up %s after it began; until then it may hold up the next." $named (include "cronops.words" $own.alerts.pendingAfter) (include "cronops.words" $own.activeDeadlineSeconds))) -}}
{{- if $reported -}}
{{- $alerts = append $alerts (dict "alert" "CronopsRunUnrecorded" "for" "5m"
    "expr" (include "cronops.query.unrecorded" $about)
    "summary" "a Job failed and no run said why"
    "description" (printf "A Job of CronJob %s has failed. It, or its last pod, began %s ago, and no failed run has been reported since. Nobody else may have been told." $named $value)) -}}
{{- end -}}
{{- range $alert := $alerts }}
{{ include "cronops.alert" (merge (dict "labels" $labels "owners" $owners "summary" (printf "%s: %s" $where $alert.summary)) $alert) }}
{{- end -}}
{{- end -}}
