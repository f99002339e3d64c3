/**
 * Goal: findings about objects point at the line of a file. Hazards are tested on literals beside
 * their source; here the same rules get what intake really makes of files.
 */
import { expect, test } from 'vitest';
import { evaluateHazards } from '../src/hazards/registry.ts';
import { deriveFacts } from '../src/intake/facts.ts';
import { readInput } from '../src/intake/read-input.ts';
import type { CheckReport } from '../src/model/finding.ts';

const BUDGET = `apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: db
  namespace: shop
spec:
  maxUnavailable: 0
  selector:
    matchLabels: {app: db}
`;

const NODES = `apiVersion: v1
kind: List
items:
  - apiVersion: v1
    kind: Node
    metadata:
      name: w1
      labels: {kubernetes.io/os: linux}
    spec:
      podCIDRs: [10.244.1.0/24]
      unschedulable: true
    status:
      addresses: [{type: InternalIP, address: 10.0.1.64}]
      nodeInfo: {containerRuntimeVersion: 'containerd://2.0.5', osImage: 'Talos (v1.10.2)'}
`;

const VALUES = `ipam:
  mode: cluster-pool
  operator:
    clusterPoolIPv4PodCIDRList: ["10.244.0.0/16"]
cni:
  exclusive: true
`;

const CONF = '{"cniVersion":"1.0.0","name":"cbr0","plugins":[]}';

function check(files: Readonly<Record<string, string>>): CheckReport {
  const named = Object.entries(files).map(([path, text]) => ({ path, text }));
  return evaluateHazards(deriveFacts(readInput(named)));
}

function placesOf(report: CheckReport, hazard: string): readonly (string | undefined)[] {
  return report.findings
    .filter((finding) => finding.hazard === hazard)
    .map(({ evidence }) => evidence[0]?.source);
}

test('a budget of a manifest is pointed at where it says so', () => {
  expect(placesOf(check({ 'budget.yaml': BUDGET }), 'budget-deadlock')).toEqual([
    'budget.yaml:7:19',
  ]);
});

test('a pool is pointed at in the values, and the range it meets in the list of nodes', () => {
  const report = check({ 'values.yaml': VALUES, 'nodes.yaml': NODES });
  const [found] = report.findings.filter(({ hazard }) => hazard === 'pod-cidr-overlap');
  expect(found?.evidence[0]?.source).toBe('values.yaml:4:34');
  expect(found?.evidence[1]).toMatchObject({ file: 'nodes.yaml', value: '10.244.1.0/24' });
});

test('a conf with an empty list of plugins is pointed at', () => {
  const report = check({ '10-flannel.conflist': CONF });
  expect(placesOf(report, 'broken-first-conf')).toEqual(['10-flannel.conflist:1:1']);
});

test('what files cannot tell is named, with the command that would', () => {
  const report = check({ 'values.yaml': VALUES });
  const unknown = new Map(report.unknown.map(({ hazard, missing }) => [hazard, missing]));
  expect(unknown.get('etcd-no-spare-voter')).toEqual(['Node objects (kubectl get nodes -o json)']);
  expect(report.findings.filter(({ hazard }) => hazard === 'etcd-no-spare-voter')).toEqual([]);
});

test('the order of files does not matter', () => {
  const files = { 'budget.yaml': BUDGET, 'nodes.yaml': NODES, 'values.yaml': VALUES };
  const reversed = Object.fromEntries(Object.entries(files).toReversed());
  expect(check(reversed)).toEqual(check(files));
});
