/** Generated clusters look like what kubectl prints of real ones, and are the same every time. */
import { describe, expect, it } from 'vitest';
import { canonicalJson } from '../../base/canonical-json.ts';
import { contains, parseAddress, parseCidr } from '../../base/cidr.ts';
import { present } from '../../base/assert.ts';
import type { NodeObject, PodObject } from '../../model/kubernetes.ts';
import type { ClusterSpecInput } from './cluster-spec.ts';
import { expandCluster } from './expand-cluster.ts';
import { clusterSpecOf, readClusterSpec } from './read-spec.ts';

const SPEC: ClusterSpecInput = {
  kind: 'ClusterSpec',
  name: 'small',
  versions: { talos: '1.10.2', kubernetes: '1.33.0' },
  network: { endpoint: 'https://10.0.0.9:6443' },
  machine: {},
  nodes: { prefix: 't', controlPlanes: 3, workers: 2, firstAddress: '10.0.0.10' },
  longhorn: { version: '1.9.0' },
  workloads: [
    {
      kind: 'Deployment',
      namespace: 'a',
      name: 'web',
      image: 'web:1',
      replicas: 3,
      ports: [8080],
      service: 'ClusterIP',
      sidecars: [{ name: 's', image: 's:1' }],
      budget: { maxUnavailable: 1 },
    },
    {
      kind: 'StatefulSet',
      namespace: 'a',
      name: 'db',
      image: 'db:1',
      replicas: 2,
      volume: { size: '1Gi' },
    },
    { kind: 'Pod', namespace: 'a', name: 'bare', image: 'b:1' },
  ],
};

function expanded(input: ClusterSpecInput = SPEC) {
  const objects = expandCluster(clusterSpecOf(input)).objects.map(({ object }) => object);
  return {
    objects,
    // The kind says what they are.
    pods: objects.filter(({ kind }) => kind === 'Pod') as PodObject[],
    nodes: objects.filter(
      ({ kind, apiVersion }) => kind === 'Node' && apiVersion === 'v1',
    ) as NodeObject[],
  };
}

describe('expandCluster', () => {
  it('gives every pod-network pod its own address in its node’s range', () => {
    const { pods, nodes } = expanded();
    const ranges = new Map(
      nodes.map((node) => [
        node.metadata.name,
        present(parseCidr(node.spec.podCIDR ?? ''), 'cidr'),
      ]),
    );
    const network = pods.filter(({ spec }) => spec.hostNetwork !== true);
    for (const { spec, status } of network) {
      const address = present(parseAddress(status.podIP ?? ''), 'address');
      expect(contains(present(ranges.get(spec.nodeName ?? ''), 'range'), address)).toBe(true);
    }
    expect(new Set(network.map(({ status }) => status.podIP)).size).toBe(network.length);
  });

  it('names owners that exist', () => {
    const { objects, pods } = expanded();
    const uids = new Set(objects.map(({ metadata }) => metadata.uid));
    for (const { metadata } of pods)
      for (const { uid } of metadata.ownerReferences ?? []) expect(uids).toContain(uid);
    expect(new Set(objects.map(({ kind, metadata }) => `${kind} ${metadata.uid}`)).size).toBe(
      objects.length,
    );
  });

  it('keeps ordinary pods off tainted control planes', () => {
    const { pods } = expanded();
    const web = pods.filter(
      ({ metadata }) => metadata.labels?.['app.kubernetes.io/name'] === 'web',
    );
    expect(web).toHaveLength(3);
    expect(web.every(({ spec }) => spec.nodeName?.includes('wrk') === true)).toBe(true);
  });

  it('has what a Longhorn volume has: claim, volume, attachment, engine and a replica per copy', () => {
    const { objects } = expanded();
    const count = (kind: string) => objects.filter((object) => object.kind === kind).length;
    expect([count('PersistentVolumeClaim'), count('PersistentVolume'), count('Engine')]).toEqual([
      2, 2, 2,
    ]);
    expect(count('Replica')).toBe(4);
  });

  it('prints pods as large as real ones', () => {
    const { pods } = expanded();
    const web = present(
      pods.find(({ metadata }) => metadata.name.startsWith('web-')),
      'web',
    );
    expect(JSON.stringify(web, null, 4).length).toBeGreaterThan(5_000);
  });

  it('is the same every time', () => {
    expect(canonicalJson(expanded().objects)).toBe(canonicalJson(expanded().objects));
  });

  it('refuses a key it does not know, with its path', () => {
    const text =
      'kind: ClusterSpec\nname: x\nversions: { talos: 1.10.2, kubernetes: 1.33.0, kernel: 6 }\nnetwork: { endpoint: e }\nmachine: {}\nnodes: [{ name: a, address: 10.0.0.1, role: worker }]\n';
    expect(() => readClusterSpec(text, 'x.yaml')).toThrow(/versions.*kernel/);
  });
});
