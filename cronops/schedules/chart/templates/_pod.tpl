{{- /*
The environment beyond the ConfigMap's: (dict "root" … "own" … "effective" … "variables" …).
What a schedule says as the ConfigMap says it is left out; what it takes away becomes empty.
*/ -}}
{{- define "cronops.env" -}}
{{- $settings := include "cronops.settings" .root | fromJson -}}
{{- $said := .root.Values.settings | default dict -}}
{{- $taken := dict -}}
{{- $rest := dict -}}
{{- range $name, $value := .own.env -}}
{{- if or (kindIs "bool" $value) (kindIs "invalid" $value) -}}
{{- if hasKey $said $name }}{{ $_ := set $rest $name "" }}{{ end -}}
{{- else if not (and (hasKey $settings $name) (eq (index $settings $name) $value)) -}}
{{- $_ := set $rest $name $value -}}
{{- end -}}
{{- end -}}
{{- range $name, $secret := .effective.secrets -}}
{{- with $secret.env }}{{ $_ := set $rest . (printf "/run/secrets/%s/%s" $name $secret.key) }}{{ end -}}
{{- end -}}
{{- range .variables }}
{{- $_ := set $taken .name true }}
- name: {{ .name | quote }}
{{- if .field }}
  valueFrom:
    fieldRef:
      fieldPath: {{ .field | quote }}
{{- else }}
  value: {{ .value | quote }}
{{- end }}
{{- end -}}
{{- range $name, $value := $rest }}
{{- if not (hasKey $taken $name) }}
- name: {{ $name | quote }}
  value: {{ include "cronops.literal" $value | quote }}
{{- end }}
{{- end -}}
{{- end -}}

{{- /* The size of /tmp: the container's limit counts it too. Empty where a volume is there. */ -}}
{{- define "cronops.temporarySize" -}}
{{- $limit := index .limits "ephemeral-storage" | default "64Mi" -}}
{{- range .volumes -}}{{- if eq .mountPath "/tmp" }}{{ $limit = "" }}{{ end -}}{{- end -}}
{{- with $limit }}{{ include "cronops.quantity" . }}{{ end -}}
{{- end -}}

{{- define "cronops.mounts" -}}
{{- if include "cronops.temporarySize" . }}
- name: tmp
  mountPath: /tmp
  readOnly: false
{{- end }}
{{- range $name, $secret := .secrets }}
- name: {{ include "cronops.volumeName" (list "secret" $name) | quote }}
  mountPath: {{ printf "/run/secrets/%s" $name | quote }}
  readOnly: true
{{- end }}
{{- range $name, $volume := .volumes }}
- name: {{ include "cronops.volumeName" (list "volume" $name) | quote }}
  mountPath: {{ $volume.mountPath | quote }}
{{- with $volume.subPath }}
  subPath: {{ . | quote }}
{{- end }}
{{- if kindIs "bool" $volume.readOnly }}
  readOnly: {{ $volume.readOnly }}
{{- else }}
  {{- /* Nobody else could have filled an empty directory. */}}
  readOnly: {{ kindIs "invalid" $volume.emptyDir }}
{{- end }}
{{- end -}}
{{- end -}}

{{- define "cronops.volumes" -}}
{{- with include "cronops.temporarySize" . }}
- name: tmp
  emptyDir:
    sizeLimit: {{ . | quote }}
{{- end }}
{{- range $name, $secret := .secrets }}
- name: {{ include "cronops.volumeName" (list "secret" $name) | quote }}
  secret:
    secretName: {{ $secret.secretName | quote }}
    {{- /* 288 is 0440: the group of the pod's user may read. */}}
    defaultMode: {{ ternary 288 $secret.defaultMode (kindIs "invalid" $secret.defaultMode) | int64 }}
    items:
      - key: {{ $secret.key | quote }}
        path: {{ $secret.key | quote }}
{{- end }}
{{- range $name, $volume := .volumes }}
- name: {{ include "cronops.volumeName" (list "volume" $name) | quote }}
{{- if $volume.persistentVolumeClaim }}
  persistentVolumeClaim:
    claimName: {{ $volume.persistentVolumeClaim.claimName | quote }}
{{- else if $volume.configMap }}
  configMap:
    name: {{ $volume.configMap.name | quote }}
{{- else }}
  emptyDir: {{ include "cronops.emptyDir" ($volume.emptyDir | default dict) }}
{{- end }}
{{- end -}}
{{- end -}}

