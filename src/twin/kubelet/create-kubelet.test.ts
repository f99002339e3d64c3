/** Pods on a node with a real containerd: how they end, and outlive their kubelet and a reboot. */
import { describe, expect, it } from 'vitest';
import type { Container, PodObject } from '../../model/kubernetes.ts';
import { type KubeletWorld, podOn } from '../../../test/support/kubelet-world.ts';
import { container, pod, reasons, world } from '../../../test/support/one-node.ts';
import type { ProcessHost } from '../world.ts';
import { eventRecorderOf } from './event-recorder.ts';
import { MIRROR_ANNOTATION } from './kubelet-context.ts';
import { isPodReady } from './pod-status.ts';

const C: Container = { name: 'c', image: 'pause' };

describe('deletion', () => {
  it('stops containers, frees the address and removes the object', () => {
    const stops: string[] = [];
    const twin = world({
      programFor: () => () => ({ stop: (reason) => stops.push(reason) }),
    });
    podOn(twin, 'p', 'n');
    twin.run(5);
    const uid = pod(twin, 'p').metadata.uid ?? '';
    twin.store.delete('Pod', 'default', 'p');
    twin.run(5);
    expect(stops).toEqual(['terminated']);
    expect(twin.store.get('Pod', 'default', 'p')).toBeUndefined();
    expect(twin.node('n').runtime.sandboxOf(uid)).toBeUndefined();
    expect(twin.node('n').kubelet.process(uid, 'c')).toBeUndefined();
  });

  it('by force takes the object first and the sandbox after it', () => {
    const twin = world();
    podOn(twin, 'p', 'n');
    twin.run(5);
    const uid = pod(twin, 'p').metadata.uid ?? '';
    twin.store.delete('Pod', 'default', 'p', 0);
    expect(twin.node('n').runtime.sandboxOf(uid)).toBeDefined();
    twin.run(5);
    expect(twin.node('n').runtime.sandboxOf(uid)).toBeUndefined();
  });

  it('while the sandbox is being made ends it as soon as it is there', () => {
    const twin = world();
    podOn(twin, 'p', 'n');
    twin.run(0.1);
    const uid = pod(twin, 'p').metadata.uid ?? '';
    twin.store.delete('Pod', 'default', 'p');
    twin.run(5);
    expect(twin.store.get('Pod', 'default', 'p')).toBeUndefined();
    expect(twin.node('n').runtime.sandboxOf(uid)).toBeUndefined();
  });

  it('of a mirror pod brings it back, and its process never notices', () => {
    const twin = world();
    twin.store.create<PodObject>({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'static', namespace: 'default', annotations: { [MIRROR_ANNOTATION]: 'x' } },
      spec: { nodeName: 'n', hostNetwork: true, containers: [C] },
      status: { phase: 'Pending' },
    });
    twin.run(5);
    const { uid = '' } = pod(twin, 'static').metadata;
    const before = twin.node('n').kubelet.process(uid, 'c');
    twin.store.delete('Pod', 'default', 'static');
    twin.run(5);
    expect(pod(twin, 'static').metadata.deletionTimestamp).toBeUndefined();
    expect(twin.node('n').kubelet.process(uid, 'c')).toBe(before);
    expect(container(twin, 'static')?.restartCount).toBe(0);
  });
});

describe('restart of the kubelet', () => {
  it('keeps containers, and starts what came meanwhile', () => {
    const twin = world();
    podOn(twin, 'old', 'n');
    twin.run(5);
    const uid = pod(twin, 'old').metadata.uid ?? '';
    const process = twin.node('n').kubelet.process(uid, 'c');
    twin.node('n').kubelet.restart();
    podOn(twin, 'new', 'n');
    twin.store.delete('Pod', 'default', 'old');
    twin.run(1);
    expect(twin.node('n').kubelet.running).toBe(false);
    expect(twin.node('n').kubelet.process(uid, 'c')).toBe(process);
    twin.run(10);
    expect(isPodReady(pod(twin, 'new'))).toBe(true);
    expect(twin.store.get('Pod', 'default', 'old')).toBeUndefined();
  });

  it.each([0.1, 0.5, 0.8, 1.2])('finishes a start it interrupted after %s s', (after) => {
    const twin = world();
    podOn(twin, 'p', 'n', {
      initContainers: [{ name: 'i', image: 'pause' }],
      containers: [C, { name: 'd', image: 'pause' }],
    });
    twin.run(after);
    twin.node('n').kubelet.restart();
    twin.run(20);
    expect(isPodReady(pod(twin, 'p'))).toBe(true);
    expect(
      pod(twin, 'p').status.containerStatuses?.map(({ restartCount }) => restartCount),
    ).toEqual([0, 0]);
  });
});

