/**
 * DaemonSet `cilium` as the chart renders it: what the kubelet, the scheduler and the agent's model
 * read of it. Source: charts:cilium/templates/cilium-agent/daemonset.yaml@1.13.18 … 1.20.0.
 */
import { contentHash } from '../../base/canonical-json.ts';
import { atLeast } from '../../base/versions.ts';
import type { Container, DaemonSetObject, Toleration, Volume } from '../../model/kubernetes.ts';
import { hasEnvoyDaemonSet, type ConfigData } from './config-map.ts';
import { isFullReplacement, kubeProxyReplacementText } from './kube-proxy-replacement.ts';
import { isTruthy, showValue, valueAt, type ChartValues } from './values.ts';

export interface RenderContext {
  readonly version: string;
  readonly values: ChartValues;
  readonly namespace: string;
  readonly release: string;
  readonly config: ConfigData;
}

/** The API server's address in pods, where `k8sServiceHost` sets it. */
export function apiServerEnv(values: ChartValues): readonly { name: string; value: string }[] {
  const host = showValue(valueAt(values, 'k8sServiceHost'));
  if (host === '') return [];
  const port = showValue(valueAt(values, 'k8sServicePort'));
  return [
    { name: 'KUBERNETES_SERVICE_HOST', value: host },
    { name: 'KUBERNETES_SERVICE_PORT', value: port === '' ? '443' : port },
  ];
}

/** `repository:tag`; the tag follows the chart unless set. */
export function imageOf(context: RenderContext, path: string, suffix = ''): string {
  const override = showValue(valueAt(context.values, `${path}.override`));
  if (override !== '') return override;
  const repository = showValue(valueAt(context.values, `${path}.repository`));
  const tag = showValue(valueAt(context.values, `${path}.tag`)) || `v${bare(context.version)}`;
  return `${repository}${suffix}:${tag}`;
}

/** Changes with the ConfigMap; only in the pod template when the chart is told to roll pods. */
export function configChecksum(context: RenderContext): Readonly<Record<string, string>> {
  return {
    'cilium.io/cilium-configmap-checksum': contentHash(context.config).replace(/^sha256:/, ''),
  };
}

/** The chart passes lists through; what the user wrote as another shape stays that shape. */
export function tolerationsOf(values: ChartValues, path: string): readonly Toleration[] {
  const list = valueAt(values, path);
  // The API server, not the chart, judges the entries.
  return Array.isArray(list) ? (list as readonly Toleration[]) : [];
}

/** Where a hostNetwork pod of the chart is probed. */
export function loopback(values: ChartValues): string {
  return isTruthy(valueAt(values, 'ipv4.enabled')) ? '127.0.0.1' : '::1';
}

/** Charts up to 1.14 probe at once. */
export function startupDelay(version: string): { readonly initialDelaySeconds?: number } {
  return atLeast(version, '1.15.0') ? { initialDelaySeconds: 5 } : {};
}

function bare(version: string): string {
  return version.replace(/^v/, '');
}

export function agentDaemonSet(context: RenderContext): DaemonSetObject {
  const { values } = context;
  const labels = {
    'k8s-app': 'cilium',
    'app.kubernetes.io/name': 'cilium-agent',
    'app.kubernetes.io/part-of': 'cilium',
  };
  const strategy = valueAt(values, 'updateStrategy');
  return {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: { name: 'cilium', namespace: context.namespace, labels },
    spec: {
      selector: { matchLabels: { 'k8s-app': 'cilium' } },
      // Passed through as given, like the chart does.
      updateStrategy: strategy as NonNullable<DaemonSetObject['spec']['updateStrategy']>,
      template: {
        metadata: {
          labels,
          ...(isTruthy(valueAt(values, 'rollOutCiliumPods'))
            ? { annotations: configChecksum(context) }
            : {}),
        },
        spec: {
          hostNetwork: true,
          restartPolicy: 'Always',
          priorityClassName:
            showValue(valueAt(values, 'priorityClassName')) || 'system-node-critical',
          serviceAccountName: showValue(valueAt(values, 'serviceAccounts.cilium.name')),
          terminationGracePeriodSeconds: 1,
          affinity: {
            podAntiAffinity: {
              requiredDuringSchedulingIgnoredDuringExecution: [
                {
                  labelSelector: { matchLabels: { 'k8s-app': 'cilium' } },
                  topologyKey: 'kubernetes.io/hostname',
                },
              ],
            },
          },
          nodeSelector: { 'kubernetes.io/os': 'linux' },
          tolerations: tolerationsOf(values, 'tolerations'),
          initContainers: initContainers(context),
          containers: [agentContainer(context)],
          volumes: volumes(context),
        },
      },
    },
  };
}

