/**
 * A cluster spec turned into everything that kubectl and talosctl would print of such a cluster
 * that runs well: what a snapshot of it would hold. Deterministic: same spec, same bytes.
 */
import {
  type ClusterInput,
  EMPTY_INPUT,
  type MachineConfigInput,
} from '../../model/cluster-input.ts';
import { plainTree } from '../../model/config-tree.ts';
import { known } from '../../model/fact.ts';
import { type KubeObject, objectKey, type PodSpec } from '../../model/kubernetes.ts';
import { renderTalosManifests } from '../machine/talos-manifests.ts';
import { talosRelease } from '../../knowledge/talos-versions.ts';
import { type ClusterLayout, type LaidOutNode, layOut } from './cluster-layout.ts';
import { type ClusterSpec, clusterSpec, type WorkloadSpec } from './cluster-spec.ts';
import { longhornObjects, longhornWorkloads } from './generated-longhorn.ts';
import { machineConfigOf, mirrorPods, nodeObject } from './generated-nodes.ts';
import { BORN } from './generated-pod.ts';
import { budgetObject, wholeObject, serviceObjects } from './generated-services.ts';
import { generateVolume, stored } from './generated-storage.ts';
import {
  controllerStatus,
  type GeneratedWorkload,
  generateWorkload,
  type PlacedPod,
  podsOf,
} from './generated-workload.ts';
import { overridesIn } from './constant-overrides.ts';
import { uidOf } from './identities.ts';
import { objectOf } from './object-of.ts';

export function expandCluster(spec: ClusterSpec): ClusterInput {
  const layout = layOut(spec);
  const objects = objectsOf(layout);
  const constants = overridesIn(spec.constants);
  return {
    ...EMPTY_INPUT,
    objects: objects.map((object) => {
      const { namespace, name } = object.metadata;
      const reference = {
        kind: object.kind,
        name,
        ...(namespace === undefined ? {} : { namespace }),
      };
      const source = { file: `${spec.name}.json`, object: reference };
      return { object, source, tree: plainTree(object, source) };
    }),
    machineConfigs: layout.nodes.map((node) => machineConfigInput(spec, node)),
    kindsListed: KINDS_WITHOUT_OBJECTS,
    ...(Object.keys(constants).length === 0 ? {} : { constants }),
  };
}

/** A generated cluster is known whole: of these it may have none. */
const KINDS_WITHOUT_OBJECTS = [
  'PodDisruptionBudget',
  'NetworkPolicy',
  'PersistentVolume',
  'ValidatingWebhookConfiguration',
  'MutatingWebhookConfiguration',
];

function machineConfigInput(spec: ClusterSpec, node: LaidOutNode): MachineConfigInput {
  const source = { file: `${node.name}.machineconfig.yaml`, node: node.name };
  return {
    kind: 'config',
    style: 'v1alpha1',
    node: known(node.name, source),
    documents: [{ kind: 'v1alpha1', tree: plainTree(machineConfigOf(spec, node), source) }],
    source,
  };
}

function objectsOf(layout: ClusterLayout): readonly KubeObject[] {
  const { spec } = layout;
  const workloads = [...longhornOf(spec), ...spec.workloads];
  const system = systemObjects(layout);
  const generated = workloads.map((workload) => withCompanions(layout, workload));
  const all = [
    ...layout.nodes.map((node) => nodeObject(layout, node)),
    ...layout.nodes
      .filter(({ role }) => role === 'control-plane')
      .flatMap((node) => mirrorPods(spec, node)),
    ...system,
    ...(spec.longhorn === undefined ? [] : longhornObjects(layout, spec.longhorn.version)),
    ...generated.flat(),
    ...spec.objects.map(wholeObject),
  ];
  return [
    ...namespaces(all),
    ...serviceAccounts(all),
    ...all,
    ...configMaps(generated.flat(), all),
  ];
}

function longhornOf(spec: ClusterSpec): readonly WorkloadSpec[] {
  if (spec.longhorn === undefined) return [];
  // Parsed by the same schema, so that defaults are the same.
  return clusterSpec.shape.workloads.parse(longhornWorkloads(spec.longhorn.version));
}

/** Flannel, kube-proxy and CoreDNS as Talos renders them, with the pods they have. */
function systemObjects(layout: ClusterLayout): readonly KubeObject[] {
  const { spec } = layout;
  const { talos, kubernetes, flannel, manifestsFrom } = spec.versions;
  const rendering = talosRelease(manifestsFrom ?? talos);
  const manifests = renderTalosManifests({
    talosVersion: manifestsFrom ?? talos,
    kubernetesVersion: manifestsFrom === undefined ? kubernetes : rendering.kubernetes,
    flannelVersion: flannel ?? `v${rendering.flannel}`,
    cniName: 'flannel',
    proxyDisabled: spec.machine.proxyDisabled,
    podSubnets: [spec.network.podSubnet],
    dnsDomain: 'cluster.local',
    clusterDns: layout.clusterDns,
    kubePrismPort: spec.machine.kubePrism ? 7445 : undefined,
  });
  return [
    ...manifests.flatMap((manifest) => withPods(layout, manifest)),
    kubernetesService(layout),
  ];
}

