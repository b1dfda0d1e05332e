{{- /* The name, or its beginning and a hash of all of it: (list name longest). */ -}}
{{- define "cronops.shortened" -}}
{{- $name := index . 0 -}}
{{- $longest := int (index . 1) -}}
{{- if le (len $name) $longest -}}
{{- $name -}}
{{- else -}}
{{- /* A letter first: a hash of digits only would be read as a number by some parsers. */ -}}
{{- $digest := printf "h%s" (sha256sum $name | trunc 7) -}}
{{- $beginning := trunc (int (sub $longest 9)) $name -}}
{{- printf "%s-%s" (regexReplaceAll "[.-]+$" $beginning "") $digest -}}
{{- end -}}
{{- end -}}

{{- /*
A CronJob's name: (dict "root" $ "name" … "own" …). Its Jobs' names need eleven characters more, and
the pods of an Indexed Job are called like the Job, and by their index.
*/ -}}
{{- define "cronops.cronjob" -}}
{{- $longest := 52 -}}
{{- with .own.shards }}{{ $longest = sub 52 (len (printf "-%d" (sub . 1))) }}{{ end -}}
{{- include "cronops.shortened" (list (printf "%s%s" .root.Values.namePrefix .name) $longest) -}}
{{- end -}}

{{- /* Any other object's name: (dict "root" $ "name" …). */ -}}
{{- define "cronops.named" -}}
{{- include "cronops.shortened" (list (printf "%s%s" .root.Values.namePrefix .name) 63) -}}
{{- end -}}

{{- /* The variables of every pod, as JSON. */ -}}
{{- define "cronops.settings" -}}
{{- include "cronops.merged" (list (dict "CRONOPS_ENVIRONMENT" .Values.environment) .Values.settings) -}}
{{- end -}}

{{- /* The ConfigMap's name: other content, other name, as `cronops schedules render` makes it. */ -}}
{{- define "cronops.settingsName" -}}
{{- $text := "" -}}
{{- range $name, $value := include "cronops.settings" . | fromJson -}}
{{- $text = printf "%s%s=%s\n" $text $name (b64enc $value) -}}
{{- end -}}
{{- $end := printf "-h%s" (sha256sum $text | trunc 10) -}}
{{- $whole := printf "%scronops-settings" .Values.namePrefix -}}
{{- printf "%s%s" (include "cronops.shortened" (list $whole (sub 63 (len $end)))) $end -}}
{{- end -}}

{{- /* A volume's name in the pod: (list kind name). Two names never become one. */ -}}
{{- define "cronops.volumeName" -}}
{{- $name := index . 1 -}}
{{- $made := regexReplaceAll "[^a-z0-9]+" (lower $name) "-" | trimAll "-" -}}
{{- if ne $made $name -}}
{{- $made = printf "%s-h%s" $made (sha256sum $name | trunc 7) | trimPrefix "-" -}}
{{- end -}}
{{- include "cronops.shortened" (list (printf "%s-%s" (index . 0) $made) 63) -}}
{{- end -}}

{{- /* repository:tag@digest, as far as the parts are given. */ -}}
{{- define "cronops.image" -}}
{{- $tag := ternary (printf ":%s" .tag) "" (not (empty .tag)) -}}
{{- $digest := ternary (printf "@%s" .digest) "" (not (empty .digest)) -}}
{{- printf "%s%s%s" (required "image.repository is empty: give the image, as in values-production.yaml" .repository) $tag $digest -}}
{{- end -}}
