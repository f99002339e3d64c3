/**
 * Goal: what went wrong in the field with other tools that change a cluster's network, each by the
 * name under which it was reported. Sources: deckhouse#21714, projectcalico/kube-controllers#495,
 * calico flannel-migration-controller's drain, openshift OCPBUGS on paused pools, and its Job that
 * ran on the network it replaced.
 */
import { describe, expect, it } from 'vitest';
import { refuseOnPodNetwork } from '../src/cli/migration/in-pod.ts';
import { runPlan } from '../src/engine/run-plan.ts';
import { moveSteps, planOf, stepOf } from '../src/engine/testing.ts';
import type { NodeObject } from '../src/model/kubernetes.ts';
import { smallCase } from './crash/cases.ts';
import { complaints, runKilled } from './crash/crash-runs.ts';
import { FakeCluster } from './support/fake-cluster.ts';

const NODES: readonly NodeObject[] = ['10.0.0.10', '10.0.0.11'].map((address, index) => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name: `n${index}` },
  spec: {},
  status: { addresses: [{ type: 'InternalIP', address }] },
}));

describe('bugs of the field', () => {
  it('deckhouse#21714: a restart while both networks are there does not wedge the run', async () => {
    const small = smallCase();
    const undisturbed = await runKilled(small, []);
    const label = undisturbed.calls.findIndex(
      ({ method, args }) => method === 'patch' && JSON.stringify(args).includes('cilium-default'),
    );
    expect(label).toBeGreaterThan(0);
    const kills = [
      { call: label + 1, when: 'after' },
      { call: 40, when: 'before' },
    ] as const;
    expect(complaints(undisturbed, await runKilled(small, kills))).toEqual([]);
  });

  it('kube-controllers#495: no victory while a node that a dead run cordoned is cordoned still', async () => {
    const cluster = new FakeCluster({ nodes: ['a', 'b'], deployments: { web: ['a'] } });
    const node = cluster.node('a');
    const held = { annotations: { 'regauge.dev/cordoned-by': 'plan-test' } };
    cluster.put({
      ...node,
      metadata: { ...node.metadata, ...held },
      spec: { unschedulable: true },
    } as NodeObject);
    const result = await cluster.drive(() => runPlan(planOf(moveSteps('a')), cluster.ports));
    expect(result.outcome).toBe('done');
    expect(cluster.node('a').spec.unschedulable).toBeUndefined();
  });

  it('kured#137: a cordon that a person set is neither lifted nor taken for ours', async () => {
    const cluster = new FakeCluster({ nodes: ['a', 'b'], deployments: { web: ['b'] } });
    const node = cluster.node('a');
    cluster.put({ ...node, spec: { unschedulable: true } } as NodeObject);
    const plan = planOf([
      stepOf('hold', { kind: 'cordon', nodes: ['a'] }),
      stepOf('open', { kind: 'uncordon', nodes: ['a'] }, { after: ['hold'] }),
    ]);
    const result = await cluster.drive(() => runPlan(plan, cluster.ports));
    expect(result.outcome).toBe('done');
    expect(cluster.node('a').spec.unschedulable).toBe(true);
  });

  it('flannel-migration-controller: a drain that can never end does end, and names who is in the way', async () => {
    const cluster = new FakeCluster({
      nodes: ['a', 'b'],
      deployments: { web: ['a'] },
      budget: () => 'no disruption is allowed',
    });
    const result = await cluster.drive(() => runPlan(planOf(moveSteps('a')), cluster.ports));
    expect(result.outcome).toBe('stopped');
    expect(result.seconds).toBeLessThan(3_600);
    expect(result.failed?.message).toMatch(/default\/web-.*no disruption is allowed/);
  });

  it('flannel-migration-controller, tigera/operator#5318: never runs on the network it replaces', () => {
    const onPodNetwork = { isPod: true, addresses: ['127.0.0.1', '10.244.1.7'] };
    expect(() => refuseOnPodNetwork(onPodNetwork, NODES)).toThrow(/would cut itself off/);
    const onHost = { isPod: true, addresses: ['127.0.0.1', '10.0.0.11', '10.244.1.1'] };
    expect(() => refuseOnPodNetwork(onHost, NODES)).not.toThrow();
    const laptop = { isPod: false, addresses: ['192.168.1.5'] };
    expect(() => refuseOnPodNetwork(laptop, NODES)).not.toThrow();
  });
});
