/** What a run may send, and when: written down first, while it holds the cluster, until it is stopped. */
import { describe, expect, it } from 'vitest';
import { FakeCluster } from '../../../test/support/fake-cluster.ts';
import type { Ports } from '../../ports/index.ts';
import { type AuditEntry, auditLog } from './audit-log.ts';
import { type Fence, guardPorts } from './guard-ports.ts';
import { RunControl, RunHalted } from './run-control.ts';

const OPEN: Fence = { token: 7, check: () => Promise.resolve(), remainingMs: () => 10_000 };
const NODE = { apiVersion: 'v1', kind: 'Node', name: 'a' } as const;
const LABELS = { metadata: { labels: { secret: 'value' } } };

function guarded(fence: Fence = OPEN) {
  const cluster = new FakeCluster({ nodes: ['a'] });
  const entries: AuditEntry[] = [];
  const control = new RunControl();
  const audit = auditLog({ append: (entry) => Promise.resolve(void entries.push(entry)) });
  const ports: Ports = guardPorts(cluster.ports, { control, fence, audit }, 'move/a');
  return { cluster, entries, control, ports };
}

describe('guardPorts', () => {
  it('writes down who is changed by which step, never with what, and what came of it', async () => {
    const { cluster, entries, ports } = guarded();
    await cluster.drive(() => ports.kubernetes.patch(NODE, LABELS));
    expect(entries).toEqual([
      {
        type: 'intent',
        n: 1,
        call: 'kubernetes.patch',
        subject: 'Node a',
        token: 7,
        step: 'move/a',
      },
      { type: 'outcome', n: 1, outcome: 'done' },
    ]);
    expect(JSON.stringify(entries)).not.toContain('value');
  });

  it('writes down nothing of questions', async () => {
    const { cluster, entries, ports } = guarded();
    await cluster.drive(() => ports.kubernetes.get(NODE));
    await cluster.drive(() => ports.nodeHost.list('a', '/etc/cni/net.d'));
    expect(entries).toEqual([]);
  });

  it('sends nothing when somebody else holds the cluster, and says so in the log', async () => {
    const fence: Fence = { ...OPEN, check: () => Promise.reject(new RunHalted('held by b')) };
    const { cluster, entries, ports } = guarded(fence);
    await expect(cluster.drive(() => ports.kubernetes.patch(NODE, LABELS))).rejects.toThrow(
      RunHalted,
    );
    expect(cluster.node('a').metadata.labels).toEqual({});
    expect(entries.at(-1)).toMatchObject({ outcome: 'not-sent', message: 'held by b' });
  });

  it('sends nothing that could not be written down', async () => {
    const cluster = new FakeCluster({ nodes: ['a'] });
    const audit = auditLog({ append: () => Promise.reject(new Error('no space left on device')) });
    const ports = guardPorts(cluster.ports, { control: new RunControl(), fence: OPEN, audit });
    await expect(cluster.drive(() => ports.kubernetes.patch(NODE, LABELS))).rejects.toThrow(
      /no space/,
    );
    expect(cluster.node('a').metadata.labels).toEqual({});
  });

  it('lets questions go when the run is stopped, and waits for what was sent', async () => {
    const { cluster, control, ports, entries } = guarded();
    await cluster.drive(async () => {
      const change = ports.kubernetes.patch(NODE, LABELS);
      const sleep = ports.clock.sleep(3_600_000);
      const stopped = sleep.catch((error: unknown) => error);
      await cluster.ports.clock.sleep(1);
      control.stop('stopped by hand');
      expect(await stopped).toBeInstanceOf(RunHalted);
      await change;
      await expect(ports.kubernetes.get(NODE)).rejects.toThrow('stopped by hand');
    });
    expect(entries.at(-1)).toMatchObject({ outcome: 'done' });
    expect(cluster.kernel.now()).toBeLessThan(1_000);
  });

  it('takes a method it does not know for a change', async () => {
    const { entries, ports } = guarded();
    const odd: Record<string, () => Promise<void>> = { formatDisk: () => Promise.resolve() };
    const wrapped = guardPorts(
      { ...ports, nodeHost: Object.assign(odd, ports.nodeHost) },
      {
        control: new RunControl(),
        fence: OPEN,
        audit: auditLog({ append: (entry) => Promise.resolve(void entries.push(entry)) }),
      },
    );
    await (wrapped.nodeHost as unknown as typeof odd)['formatDisk']?.();
    expect(entries[0]).toMatchObject({ type: 'intent', call: 'nodeHost.formatDisk' });
  });
});
