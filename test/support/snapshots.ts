/** Snapshots of real-looking clusters as files, and ways to have them with something else or missing. */
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { oneCluster } from '../../src/intake/one-cluster.ts';
import { readInput } from '../../src/intake/read-input.ts';
import type { ClusterInput } from '../../src/model/cluster-input.ts';
import type { KubeObject, NodeObject, PodObject } from '../../src/model/kubernetes.ts';

export interface Snapshot {
  readonly objects: readonly KubeObject[];
  /** Other files by name: machine configs, target values. */
  readonly files: Readonly<Record<string, string>>;
}

function fixture(name: string): string {
  return readFileSync(new URL(`../fixtures/snapshots/${name}`, import.meta.url), 'utf8');
}

function objectsIn(name: string): readonly KubeObject[] {
  return (parse(fixture(name)) as { readonly items: readonly KubeObject[] }).items; // a kubectl List
}

/** Three control planes that run everything, Talos 1.9.5, its own Flannel; `debug` has no owner. */
export function homeLab(): Snapshot {
  return {
    objects: objectsIn('talos-home-lab/cluster.yaml'),
    files: { 'machineconfigs.yaml': fixture('talos-home-lab/machineconfigs.yaml') },
  };
}

/** Ubuntu, Kubernetes 1.31, upstream kube-flannel on 8472, kube-proxy from kubeadm. */
export function kubeadm(): Snapshot {
  return { objects: objectsIn('kubeadm/cluster.yaml'), files: {} };
}

/** K3s 1.32, three servers with embedded etcd and two agents; Flannel and kube-proxy are part of it. */
export function k3s(): Snapshot {
  return { objects: objectsIn('k3s/cluster.yaml'), files: {} };
}

/** The cluster as one file of `kubectl get … -A -o yaml`, unchanged, with its other files. */
export function asPrinted(
  name: 'talos-home-lab' | 'kubeadm',
): readonly { path: string; text: string }[] {
  const { files } = name === 'kubeadm' ? kubeadm() : homeLab();
  return [
    { path: 'cluster.yaml', text: fixture(`${name}/cluster.yaml`) },
    ...Object.entries(files).map(([path, text]) => ({ path, text })),
  ];
}

/** As read from files, with the values of the target for that chart. */
export function read(
  { objects, files }: Snapshot,
  target = '',
  ciliumVersion = '1.18.3',
): ClusterInput {
  const items = { apiVersion: 'v1', items: objects, kind: 'List', metadata: {} };
  const texts = {
    'cluster.json': JSON.stringify(items),
    ...files,
    ...(target === '' ? {} : { 'target.yaml': target }),
  };
  return oneCluster(
    readInput(
      Object.entries(texts).map(([path, text]) => ({ path, text })),
      { ciliumVersion, roles: { 'target.yaml': 'target' } },
    ),
  );
}

export function without(snapshot: Snapshot, ...kinds: readonly string[]): Snapshot {
  return { ...snapshot, objects: snapshot.objects.filter(({ kind }) => !kinds.includes(kind)) };
}

export function withNodes(snapshot: Snapshot, change: (node: NodeObject) => NodeObject): Snapshot {
  return {
    ...snapshot,
    // The kind says so.
    objects: snapshot.objects.map((object) =>
      object.kind === 'Node' ? change(object as NodeObject) : object,
    ),
  };
}

export function withPods(snapshot: Snapshot, change: (pod: PodObject) => PodObject): Snapshot {
  return {
    ...snapshot,
    // The kind says so.
    objects: snapshot.objects.map((object) =>
      object.kind === 'Pod' ? change(object as PodObject) : object,
    ),
  };
}

/** A node whose kubelet has stopped telling, as the node lifecycle controller writes it. */
export function gone(node: NodeObject): NodeObject {
  const conditions = (node.status.conditions ?? []).map((condition) => ({
    ...condition,
    status: 'Unknown' as const,
    message: 'Kubelet stopped posting node status.',
  }));
  return { ...node, status: { ...node.status, conditions } };
}

/** The status of every object of the name, as its controller would have it. */
export function withStatus(snapshot: Snapshot, name: string, status: object): Snapshot {
  const objects = snapshot.objects.map((object) =>
    object.metadata.name === name && 'status' in object ? { ...object, status } : object,
  );
  return { ...snapshot, objects };
}

/** The cluster as it would be on one of its nodes: pods of other nodes' own are gone, the rest is here. */
export function onOneNode(snapshot: Snapshot, kept: string): Snapshot {
  let moved = 100;
  const objects = snapshot.objects.flatMap((object): readonly KubeObject[] => {
    if (object.kind === 'Node') return object.metadata.name === kept ? [object] : [];
    if (object.kind !== 'Pod') return [object];
    const pod = object as PodObject; // the kind says so
    if (pod.spec.nodeName === kept) return [pod];
    if (pod.spec.hostNetwork === true) return [];
    moved += 1;
    const status = { ...pod.status, podIP: `10.244.0.${moved}`, hostIP: '192.168.1.11' };
    const elsewhere = { ...pod, spec: { ...pod.spec, nodeName: kept }, status };
    return [elsewhere];
  });
  return { ...snapshot, objects };
}
