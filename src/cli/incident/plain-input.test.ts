/** Goal: a cluster that went through JSON is the cluster that was expanded, with its places. */
import { describe, expect, it } from 'vitest';
import { expandCluster } from '../../twin/scenario/expand-cluster.ts';
import { clusterSpecOf } from '../../twin/scenario/read-spec.ts';
import { incidentCluster } from './incident-cluster.built.ts';
import { inputOf, type PlainInput, plainInputOf } from './plain-input.ts';

const SPEC = clusterSpecOf({
  kind: 'ClusterSpec',
  name: 'small',
  versions: { talos: '1.10.2', kubernetes: '1.32.3' },
  network: { endpoint: 'https://10.0.1.200:6443' },
  machine: {},
  nodes: [
    { name: 'one', role: 'control-plane', address: '10.0.1.1' },
    { name: 'two', role: 'worker', address: '10.0.1.2' },
  ],
  workloads: [{ kind: 'Deployment', namespace: 'default', name: 'web', image: 'web:1' }],
  constants: { apiCallMs: 7 },
});

function throughJson(plain: PlainInput): PlainInput {
  return JSON.parse(JSON.stringify(plain));
}

describe('plain input', () => {
  it('loses nothing of a generated cluster', () => {
    const cluster = expandCluster(SPEC);
    const again = inputOf(throughJson(plainInputOf(cluster)));
    const withoutTrees = ({ objects, machineConfigs, ...rest }: typeof cluster) => ({
      ...rest,
      objects: objects.map(({ object, source }) => ({ object, source })),
      configs: machineConfigs.map(({ node, source, kind, style }) => ({
        node,
        source,
        kind,
        style,
      })),
    });
    expect(withoutTrees(again)).toEqual(withoutTrees(cluster));
  });

  it('tells the same places', () => {
    const cluster = expandCluster(SPEC);
    const again = inputOf(throughJson(plainInputOf(cluster)));
    const asked = (input: typeof cluster) => [
      input.machineConfigs.map(({ documents }) =>
        documents.map(({ kind, name, tree }) => [
          kind,
          name,
          tree.source,
          tree.at('cluster.network.podSubnets'),
          tree.nearest('machine.nothing.of.it'),
        ]),
      ),
      input.objects.map(({ tree }) => [tree.source, tree.at('metadata.name'), tree.keyOf('kind')]),
    ];
    expect(asked(again)).toEqual(asked(cluster));
  });

  it('holds nothing of the incident that JSON would lose', () => {
    expect(throughJson(incidentCluster())).toEqual(incidentCluster());
  });
});
