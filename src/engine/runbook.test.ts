/**
 * A person's commands over a fake cluster: drain as kubectl does it, names and addresses, failures
 * that are recorded and gone past.
 */
import { describe, expect, it } from 'vitest';
import { FakeCluster, type FakeOptions } from '../../test/support/fake-cluster.ts';
import type { Runbook, RunbookStep } from '../model/runbook.ts';
import { runRunbook } from './runbook.ts';

const OPTIONS: FakeOptions = { nodes: ['a', 'b'], deployments: { web: ['a', 'a'] } };

function runbookOf(...steps: readonly RunbookStep[]): Runbook {
  return { apiVersion: 'regauge.dev/v1', kind: 'Runbook', steps };
}

function drain(more: object = {}): RunbookStep {
  return { kubectl: { action: 'drain', node: 'a', ignoreDaemonsets: true, ...more } };
}

async function typed(cluster: FakeCluster, ...steps: readonly RunbookStep[]) {
  const result = await cluster.drive(() => runRunbook(runbookOf(...steps), cluster.ports));
  return result.commands;
}

function waitReady(status: string): RunbookStep {
  const until = { condition: 'Ready', status };
  return { kubectl: { action: 'wait', until, kind: 'Node', name: 'a', timeoutSeconds: 20 } };
}

function taint(add: readonly string[], remove: readonly string[]): RunbookStep {
  return {
    kubectl: {
      action: 'taint',
      node: 'a',
      add: add.map((key) => ({ key, effect: 'NoSchedule' })),
      remove: remove.map((key) => ({ key })),
    },
  };
}

describe('drain', () => {
  it('cordons, evicts what its filters let go, and waits until it is gone', async () => {
    const cluster = new FakeCluster(OPTIONS);
    const [outcome] = await typed(cluster, drain());
    expect(outcome?.outcome).toBe('done');
    expect(cluster.node('a').spec.unschedulable).toBe(true);
    expect(cluster.evictions).toHaveLength(2);
    expect(
      cluster.pods().filter((pod) => pod.spec.nodeName === 'a' && pod.spec.hostNetwork !== true),
    ).toEqual([]);
  });

  it('evicts nothing when a filter refuses, and says which flag would allow it', async () => {
    const cluster = new FakeCluster({ ...OPTIONS, bare: { lonely: 'a' } });
    const [daemonSets, bare, forced] = await typed(
      cluster,
      drain({ ignoreDaemonsets: false }),
      drain(),
      drain({ force: true }),
    );
    expect(daemonSets?.message).toMatch(/use --ignore-daemonsets/);
    expect(bare?.message).toMatch(/declare no controller \(use --force/);
    expect(forced?.outcome).toBe('done');
  });

  it('asks a budget again every five seconds and ends at its time-out', async () => {
    const cluster = new FakeCluster({
      ...OPTIONS,
      budget: () => "Cannot evict pod as it would violate the pod's disruption budget.",
    });
    const [outcome] = await typed(cluster, drain({ timeoutSeconds: 60 }));
    expect(outcome).toMatchObject({
      outcome: 'failed',
      message: expect.stringMatching(/unable to drain node "a".*disruption budget/),
    });
    expect((outcome?.to ?? 0) - (outcome?.from ?? 0)).toBeLessThanOrEqual(61);
  });
});

describe('commands', () => {
  it('go on after one that failed, unless the step says otherwise', async () => {
    const missing: RunbookStep = { kubectl: { action: 'cordon', node: 'nowhere' } };
    const cordon: RunbookStep = { kubectl: { action: 'cordon', node: 'b' } };
    const on = await typed(new FakeCluster(OPTIONS), missing, cordon);
    expect(on.map(({ outcome }) => outcome)).toEqual(['failed', 'done']);
    const stopped = await typed(
      new FakeCluster(OPTIONS),
      { ...missing, continueOnError: false },
      cordon,
    );
    expect(stopped).toHaveLength(1);
  });

  it('take a node by its address', async () => {
    const cluster = new FakeCluster(OPTIONS);
    await typed(cluster, { talos: { action: 'reboot', nodes: ['10.0.0.2'] } });
    expect(cluster.node('b').status.nodeInfo?.bootID).toBe('b-2');
  });

  it('delete by selector and wait until the pods are gone', async () => {
    const cluster = new FakeCluster(OPTIONS);
    const [outcome] = await typed(cluster, {
      kubectl: { action: 'delete', kind: 'pods', namespace: 'default', selector: 'app=web' },
    });
    expect(outcome?.outcome).toBe('done');
    expect(outcome?.to).toBeGreaterThanOrEqual(1);
  });

  it('change files on nodes and wait as long as told', async () => {
    const cluster = new FakeCluster(OPTIONS);
    const rename = {
      rename: '/etc/cni/net.d/10-flannel.conflist',
      to: '/etc/cni/net.d/10-flannel.conflist.off',
    };
    const [, waited] = await typed(
      cluster,
      { files: { nodes: ['all'], changes: [rename] } },
      { wait: { seconds: 90 } },
    );
    expect([...(cluster.files.get('b')?.keys() ?? [])]).toEqual(['10-flannel.conflist.off']);
    expect(Math.round((waited?.to ?? 0) - (waited?.from ?? 0))).toBe(90);
  });

  it('wait until a roll-out is over, and say what is missing when it does not come', async () => {
    const cluster = new FakeCluster(OPTIONS);
    const target = { kind: 'DaemonSet', namespace: 'kube-system', name: 'nothing' };
    const [missing] = await typed(cluster, { kubectl: { action: 'rollout-status', ...target } });
    expect(missing?.message).toMatch(/DaemonSet "nothing" not found/);
  });

  it('wait for a condition no longer than told', async () => {
    const [ready, never] = await typed(
      new FakeCluster(OPTIONS),
      waitReady('True'),
      waitReady('False'),
    );
    expect(ready).toMatchObject({ outcome: 'done' });
    expect(never?.message).toMatch(/timed out waiting: the condition Ready of Node a is True/);
    expect(Math.round((never?.to ?? 0) - (never?.from ?? 0))).toBe(20);
  });

  it('set and remove taints, and leave the others', async () => {
    const cluster = new FakeCluster(OPTIONS);
    await typed(cluster, taint(['one', 'two'], []), taint(['three'], ['one']));
    expect(cluster.node('a').spec.taints?.map(({ key }) => key)).toEqual(['two', 'three']);
  });

  it('only look where nothing would be changed', async () => {
    const cluster = new FakeCluster(OPTIONS);
    const [looked] = await typed(cluster, { look: 'kubectl get pods -A' });
    expect(looked).toMatchObject({ outcome: 'done', command: 'kubectl get pods -A' });
    expect(looked?.to).toBe(looked?.from);
  });

  it('record what helm refuses in its own words', async () => {
    const values = { kubeProxyReplacement: 'strict' };
    const [outcome] = await typed(new FakeCluster(OPTIONS), {
      helm: {
        action: 'install',
        release: 'cilium',
        namespace: 'kube-system',
        chart: 'cilium',
        version: '1.16.5',
        values,
      },
    });
    expect(outcome).toMatchObject({ outcome: 'failed', message: 'Error: execution error' });
  });
});
