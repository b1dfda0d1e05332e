{{- /*
A Job's spec: what "cronops.pod" takes, and "labels" and "annotations" of its pods.
*/ -}}
{{- define "cronops.job" -}}
{{- $facts := .facts -}}
{{- $indexed := not (empty .own.shards) -}}
{{- $retried := true -}}
{{- with .own.declared }}{{ if kindIs "bool" .retrySafe }}{{ $retried = .retrySafe }}{{ end }}{{ end -}}
{{- $policy := index $facts.podFailurePolicies (printf "%s%s" (ternary "retried" "once" $retried) (ternary "Indexed" "" $indexed)) -}}
{{- if $indexed -}}
completionMode: Indexed
completions: {{ int64 .own.shards }}
parallelism: {{ int64 .own.shards }}
backoffLimitPerIndex: {{ int64 .own.backoffLimit }}
{{- else -}}
backoffLimit: {{ int64 .own.backoffLimit }}
{{- end }}
activeDeadlineSeconds: {{ int64 .own.activeDeadlineSeconds }}
podReplacementPolicy: Failed
podFailurePolicy:
  rules:
    - action: {{ $policy.action }}
      onExitCodes:
        containerName: {{ $facts.container | quote }}
        operator: {{ $policy.operator }}
        values:
{{- range $policy.codes }}
          - {{ int64 . }}
{{- end }}
    - action: {{ $policy.onDisruption }}
      onPodConditions:
        - type: DisruptionTarget
          status: "True"
template:
  metadata:
    labels:
      {{- include "cronops.pairs" .labels | nindent 6 }}
{{- with .annotations }}
    annotations:
      {{- include "cronops.pairs" . | nindent 6 }}
{{- end }}
  spec:
    {{- include "cronops.pod" . | nindent 4 }}
{{- end -}}

{{- /*
A service account and a network policy: (dict "root" … "name" … "labels" … "selector" …
"egress" … "hook" annotations or nothing).
*/ -}}
{{- define "cronops.access" -}}
{{- $metadata := include "cronops.metadata" . -}}
apiVersion: v1
kind: ServiceAccount
metadata:
  {{- $metadata | nindent 2 }}
automountServiceAccountToken: false
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  {{- $metadata | nindent 2 }}
spec:
  podSelector:
    matchLabels:
      {{- include "cronops.pairs" .selector | nindent 6 }}
  policyTypes:
    - Ingress
    - Egress
{{- with .egress }}
  egress:
{{- range $rule := . }}
    - to:
        {{- toYaml $rule.to | nindent 8 }}
      ports:
        {{- toYaml $rule.ports | nindent 8 }}
{{- end }}
{{- end }}
{{- end -}}

{{- /* An object's metadata: (dict "root" … "name" … "labels" … "annotations" … "hook" …). */ -}}
{{- define "cronops.metadata" -}}
{{- $annotations := .annotations | default (dict "cronops/generated-by" (include "cronops.generator" .root)) -}}
name: {{ .name | quote }}
namespace: {{ .root.Release.Namespace | quote }}
labels:
  {{- include "cronops.pairs" .labels | nindent 2 }}
  {{- include "cronops.chartLabel" .root | nindent 2 }}
annotations:
  {{- include "cronops.pairs" (include "cronops.merged" (list $annotations .hook) | fromJson) | nindent 2 }}
{{- end -}}
