/** What the cluster keeps of a run: whole or not at all, within what a ConfigMap holds, for any machine. */
import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { oneNode } from '../../../test/support/lease-world.ts';
import { nodes, planned } from '../../planner/testing.ts';
import type { KubeObject } from '../../model/kubernetes.ts';
import { clusterBackups } from '../backups.ts';
import { planOf } from '../testing.ts';
import { keep, kept } from './chunks.ts';
import { keepPlan, keptPlan, readRecord, type RunRecord, writeRecord } from './run-record.ts';

const CONFIG_MAP_BYTES_MAX = 1_048_576;

interface WithBytes extends KubeObject {
  readonly binaryData?: Readonly<Record<string, string>>;
}

const RECORD: RunRecord = {
  version: 1,
  planId: 'plan-x',
  planHash: 'sha256:x',
  cluster: { uid: 'u', name: 'c' },
  startedAt: '2026-01-01T00:00:00.000Z',
  updatedAt: '2026-01-01T00:00:00.000Z',
  state: 'running',
  steps: [],
  done: 0,
  total: 1,
  holder: 'a',
  token: 1,
};

describe('what a cluster keeps of a run', () => {
  it('holds the plan of a thousand nodes within one ConfigMap, and gives it back as it was', async () => {
    const plan = planned({ objects: nodes(3, 997), values: 'kubeProxyReplacement: true' });
    expect(plan.waves.flat()).toHaveLength(1_000);
    const { drive, ports } = oneNode();
    await drive(async () => {
      await keepPlan(ports.kubernetes, plan);
      const objects = await ports.kubernetes.list<WithBytes>('v1', 'ConfigMap', {
        namespace: 'regauge-system',
      });
      expect(objects).toHaveLength(1);
      const bytes = Buffer.from(objects[0]?.binaryData?.['part.gz'] ?? '', 'base64').length;
      expect(bytes).toBeGreaterThan(1_000);
      expect(bytes).toBeLessThan(CONFIG_MAP_BYTES_MAX / 2);
      expect(await keptPlan(ports.kubernetes, plan.hash)).toEqual(plan);
    });
  });

  it('keeps what is larger in parts, and refuses what is far too large', async () => {
    const { drive, ports } = oneNode();
    const text = randomBytes(1_500_000).toString('base64');
    await drive(async () => {
      await keep(ports.kubernetes, { name: 'large', role: 'backup' }, text);
      expect(await kept(ports.kubernetes, 'large')).toBe(text);
      const huge = randomBytes(8_000_000).toString('base64');
      await expect(
        keep(ports.kubernetes, { name: 'huge', role: 'backup' }, huge),
      ).rejects.toMatchObject({ code: 'refused' });
      expect(await kept(ports.kubernetes, 'huge')).toBeUndefined();
    });
  });

  it('takes a backup that somebody has changed, or half of one, for none', async () => {
    const { drive, ports } = oneNode();
    await drive(async () => {
      const text = randomBytes(1_500_000).toString('base64');
      await keep(ports.kubernetes, { name: 'large', role: 'backup' }, text);
      const part = {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        namespace: 'regauge-system',
        name: 'large-2',
      };
      await ports.kubernetes.delete(part);
      expect(await kept(ports.kubernetes, 'large')).toBeUndefined();
    });
  });

  it('keeps backups of different plans apart', async () => {
    const { drive, ports } = oneNode();
    const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'x' } };
    await drive(async () => {
      await clusterBackups(ports.kubernetes, 'plan-a').save('prepare/back-up', [object]);
      expect(await clusterBackups(ports.kubernetes, 'plan-a').read('prepare/back-up')).toEqual([
        object,
      ]);
      expect(
        await clusterBackups(ports.kubernetes, 'plan-b').read('prepare/back-up'),
      ).toBeUndefined();
    });
  });

  it('gives the record back, and says plainly that it does not understand another', async () => {
    const { drive, ports } = oneNode();
    await drive(async () => {
      expect(await readRecord(ports.kubernetes)).toBeUndefined();
      await writeRecord(ports.kubernetes, RECORD);
      await writeRecord(ports.kubernetes, { ...RECORD, done: 1, state: 'paused' });
      expect(await readRecord(ports.kubernetes)).toEqual({ ...RECORD, done: 1, state: 'paused' });
      const address = {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        namespace: 'regauge-system',
        name: 'regauge-run',
      };
      await ports.kubernetes.patch(address, { data: { 'run.json': '{"version":2}' } });
      await expect(readRecord(ports.kubernetes)).rejects.toMatchObject({ code: 'bad-input' });
    });
  });

  it('bounds the broken paths it remembers: those beyond are waited for', async () => {
    const { drive, ports } = oneNode();
    const brokenBefore = Array.from({ length: 5_000 }, (_, index) => `pod-old@n${index}>pod-old@m`);
    await drive(async () => {
      await writeRecord(ports.kubernetes, { ...RECORD, brokenBefore });
      expect((await readRecord(ports.kubernetes))?.brokenBefore).toHaveLength(2_000);
    });
  });

  it('knows a plan by its hash alone', async () => {
    const { drive, ports } = oneNode();
    const plan = planOf([]);
    await drive(async () => {
      await keepPlan(ports.kubernetes, plan);
      expect(await keptPlan(ports.kubernetes, 'sha256:other')).toBeUndefined();
      expect(await keptPlan(ports.kubernetes, plan.hash)).toEqual(plan);
    });
  });
});
