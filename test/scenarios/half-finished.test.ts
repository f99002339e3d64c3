/**
 * A migration that somebody left half-way, looked at and taken over. Goal: the twin of it is the
 * cluster as it stood: every pod on the network it was on, nothing started again.
 */
import { expect, it } from 'vitest';
import { runRunbook } from '../../src/engine/runbook.ts';
import type { ClusterInput, ReadObject } from '../../src/model/cluster-input.ts';
import { plainTree } from '../../src/model/config-tree.ts';
import { known } from '../../src/model/fact.ts';
import { createTwinPorts } from '../../src/twin/ports/create-twin-ports.ts';
import { buildWorld, type TwinWorld } from '../../src/twin/scenario/build-world.ts';
import { expandCluster } from '../../src/twin/scenario/expand-cluster.ts';
import type { World } from '../../src/twin/world.ts';
import { before, postMortemRunbook, withValues, without } from './replay.ts';
import { postMortemSpec } from '../support/post-mortem-input.ts';

const KINDS = [
  'Node',
  'Pod',
  'DaemonSet',
  'Deployment',
  'ReplicaSet',
  'StatefulSet',
  'Service',
  'ConfigMap',
  'ServiceAccount',
  'PodDisruptionBudget',
  'PersistentVolume',
  'PersistentVolumeClaim',
  'VolumeAttachment',
  'Namespace',
  'CiliumNode',
  'CiliumEndpoint',
  'Volume',
  'Replica',
  'Engine',
  'InstanceManager',
  'Setting',
] as const;

/** What kubectl and `talosctl ls` would print of a world now. */
function snapshotOf(world: World, input: ClusterInput): ClusterInput {
  const source = { file: 'snapshot.json' };
  const objects = KINDS.flatMap((kind) =>
    world.store
      .list<string>(kind)
      .map((object): ReadObject => ({ object, source, tree: plainTree(object, source) })),
  );
  const listings = [...world.nodes.values()].map(({ name, files }) => ({
    directory: '/etc/cni/net.d',
    node: known(name, source),
    entries: (files.list('/etc/cni/net.d') ?? []).map((entry) => ({
      name: entry,
      type: 'file' as const,
    })),
    source,
  }));
  return { ...input, objects, listings };
}

/** Which network each pod is on, and with which address. */
function attachments(world: World): readonly string[] {
  return world.store.list('Pod').map(({ metadata, spec }) => {
    const attachment = world.nodes
      .get(spec.nodeName ?? '')
      ?.network.attachmentOf(metadata.uid ?? '');
    return `${metadata.namespace}/${metadata.name} ${attachment?.network ?? 'host'} ${attachment?.ip ?? ''}`;
  });
}

async function halfWay(): Promise<{ readonly world: TwinWorld; readonly input: ClusterInput }> {
  const input = expandCluster(postMortemSpec());
  const { world } = buildWorld(input, { seed: 1 });
  const runbook = postMortemRunbook();
  const steps = withValues(
    without(before('Drain talos-cp-02')(runbook.steps), 'Delete the Flannel DaemonSet'),
    {
      cni: { exclusive: true, customConf: false },
      operator: { unmanagedPodWatcher: { restart: false } },
    },
  );
  await world.kernel.drive(() => runRunbook({ ...runbook, steps }, createTwinPorts(world)));
  return { world, input };
}

it('takes a half-finished migration over as it stands', async () => {
  const { world, input } = await halfWay();
  const networks = attachments(world);
  expect(networks.some((text) => text.includes(' cilium '))).toBe(true);
  expect(networks.some((text) => text.includes(' flannel '))).toBe(true);
  const { world: again } = buildWorld(snapshotOf(world, input), { seed: 2 });
  expect(attachments(again).toSorted()).toEqual(networks.toSorted());
  again.kernel.runUntil(600_000);
  expect(attachments(again).toSorted()).toEqual(networks.toSorted());
  expect(again.kernel.occurrences).toEqual([]);
});
