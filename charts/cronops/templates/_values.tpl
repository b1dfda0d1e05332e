{{- /*
One map made of several, as JSON: later ones win, false and null take a name away.
Helm's own merge functions would take false, 0 and "" for "nothing said".
*/ -}}
{{- define "cronops.merged" -}}
{{- $made := dict -}}
{{- range $layer := . -}}
{{- range $name, $value := $layer -}}
{{- if or (kindIs "invalid" $value) (kindIs "bool" $value) -}}
{{- $_ := unset $made $name -}}
{{- else -}}
{{- $_ := set $made $name $value -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- toJson $made -}}
{{- end -}}

{{- /* What holds for one schedule, or for the migration, as JSON: (dict "root" $ "own" …). */ -}}
{{- define "cronops.effective" -}}
{{- $defaults := .root.Values.defaults -}}
{{- $own := .own -}}
{{- $made := dict -}}
{{- range $field := list "annotations" "egress" "labels" "nodeSelector" "secrets" "volumes" -}}
{{- $layers := list (index $defaults $field) (index $own $field) -}}
{{- $_ := set $made $field (include "cronops.merged" $layers | fromJson) -}}
{{- end -}}
{{- range $field := list "requests" "limits" -}}
{{- $layers := list (index ($defaults.resources | default dict) $field) (index ($own.resources | default dict) $field) -}}
{{- $_ := set $made $field (include "cronops.merged" $layers | fromJson) -}}
{{- end -}}
{{- $_ := set $made "image" (include "cronops.merged" (list .root.Values.image $own.image) | fromJson) -}}
{{- $scalars := list "concurrencyPolicy" "failedJobsHistoryLimit" "imagePullSecrets" "priorityClassName" "restartPolicy" "severity" "successfulJobsHistoryLimit" "timeZone" "tolerations" -}}
{{- range $field := $scalars -}}
{{- range $layer := list $defaults $own -}}
{{- if not (kindIs "invalid" (index $layer $field)) -}}
{{- $_ := set $made $field (index $layer $field) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- toJson $made -}}
{{- end -}}

{{- /* A quantity as text: a number given by --set comes as one. */ -}}
{{- define "cronops.quantity" -}}
{{- if kindIs "string" . }}{{ . }}{{ else }}{{ int64 . }}{{ end -}}
{{- end -}}

{{- /* A map of strings as lines of YAML. */ -}}
{{- define "cronops.pairs" -}}
{{- $lines := list -}}
{{- range $name, $value := . -}}
{{- $lines = append $lines (printf "%s: %s" (quote $name) (quote $value)) -}}
{{- end -}}
{{- join "\n" $lines -}}
{{- end -}}

{{- /* Text that Kubernetes hands on unchanged: it replaces $(NAME) otherwise. */ -}}
{{- define "cronops.literal" -}}
{{- regexReplaceAll "\\$\\$([^$(]|$)" (replace "$" "$$" .) "$$${1}" -}}
{{- end -}}

{{- /* Seconds for people, the largest two units: "4m 10s". */ -}}
{{- define "cronops.words" -}}
{{- $left := int64 . -}}
{{- $parts := list -}}
{{- if lt $left 10 -}}
{{- $parts = list (printf "%ds" $left) -}}
{{- else -}}
{{- range $unit := list (list "d" 86400) (list "h" 3600) (list "m" 60) (list "s" 1) -}}
{{- $size := int64 (index $unit 1) -}}
{{- if ge $left $size -}}
{{- $parts = append $parts (printf "%d%s" (div $left $size) (index $unit 0)) -}}
{{- $left = mod $left $size -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if gt (len $parts) 2 -}}{{- $parts = slice $parts 0 2 -}}{{- end -}}
{{- join " " $parts -}}
{{- end -}}
