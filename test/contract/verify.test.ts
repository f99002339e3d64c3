/**
 * Goal: verify tells the matrix of a cluster as it is: clear where it is, what a policy forbids where
 * the network enforces it and where not, what fails; and leaves nothing behind, however it ends.
 * Method: the real prober and the engine on twins, in virtual time.
 */
import { describe, expect, it } from 'vitest';
import { openProber } from '../../src/drivers/prober/open-prober.ts';
import { verifyCluster } from '../../src/engine/verify/verify-cluster.ts';
import { closingPolicy } from '../../src/knowledge/probes/objects.ts';
import { verification as schema } from '../../src/model/schema/verification.ts';
import type { Verification } from '../../src/model/verification.ts';
import { networkOf } from '../../src/twin/network/kernel-network.ts';
import { createTwinPorts } from '../../src/twin/ports/create-twin-ports.ts';
import { buildWorld, type TwinWorld } from '../../src/twin/scenario/build-world.ts';
import { tinyCluster } from '../support/small-cluster.ts';

function flannelWorld(): TwinWorld {
  return buildWorld(tinyCluster({ prefix: 'v' }), { seed: 1 }).world;
}

function verify(
  world: TwinWorld,
  { signal = new AbortController().signal }: { readonly signal?: AbortSignal } = {},
): Promise<Verification> {
  const { kubernetes, clock } = createTwinPorts(world);
  const prober = openProber({ kubernetes, clock, agentScript: '// an agent', closedPod: true });
  return world.kernel.drive(() =>
    verifyCluster({
      prober,
      kubernetes,
      clock,
      seconds: 10,
      closed: { policy: closingPolicy(), forbidden: () => prober.forbidden() },
      signal,
      say: () => undefined,
    }),
  );
}

function leftBehind(world: TwinWorld): readonly string[] {
  return (
    ['Pod', 'DaemonSet', 'Service', 'ConfigMap', 'NetworkPolicy', 'Namespace'] as const
  ).flatMap((kind) =>
    world.store
      .list<string>(kind)
      .filter(({ metadata }) => (metadata.namespace ?? metadata.name) === 'regauge-system')
      .map(({ metadata }) => `${kind} ${metadata.name}`),
  );
}

/** As Cilium's operator registers it. */
const CLUSTERWIDE_POLICIES = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'ciliumclusterwidenetworkpolicies.cilium.io' },
  spec: {
    group: 'cilium.io',
    names: {
      kind: 'CiliumClusterwideNetworkPolicy',
      plural: 'ciliumclusterwidenetworkpolicies',
    },
    scope: 'Cluster',
    versions: [{ name: 'v2', served: true, storage: true }],
  },
};

describe('verify', () => {
  it('finds a Flannel cluster clear, and its policies not enforced', async () => {
    const world = flannelWorld();
    const found = await verify(world);
    expect(schema.parse(found)).toEqual(found);
    expect(found.verdict).toBe('clear');
    expect(found.unknown).toEqual([]);
    expect(new Set(found.paths.map(({ to }) => to.class))).toEqual(
      new Set([
        'pod-old',
        'host',
        'service',
        'nodeport',
        'dns-internal',
        'dns-external',
        'egress',
        'apiserver',
      ]),
    );
    const outcomes = found.policies?.connections.map(({ outcome, reachedBefore }) => [
      reachedBefore,
      outcome,
    ]);
    expect(outcomes).toEqual([
      [true, 'reached'],
      [true, 'reached'],
      [true, 'reached'],
    ]);
    expect(found.policies?.enforcementExpected).toBeNull();
    expect(leftBehind(world)).toEqual([]);
  });

  it('takes no policy for broken that one of the whole cluster may overrule', async () => {
    const outcomes: unknown[] = [];
    for (const clusterwide of [[], ['admins']]) {
      const world = flannelWorld();
      const { kubernetes } = createTwinPorts(world);
      const config = { name: 'cilium-config', namespace: 'kube-system' };
      await world.kernel.drive(async () => {
        const data = { 'enable-policy': 'default' };
        await kubernetes.apply({ apiVersion: 'v1', kind: 'ConfigMap', metadata: config, data });
        if (clusterwide.length > 0) await kubernetes.apply(CLUSTERWIDE_POLICIES);
        for (const name of clusterwide)
          await kubernetes.apply({
            apiVersion: 'cilium.io/v2',
            kind: 'CiliumClusterwideNetworkPolicy',
            metadata: { name },
          });
      });
      const { verdict, policies } = await verify(world);
      outcomes.push([verdict, policies?.clusterwide]);
    }
    expect(outcomes).toEqual([
      ['failing', []],
      ['unknown', ['CiliumClusterwideNetworkPolicy admins']],
    ]);
  });

  it('says what fails, and from where', async () => {
    const world = flannelWorld();
    networkOf(world.nodes.get('v-w-1') ?? [...world.nodes.values()][2] ?? fail()).setKubeProxy(
      undefined,
    );
    const found = await verify(world);
    expect(found.verdict).toBe('failing');
    expect(found.failing.map(({ to }) => to.class)).toContain('service');
    expect(new Set(found.failing.map(({ from }) => from.node)).size).toBeLessThanOrEqual(2);
    expect(leftBehind(world)).toEqual([]);
  });

  it('takes everything away when it is interrupted, while it starts or later', async () => {
    for (const afterMs of [0, 20, 2_000, 40_000]) {
      const world = flannelWorld();
      const stopping = new AbortController();
      world.kernel.after(afterMs, () => stopping.abort());
      await expect(verify(world, { signal: stopping.signal })).rejects.toMatchObject({
        code: 'interrupted',
      });
      expect(leftBehind(world)).toEqual([]);
    }
  });
});

function fail(): never {
  throw new Error('there is no such node');
}
