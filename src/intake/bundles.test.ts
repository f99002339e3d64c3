/** Bundles as other tools lay them out: told by their files, read as objects, their gaps said. */
import { expect, it } from 'vitest';
import { bundlesIn, isLiveValues } from './bundles.ts';
import { read } from './testing.ts';

const NODES = JSON.stringify({
  kind: 'NodeList',
  apiVersion: 'v1',
  metadata: {},
  items: [{ metadata: { name: 'a' }, spec: {}, status: {} }],
});

it.each([
  ['kubectl cluster-info dump', 'd', ['d/nodes.json', 'd/default/replication-controllers.json']],
  [
    'Troubleshoot support bundle',
    'b.tar.gz/support-bundle-1',
    ['b.tar.gz/support-bundle-1/cluster-resources/nodes.json'],
  ],
  ['cilium sysdump', 's.zip/s', ['s.zip/s/k8s-nodes-20261123-101500.yaml']],
  ['cilium sysdump', '.', ['k8s-nodes-20261123-101500.yaml']],
])('tells a %s by its files', (kind, root, paths) => {
  const [bundle, ...more] = bundlesIn(paths);
  expect(bundle).toMatchObject({ kind, root });
  expect(bundle?.cannotTell.join()).toMatch(/machine configs/);
  expect(more).toEqual([]);
});

it.each([
  ['nodes.json alone', ['d/nodes.json', 'd/default/pods.json']],
  ['a list that somebody called so', ['d/default/replication-controllers.json']],
  ['a name without the time of a sysdump', ['k8s-nodes-1.yaml']],
])('takes %s for what it is: files', (_what, paths) => {
  expect(bundlesIn(paths)).toEqual([]);
});

it('reads typed lists whose items say no kind, as the Go printers write them', () => {
  const input = read({ 'd/nodes.json': NODES });
  expect(input.objects.map(({ object }) => [object.kind, object.metadata.name])).toEqual([
    ['Node', 'a'],
  ]);
});

it('reads a bare array of objects, as custom resources stand in a support bundle', () => {
  const objects = [
    { apiVersion: 'cilium.io/v2', kind: 'CiliumNode', metadata: { name: 'a' }, spec: {} },
    { apiVersion: 'cilium.io/v2', kind: 'CiliumNode', metadata: { name: 'b' }, spec: {} },
  ];
  const path = 'b/cluster-resources/custom-resources/ciliumnodes.cilium.io.json';
  const input = read({ [path]: JSON.stringify(objects), 'd/nodes.json': NODES });
  expect(input.objects.map(({ object }) => object.metadata.name)).toEqual(['a', 'b', 'a']);
});

it('takes the values in a sysdump for those of the release that runs', () => {
  const path = 's/cilium-helm-values-20261123-101500.yaml';
  expect(isLiveValues(path)).toBe(true);
  const input = read({ [path]: 'cni: {exclusive: false}\nkubeProxyReplacement: true\n' });
  expect(input.helmValues.map(({ role }) => role)).toEqual(['live']);
});