function withPods(layout: ClusterLayout, manifest: KubeObject): readonly KubeObject[] {
  const object = identified(manifest);
  if (manifest.kind !== 'DaemonSet' && manifest.kind !== 'Deployment') return [object];
  // Both kinds have a template and, where it matters, replicas.
  const { template, replicas } = (
    manifest as unknown as { spec: { template: { spec: PodSpec }; replicas?: number } }
  ).spec;
  const placement = { ...NO_PLACEMENT, name: manifest.metadata.name };
  const nodes =
    manifest.kind === 'DaemonSet'
      ? layout.nodes
      : Array.from({ length: replicas ?? 1 }, (_, index) => layout.place(placement, index));
  const { kind } = manifest;
  const { objects } = podsOf(layout, {
    kind,
    namespace: manifest.metadata.namespace ?? 'kube-system',
    name: manifest.metadata.name,
    labels: manifest.metadata.labels ?? {},
    template: template.spec,
    nodes,
  });
  const status = controllerStatus(kind, nodes.length);
  return [objectOf({ ...object, status }), ...objects];
}

const NO_PLACEMENT: WorkloadSpec = clusterSpec.shape.workloads.parse([
  {
    kind: 'Deployment',
    namespace: 'kube-system',
    name: 'system',
    image: '',
    toleratesControlPlane: true,
  },
])[0] as WorkloadSpec; // one parsed, one there

function identified(object: KubeObject): KubeObject {
  const { namespace, name } = object.metadata;
  const key = namespace === undefined ? name : `${namespace}/${name}`;
  const metadata = {
    ...object.metadata,
    creationTimestamp: BORN,
    generation: 1,
    resourceVersion: '611',
    uid: uidOf(`${object.kind} ${key}`),
  };
  return { ...object, metadata };
}

function kubernetesService(layout: ClusterLayout): KubeObject {
  const clusterIP = layout.clusterDns.replace(/10$/, '1');
  return stored('v1', 'Service', 'default', 'kubernetes', {
    labels: { component: 'apiserver', provider: 'kubernetes' },
    spec: {
      clusterIP,
      clusterIPs: [clusterIP],
      ports: [{ name: 'https', port: 443, protocol: 'TCP', targetPort: 6443 }],
      type: 'ClusterIP',
    },
  });
}

/** A workload with its Service, budget and volumes. */
function withCompanions(layout: ClusterLayout, workload: WorkloadSpec): readonly KubeObject[] {
  const generated = generateWorkload(layout, workload);
  return [
    ...generated.objects,
    ...(workload.service === undefined ? [] : serviceObjects(layout, workload, generated.pods)),
    ...(workload.budget === undefined ? [] : [budgetObject(workload, generated.pods.length)]),
    ...volumesOf(layout, workload, generated),
  ];
}

function volumesOf(
  layout: ClusterLayout,
  workload: WorkloadSpec,
  { pods }: GeneratedWorkload,
): readonly KubeObject[] {
  const { volume } = workload;
  if (volume === undefined) return [];
  const nodes = layout.eligible({ toleratesControlPlane: false, nodeSelector: {} });
  const holders: readonly PlacedPod[] = workload.kind === 'StatefulSet' ? pods : pods.slice(0, 1);
  return holders.flatMap((pod) =>
    generateVolume({
      namespace: workload.namespace,
      holder: workload.kind === 'StatefulSet' ? pod.name : workload.name,
      size: volume.size,
      copies: volume.copies,
      node: pod.node,
      nodes,
    }),
  );
}

function namespaces(objects: readonly KubeObject[]): readonly KubeObject[] {
  const names = new Set(['default', 'kube-system', 'kube-public', 'kube-node-lease']);
  for (const { metadata } of objects)
    if (metadata.namespace !== undefined) names.add(metadata.namespace);
  return [...names].map((name) =>
    stored('v1', 'Namespace', undefined, name, {
      labels: { 'kubernetes.io/metadata.name': name },
      status: { phase: 'Active' },
    }),
  );
}

/** The accounts pods run under, as far as no manifest brought them. */
function serviceAccounts(objects: readonly KubeObject[]): readonly KubeObject[] {
  const there = new Set<string>();
  const wanted = new Map<string, { readonly namespace: string; readonly name: string }>();
  for (const object of objects) {
    const namespace = object.metadata.namespace ?? '';
    if (object.kind === 'ServiceAccount') there.add(`${namespace}/${object.metadata.name}`);
    if (object.kind !== 'Pod') continue;
    // Every generated pod names its account.
    const { serviceAccountName } = (object as unknown as { spec: PodSpec }).spec;
    const name = serviceAccountName ?? 'default';
    wanted.set(`${namespace}/${name}`, { namespace, name });
  }
  return [...wanted]
    .filter(([key]) => !there.has(key))
    .map(([, { namespace, name }]) => stored('v1', 'ServiceAccount', namespace, name, {}));
}

/** What the workloads mount: a pod whose ConfigMap is missing would not start. */
function configMaps(
  generated: readonly KubeObject[],
  all: readonly KubeObject[],
): readonly KubeObject[] {
  const there = new Set<string>();
  const made: KubeObject[] = [];
  for (const object of all) if (object.kind === 'ConfigMap') there.add(objectKey(object));
  for (const { kind, metadata, spec } of generated as readonly (KubeObject & { spec: PodSpec })[]) {
    if (kind !== 'Pod') continue; // only a pod's spec is read as one
    const { namespace = 'default' } = metadata;
    for (const { configMap } of spec.volumes ?? []) {
      const name = configMap?.name;
      if (name === undefined || there.has(`${namespace}/${name}`)) continue;
      there.add(`${namespace}/${name}`);
      made.push(stored('v1', 'ConfigMap', namespace, name, { data: {} }));
    }
  }
  return made;
}
