/** Drives the store and the nodes by hand and looks at what the observer makes of it. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { PodObject } from '../../model/kubernetes.ts';
import {
  attachPod,
  createPod,
  fakeWorld,
  type FakeWorld,
  nodeNamed,
  setReady,
} from '../../../test/support/fake-world.ts';
import { networkOf } from '../network/kernel-network.ts';
import { createProber } from '../ports/prober.ts';
import { createObserver, type Observer } from './create-observer.ts';

let world: FakeWorld;
let observer: Observer;

const OWNER = {
  apiVersion: 'apps/v1',
  kind: 'ReplicaSet',
  name: 'web-1',
  uid: 'rs-1',
  controller: true,
};

beforeEach(() => {
  world = fakeWorld(['a', 'b']);
});

function watch(): void {
  observer = createObserver(world, createProber(world));
}

function replica(name: string, node: string, ip: string): PodObject {
  const pod = createPod(world, name, node, { labels: { app: 'web' }, owner: OWNER });
  return attachPod(world, pod, 'flannel', ip);
}

function run(seconds: number): void {
  world.kernel.runUntil(world.kernel.now() + seconds * 1000);
}

function remove(name: string): void {
  const pod = world.store.get('Pod', 'default', name);
  if (pod === undefined) throw new Error(`no pod ${name}`);
  nodeNamed(world, pod.spec.nodeName ?? '').network.detach(pod.metadata.uid ?? '');
  world.store.remove('Pod', 'default', name);
}

function withSandbox(pod: PodObject, holds: boolean): PodObject {
  const updated = world.store.update('Pod', 'default', pod.metadata.name, (object) => ({
    ...object,
    status: {
      ...object.status,
      conditions: [
        { type: 'Ready', status: holds ? 'True' : 'False' },
        { type: 'PodReadyToStartContainers', status: holds ? 'True' : 'False' },
      ],
    },
  }));
  run(0.1);
  return updated ?? pod;
}

function violated(): readonly string[] {
  return observer
    .finish()
    .invariants.filter(({ held }) => !held)
    .map(({ name }) => name);
}

function fail(name: string, reason: string): void {
  world.store.update('Pod', 'default', name, (object) => ({
    ...object,
    status: {
      ...object.status,
      phase: 'Failed',
      reason,
      message: `ended: ${reason}`,
      conditions: [{ type: 'Ready', status: 'False' }],
    },
  }));
  run(0.1);
}

function removeFlannel(): void {
  const labels = { app: 'flannel' };
  world.store.create({
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: { name: 'kube-flannel', namespace: 'kube-system' },
    spec: {
      selector: { matchLabels: labels },
      template: {
        spec: {
          containers: [{ name: 'kube-flannel', image: 'ghcr.io/siderolabs/flannel:v0.26.7' }],
        },
      },
    },
  } as Parameters<typeof world.store.create>[0]);
  run(1);
  world.store.remove('DaemonSet', 'kube-system', 'kube-flannel');
  run(1);
}

describe('restarts', () => {
  it('counts a replacement as a restart of the pod it replaces, whichever came first', () => {
    replica('web-a', 'a', '10.244.0.2');
    replica('web-b', 'a', '10.244.0.3');
    watch();
    remove('web-a');
    run(2);
    replica('web-c', 'b', '10.244.1.2');
    run(2);
    replica('web-d', 'b', '10.244.1.3');
    run(2);
    remove('web-b');
    run(2);
    const { summary } = observer.finish();
    expect(summary).toMatchObject({
      pods: 2,
      podsRestarted: 2,
      maxRestartsPerPod: 1,
      podsStuck: 0,
    });
    expect(summary.podOutageSeconds.max).toBeCloseTo(2, 0);
  });

  it('counts a second replacement of the same pod', () => {
    replica('web-a', 'a', '10.244.0.2');
    watch();
    remove('web-a');
    run(1);
    replica('web-b', 'a', '10.244.0.3');
    run(1);
    remove('web-b');
    run(1);
    replica('web-c', 'a', '10.244.0.4');
    run(1);
    expect(observer.finish().summary).toMatchObject({ podsRestarted: 1, maxRestartsPerPod: 2 });
  });

  it('counts a new sandbox in place, and no container restart', () => {
    const pod = withSandbox(replica('web-a', 'a', '10.244.0.2'), true);
    watch();
    withSandbox(pod, false);
    run(1);
    withSandbox(pod, true);
    run(1);
    setReady(world, pod, '10.244.0.2', false);
    run(1);
    expect(observer.finish().summary.maxRestartsPerPod).toBe(1);
  });

  it('counts the replacement of a pod that failed and stays, and none that was refused', () => {
    replica('web-a', 'a', '10.244.0.2');
    watch();
    fail('web-a', 'Terminated');
    run(1);
    createPod(world, 'web-b', 'a', { labels: { app: 'web' }, owner: OWNER });
    run(0.1);
    fail('web-b', 'NodeShutdown');
    run(1);
    replica('web-c', 'b', '10.244.1.2');
    run(1);
    remove('web-a');
    run(1);
    const { summary } = observer.finish();
    expect(summary).toMatchObject({ pods: 1, podsRestarted: 1, maxRestartsPerPod: 1 });
    expect(summary.podOutageSeconds.max).toBeGreaterThan(2);
  });

  it('leaves out pods that came during the run', () => {
    watch();
    replica('web-a', 'a', '10.244.0.2');
    run(1);
    remove('web-a');
    run(1);
    replica('web-b', 'a', '10.244.0.3');
    run(1);
    expect(observer.finish().summary).toMatchObject({ podsRestarted: 0, maxRestartsPerPod: 0 });
  });
});

describe('pods that are stuck', () => {
  it('tells a pod without an owner that failed: nobody makes it again', () => {
    attachPod(world, createPod(world, 'bare', 'a'), 'flannel', '10.244.0.2');
    watch();
    fail('bare', 'Terminated');
    run(1);
    const { summary, failures } = observer.finish();
    expect(summary.podsStuck).toBe(1);
    expect(failures).toContainEqual(
      expect.objectContaining({ symptom: 'pod-not-replaced', message: 'ended: Terminated' }),
    );
  });

  it('counts one without a sandbox after a minute, with the kubelet’s own words and causes', () => {
    watch();
    const pod = createPod(world, 'web-a', 'a');
    run(30);
    const cause = world.kernel.occur('kubelet.sandbox-failed', {
      node: 'a',
      subject: { kind: 'Pod', namespace: 'default', name: pod.metadata.name },
      message: 'loadFlannelSubnetEnv failed',
    });
    expect(observer.finish().summary.podsStuck).toBe(0);
    run(60);
    const { summary, failures } = observer.finish();
    expect(summary.podsStuck).toBe(1);
    expect(failures).toContainEqual(
      expect.objectContaining({
        symptom: 'pod-container-creating',
        message: 'loadFlannelSubnetEnv failed',
        because: [cause],
      }),
    );
  });

  it('gives an unready pod with a sandbox five minutes', () => {
    const pod = replica('web-a', 'a', '10.244.0.2');
    watch();
    setReady(world, pod, '10.244.0.2', false);
    run(299);
    expect(observer.finish().summary.podsStuck).toBe(0);
    run(2);
    expect(observer.finish().summary.podsStuck).toBe(1);
  });

  it('does not count what was no better before', () => {
    createPod(world, 'web-a', 'a');
    watch();
    run(1_000);
    expect(observer.finish().summary.podsStuck).toBe(0);
  });
});

describe('invariants', () => {
  it('hold on a cluster at rest', () => {
    replica('web-a', 'a', '10.244.0.2');
    watch();
    run(10);
    expect(violated()).toEqual([]);
  });

  it('see two sandboxes with one address', () => {
    replica('web-a', 'a', '10.244.0.2');
    watch();
    replica('web-b', 'a', '10.244.0.2');
    expect(violated()).toEqual(['no address is held by two sandboxes']);
  });

  it('let an address be used again once its holder is gone', () => {
    replica('web-a', 'a', '10.244.0.2');
    watch();
    remove('web-a');
    replica('web-b', 'a', '10.244.0.2');
    expect(violated()).toEqual([]);
  });

  it('see a node’s address change, and call it lasting', () => {
    watch();
    world.store.update('Node', undefined, 'b', (node) => ({
      ...node,
      status: { ...node.status, addresses: [{ type: 'InternalIP', address: '10.245.1.1' }] },
    }));
    run(1);
    expect(violated()).toEqual(['node addresses stay']);
    expect(observer.finish().lasting).toEqual(['node addresses stay']);
  });

  it('see flannel’s DaemonSet go while a pod of it lives, and not after', () => {
    const pod = replica('web-a', 'a', '10.244.0.2');
    watch();
    removeFlannel();
    expect(violated()).toEqual(['the old network stays while a sandbox of it lives']);
    networkOf(nodeNamed(world, 'a')).detach(pod.metadata.uid ?? '');
    watch();
    removeFlannel();
    expect(violated()).toEqual([]);
  });

  it('see a cordon that was left', () => {
    watch();
    world.store.update('Node', undefined, 'a', (node) => ({
      ...node,
      spec: { ...node.spec, unschedulable: true },
    }));
    run(1);
    expect(violated()).toEqual(['nodes that were schedulable are so in the end']);
  });
});

it('counts attachments that failed or were never answered', () => {
  watch();
  for (const [name, status] of [
    ['failed', { attached: false, attachError: { message: 'DeadlineExceeded' } }],
    ['fresh', { attached: false }],
    ['fine', { attached: true }],
  ] as const) {
    world.store.create({
      apiVersion: 'storage.k8s.io/v1',
      kind: 'VolumeAttachment',
      metadata: { name },
      spec: {
        attacher: 'driver.longhorn.io',
        nodeName: 'a',
        source: { persistentVolumeName: name },
      },
      status,
    } as Parameters<typeof world.store.create>[0]);
  }
  run(60);
  expect(observer.finish().summary.volumesStuck).toBe(1);
  run(120);
  expect(observer.finish().summary.volumesStuck).toBe(2);
});
