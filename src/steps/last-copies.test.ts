/** Goal: what holds copies goes down only when others are well; what cannot be known better holds nobody up. */
import { describe, expect, it } from 'vitest';
import type { KubeObject } from '../model/kubernetes.ts';
import type { FailingPath, Ports } from '../ports/index.ts';
import { untilCopiedElsewhere } from './last-copies.ts';
import type { StepContext } from './step-module.ts';

interface Cluster {
  robustness?: string;
  state?: string;
  holders?: readonly string[];
  ready?: boolean;
  /** Kubernetes is attaching it. */
  wanted?: boolean;
  /** Nodes that are not in the cluster any more. */
  gone?: readonly string[];
  /** How long nobody has reached the other node (milliseconds). */
  silentMs?: (now: number) => number | undefined;
}

/** Resolves with when it held (milliseconds), or rejects with what it said. */
async function waited(cluster: Cluster): Promise<number> {
  let now = 0;
  const ready = (cluster.ready ?? true) ? 'True' : 'False';
  const status = {
    state: cluster.state ?? 'attached',
    robustness: cluster.robustness ?? 'healthy',
  };
  const conditions = [{ type: 'Ready', status: ready }];
  const listed: Readonly<Record<string, readonly object[]>> = {
    Node: ['a', 'b', 'c']
      .filter((name) => cluster.gone?.includes(name) !== true)
      .map((name) => ({ metadata: { name }, status: { conditions } })),
    Replica: (cluster.holders ?? ['a', 'b']).map((nodeID) => ({
      metadata: { name: nodeID },
      spec: { nodeID, volumeName: 'data' },
    })),
    VolumeAttachment:
      cluster.wanted === true ? [{ spec: { source: { persistentVolumeName: 'data' } } }] : [],
    Volume: [{ metadata: { name: 'data' }, status }],
  };
  const ports = {
    clock: { now: () => now, sleep: (ms: number) => Promise.resolve(void (now += ms)) },
    kubernetes: {
      list: (_version: string, kind: string) => Promise.resolve(listed[kind] as KubeObject[]),
    },
    prober: {
      failing: (): Promise<readonly FailingPath[]> => {
        const sinceMs = cluster.silentMs?.(now);
        const from = { class: 'host', node: 'c' } as const;
        const to = { class: 'host', node: 'b' } as const;
        return Promise.resolve(
          sinceMs === undefined ? [] : [{ from, to, sinceMs, message: 'no answer' }],
        );
      },
    },
  } as unknown as Ports; // of the ports, what is asked here
  const context = { ports, deadline: 1_800_000, say: () => undefined } as unknown as StepContext;
  await untilCopiedElsewhere(context, 'a');
  return now;
}

describe('copies of volumes', () => {
  it.each([
    ['another copy is well', {}],
    ['the volume is not attached', { state: 'detached', robustness: 'unknown' }],
    ['it is being attached, and another copy is there', { state: 'detached', wanted: true }],
    ['it is attached to nobody, and wanted by nobody', { state: 'detached', gone: ['b'] }],
    ['the node holds no copy', { holders: ['b', 'c'] }],
    ['the volume has one copy, which was agreed to', { holders: ['a'] }],
    ['the node is away itself', { ready: false, robustness: 'degraded' }],
  ] satisfies readonly (readonly [string, Cluster])[])(
    'hold nobody up when %s',
    async (_what, cluster) => {
      expect(await waited(cluster)).toBe(0);
    },
  );

  it('hold up, and then end the step, while the volume is degraded', async () => {
    await expect(waited({ robustness: 'degraded' })).rejects.toThrow(
      'Longhorn volume data is degraded: its copy on a may be the last',
    );
  });

  it('hold up, and then end the step, while the last one there is being attached', async () => {
    const cluster = { state: 'detached', wanted: true, gone: ['b'] };
    await expect(waited(cluster)).rejects.toThrow(
      'Longhorn volume data is being attached, and no other node with a copy is Ready',
    );
  });

  it('wait for what Longhorn must know of a node that is not in the cluster, and no longer', async () => {
    const at = await waited({ gone: ['b'] });
    expect(at).toBeGreaterThanOrEqual(15_000);
    expect(at).toBeLessThan(30_000);
    expect(await waited({ gone: ['c'] })).toBe(0);
  });

  it('wait for what Longhorn must know of a node that has just fallen silent', async () => {
    const at = await waited({ silentMs: (now) => 4_000 + now });
    expect(at).toBeGreaterThanOrEqual(11_000);
    expect(at).toBeLessThan(30_000);
  });
});
