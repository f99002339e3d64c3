/** Pods on a node with a real containerd: how they start, wait and fail. */
import { describe, expect, it } from 'vitest';
import type { Container } from '../../model/kubernetes.ts';
import {
  CILIUM_CONF,
  CONF_DIR,
  type KubeletWorld,
  plainProgram,
  podOn,
  REACHED,
} from '../../../test/support/kubelet-world.ts';
import { container, pod, reasons, world } from '../../../test/support/one-node.ts';
import type { ProcessHost } from '../world.ts';
import { isPodReady } from './pod-status.ts';

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
    // Five seconds after the start it may look, and does at the next beat: ten after the pod came.
    twin.run(7.9);
    expect(isPodReady(pod(twin, 'probed'))).toBe(false);
    twin.run(0.2);
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
    for (const host of hosts) host.setLive(false);
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
