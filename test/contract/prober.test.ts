/**
 * Goal: the prober that reckons (in memory) and the one that reads agents' logs (as on a real cluster)
 * tell the same of one world with a known gap; and what the latter cannot read it calls unknown.
 * Method: both on one twin; the link of a node goes and comes back.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import { openProber, type OpenedProber } from '../../src/drivers/prober/open-prober.ts';
import type { PathObservation } from '../../src/model/rehearsal.ts';
import { networkOf } from '../../src/twin/network/kernel-network.ts';
import { createTwinPorts, type TwinPorts } from '../../src/twin/ports/create-twin-ports.ts';
import { buildWorld, type TwinWorld } from '../../src/twin/scenario/build-world.ts';
import { tinyCluster } from '../support/small-cluster.ts';

const GAP_MS = 4_700;

interface Both {
  readonly world: TwinWorld;
  readonly ports: TwinPorts;
  readonly real: OpenedProber;
  readonly victim: string;
}

function makeBoth(): Both {
  const { world } = buildWorld(tinyCluster({ prefix: 'p', workers: 3 }), { seed: 1 });
  const ports = createTwinPorts(world);
  const { kubernetes, clock } = ports;
  const real = openProber({ kubernetes, clock, agentScript: '// an agent' });
  const victim = [...world.nodes.values()].find(({ role }) => role === 'worker')?.name ?? '';
  return { world, ports, real, victim };
}

function keyOf({ from, to, method }: PathObservation): string {
  return `${from.class}@${from.node}>${to.class}@${to.node} ${method ?? ''}`;
}

async function showFailing(from: Pick<OpenedProber, 'failing'>): Promise<readonly string[]> {
  return (await from.failing()).map(
    (path) => `${path.from.class}@${path.from.node}>${path.to.class}@${path.to.node}`,
  );
}

/** The method that each kind of path is told by in memory. */
const MAIN_METHOD: Readonly<Record<string, string>> = {
  'pod-old': 'udp',
  host: 'udp',
  service: 'tcp-held',
  nodeport: 'tcp-held',
  'dns-internal': 'dns',
  'dns-external': 'dns',
  egress: 'tcp-new',
  apiserver: 'tcp-new',
};

describe('probes', () => {
  const { world, ports, real, victim } = makeBoth();
  let reckoned: readonly PathObservation[] = [];
  let read: ReadonlyMap<string, PathObservation> = new Map();
  let during: readonly string[] = [];
  let after: readonly string[] = [];
  let reckonedDuring: readonly string[] = [];

  beforeAll(async () => {
    const { clock, prober } = ports;
    await world.kernel.drive(async () => {
      // The one that counts from its start on comes first: it waits until all is well.
      await real.start();
      await prober.start();
      await clock.sleep(5_000);
      const network = networkOf(world.nodes.get(victim) ?? fail(victim));
      network.removeLink('flannel.1');
      await clock.sleep(GAP_MS - 1_500);
      during = (await showFailing(real)).toSorted();
      reckonedDuring = (await showFailing(prober)).toSorted();
      await clock.sleep(1_500);
      network.setVxlanLink('flannel.1', { port: 4789, up: true });
      await clock.sleep(10_000);
      after = await showFailing(real);
      reckoned = await prober.observations();
      read = new Map((await real.observations()).map((path) => [keyOf(path), path]));
    });
  });

  it('finds the same paths failing while the link is away, and none after', () => {
    expect(during.length).toBeGreaterThan(4);
    expect(during).toEqual(reckonedDuring);
    expect(after).toEqual([]);
  });

  it('measures the same gaps on the same paths', () => {
    expect(reckoned.length).toBeGreaterThan(20);
    let gaps = 0;
    for (const path of reckoned) {
      const method = MAIN_METHOD[path.to.class] ?? '';
      const same = read.get(`${keyOf(path)}${method}`);
      expect(Math.abs((same?.longestGapMs ?? Number.NaN) - path.longestGapMs)).toBeLessThanOrEqual(
        200,
      );
      expect(same?.sourceSeen).toBe(path.sourceSeen);
      if (path.longestGapMs > 0) gaps += 1;
    }
    expect(gaps).toBe(during.length);
  });

  it('says of a node that cannot be read that nothing is known, and of no other', async () => {
    await world.kernel.drive(async () => {
      expect(await real.unknown()).toEqual([]);
      world.nodes.get(victim)?.kubelet.powerLost();
      await ports.clock.sleep(60_000);
      const unknown = await real.unknown();
      expect(unknown.map(({ node }) => node)).toEqual([victim]);
      expect(unknown[0]?.message).toContain('error dialing backend');
      world.nodes.get(victim)?.kubelet.powerOn();
      await ports.clock.sleep(60_000);
      expect(await real.unknown()).toEqual([]);
    });
  });

  it('leaves nothing behind', async () => {
    await world.kernel.drive(() => real.stop());
    for (const kind of ['DaemonSet', 'Service', 'ConfigMap', 'Pod'] as const) {
      expect(world.store.list(kind, 'regauge-system')).toEqual([]);
    }
  });
});

function fail(name: string): never {
  throw new Error(`there is no node ${name}`);
}