{{- define "cronops.emptyDir" -}}
{{- $made := dict -}}
{{- with .medium }}{{ $_ := set $made "medium" . }}{{ end -}}
{{- with .sizeLimit }}{{ $_ := set $made "sizeLimit" (include "cronops.quantity" .) }}{{ end -}}
{{- toJson $made -}}
{{- end -}}

{{- /*
The pod's spec: (dict "root" … "facts" … "own" … "effective" … "serviceAccount" …
"settings" … "args" … "variables" …).
*/ -}}
{{- define "cronops.pod" -}}
{{- $facts := .facts -}}
serviceAccountName: {{ .serviceAccount | quote }}
automountServiceAccountToken: false
enableServiceLinks: false
restartPolicy: {{ .effective.restartPolicy | quote }}
terminationGracePeriodSeconds: {{ int64 .own.terminationGracePeriodSeconds }}
{{- with .effective.priorityClassName }}
priorityClassName: {{ . | quote }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: {{ int64 $facts.user }}
  runAsGroup: {{ int64 $facts.user }}
  fsGroup: {{ int64 $facts.user }}
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile:
    type: RuntimeDefault
{{- with .effective.imagePullSecrets }}
imagePullSecrets:
{{- range . }}
  - name: {{ .name | quote }}
{{- end }}
{{- end }}
{{- with .effective.nodeSelector }}
nodeSelector:
  {{- include "cronops.pairs" . | nindent 2 }}
{{- end }}
{{- with .effective.tolerations }}
tolerations:
{{- range . }}
  - operator: {{ .operator | default "Equal" | quote }}
{{- range $field, $value := pick . "key" "value" "effect" }}
{{- if kindIs "string" $value }}
    {{ $field }}: {{ $value | quote }}
{{- end }}
{{- end }}
{{- if not (kindIs "invalid" .tolerationSeconds) }}
    tolerationSeconds: {{ int64 .tolerationSeconds }}
{{- end }}
{{- end }}
{{- end }}
containers:
  - name: {{ $facts.container | quote }}
    image: {{ include "cronops.image" .effective.image | quote }}
    {{- /* A digest always names the same image: a registry out of reach stops no run. */}}
    imagePullPolicy: {{ ternary "Always" "IfNotPresent" (empty .effective.image.digest) }}
    command:
      - cronops
    args:
{{- range .args }}
      - {{ include "cronops.literal" . | quote }}
{{- end }}
    envFrom:
      - configMapRef:
          name: {{ .settings | quote }}
    env:
      {{- include "cronops.env" . | trim | nindent 6 }}
{{- if or .effective.requests .effective.limits }}
    resources:
{{- range $kind := list "requests" "limits" }}
{{- with index $.effective $kind }}
      {{ $kind }}:
{{- range $name, $amount := . }}
        {{ $name | quote }}: {{ include "cronops.quantity" $amount | quote }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
    securityContext:
      allowPrivilegeEscalation: false
      capabilities:
        drop:
          - ALL
      privileged: false
      readOnlyRootFilesystem: true
      runAsNonRoot: true
    terminationMessagePath: {{ $facts.terminationLog | quote }}
    terminationMessagePolicy: FallbackToLogsOnError
    volumeMounts:
      {{- include "cronops.mounts" .effective | trim | nindent 6 }}
volumes:
  {{- include "cronops.volumes" .effective | trim | nindent 2 }}
{{- end -}}
