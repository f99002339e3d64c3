/**
 * What the API server fills in when an object is created (KK pkg/apis/{core,apps,batch,networking}/v1/
 * defaults.go), as far as clients look at it.
 */
import { isMap, listOf, mapOf, textOf, type Tree, valueAt } from '../../../../base/json-tree.ts';

/** Defaults of the kind's spec; the object itself where there are none. */
export function withDefaults(kind: string, object: Tree): Tree {
  const spec = mapOf(object['spec']);
  switch (kind) {
    case 'Pod':
      return { ...object, spec: podSpec(spec) };
    case 'Deployment':
      return { ...object, spec: deploymentSpec(spec) };
    case 'ReplicaSet':
      return { ...object, spec: { replicas: 1, ...templated(spec) } };
    case 'StatefulSet':
      return { ...object, spec: statefulSetSpec(spec) };
    case 'DaemonSet':
      return { ...object, spec: daemonSetSpec(spec) };
    case 'Job':
      return { ...object, spec: jobSpec(spec) };
    case 'Secret':
      return secret(object);
    case 'NetworkPolicy':
      return { ...object, spec: networkPolicySpec(spec) };
    default:
      return object;
  }
}

function templated(spec: Tree): Tree {
  const template = mapOf(spec['template']);
  return { ...spec, template: { ...template, spec: podSpec(mapOf(template['spec'])) } };
}

function deploymentSpec(spec: Tree): Tree {
  const strategy = mapOf(spec['strategy']);
  const rolling = { maxUnavailable: '25%', maxSurge: '25%', ...mapOf(strategy['rollingUpdate']) };
  const type = textOf(strategy['type']) || 'RollingUpdate';
  return {
    replicas: 1,
    revisionHistoryLimit: 10,
    progressDeadlineSeconds: 600,
    ...templated(spec),
    strategy: type === 'RollingUpdate' ? { type, rollingUpdate: rolling } : { type },
  };
}

function daemonSetSpec(spec: Tree): Tree {
  const strategy = mapOf(spec['updateStrategy']);
  const rolling = { maxUnavailable: 1, maxSurge: 0, ...mapOf(strategy['rollingUpdate']) };
  const type = textOf(strategy['type']) || 'RollingUpdate';
  return {
    revisionHistoryLimit: 10,
    ...templated(spec),
    updateStrategy: type === 'RollingUpdate' ? { type, rollingUpdate: rolling } : { type },
  };
}

function statefulSetSpec(spec: Tree): Tree {
  const strategy = mapOf(spec['updateStrategy']);
  const type = textOf(strategy['type']) || 'RollingUpdate';
  return {
    replicas: 1,
    podManagementPolicy: 'OrderedReady',
    revisionHistoryLimit: 10,
    ...templated(spec),
    updateStrategy:
      type === 'RollingUpdate'
        ? { type, rollingUpdate: { partition: 0, ...mapOf(strategy['rollingUpdate']) } }
        : { type },
  };
}

function jobSpec(spec: Tree): Tree {
  return {
    parallelism: 1,
    completions: 1,
    backoffLimit: 6,
    completionMode: 'NonIndexed',
    suspend: false,
    ...templated(spec),
  };
}

function networkPolicySpec(spec: Tree): Tree {
  if (spec['policyTypes'] !== undefined) return spec;
  const policyTypes = spec['egress'] === undefined ? ['Ingress'] : ['Ingress', 'Egress'];
  return { podSelector: {}, ...spec, policyTypes };
}

function secret({ stringData, ...object }: Tree): Tree {
  const typed = { type: 'Opaque', ...object };
  if (!isMap(stringData)) return typed;
  const encoded = Object.entries(stringData).map(([key, value]) => [
    key,
    Buffer.from(String(value)).toString('base64'),
  ]);
  return { ...typed, data: { ...mapOf(object['data']), ...Object.fromEntries(encoded) } };
}

function podSpec(spec: Tree): Tree {
  const inits = spec['initContainers'];
  const account = spec['serviceAccountName'] ?? spec['serviceAccount'];
  return {
    restartPolicy: 'Always',
    terminationGracePeriodSeconds: 30,
    dnsPolicy: 'ClusterFirst',
    securityContext: {},
    schedulerName: 'default-scheduler',
    ...spec,
    ...(account === undefined ? {} : { serviceAccountName: account, serviceAccount: account }),
    containers: listOf(spec['containers']).map(container),
    ...(Array.isArray(inits) ? { initContainers: inits.map(container) } : {}),
  };
}

function container(value: unknown): Tree {
  const given = mapOf(value);
  const ports = given['ports'];
  const probes = ['livenessProbe', 'readinessProbe', 'startupProbe'].flatMap((name) =>
    given[name] === undefined ? [] : [[name, probe(mapOf(given[name]))] as const],
  );
  return {
    resources: {},
    terminationMessagePath: '/dev/termination-log',
    terminationMessagePolicy: 'File',
    imagePullPolicy: pullPolicy(textOf(given['image'])),
    ...given,
    ...(Array.isArray(ports)
      ? {
          ports: ports.map((port) => ({
            ...mapOf(port),
            protocol: valueAt(port, 'protocol') ?? 'TCP',
          })),
        }
      : {}),
    ...Object.fromEntries(probes),
  };
}

function probe(given: Tree): Tree {
  const get = given['httpGet'];
  return {
    timeoutSeconds: 1,
    periodSeconds: 10,
    successThreshold: 1,
    failureThreshold: 3,
    ...given,
    ...(isMap(get) ? { httpGet: { path: '/', scheme: 'HTTP', ...get } } : {}),
  };
}

/** `latest`, told or not, is always pulled. */
function pullPolicy(image: string): string {
  const [name = '', digest] = image.split('@');
  const tag = name.slice(name.lastIndexOf('/') + 1).split(':')[1];
  return digest === undefined && (tag === undefined || tag === 'latest')
    ? 'Always'
    : 'IfNotPresent';
}