describe('reboot', () => {
  it('keeps the pod and gives it a new sandbox, one restart and the address of the conf that is first now', () => {
    const twin = world();
    podOn(twin, 'p', 'n');
    twin.run(5);
    const before = pod(twin, 'p');
    const sandbox = twin.node('n').runtime.sandboxOf(before.metadata.uid ?? '')?.id;
    twin.powerOff('n');
    twin.run(60);
    expect(pod(twin, 'p').status.phase).toBe('Running');
    twin
      .node('n')
      .files.write(
        '/run/flannel/subnet.env',
        'FLANNEL_NETWORK=10.244.0.0/16\nFLANNEL_SUBNET=10.244.9.1/24\nFLANNEL_MTU=1450\nFLANNEL_IPMASQ=true\n',
      );
    twin.powerOn('n');
    twin.run(30);
    const after = pod(twin, 'p');
    expect(after.metadata.uid).toBe(before.metadata.uid);
    expect(isPodReady(after)).toBe(true);
    expect(after.status.podIP).not.toBe(before.status.podIP);
    expect(container(twin, 'p')?.restartCount).toBe(1);
    expect(twin.node('n').runtime.sandboxOf(before.metadata.uid ?? '')?.id).not.toBe(sandbox);
    expect(reasons(twin, 'p')).toContain('SandboxChanged');
    const node = eventRecorderOf(twin).of({ kind: 'Node', name: 'n' });
    expect(node.map(({ message }) => message)).toContain(
      'Node n has been rebooted, boot id: boot-n+',
    );
  });

  it('leaves pods in ContainerCreating when the state of flannel is gone with /run', () => {
    const twin = world();
    podOn(twin, 'p', 'n');
    twin.run(5);
    twin.powerOff('n');
    twin.powerOn('n');
    twin.run(60);
    expect(container(twin, 'p')?.state?.waiting?.reason).toBe('ContainerCreating');
    expect(pod(twin, 'p').status.podIP).toBeUndefined();
    const failure = twin.kernel.occurrences.find(({ kind }) => kind === 'kubelet.sandbox-failed');
    expect(failure?.message).toContain('loadFlannelSubnetEnv failed: open /run/flannel/subnet.env');
  });

  it('fails a pod that runs once only, and gives back its address', () => {
    const twin = world();
    podOn(twin, 'p', 'n', { restartPolicy: 'Never' });
    twin.run(5);
    const { uid = '' } = pod(twin, 'p').metadata;
    twin.powerOff('n');
    twin.powerOn('n');
    twin.run(20);
    expect(pod(twin, 'p').status.phase).toBe('Failed');
    expect(container(twin, 'p')).toMatchObject({ restartCount: 0 });
    expect(twin.node('n').runtime.sandboxOf(uid)).toBeUndefined();
    expect(twin.node('n').files.list('/var/lib/cni/networks/cbr0')).not.toContain('10.244.1.2');
    twin.store.delete('Pod', 'default', 'p');
    twin.run(5);
    expect(twin.store.get('Pod', 'default', 'p')).toBeUndefined();
  });

  it('carries out a deletion that was asked for while the machine was off', () => {
    const twin = world();
    podOn(twin, 'p', 'n');
    twin.run(5);
    twin.powerOff('n');
    twin.store.delete('Pod', 'default', 'p');
    twin.run(120);
    expect(pod(twin, 'p').metadata.deletionTimestamp).toBeDefined();
    twin.powerOn('n');
    twin.run(20);
    expect(twin.store.get('Pod', 'default', 'p')).toBeUndefined();
  });
});

