/**
 * Goal: a machine that announces its shutdown leaves its pods as a kubelet with a grace leaves them:
 * ended in two groups, failed for good with the reason, new ones refused, static ones back after boot.
 */
import { describe, expect, it } from 'vitest';
import type { PodObject, PodSpec } from '../../model/kubernetes.ts';
import {
  CONF_DIR,
  FLANNEL_CONF,
  type KubeletWorld,
  kubeletWorld,
  podOn,
  type WorldOptions,
} from '../../../test/support/kubelet-world.ts';
import { eventRecorderOf } from './event-recorder.ts';
import { MIRROR_ANNOTATION } from './kubelet-context.ts';
import { readyCondition } from './node-condition.ts';
import { isPodReady } from './pod-status.ts';

const ENDED = 'Pod was terminated in response to imminent node shutdown.';
const REFUSED = 'Pod was rejected as the node is shutting down.';
const CRITICAL: Partial<PodSpec> = { priorityClassName: 'system-node-critical' };

interface Stopped {
  readonly name: string;
  readonly at: number;
}

interface Shutdown {
  readonly twin: KubeletWorld;
  /** Processes that were told to end, with the seconds since the shutdown began. */
  readonly stopped: Stopped[];
  /** Seconds until the kubelet was through; undefined while it is not. */
  readonly took: () => number | undefined;
  begin(): void;
}

function setUp(options: Partial<WorldOptions> = {}): Shutdown {
  const stopped: Stopped[] = [];
  const state: { since: number; took?: number } = { since: 0 };
  const twin = kubeletWorld({
    nodes: [{ name: 'n', files: { [`${CONF_DIR}/10-flannel.conflist`]: FLANNEL_CONF } }],
    programFor: (pod) => (host) => {
      host.setReady(true);
      const { kernel } = host.world;
      return {
        stop: () =>
          stopped.push({
            name: pod.metadata.name,
            at: Math.round((kernel.now() - state.since) / 100) / 10,
          }),
      };
    },
    ...options,
  });
  twin.run(1);
  return {
    twin,
    stopped,
    took: () => state.took,
    begin: () => {
      state.since = twin.kernel.now();
      twin.node('n').kubelet.shutDown?.(() => {
        state.took = (twin.kernel.now() - state.since) / 1000;
      });
    },
  };
}

function pod(twin: KubeletWorld, name: string): PodObject {
  const found = twin.store.get('Pod', 'default', name);
  if (found === undefined) throw new Error(`no pod ${name}`);
  return found;
}

function staticPod(twin: KubeletWorld, name: string): void {
  twin.store.create<PodObject>({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'default', annotations: { [MIRROR_ANNOTATION]: 'x' } },
    spec: {
      nodeName: 'n',
      hostNetwork: true,
      containers: [{ name: 'c', image: 'pause' }],
      ...CRITICAL,
    },
    status: { phase: 'Pending' },
  });
}

