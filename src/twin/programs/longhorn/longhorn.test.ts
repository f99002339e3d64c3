/** Storage over the pod network: attachments succeed along working paths and fail where those end. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { PodObject, VolumeAttachmentObject } from '../../../model/kubernetes.ts';
import {
  attachPod,
  createPod,
  fakeWorld,
  type FakeWorld,
  layFlannel,
  nodeNamed,
  type Running,
  runProgram,
  setReady,
} from '../../../../test/support/fake-world.ts';
import { networkOf } from '../../network/kernel-network.ts';
import { csiAttacher } from './csi-attacher.ts';
import { LONGHORN_NAMESPACE, volumeNamed } from './longhorn-objects.ts';
import { longhornManager } from './manager.ts';

let world: FakeWorld;
const NODES = ['a', 'b', 'c'];

beforeEach(() => {
  world = fakeWorld(NODES);
  for (const [index, name] of NODES.entries()) layFlannel(world, name, index);
  create('v1', 'Service', 'kube-system', 'kube-dns', {
    spec: { clusterIP: '10.96.0.10', selector: { 'k8s-app': 'kube-dns' } },
  });
  create('v1', 'Service', LONGHORN_NAMESPACE, 'longhorn-backend', {
    spec: { clusterIP: '10.96.0.11', selector: { app: 'longhorn-manager' } },
  });
  attached('coredns', 'kube-system', 'b', '10.244.1.53', { 'k8s-app': 'kube-dns' });
  attached('manager-b', LONGHORN_NAMESPACE, 'b', '10.244.1.20', { app: 'longhorn-manager' });
  attached('plugin-a', LONGHORN_NAMESPACE, 'a', '10.244.0.21', { app: 'longhorn-csi-plugin' });
  for (const [index, name] of ['b', 'c'].entries()) {
    attached(`im-${name}`, LONGHORN_NAMESPACE, name, `10.244.${index + 1}.22`, {
      'longhorn.io/component': 'instance-manager',
    });
  }
  create('longhorn.io/v1beta2', 'Volume', LONGHORN_NAMESPACE, 'vol', {
    spec: { numberOfReplicas: 2 },
    status: { state: 'detached' },
  });
  for (const node of ['b', 'c']) {
    create('longhorn.io/v1beta2', 'Replica', LONGHORN_NAMESPACE, `vol-${node}`, {
      spec: { nodeID: node, volumeName: 'vol' },
    });
  }
  run(1);
});

function create(
  apiVersion: string,
  kind: string,
  namespace: string | undefined,
  name: string,
  rest: object,
): void {
  const metadata = namespace === undefined ? { name } : { name, namespace };
  world.store.create({ apiVersion, kind, metadata, ...rest });
}

function attached(
  name: string,
  namespace: string,
  node: string,
  ip: string,
  labels: Readonly<Record<string, string>>,
): PodObject {
  return attachPod(world, createPod(world, name, node, { namespace, labels }), 'flannel', ip);
}

function run(seconds: number): void {
  world.kernel.runUntil(world.kernel.now() + seconds * 1000);
}

function startAttacher(): Running {
  const pod = attached('csi-attacher', LONGHORN_NAMESPACE, 'a', '10.244.0.23', {
    app: 'csi-attacher',
  });
  return runProgram(world, csiAttacher, pod);
}

function want(node: string): void {
  create('storage.k8s.io/v1', 'VolumeAttachment', undefined, 'va', {
    spec: {
      attacher: 'driver.longhorn.io',
      nodeName: node,
      source: { persistentVolumeName: 'vol' },
    },
    status: { attached: false },
  });
}

function attachment(): VolumeAttachmentObject['status'] {
  return world.store.get('VolumeAttachment', undefined, 'va')?.status;
}

function robustness(): string | undefined {
  return volumeNamed(world, 'vol')?.status?.robustness;
}

function startManager(node: string): void {
  const pod = createPod(world, `longhorn-manager-${node}`, node, {
    namespace: LONGHORN_NAMESPACE,
    container: { name: 'longhorn-manager', image: 'longhornio/longhorn-manager:v1.9.0' },
  });
  runProgram(world, longhornManager, attachPod(world, pod, 'flannel', '10.244.0.30'));
  run(10);
}

function managersOn(node: string): readonly PodObject[] {
  return world.store
    .podsOn(node)
    .filter(({ metadata }) => metadata.labels?.['longhorn.io/component'] === 'instance-manager');
}

describe('an attachment', () => {
  it('succeeds over DNS, the backend’s ClusterIP and the node’s instance manager', () => {
    startAttacher();
    want('b');
    run(10);
    expect(attachment()).toEqual({ attached: true });
    expect(volumeNamed(world, 'vol')?.status).toMatchObject({
      state: 'attached',
      currentNodeID: 'b',
    });
  });

  it.each([
    ['DNS', () => world.store.remove('Service', 'kube-system', 'kube-dns')],
    ['the backend', () => networkOf(nodeNamed(world, 'b')).removeLink('flannel.1')],
  ])('fails with a time-out after 110 s without %s, and comes back by itself', (_name, breakIt) => {
    startAttacher();
    run(10);
    breakIt();
    run(1);
    want('c');
    run(105);
    expect(attachment()?.attachError).toBeUndefined();
    run(10);
    expect(attachment()?.attachError?.message).toContain('context deadline exceeded');
    expect(world.kernel.occurrences.map(({ kind }) => kind)).toContain(
      'longhorn.backend-unreachable',
    );
    networkOf(nodeNamed(world, 'b')).setVxlanLink('flannel.1', { port: 4789, up: true });
    if (world.store.get('Service', 'kube-system', 'kube-dns') === undefined) {
      create('v1', 'Service', 'kube-system', 'kube-dns', {
        spec: { clusterIP: '10.96.0.10', selector: { 'k8s-app': 'kube-dns' } },
      });
    }
    run(300);
    expect(attachment()).toEqual({ attached: true });
  });

  it('fails in Longhorn’s own words after 90 s on a node without an instance manager', () => {
    startAttacher();
    want('a');
    run(95);
    expect(attachment()?.attachError?.message).toContain('volume vol failed to attach to node a');
    expect(world.kernel.occurrences.map(({ kind }) => kind)).toContain(
      'longhorn.instance-manager-down',
    );
  });
});

it('a volume degrades when a replica is cut off for 8 s, and is healthy again after a rebuild', () => {
  startAttacher();
  want('b');
  run(45);
  expect(robustness()).toBe('healthy');
  const link = networkOf(nodeNamed(world, 'c'));
  link.removeLink('flannel.1');
  run(7);
  expect(robustness()).toBe('healthy');
  run(2);
  expect(robustness()).toBe('degraded');
  link.setVxlanLink('flannel.1', { port: 4789, up: true });
  run(20);
  expect(robustness()).toBe('degraded');
  run(30);
  expect(robustness()).toBe('healthy');
});

describe('a manager', () => {
  it('makes an instance manager where there is none, and again when it ended', () => {
    startManager('a');
    const [first] = managersOn('a');
    expect(first?.spec.containers[0]?.image).toBe('longhornio/longhorn-instance-manager:v1.9.0');
    world.store.update('Pod', LONGHORN_NAMESPACE, first?.metadata.name ?? '', (pod) => ({
      ...pod,
      status: { phase: 'Failed' },
    }));
    run(10);
    expect(managersOn('a')).toHaveLength(1);
    expect(managersOn('a')[0]?.metadata.uid).not.toBe(first?.metadata.uid);
  });

  it('lifts the budget of a cordoned node only when no engine runs there', () => {
    startAttacher();
    want('b');
    startManager('b');
    run(10);
    const budgets = (): number => world.store.list('PodDisruptionBudget').length;
    expect(budgets()).toBe(1);
    world.store.update('Node', undefined, 'b', (node) => ({
      ...node,
      spec: { ...node.spec, unschedulable: true },
    }));
    run(5);
    expect(budgets()).toBe(1);
    world.store.remove('VolumeAttachment', undefined, 'va');
    run(5);
    expect(budgets()).toBe(0);
    world.store.update('Node', undefined, 'b', (node) => ({
      ...node,
      spec: { ...node.spec, unschedulable: false },
    }));
    run(5);
    expect(budgets()).toBe(1);
  });
});

it('a pod that is not ready is no instance manager', () => {
  startAttacher();
  const pod = world.store.get('Pod', LONGHORN_NAMESPACE, 'im-b');
  if (pod !== undefined) setReady(world, pod, '10.244.1.22', false);
  run(1);
  want('b');
  run(95);
  expect(attachment()?.attached).toBe(false);
});
