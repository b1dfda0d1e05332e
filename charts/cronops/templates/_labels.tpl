{{- /* The text as a label may hold it. */ -}}
{{- define "cronops.labelValue" -}}
{{- include "cronops.shortened" (list (regexReplaceAll "[^A-Za-z0-9._-]+" . "-" | trimAll "-._") 63) -}}
{{- end -}}

{{- /* "Shared Ops" as "shared-ops". */ -}}
{{- define "cronops.slug" -}}
{{- include "cronops.labelValue" (lower .) -}}
{{- end -}}

{{- define "cronops.slugs" -}}
{{- $slugs := list -}}
{{- range . -}}{{- $slugs = append $slugs (include "cronops.slug" .) -}}{{- end -}}
{{- join "_" $slugs -}}
{{- end -}}

{{- /* What all objects carry, as JSON: (dict "root" $ "labels" … "image" …). */ -}}
{{- define "cronops.commonLabels" -}}
{{- $labels := include "cronops.merged" (list .labels) | fromJson -}}
{{- $_ := set $labels "app.kubernetes.io/name" "cronops" -}}
{{- $_ := set $labels "app.kubernetes.io/instance" (include "cronops.labelValue" .root.Values.environment) -}}
{{- $_ := set $labels "app.kubernetes.io/part-of" "cronops" -}}
{{- $_ := set $labels "app.kubernetes.io/managed-by" .root.Release.Service -}}
{{- with .image.tag -}}
{{- $_ := set $labels "app.kubernetes.io/version" (include "cronops.labelValue" .) -}}
{{- end -}}
{{- toJson $labels -}}
{{- end -}}

{{- /* The chart's own label: on objects only, so that a new chart changes no pod. */ -}}
{{- define "cronops.chartLabel" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" | quote }}
{{- end -}}

{{- define "cronops.generator" -}}
{{- index .Chart.Annotations "cronops/generated-by" -}}
{{- end -}}

{{- /* As JSON: (dict "root" $ "name" … "own" … "effective" …). */ -}}
{{- define "cronops.scheduleLabels" -}}
{{- $name := include "cronops.labelValue" .name -}}
{{- $ours := dict "app.kubernetes.io/component" $name "cronops/schedule" $name "cronops/cr" (include "cronops.labelValue" .own.cr) -}}
{{- with .own.declared -}}
{{- $_ := set $ours "cronops/responsible" (include "cronops.slug" .responsible) -}}
{{- with .accountable -}}
{{- $_ := set $ours "cronops/accountable" (include "cronops.labelValue" (include "cronops.slugs" .)) -}}
{{- end -}}
{{- end -}}
{{- $common := include "cronops.commonLabels" (dict "root" .root "labels" .effective.labels "image" .effective.image) | fromJson -}}
{{- include "cronops.merged" (list $common $ours) -}}
{{- end -}}

{{- /* What people read on a CronJob, as JSON. */ -}}
{{- define "cronops.scheduleAnnotations" -}}
{{- $own := .own -}}
{{- $made := dict "cronops/command" (printf "cronops %s" (include "cronops.command" $own)) "cronops/generated-by" (include "cronops.generator" .root) -}}
{{- with $own.description -}}{{- $_ := set $made "kubernetes.io/description" . -}}{{- end -}}
{{- if $own.suspend -}}
{{- $_ := set $made "cronops/suspended" ($own.suspendedBecause | default "suspended") -}}
{{- end -}}
{{- with $own.declared -}}
{{- with .accountable }}{{ $_ := set $made "cronops/accountable" (join ", " .) }}{{ end -}}
{{- with .responsible }}{{ $_ := set $made "cronops/responsible" . }}{{ end -}}
{{- with .consulted }}{{ $_ := set $made "cronops/consulted" (join ", " .) }}{{ end -}}
{{- with .locks }}{{ $_ := set $made "cronops/lock" (join ", " .) }}{{ end -}}
{{- if not (kindIs "invalid" .timeout) }}{{ $_ := set $made "cronops/timeout" (include "cronops.words" .timeout) }}{{ end -}}
{{- end -}}
{{- include "cronops.merged" (list .effective.annotations (include "cronops.waivers" . | fromJson) $made) -}}
{{- end -}}

{{- /* What a scanner of manifests must be told not to hold against an object, as JSON. */ -}}
{{- define "cronops.waivers" -}}
{{- toJson (ternary .facts.unpinnedWaivers dict (empty .effective.image.digest)) -}}
{{- end -}}

{{- define "cronops.command" -}}
{{- .command | default (join " " .args) -}}
{{- end -}}
