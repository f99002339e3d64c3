/** What is saved before anything changes, and that a back-up that does not read back stops the run. */
import { describe, expect, it } from 'vitest';
import { FakeCluster } from '../support/fake-cluster.ts';
import { memoryBackups } from '../../src/engine/backups.ts';
import { runPlan } from '../../src/engine/run-plan.ts';
import { planOf, stepOf } from '../../src/engine/testing.ts';
import type { Action } from '../../src/model/plan.ts';
import type { Ports, SnapshotOutcome } from '../../src/ports/index.ts';
import type { BackupStore } from '../../src/steps/step-module.ts';

const CONF = '10-flannel.conflist';
const OUTCOME: SnapshotOutcome = { bytes: 3, sha256: 'abc' };

function run(action: Action, cluster: FakeCluster, backups: BackupStore, ports = cluster.ports) {
  const plan = planOf([stepOf('prepare/back-up', action)]);
  return cluster.drive(() => runPlan(plan, ports, { backups }));
}

function withEtcd({ ports }: FakeCluster): Ports {
  return {
    ...ports,
    nodeHost: { ...ports.nodeHost, etcdSnapshot: () => Promise.resolve(OUTCOME) },
  };
}

function storeReadingBack(readBack: string): BackupStore {
  return {
    ...memoryBackups(),
    saveStream: async (name, write) => {
      const sink = { begin: () => Promise.resolve(), write: () => Promise.resolve() };
      return { place: name, outcome: await write(sink), readBack };
    },
  };
}

describe('back-up', () => {
  it('saves the confs of nodes, and a node gets its own back when nobody else wrote it', async () => {
    const cluster = new FakeCluster({ nodes: ['a'] });
    const backups = memoryBackups();
    await run({ kind: 'back-up', objects: [], confsOf: ['a'] }, cluster, backups);
    const files = cluster.files.get('a');
    const before = files?.get(CONF);
    files?.delete(CONF);
    files?.set('05-cilium.conflist', '{"plugins":[{"type":"cilium-cni"}]}');
    const back: Action = {
      kind: 'return-node',
      node: 'a',
      strategy: 'evict-in-place',
      label: 'io.cilium.migration/cilium-default',
      oldConf: CONF,
      backup: 'prepare/back-up',
    };
    expect((await run(back, cluster, backups)).failed).toBeUndefined();
    expect([...(files?.keys() ?? [])]).toEqual([CONF]);
    expect(files?.get(CONF)).toBe(before);
  });

  it('leaves a node its new conf when there is no old one anywhere', async () => {
    const cluster = new FakeCluster({ nodes: ['a'] });
    const files = cluster.files.get('a');
    files?.delete(CONF);
    files?.set('05-cilium.conflist', '{"plugins":[{"type":"cilium-cni"}]}');
    const back: Action = {
      kind: 'return-node',
      node: 'a',
      strategy: 'evict-in-place',
      label: 'io.cilium.migration/cilium-default',
      oldConf: CONF,
    };
    const result = await run(back, cluster, memoryBackups());
    expect(result.failed?.message).toMatch(/a has neither 10-flannel\.conflist nor/);
    expect([...(files?.keys() ?? [])]).toEqual(['05-cilium.conflist']);
  });

  it('does not keep a conf that holds a token', async () => {
    const cluster = new FakeCluster({ nodes: ['a'] });
    const token = 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJjYWxpY28ifQ.c2lnbmF0dXJlLW9mLWl0';
    cluster.files.get('a')?.set('20-calico.conflist', `{"k8s_auth_token":"${token}"}`);
    const backups = memoryBackups();
    await run({ kind: 'back-up', objects: [], confsOf: ['a'] }, cluster, backups);
    expect(JSON.stringify(await backups.read('prepare/back-up'))).not.toContain(token);
  });

  it('takes an etcd snapshot where there is a place for it, and says what it is', async () => {
    const cluster = new FakeCluster({ nodes: ['a'] });
    const backups = storeReadingBack('abc');
    const action: Action = { kind: 'back-up', objects: [], etcd: true };
    expect((await run(action, cluster, backups, withEtcd(cluster))).outcome).toBe('done');
    expect(await backups.read('prepare/back-up')).toEqual([
      expect.objectContaining({ kind: 'EtcdSnapshot', ...OUTCOME }),
    ]);
  });

  it('stops when the etcd snapshot does not read back as it came', async () => {
    const cluster = new FakeCluster({ nodes: ['a'] });
    const backups = storeReadingBack('other');
    const action: Action = { kind: 'back-up', objects: [], etcd: true };
    const result = await run(action, cluster, backups, withEtcd(cluster));
    expect(result.failed?.message).toBe('the etcd snapshot does not read back as it was written');
    expect(await backups.read('prepare/back-up')).toBeUndefined();
  });
});