function agentContainer(context: RenderContext): Container {
  const { values, version } = context;
  const port = Number(valueAt(values, 'healthPort') ?? 9879);
  const probe = { httpGet: { host: loopback(values), path: '/healthz', port } };
  return {
    name: 'cilium-agent',
    image: imageOf(context, 'image'),
    command: ['cilium-agent'],
    args: ['--config-dir=/tmp/cilium/config-map'],
    startupProbe: {
      ...probe,
      ...startupDelay(version),
      periodSeconds: 2,
      failureThreshold: Number(valueAt(values, 'startupProbe.failureThreshold') ?? 105),
    },
    readinessProbe: {
      ...probe,
      periodSeconds: Number(valueAt(values, 'readinessProbe.periodSeconds') ?? 30),
      timeoutSeconds: 5,
      failureThreshold: 3,
    },
    livenessProbe: { ...probe, periodSeconds: 30, timeoutSeconds: 5, failureThreshold: 10 },
    env: [
      { name: 'CILIUM_CLUSTERMESH_CONFIG', value: '/var/lib/cilium/clustermesh/' },
      ...apiServerEnv(values),
    ],
    securityContext: capabilities(values, 'ciliumAgent'),
    volumeMounts: [
      ...bpfMount(context),
      ...cgroupMount(values),
      { name: 'cilium-run', mountPath: '/var/run/cilium' },
      { name: 'etc-cni-netd', mountPath: showValue(valueAt(values, 'cni.hostConfDirMountPath')) },
      { name: 'lib-modules', mountPath: '/lib/modules' },
      { name: 'xtables-lock', mountPath: '/run/xtables.lock' },
      buildsConfig(context)
        ? { name: 'tmp', mountPath: '/tmp' }
        : { name: 'cilium-config-path', mountPath: '/tmp/cilium/config-map' },
    ],
  };
}

/** From 1.19 a single ConfigMap source makes the chart leave the `config` container out. */
function buildsConfig(context: Pick<RenderContext, 'version' | 'values'>): boolean {
  const sources = showValue(valueAt(context.values, 'daemon.configSources'));
  return !atLeast(context.version, '1.19.0') || !/^config-map:[^,]+$/.test(sources);
}

function initContainers(context: RenderContext): readonly Container[] {
  const { values, version } = context;
  const image = imageOf(context, 'image');
  const env = apiServerEnv(values);
  const mountsBpf = isTruthy(valueAt(values, 'bpf.autoMount.enabled'));
  const privileged = isTruthy(valueAt(values, 'securityContext.privileged'));
  const replacement = kubeProxyReplacementText(version, values);
  return [
    ...(buildsConfig(context) ? [configContainer(context, image, env)] : []),
    ...(isTruthy(valueAt(values, 'cgroup.autoMount.enabled'))
      ? [
          {
            name: 'mount-cgroup',
            image,
            env: [
              { name: 'CGROUP_ROOT', value: showValue(valueAt(values, 'cgroup.hostRoot')) },
              { name: 'BIN_PATH', value: showValue(valueAt(values, 'cni.binPath')) },
            ],
            securityContext: capabilities(values, 'mountCgroup'),
            volumeMounts: HOST_BINARY_MOUNTS,
          },
        ]
      : []),
    ...(isTruthy(valueAt(values, 'sysctlfix.enabled'))
      ? [
          {
            name: 'apply-sysctl-overwrites',
            image,
            env: [{ name: 'BIN_PATH', value: showValue(valueAt(values, 'cni.binPath')) }],
            securityContext: capabilities(values, 'applySysctlOverwrites'),
            volumeMounts: HOST_BINARY_MOUNTS,
          },
        ]
      : []),
    ...(mountsBpf && !privileged
      ? [
          {
            name: 'mount-bpf-fs',
            image,
            securityContext: { privileged: true },
            volumeMounts: [{ name: 'bpf-maps', mountPath: '/sys/fs/bpf' }],
          },
        ]
      : []),
    {
      name: 'clean-cilium-state',
      image,
      command: ['/init-container.sh'],
      env,
      securityContext: capabilities(values, 'cleanCiliumState'),
      volumeMounts: [
        ...bpfMount(context),
        { name: 'cilium-cgroup', mountPath: showValue(valueAt(values, 'cgroup.hostRoot')) },
        { name: 'cilium-run', mountPath: '/var/run/cilium' },
      ],
    },
    ...(isTruthy(valueAt(values, 'waitForKubeProxy')) && !isFullReplacement(version, replacement)
      ? [{ name: 'wait-for-kube-proxy', image, securityContext: { privileged: true } }]
      : []),
    ...(isTruthy(valueAt(values, 'cni.install'))
      ? [
          {
            name: 'install-cni-binaries',
            image,
            command: ['/install-plugin.sh'],
            securityContext: { capabilities: { drop: ['ALL'] } },
            volumeMounts: [{ name: 'cni-path', mountPath: '/host/opt/cni/bin' }],
          },
        ]
      : []),
  ];
}