describe('a sandbox stopped by hand', () => {
  it('is made anew in place: same pod, one restart', () => {
    const twin = world();
    podOn(twin, 'p', 'n');
    twin.run(5);
    const { uid = '' } = pod(twin, 'p').metadata;
    twin.node('n').kubelet.restartSandbox(uid);
    twin.run(10);
    expect(pod(twin, 'p').metadata.uid).toBe(uid);
    expect(container(twin, 'p')?.restartCount).toBe(1);
    expect(isPodReady(pod(twin, 'p'))).toBe(true);
  });

  it('shows the pod unready within a second, at the next look at the runtime', () => {
    const after = Array.from({ length: 20 }, (_, seed) => {
      const twin = world({ seed });
      podOn(twin, 'p', 'n');
      twin.run(5 + seed / 20);
      const stoppedAt = twin.kernel.now();
      twin.node('n').kubelet.restartSandbox(pod(twin, 'p').metadata.uid ?? '');
      while (isPodReady(pod(twin, 'p'))) twin.run(0.01);
      return twin.kernel.now() - stoppedAt;
    });
    expect(Math.max(...after)).toBeLessThanOrEqual(1_020);
    expect(Math.min(...after)).toBeLessThan(100);
    expect(Math.max(...after)).toBeGreaterThan(800);
  });

  it('is made anew although the kubelet was just then restarting', () => {
    const twin = world();
    podOn(twin, 'p', 'n');
    twin.run(5);
    twin.node('n').kubelet.restartSandbox(pod(twin, 'p').metadata.uid ?? '');
    twin.node('n').kubelet.restart();
    twin.run(15);
    expect(container(twin, 'p')?.restartCount).toBe(1);
    expect(isPodReady(pod(twin, 'p'))).toBe(true);
  });

  it('of a pod that is deleted meanwhile is not made anew', () => {
    const twin = world();
    podOn(twin, 'p', 'n');
    twin.run(5);
    const { uid = '' } = pod(twin, 'p').metadata;
    twin.node('n').kubelet.restartSandbox(uid);
    twin.store.delete('Pod', 'default', 'p');
    twin.run(10);
    expect(twin.store.get('Pod', 'default', 'p')).toBeUndefined();
    expect(twin.node('n').runtime.sandboxOf(uid)).toBeUndefined();
  });
});

function claimed(twin: KubeletWorld): void {
  twin.store.create({
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name: 'data', namespace: 'default' },
    spec: { volumeName: 'pv' },
  });
  twin.store.create({
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name: 'pv' },
    spec: { csi: { driver: 'driver.longhorn.io', volumeHandle: 'pv' } },
  });
  podOn(twin, 'p', 'n', {
    volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'data' } }],
  });
}

describe('volumes', () => {
  it('hold a pod back until they are attached', () => {
    const twin = world();
    claimed(twin);
    twin.run(150);
    expect(container(twin, 'p')?.state?.waiting?.reason).toBe('ContainerCreating');
    expect(reasons(twin, 'p')).toEqual(['FailedMount']);
    twin.store.create({
      apiVersion: 'storage.k8s.io/v1',
      kind: 'VolumeAttachment',
      metadata: { name: 'va' },
      spec: {
        attacher: 'driver.longhorn.io',
        nodeName: 'n',
        source: { persistentVolumeName: 'pv' },
      },
      status: { attached: false },
    });
    twin.run(20);
    expect(pod(twin, 'p').status.phase).toBe('Pending');
    twin.store.update('VolumeAttachment', undefined, 'va', (old) => ({
      ...old,
      status: { attached: true },
    }));
    twin.run(15);
    expect(isPodReady(pod(twin, 'p'))).toBe(true);
  });
});

describe('adopted pods', () => {
  it('cost no timers, keep their status, and can be ended like any other', () => {
    const hosts: ProcessHost[] = [];
    const twin = world({
      programFor: () => (host) => {
        hosts.push(host);
        return { stop: () => undefined };
      },
    });
    const made = twin.store.create<PodObject>({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'p', namespace: 'default' },
      spec: {
        nodeName: 'n',
        hostNetwork: true,
        containers: [{ ...C, readinessProbe: { httpGet: { port: 1 } } }],
      },
      status: {
        phase: 'Running',
        podIP: '10.99.0.1',
        conditions: [{ type: 'Ready', status: 'True' }],
        containerStatuses: [{ name: 'c', ready: true, restartCount: 3, state: { running: {} } }],
      },
    });
    twin.node('n').kubelet.adopt(made, { id: 'a'.repeat(64), ip: undefined });
    twin.run(60);
    expect(hosts.map(({ adopted }) => adopted)).toEqual([true]);
    expect(pod(twin, 'p')).toBe(made);
    expect(twin.kernel.step()).toBe(false);
    twin.store.delete('Pod', 'default', 'p');
    twin.run(5);
    expect(twin.store.get('Pod', 'default', 'p')).toBeUndefined();
  });
});
