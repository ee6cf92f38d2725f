{{- /* As src/manifests/names.ts labels its own. Called with (list context component). */ -}}
{{- define "verdigris.labels" -}}
app.kubernetes.io/name: verdigris
app.kubernetes.io/instance: {{ (index . 0).Values.environment }}
app.kubernetes.io/component: {{ index . 1 }}
app.kubernetes.io/part-of: {{ (index . 0).Values.environment }}
app.kubernetes.io/managed-by: verdigris
{{- end -}}

{{- define "verdigris.role" -}}
{{- $root := index . 0 -}}
{{- $component := index . 1 -}}
{{- $name := printf "%s-%s" $root.Values.environment $component -}}
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ $name }}
  namespace: {{ $root.Release.Namespace }}
  labels: {{- include "verdigris.labels" . | nindent 4 }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: {{ $name }}
  namespace: {{ $root.Release.Namespace }}
  labels: {{- include "verdigris.labels" . | nindent 4 }}
rules:
{{- range index (fromJson ($root.Files.Get "files/rules.json")) (index . 2) }}
  - {{ toJson . }}
{{- end }}
{{- if eq (index . 2) "look" }}
  {{- /* Servers and poolers are asked by logins that can only read. No other Secret. */}}
  - apiGroups: [""]
    resources: [secrets]
    resourceNames: [{{ $root.Values.environment }}-reader]
    verbs: [get]
{{- end }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: {{ $name }}
  namespace: {{ $root.Release.Namespace }}
  labels: {{- include "verdigris.labels" . | nindent 4 }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: Role
  name: {{ $name }}
subjects:
  - kind: ServiceAccount
    name: {{ $name }}
    namespace: {{ $root.Release.Namespace }}
{{- end -}}

{{- /* A pod that runs one command of the image. Called with (list context component args cpu memory limit env). */ -}}
{{- define "verdigris.pod" -}}
{{- $root := index . 0 -}}
{{- $component := index . 1 -}}
serviceAccountName: {{ $root.Values.environment }}-{{ $component }}
{{- with $root.Values.imagePullSecrets }}
imagePullSecrets: {{- toJson . | nindent 2 }}
{{- end }}
securityContext: { runAsNonRoot: true, runAsUser: 999, runAsGroup: 999, fsGroup: 999, fsGroupChangePolicy: OnRootMismatch, seccompProfile: { type: RuntimeDefault } }
containers:
  - name: {{ $component }}
    image: {{ $root.Values.image | quote }}
    imagePullPolicy: {{ $root.Values.imagePullPolicy }}
    command: {{ concat (list "node" "/verdigris/src/cli/main.ts") (index . 2) | toJson }}
    env:
      - { name: HOME, value: /tmp }
      - { name: VERDIGRIS_HOME, value: /tmp/verdigris }
      - { name: VERDIGRIS_SEAL, value: /etc/verdigris-seal }
      {{- with index . 6 }}
      {{- toYaml . | nindent 6 }}
      {{- end }}
    securityContext: { allowPrivilegeEscalation: false, privileged: false, runAsNonRoot: true, readOnlyRootFilesystem: true, capabilities: { drop: [ALL] } }
    resources: { requests: { cpu: {{ index . 3 }}, memory: {{ index . 4 }} }, limits: { memory: {{ index . 5 }} } }
    {{- with index . 7 }}
    ports:
      - { name: http, containerPort: {{ . }}, protocol: TCP }
    readinessProbe:
      httpGet: { path: {{ if eq $component "dashboard" }}/-/healthz{{ else }}/healthz{{ end }}, port: http }
      periodSeconds: 2
      failureThreshold: 30
    livenessProbe:
      httpGet: { path: {{ if eq $component "dashboard" }}/-/healthz{{ else }}/healthz{{ end }}, port: http }
      periodSeconds: 10
      failureThreshold: 6
    {{- end }}
    volumeMounts:
      - { name: declaration, mountPath: /etc/verdigris, readOnly: true }
      - { name: seal, mountPath: /etc/verdigris-seal, readOnly: true }
      - { name: tmp, mountPath: /tmp }
      {{- if index . 7 }}
      - { name: authority, mountPath: /etc/verdigris-authority, readOnly: true }
      {{- end }}
volumes:
  - name: declaration
    projected:
      sources:
        - configMap: { name: {{ $root.Values.environment }}-declaration }
        - configMap: { name: {{ $root.Values.environment }}-migrations, optional: true }
  - { name: seal, secret: { secretName: {{ $root.Values.environment }}-seal } }
  - { name: tmp, emptyDir: {} }
  {{- if index . 7 }}
  {{- /* Who signed the servers' certificate, without their key. Not there where no TLS is declared. */}}
  - name: authority
    secret:
      secretName: {{ default (printf "%s-tls" $root.Values.environment) $root.Values.certificateSecret }}
      items: [{ key: ca.crt, path: ca.crt }]
      defaultMode: 288
      optional: true
  {{- end }}
{{- end -}}
