/** Pods on a node with a real containerd: how they start, wait, fail, end, and outlive a reboot. */
import { describe, expect, it } from 'vitest';
import type { Container, PodObject } from '../../model/kubernetes.ts';
import {
  CILIUM_CONF,
  CONF_DIR,
  FLANNEL_CONF,
  type KubeletWorld,
  kubeletWorld,
  plainProgram,
  podOn,
  REACHED,
  type WorldOptions,
} from '../../../test/support/kubelet-world.ts';
import type { ProcessHost } from '../world.ts';
import { eventRecorderOf } from './event-recorder.ts';
import { MIRROR_ANNOTATION } from './kubelet-context.ts';
import { isPodReady } from './pod-status.ts';

const FLANNEL = `${CONF_DIR}/10-flannel.conflist`;

function world(options: Partial<WorldOptions> = {}): KubeletWorld {
  const made = kubeletWorld({
    nodes: [{ name: 'n', files: { [FLANNEL]: FLANNEL_CONF } }],
    ...options,
  });
  made.store.create({
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { name: 'default', namespace: 'default' },
  });
  made.run(1);
  return made;
}

function pod(from: KubeletWorld, name: string): PodObject {
  const found = from.store.get('Pod', 'default', name);
  if (found === undefined) throw new Error(`no pod ${name}`);
  return found;
}

function container(from: KubeletWorld, name: string, index = 0) {
  return pod(from, name).status.containerStatuses?.[index];
}

function reasons(from: KubeletWorld, name: string): string[] {
  return eventRecorderOf(from)
    .of({ kind: 'Pod', namespace: 'default', name })
    .map(({ reason }) => reason);
}

function kinds(from: KubeletWorld): string[] {
  return from.kernel.occurrences.map(({ kind }) => kind);
}

const C: Container = { name: 'c', image: 'pause' };

describe('start', () => {
  it('runs init containers one after the other, and says PodInitializing meanwhile', () => {
    const started: string[] = [];
    const twin = world({
      programFor: () => (host) => {
        started.push(host.container.name);
        return plainProgram(host);
      },
    });
    podOn(twin, 'p', 'n', {
      initContainers: [
        { name: 'a', image: 'pause' },
        { name: 'b', image: 'pause' },
      ],
      containers: [C],
    });
    twin.run(1);
    expect(container(twin, 'p')?.state?.waiting?.reason).toBe('PodInitializing');
    expect(
      pod(twin, 'p').status.conditions?.find(({ type }) => type === 'Initialized')?.status,
    ).toBe('False');
    twin.run(5);
    expect(started).toEqual(['a', 'b', 'c']);
    expect(isPodReady(pod(twin, 'p'))).toBe(true);
    expect(
      pod(twin, 'p').status.initContainerStatuses?.map(({ state }) => state?.terminated?.exitCode),
    ).toEqual([0, 0]);
  });

  it('waits for a sidecar to be started up before the main container', () => {
    const hosts = new Map<string, ProcessHost>();
    const twin = world({
      programFor: () => (host) => {
        hosts.set(host.container.name, host);
        return { stop: () => undefined };
      },
    });
    podOn(twin, 'p', 'n', {
      initContainers: [
        {
          name: 'side',
          image: 'pause',
          restartPolicy: 'Always',
          startupProbe: { exec: {}, periodSeconds: 1, failureThreshold: 60 },
        },
      ],
    });
    twin.run(10);
    expect([...hosts.keys()]).toEqual(['side']);
    hosts.get('side')?.setReady(true);
    twin.run(3);
    expect([...hosts.keys()]).toEqual(['side', 'c']);
    expect(pod(twin, 'p').status.phase).toBe('Running');
  });

  it('pulls an image once per node', () => {
    const twin = world();
    podOn(twin, 'a', 'n', { containers: [{ name: 'c', image: 'big' }] });
    twin.run(5);
    expect(container(twin, 'a')?.state?.waiting?.reason).toBe('ContainerCreating');
    twin.run(10);
    expect(pod(twin, 'a').status.phase).toBe('Running');
    podOn(twin, 'b', 'n', { containers: [{ name: 'c', image: 'big' }] });
    twin.run(2);
    expect(pod(twin, 'b').status.phase).toBe('Running');
    expect(reasons(twin, 'a')).toContain('Pulling');
    expect(reasons(twin, 'b')).not.toContain('Pulling');
  });

  it('counts as ready at once without a probe, with one when the probe has looked', () => {
    const twin = world();
    podOn(twin, 'plain', 'n');
    podOn(twin, 'probed', 'n', {
      containers: [
        { ...C, readinessProbe: { exec: {}, initialDelaySeconds: 5, periodSeconds: 10 } },
      ],
    });
    twin.run(2);
    expect([isPodReady(pod(twin, 'plain')), isPodReady(pod(twin, 'probed'))]).toEqual([
      true,
      false,
    ]);
    twin.run(5);
    expect(isPodReady(pod(twin, 'probed'))).toBe(true);
  });

  it('writes the status once per transition', () => {
    const twin = world();
    let writes = 0;
    twin.store.watch('Pod', ({ type }) => {
      if (type === 'modified') writes += 1;
    });
    podOn(twin, 'p', 'n', { containers: [C, { name: 'd', image: 'pause' }] });
    twin.run(60);
    expect(isPodReady(pod(twin, 'p'))).toBe(true);
    expect(writes).toBe(2);
  });

  it('leaves nothing scheduled at rest', () => {
    const twin = world();
    podOn(twin, 'p', 'n', {
      containers: [{ ...C, livenessProbe: { exec: {} }, readinessProbe: { exec: {} } }],
    });
    twin.run(60);
    expect(twin.kernel.step()).toBe(false);
  });
});