/** Charts up to 1.17 leave the file system out where they do not mount it. */
function hasBpfMaps({ version, values }: Pick<RenderContext, 'version' | 'values'>): boolean {
  return atLeast(version, '1.18.0') || isTruthy(valueAt(values, 'bpf.autoMount.enabled'));
}

function bpfMount(context: RenderContext): readonly { name: string; mountPath: string }[] {
  return hasBpfMaps(context) ? [{ name: 'bpf-maps', mountPath: '/sys/fs/bpf' }] : [];
}

const HOST_BINARY_MOUNTS = [
  { name: 'hostproc', mountPath: '/hostproc' },
  { name: 'cni-path', mountPath: '/hostbin' },
];

function configContainer(context: RenderContext, image: string, env: Container['env']): Container {
  const option = (path: string, flag: string): readonly string[] => {
    const value = showValue(valueAt(context.values, path));
    return value === '' ? [] : [`--${flag}=${value}`];
  };
  return {
    name: 'config',
    image,
    command: [
      atLeast(context.version, '1.15.0') ? 'cilium-dbg' : 'cilium',
      'build-config',
      ...option('daemon.configSources', 'source'),
      ...option('daemon.allowedConfigOverrides', 'allow-config-keys'),
      ...option('daemon.blockedConfigOverrides', 'deny-config-keys'),
      // Since 1.20, and also when nothing is given.
      ...(atLeast(context.version, '1.20.0')
        ? [`--k8s-api-server-urls=${showValue(valueAt(context.values, 'k8s.apiServerURLs'))}`]
        : []),
    ],
    ...(env === undefined ? {} : { env }),
    volumeMounts: [{ name: 'tmp', mountPath: '/tmp' }],
  };
}

/** Lists as written: a string stays a string, and the API server refuses it. */
function capabilities(
  values: ChartValues,
  role: string,
): NonNullable<Container['securityContext']> {
  if (isTruthy(valueAt(values, 'securityContext.privileged'))) return { privileged: true };
  return {
    capabilities: {
      add: valueAt(values, `securityContext.capabilities.${role}`),
      drop: ['ALL'],
    },
  };
}

function cgroupMount(values: ChartValues): readonly { name: string; mountPath: string }[] {
  const root = showValue(valueAt(values, 'cgroup.hostRoot'));
  return root.includes('/run/cilium/cgroupv2') ? [] : [{ name: 'cilium-cgroup', mountPath: root }];
}

function host(name: string, path: string): Volume {
  return { name, hostPath: { path } };
}

function volumes(context: RenderContext): readonly Volume[] {
  const { values } = context;
  const runPath = showValue(valueAt(values, 'daemon.runPath'));
  return [
    buildsConfig(context)
      ? { name: 'tmp', emptyDir: {} }
      : { name: 'cilium-config-path', configMap: { name: 'cilium-config' } },
    host('cilium-run', runPath),
    ...(hasBpfMaps(context) ? [host('bpf-maps', '/sys/fs/bpf')] : []),
    host('hostproc', '/proc'),
    host('cilium-cgroup', showValue(valueAt(values, 'cgroup.hostRoot'))),
    host('cni-path', showValue(valueAt(values, 'cni.binPath'))),
    host('etc-cni-netd', showValue(valueAt(values, 'cni.confPath'))),
    host('lib-modules', '/lib/modules'),
    host('xtables-lock', '/run/xtables.lock'),
    ...(hasEnvoyDaemonSet(context.version, values)
      ? [host('envoy-sockets', `${runPath}/envoy/sockets`)]
      : []),
  ];
}
