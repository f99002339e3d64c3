/** A node's agent is restarted for its new configuration once, also when the run dies in between. */
import { describe, expect, it } from 'vitest';
import { FakeCluster } from '../support/fake-cluster.ts';
import { runPlan } from '../../src/engine/run-plan.ts';
import { planOf, stepOf } from '../../src/engine/testing.ts';
import type { Action } from '../../src/model/plan.ts';
import type { Ports } from '../../src/ports/index.ts';

const LABEL = 'io.cilium.migration/kube-proxy-replacement';
const ON: Action = { kind: 'reconfigure-agent', node: 'a', label: LABEL, selected: true };

function agentOf(cluster: FakeCluster) {
  const [agent, ...others] = cluster
    .pods()
    .filter(
      ({ metadata, spec }) => metadata.labels?.['k8s-app'] === 'cilium' && spec.nodeName === 'a',
    );
  expect(others).toEqual([]);
  return agent?.metadata.uid;
}

function run(cluster: FakeCluster, action: Action, ports: Ports = cluster.ports) {
  return cluster.drive(() => runPlan(planOf([stepOf('a/replace', action)]), ports));
}

describe('reconfigure-agent', () => {
  it('sets the label, and the agent that runs afterwards started after it', async () => {
    const cluster = new FakeCluster({ nodes: ['a', 'b'] });
    const before = agentOf(cluster);
    expect((await run(cluster, ON)).outcome).toBe('done');
    expect(cluster.node('a').metadata.labels?.[LABEL]).toBe('true');
    expect(agentOf(cluster)).not.toBe(before);
    expect(cluster.node('b').metadata.labels?.[LABEL]).toBeUndefined();
  });

  it('is done when it is done: the agent is not restarted again', async () => {
    const cluster = new FakeCluster({ nodes: ['a'] });
    await run(cluster, ON);
    const after = agentOf(cluster);
    await run(cluster, ON);
    expect(agentOf(cluster)).toBe(after);
  });

  it('restarts the agent that had not read the label, when the run died before it could', async () => {
    const cluster = new FakeCluster({ nodes: ['a'] });
    const before = agentOf(cluster);
    const dying: Ports = {
      ...cluster.ports,
      kubernetes: withoutDeletion(cluster),
    };
    expect((await run(cluster, ON, dying)).outcome).toBe('stopped');
    expect(cluster.node('a').metadata.labels?.[LABEL]).toBe('true');
    expect(agentOf(cluster)).toBe(before);
    expect((await run(cluster, ON)).outcome).toBe('done');
    expect(agentOf(cluster)).not.toBe(before);
  });

  it('leaves an agent alone that came back by itself after the label', async () => {
    const cluster = new FakeCluster({ nodes: ['a'] });
    await run(cluster, ON, { ...cluster.ports, kubernetes: withoutDeletion(cluster) });
    await cluster.drive(() => deleteAgent(cluster));
    const restarted = agentOf(cluster);
    await run(cluster, ON);
    expect(agentOf(cluster)).toBe(restarted);
  });

  it('takes it back: label gone, another agent', async () => {
    const cluster = new FakeCluster({ nodes: ['a'] });
    await run(cluster, ON);
    const serving = agentOf(cluster);
    await run(cluster, { ...ON, selected: false });
    expect(cluster.node('a').metadata.labels?.[LABEL]).toBeUndefined();
    expect(agentOf(cluster)).not.toBe(serving);
  });

  it('says that there is no such node', async () => {
    const cluster = new FakeCluster({ nodes: ['b'] });
    const result = await run(cluster, ON);
    expect(result.failed?.message).toBe('there is no node a');
  });
});

async function deleteAgent({ ports }: FakeCluster): Promise<void> {
  const [agent] = await ports.kubernetes.list('v1', 'Pod', {
    labelSelector: { 'k8s-app': 'cilium' },
  });
  const { name = '', namespace = '' } = agent?.metadata ?? {};
  await ports.kubernetes.delete({ apiVersion: 'v1', kind: 'Pod', namespace, name });
  await ports.clock.sleep(60_000);
}

function withoutDeletion({ ports }: FakeCluster): Ports['kubernetes'] {
  return new Proxy(ports.kubernetes, {
    get: (target, name, receiver) =>
      name === 'delete'
        ? () => Promise.reject(new Error('killed'))
        : (Reflect.get(target, name, receiver) as unknown),
  });
}