describe('a sandbox that cannot be made', () => {
  it('is one occurrence for all retries, with what the runtime says it is because of', () => {
    const twin = world();
    twin.node('n').files.write(`${CONF_DIR}/05-cilium.conflist`, CILIUM_CONF);
    podOn(twin, 'p', 'n');
    twin.run(200);
    const failures = twin.kernel.occurrences.filter(
      ({ kind }) => kind === 'kubelet.sandbox-failed',
    );
    expect(failures).toHaveLength(1);
    expect(failures[0]?.message).toContain(
      'failed to find plugin "cilium-cni" in path [/opt/cni/bin]',
    );
    expect(failures[0]?.because.length).toBeGreaterThan(0);
    expect(
      reasons(twin, 'p').filter((reason) => reason === 'FailedCreatePodSandBox').length,
    ).toBeGreaterThanOrEqual(10);
  });

  it('can be deleted at once, since nothing of it runs', () => {
    const twin = world();
    twin.node('n').files.write(`${CONF_DIR}/05-cilium.conflist`, CILIUM_CONF);
    podOn(twin, 'p', 'n');
    twin.run(5);
    twin.store.delete('Pod', 'default', 'p');
    twin.run(2);
    expect(twin.store.get('Pod', 'default', 'p')).toBeUndefined();
  });
});

describe('containers that end', () => {
  it('come back at once the first time, then after 10, 20, 40 s', () => {
    const starts: number[] = [];
    const twin = world({
      programFor: () => (host) => {
        starts.push(host.world.kernel.now());
        host.world.kernel.after(1_000, () => host.exit(1));
        return { stop: () => undefined };
      },
    });
    podOn(twin, 'p', 'n');
    twin.run(95);
    const gaps = starts.slice(1).map((at, index) => Math.round((at - (starts[index] ?? 0)) / 1000));
    expect(gaps).toEqual([2, 11, 21, 41]);
    expect(container(twin, 'p')).toMatchObject({ restartCount: 4, ready: false });
    expect(container(twin, 'p')?.state?.waiting?.reason).toBe('CrashLoopBackOff');
    expect(reasons(twin, 'p')).toContain('BackOff');
  });

  it('leave a Job pod Succeeded when they end well', () => {
    const twin = world({
      programFor: () => (host) => {
        host.world.kernel.after(1_000, () => host.exit(0));
        return { stop: () => undefined };
      },
    });
    podOn(twin, 'p', 'n', { restartPolicy: 'OnFailure' });
    twin.run(10);
    expect(pod(twin, 'p').status.phase).toBe('Succeeded');
    expect(twin.node('n').runtime.sandboxOf(pod(twin, 'p').metadata.uid ?? '')).toBeUndefined();
  });

  it('are restarted by a liveness probe, which a container without one does not have', () => {
    const hosts: ProcessHost[] = [];
    const twin = world({
      programFor: () => (host) => {
        hosts.push(host);
        return { stop: () => undefined };
      },
    });
    podOn(twin, 'with', 'n', {
      containers: [{ ...C, livenessProbe: { exec: {}, periodSeconds: 5 } }],
    });
    podOn(twin, 'without', 'n');
    twin.run(5);
    for (const host of [...hosts]) host.setLive(false);
    twin.run(30);
    expect(container(twin, 'with')?.restartCount).toBe(1);
    expect(container(twin, 'without')?.restartCount).toBe(0);
  });
});

describe('probes from the host', () => {
  const probed: Container = { ...C, readinessProbe: { httpGet: { port: 80 }, periodSeconds: 5 } };

  it('make a healthy pod unready when the host does not reach it, and ready again', () => {
    const twin = world();
    podOn(twin, 'p', 'n', { containers: [probed] });
    podOn(twin, 'exec', 'n', { containers: [{ ...C, readinessProbe: { exec: {} } }] });
    twin.run(10);
    expect(isPodReady(pod(twin, 'p'))).toBe(true);
    const message = 'dial tcp: i/o timeout';
    twin.paths.verdict = () => ({ ok: false, sourceSeen: null, message, because: [] });
    twin.paths.changed('n');
    twin.run(20);
    expect(isPodReady(pod(twin, 'p'))).toBe(false);
    expect(isPodReady(pod(twin, 'exec'))).toBe(true);
    expect(reasons(twin, 'p')).toContain('Unhealthy');
    expect(kinds(twin)).toContain('kubelet.pod-unready');
    twin.paths.verdict = () => REACHED;
    twin.paths.changed('n');
    twin.run(10);
    expect(isPodReady(pod(twin, 'p'))).toBe(true);
  });

  it('restart a healthy app by its liveness probe (failure-domains.md 2.2 "Probes")', () => {
    const twin = world();
    podOn(twin, 'p', 'n', { containers: [{ ...C, livenessProbe: { tcpSocket: { port: 80 } } }] });
    twin.run(10);
    twin.paths.verdict = () => ({
      ok: false,
      sourceSeen: null,
      message: 'i/o timeout',
      because: [],
    });
    twin.paths.changed('n');
    twin.run(40);
    expect(container(twin, 'p')?.restartCount).toBe(1);
    expect(kinds(twin)).toContain('kubelet.container-killed');
  });
});

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
});

describe('volumes', () => {
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
