/** For tests only: Kubernetes objects with the few fields a case is about. */
import type { Condition, Container, KubeObject, PodSpec } from '../model/kubernetes.ts';
import type {
  DaemonSetObject,
  DeploymentObject,
  NodeObject,
  ObjectMeta,
  PodDisruptionBudgetObject,
  PodObject,
  ServiceObject,
  StatefulSetObject,
} from '../model/kubernetes.ts';

type Labels = Readonly<Record<string, string>>;

export interface NodeLiteral {
  readonly ip?: string;
  readonly podCidr?: string;
  readonly podCidrs?: readonly string[];
  readonly controlPlane?: boolean;
  readonly labels?: Labels;
  readonly annotations?: Labels;
  readonly osImage?: string;
  readonly runtime?: string;
  readonly kubelet?: string;
  readonly kernel?: string;
  readonly os?: string;
  readonly arch?: string;
  readonly unschedulable?: boolean;
  readonly providerID?: string;
  readonly conditions?: readonly Condition[];
  readonly taints?: NodeObject['spec']['taints'];
  readonly allocatable?: Labels;
}

export function node(name: string, literal: NodeLiteral = {}): NodeObject {
  const role = literal.controlPlane === true ? { 'node-role.kubernetes.io/control-plane': '' } : {};
  const { podCidr, podCidrs = podCidr === undefined ? undefined : [podCidr] } = literal;
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name,
      labels: { ...role, ...literal.labels },
      ...(literal.annotations === undefined ? {} : { annotations: literal.annotations }),
    },
    spec: {
      ...(podCidrs === undefined ? {} : { podCIDRs: podCidrs }),
      ...(literal.unschedulable === undefined ? {} : { unschedulable: literal.unschedulable }),
      ...(literal.providerID === undefined ? {} : { providerID: literal.providerID }),
      ...(literal.taints === undefined ? {} : { taints: literal.taints }),
    },
    status: {
      addresses: [{ type: 'InternalIP', address: literal.ip ?? '10.0.1.61' }],
      ...(literal.conditions === undefined ? {} : { conditions: literal.conditions }),
      ...(literal.allocatable === undefined ? {} : { allocatable: literal.allocatable }),
      nodeInfo: {
        osImage: literal.osImage ?? 'Talos (v1.10.2)',
        containerRuntimeVersion: literal.runtime ?? 'containerd://2.0.5',
        kubeletVersion: literal.kubelet ?? 'v1.33.0',
        kernelVersion: literal.kernel ?? '6.12.28-talos',
        operatingSystem: literal.os ?? 'linux',
        architecture: literal.arch ?? 'amd64',
      },
    },
  };
}

export interface PodLiteral {
  readonly namespace?: string;
  readonly node?: string;
  readonly labels?: Labels;
  readonly annotations?: Labels;
  readonly image?: string;
  readonly ip?: string;
  readonly hostNetwork?: boolean;
  readonly owner?: { readonly kind: string; readonly name: string };
  readonly containers?: readonly Partial<Container>[];
  readonly spec?: Partial<PodSpec>;
  readonly phase?: PodObject['status']['phase'];
}

export function pod(name: string, literal: PodLiteral = {}): PodObject {
  const { owner } = literal;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      ...metadata(name, literal.namespace ?? 'default', literal.labels),
      ...(literal.annotations === undefined ? {} : { annotations: literal.annotations }),
      ...(owner === undefined
        ? {}
        : {
            ownerReferences: [
              { apiVersion: 'apps/v1', uid: owner.name, controller: true, ...owner },
            ],
          }),
    },
    spec: {
      ...(literal.node === undefined ? {} : { nodeName: literal.node }),
      ...(literal.hostNetwork === undefined ? {} : { hostNetwork: literal.hostNetwork }),
      ...podSpec(literal),
    },
    status: {
      phase: literal.phase ?? 'Running',
      ...(literal.ip === undefined ? {} : { podIP: literal.ip }),
    },
  };
}

export interface WorkloadLiteral {
  readonly namespace?: string;
  readonly replicas?: number;
  readonly labels?: Labels;
  readonly annotations?: Labels;
  readonly image?: string;
  readonly containers?: readonly Partial<Container>[];
  readonly spec?: Partial<PodSpec>;
  readonly updateStrategy?: 'OnDelete' | 'RollingUpdate';
  readonly managers?: readonly string[];
}

export function deployment(name: string, literal: WorkloadLiteral = {}): DeploymentObject {
  const { replicas = 1 } = literal;
  return { ...workload('Deployment', name, literal), spec: { replicas, ...common(name, literal) } };
}

export function statefulSet(name: string, literal: WorkloadLiteral = {}): StatefulSetObject {
  const { replicas = 1, updateStrategy } = literal;
  return {
    ...workload('StatefulSet', name, literal),
    spec: {
      replicas,
      ...common(name, literal),
      ...(updateStrategy === undefined ? {} : { updateStrategy: { type: updateStrategy } }),
    },
  };
}

export function daemonSet(name: string, literal: WorkloadLiteral = {}): DaemonSetObject {
  const { updateStrategy } = literal;
  return {
    ...workload('DaemonSet', name, literal),
    spec: {
      ...common(name, literal),
      ...(updateStrategy === undefined ? {} : { updateStrategy: { type: updateStrategy } }),
    },
  };
}

export function budget(
  name: string,
  literal: Omit<PodDisruptionBudgetObject['spec'], 'selector'> & {
    readonly namespace?: string;
    readonly app?: string;
    readonly status?: PodDisruptionBudgetObject['status'];
  },
): PodDisruptionBudgetObject {
  const { namespace = 'default', app = name, status, ...spec } = literal;
  return {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: metadata(name, namespace),
    spec: { selector: { matchLabels: { app } }, ...spec },
    ...(status === undefined ? {} : { status }),
  };
}

export function service(
  name: string,
  spec: ServiceObject['spec'],
  namespace = 'default',
): ServiceObject {
  return { apiVersion: 'v1', kind: 'Service', metadata: metadata(name, namespace), spec };
}

/** Any other object; `rest` is what follows the metadata. */
export function object(
  apiVersion: string,
  kind: string,
  name: string,
  rest: object = {},
  meta: Partial<ObjectMeta> = {},
): KubeObject {
  return { apiVersion, kind, metadata: { name, ...meta }, ...rest };
}

function workload<Kind extends string>(kind: Kind, name: string, literal: WorkloadLiteral) {
  return {
    apiVersion: 'apps/v1',
    kind,
    metadata: {
      ...metadata(name, literal.namespace ?? 'default', literal.labels ?? { app: name }),
      ...(literal.annotations === undefined ? {} : { annotations: literal.annotations }),
      ...(literal.managers === undefined
        ? {}
        : { managedFields: literal.managers.map((manager) => ({ manager })) }),
    },
  };
}

function common(name: string, literal: WorkloadLiteral) {
  const labels = literal.labels ?? { app: name };
  return {
    selector: { matchLabels: labels },
    template: { metadata: { labels }, spec: podSpec(literal) },
  };
}

function podSpec(literal: PodLiteral | WorkloadLiteral): PodSpec {
  const image = literal.image ?? 'registry.example/app:1';
  const containers = literal.containers ?? [{}];
  return {
    containers: containers.map((container) => ({ name: 'main', image, ...container })),
    ...literal.spec,
  };
}

function metadata(name: string, namespace: string, labels?: Labels): ObjectMeta {
  return { name, namespace, ...(labels === undefined ? {} : { labels }) };
}