describe('graceful node shutdown', () => {
  it('ends ordinary pods first, then critical ones, and does not wait longer than they take', () => {
    const { twin, stopped, took, begin } = setUp();
    podOn(twin, 'agent', 'n', { hostNetwork: true, ...CRITICAL });
    podOn(twin, 'web', 'n');
    podOn(twin, 'numbered', 'n', { priority: 2_000_001_000 });
    twin.run(5);
    begin();
    twin.run(30);
    const [web] = stopped;
    expect(web).toEqual({ name: 'web', at: 0 });
    expect(stopped.slice(1).map(({ name }) => name)).toEqual(['agent', 'numbered']);
    expect(stopped[1]?.at).toBeGreaterThan(0.9);
    expect(took()).toBeLessThan(5);
  });

  it('leaves pods failed, with the words of the shutdown and nothing of them running', () => {
    const { twin, begin } = setUp();
    podOn(twin, 'web', 'n');
    twin.run(5);
    const uid = pod(twin, 'web').metadata.uid ?? '';
    begin();
    twin.run(10);
    const { status } = pod(twin, 'web');
    expect(status).toMatchObject({ phase: 'Failed', reason: 'Terminated', message: ENDED });
    expect(status.conditions).toContainEqual(
      expect.objectContaining({ type: 'DisruptionTarget', reason: 'TerminationByKubelet' }),
    );
    expect(isPodReady(pod(twin, 'web'))).toBe(false);
    expect(twin.node('n').runtime.sandboxOf(uid)).toBeUndefined();
  });

  it('gives ordinary pods 20 s and critical ones 10 s, whatever their own grace is', () => {
    const { twin, stopped, took, begin } = setUp({ constants: { containerStopMs: 600_000 } });
    podOn(twin, 'web', 'n', { terminationGracePeriodSeconds: 600 });
    podOn(twin, 'agent', 'n', {
      hostNetwork: true,
      terminationGracePeriodSeconds: 600,
      ...CRITICAL,
    });
    twin.run(5);
    begin();
    twin.run(40);
    expect(stopped).toEqual([
      { name: 'web', at: 0 },
      { name: 'agent', at: 20 },
    ]);
    expect(took()).toBe(30);
  });

  it('reports the node as not ready at once', () => {
    const { twin, begin } = setUp();
    begin();
    twin.run(0.01);
    const node = twin.store.get('Node', undefined, 'n');
    expect(node && readyCondition(node)).toMatchObject({
      status: 'False',
      reason: 'KubeletNotReady',
      message: 'node is shutting down',
    });
    const events = eventRecorderOf(twin).of({ kind: 'Node', name: 'n' });
    expect(events.map(({ reason }) => reason)).toContain('Shutdown');
  });

  it('refuses pods that come meanwhile, and starts those that come after the kubelet has stopped', () => {
    const { twin, took, begin } = setUp();
    podOn(twin, 'web', 'n');
    twin.run(5);
    begin();
    podOn(twin, 'early', 'n');
    twin.run(10);
    expect(took()).toBeDefined();
    podOn(twin, 'late', 'n');
    twin.run(5);
    expect(pod(twin, 'early').status).toMatchObject({
      phase: 'Failed',
      reason: 'NodeShutdown',
      message: REFUSED,
    });
    expect(pod(twin, 'late').status.phase).toBe('Pending');
    twin.powerOff('n');
    twin.node('n').files.write('/run/flannel/subnet.env', SUBNET);
    twin.powerOn('n');
    twin.run(20);
    expect(isPodReady(pod(twin, 'late'))).toBe(true);
    expect(pod(twin, 'early').status.phase).toBe('Failed');
    expect(pod(twin, 'web').status.phase).toBe('Failed');
  });

  it('brings static pods back after the boot: same pod, one restart', () => {
    const { twin, begin } = setUp();
    staticPod(twin, 'kube-scheduler-n');
    twin.run(5);
    const { uid } = pod(twin, 'kube-scheduler-n').metadata;
    begin();
    twin.run(10);
    expect(pod(twin, 'kube-scheduler-n').status.phase).toBe('Failed');
    twin.powerOff('n');
    twin.run(60);
    twin.powerOn('n');
    twin.run(15);
    const after = pod(twin, 'kube-scheduler-n');
    expect(after.metadata.uid).toBe(uid);
    expect(after.status).toMatchObject({ phase: 'Running' });
    expect(after.status.reason).toBeUndefined();
    expect(after.status.containerStatuses?.[0]?.restartCount).toBe(1);
  });

  it('that nobody could be told of restarts its pods in place: their objects never failed', () => {
    const { twin, begin } = setUp({
      nodes: [
        { name: 'cp', role: 'control-plane' },
        { name: 'n', files: { [`${CONF_DIR}/10-flannel.conflist`]: FLANNEL_CONF } },
      ],
    });
    podOn(twin, 'agent', 'n', { hostNetwork: true });
    twin.run(5);
    twin.powerOff('cp');
    begin();
    twin.run(10);
    twin.powerOff('n');
    twin.run(60);
    twin.powerOn('cp');
    twin.powerOn('n');
    twin.run(30);
    expect(pod(twin, 'agent').status.phase).toBe('Running');
    expect(pod(twin, 'agent').status.containerStatuses?.[0]?.restartCount).toBe(1);
  });

  it('lets a failed pod be deleted at once, since nothing is waited for', () => {
    const { twin, begin } = setUp();
    podOn(twin, 'web', 'n');
    twin.run(5);
    begin();
    twin.run(10);
    twin.powerOff('n');
    twin.store.delete('Pod', 'default', 'web');
    expect(twin.store.get('Pod', 'default', 'web')).toBeUndefined();
  });
});

const SUBNET =
  'FLANNEL_NETWORK=10.244.0.0/16\nFLANNEL_SUBNET=10.244.9.1/24\nFLANNEL_MTU=1450\nFLANNEL_IPMASQ=true\n';
