/** Objects as a snapshot holds them, and the facts of a list of them; for the tests of facts. */
import type { Fact } from '../model/fact.ts';
import type { ClusterFacts } from '../model/facts.ts';
import { deriveFacts } from './facts.ts';
import type { FactOptions } from './facts.ts';
import { read } from './testing.ts';

export type Table = Readonly<Record<string, unknown>>;

export function factsOf(
  objects: readonly Table[],
  files: Readonly<Record<string, string>> = {},
  options?: FactOptions,
): ClusterFacts {
  const list =
    objects.length === 0
      ? {}
      : { 'snapshot.json': JSON.stringify({ kind: 'List', apiVersion: 'v1', items: objects }) };
  return deriveFacts(read({ ...list, ...files }), options);
}

export function node(name: string, info: Table = {}, metadata: Table = {}): Table {
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, ...metadata },
    spec: { podCIDR: '10.244.0.0/24', podCIDRs: ['10.244.0.0/24'] },
    status: {
      addresses: [
        { type: 'InternalIP', address: '10.0.1.61' },
        { type: 'Hostname', address: name },
      ],
      nodeInfo: {
        kubeletVersion: 'v1.33.2',
        osImage: 'Talos (v1.10.2)',
        containerRuntimeVersion: 'containerd://2.0.5',
        kernelVersion: '6.12.28-talos',
        ...info,
      },
    },
  };
}

export function daemonSet(
  name: string,
  image: string,
  more: Table = {},
  containers: readonly Table[] = [],
): Table {
  return {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: { name, namespace: 'kube-system' },
    spec: {
      selector: {},
      template: { metadata: {}, spec: { containers: [{ name, image, ...more }, ...containers] } },
    },
  };
}

export function configMap(name: string, data: Table): Table {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, namespace: 'kube-system' },
    data,
  };
}

export const FLANNEL_CONFIG = configMap('kube-flannel-cfg', {
  'net-conf.json': '{"Network": "10.244.0.0/16", "Backend": {"Type": "vxlan", "Port": 4789}}',
});

export function value<T>(fact: Fact<T>): T | undefined {
  return fact.known ? fact.value : undefined;
}

export function proxy(args: readonly string[]): Table {
  return daemonSet('kube-proxy', 'registry.k8s.io/kube-proxy:v1.33.2', { command: args });
}

export function k3s(args: string): Table {
  return node(
    'a',
    { kubeletVersion: 'v1.30.1+k3s1', osImage: 'Debian' },
    { annotations: { 'k3s.io/node-args': args } },
  );
}

/** The mirror pod of a static pod. */
export function mirror(name: string, command: readonly string[]): Table {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'kube-system' },
    spec: { containers: [{ name: 'c', image: `registry.k8s.io/${name}:v1.33.4`, command }] },
  };
}
