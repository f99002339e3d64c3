import { expect, it } from 'vitest';
import type { KubeObject, PodObject } from '../../model/kubernetes.ts';
import type { KubernetesReads, ListOptions } from '../../ports/index.ts';
import { AgentMounts } from './agent-mounts.ts';

function agentOn(node: string): PodObject {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: `flannel-${node}`, namespace: 'kube-system' },
    spec: {
      nodeName: node,
      containers: [{ name: 'kube-flannel', image: 'f:1' }],
      volumes: [],
    },
    status: {
      phase: 'Running',
      containerStatuses: [
        {
          name: 'kube-flannel',
          ready: true,
          restartCount: 0,
          state: { running: { startedAt: '2026-11-23T10:00:00Z' } },
        },
      ],
    },
  };
}

it('asks for the agents of a few nodes alone, and for all once there are more', async () => {
  const asked: (string | undefined)[] = [];
  const list = (<T extends KubeObject>(_version: string, _kind: string, options: ListOptions) => {
    asked.push(options.nodeName);
    const nodes = options.nodeName === undefined ? ['a', 'b', 'c', 'd'] : [options.nodeName];
    const isByKey = String(options.labelSelector).startsWith('k8s-app');
    const pods = isByKey ? nodes.map(agentOn) : [];
    return Promise.resolve(pods as unknown as readonly T[]); // as asked
  }) as KubernetesReads['list'];
  const mounts = new AgentMounts({ list });
  const placesOn = async (node: string) => (await mounts.on(node)).map(({ pod }) => pod);
  expect(await placesOn('a')).toEqual(['flannel-a']);
  expect(await placesOn('a')).toEqual(['flannel-a']);
  expect(await placesOn('b')).toEqual(['flannel-b']);
  expect(asked).toEqual(['a', 'a', 'b', 'b']);
  await placesOn('c');
  expect(await placesOn('d')).toEqual(['flannel-d']);
  expect(asked.slice(6)).toEqual([undefined, undefined]);
});
