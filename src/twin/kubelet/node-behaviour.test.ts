/**
 * What issue 3 asks of the kubelet, sentence by sentence: each test is named after one. Goal: the
 * behaviour as a whole, with a scheduler and the controllers around it; details are tested beside
 * the modules.
 */
import { describe, expect, it } from 'vitest';
import type { PodObject, Toleration } from '../../model/kubernetes.ts';
import {
  CILIUM_CONF,
  CONF_DIR,
  FLANNEL_CONF,
  type KubeletWorld,
  podOn,
  REACHED,
} from '../../../test/support/kubelet-world.ts';
import { container, pod, reasons, world } from '../../../test/support/one-node.ts';
import { cluster, daemonSetOf, deploymentOf, podsOfApp } from '../../../test/support/workloads.ts';
import { eventRecorderOf } from './event-recorder.ts';
import { MIRROR_ANNOTATION, staticPodSpec } from './kubelet-context.ts';
import { isPodReady } from './pod-status.ts';

const FLANNEL = `${CONF_DIR}/10-flannel.conflist`;
const CILIUM = `${CONF_DIR}/05-cilium.conflist`;

interface Attempt {
  readonly at: number;
  readonly message: string;
}

/** Every attempt at a sandbox as the API server would see its event, also those it combines. */
function attempts(twin: KubeletWorld, name: string, seconds: number): readonly Attempt[] {
  const seen: Attempt[] = [];
  let count = 0;
  for (let second = 0; second < seconds; second += 1) {
    twin.run(1);
    const events = eventRecorderOf(twin)
      .of({ kind: 'Pod', namespace: 'default', name })
      .filter(({ reason }) => reason === 'FailedCreatePodSandBox');
    const now = events.reduce((sum, event) => sum + event.count, 0);
    if (now > count) seen.push({ at: twin.kernel.now(), message: events.at(-1)?.message ?? '' });
    count = now;
  }
  return seen;
}

function nodeReady(twin: KubeletWorld, name: string) {
  const node = twin.store.get('Node', undefined, name);
  return node?.status.conditions?.find(({ type }) => type === 'Ready');
}

function tolerates(tolerationSeconds: number): readonly Toleration[] {
  const key = 'node.kubernetes.io/not-ready';
  return [{ key, operator: 'Exists', effect: 'NoExecute', tolerationSeconds }];
}

function mirror(name: string, node: string, tolerations: readonly Toleration[] = []): PodObject {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'default', annotations: { [MIRROR_ANNOTATION]: 'x' } },
    spec: {
      nodeName: node,
      hostNetwork: true,
      tolerations,
      containers: [{ name: 'c', image: 'pause' }],
    },
    status: { phase: 'Pending' },
  };
}

describe('sandbox creation with its back-off', () => {
  it('is tried again after 10 s × 1…1.5, and the wait does not grow', () => {
    const twin = world({ nodes: [{ name: 'n', files: { [CILIUM]: CILIUM_CONF } }] });
    podOn(twin, 'p', 'n');
    const tried = attempts(twin, 'p', 400).map(({ at }) => at);
    const waits = tried.slice(1).map((at, index) => (at - (tried[index] ?? 0)) / 1000);
    expect(waits.length).toBeGreaterThan(20);
    expect(Math.min(...waits)).toBeGreaterThanOrEqual(10);
    expect(Math.max(...waits)).toBeLessThanOrEqual(18);
  });
});

describe('events with their real reason, text, aggregation and rate limits', () => {
  it('name the sandbox in each text, and are combined from the tenth on', () => {
    const twin = world({ nodes: [{ name: 'n', files: { [CILIUM]: CILIUM_CONF } }] });
    podOn(twin, 'p', 'n');
    const texts = attempts(twin, 'p', 200).map(({ message }) => message);
    expect(texts[0]).toMatch(
      /^Failed to create pod sandbox: rpc error: code = Unknown desc = failed to setup network for sandbox "[0-9a-f]{64}": plugin type="cilium-cni" failed \(add\): failed to find plugin "cilium-cni" in path \[\/opt\/cni\/bin\]$/,
    );
    expect(new Set(texts.slice(0, 9)).size).toBe(9);
    expect(texts[9]).toMatch(/^\(combined from similar events\): Failed to create pod sandbox: /);
  });

  it('stop at 25 for one pod, and go on once in five minutes', () => {
    const twin = world({ nodes: [{ name: 'n', files: { [CILIUM]: CILIUM_CONF } }] });
    podOn(twin, 'p', 'n');
    expect(attempts(twin, 'p', 1_000).length).toBeLessThanOrEqual(25 + 4);
  });
});

describe('ContainerCreating versus CreateContainerError', () => {
  it('is the first as long as the sandbox is missing, whatever the CNI says', () => {
    const twin = world({ nodes: [{ name: 'n', files: { [CILIUM]: CILIUM_CONF } }] });
    podOn(twin, 'p', 'n');
    twin.run(60);
    expect(pod(twin, 'p').status.phase).toBe('Pending');
    expect(container(twin, 'p')?.state?.waiting).toEqual({ reason: 'ContainerCreating' });
  });

  it('is an error of the container only where the sandbox is there and has its address', () => {
    const twin = world();
    const env = [
      { name: 'A', valueFrom: { configMapKeyRef: { name: 'gone', key: 'a' } } },
    ] as const;
    twin.store.create({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'gone', namespace: 'default' },
    });
    twin.store.delete('ConfigMap', 'default', 'gone');
    podOn(twin, 'p', 'n', { containers: [{ name: 'c', image: 'pause', env }] });
    twin.run(10);
    expect(container(twin, 'p')?.state?.waiting?.reason).toBe('CreateContainerConfigError');
    expect(pod(twin, 'p').status.podIP).toBeDefined();
  });
});

describe('NotReady with `cni plugin not initialized`', () => {
  const MESSAGE =
    'container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady message:Network plugin returns error: cni plugin not initialized';

  it('is what the Node says within a poll and a report of its last conf', () => {
    const twin = cluster(2);
    twin.run(5);
    twin.node('w0').files.remove(FLANNEL);
    twin.run(16);
    expect(nodeReady(twin, 'w0')).toMatchObject({
      status: 'False',
      reason: 'KubeletNotReady',
      message: MESSAGE,
    });
  });

  it('keeps the scheduler from the node, and gives it back once there is a conf', () => {
    const twin = cluster(2);
    twin.node('w0').files.remove(FLANNEL);
    twin.run(30);
    twin.store.create(deploymentOf('web', 3));
    twin.run(30);
    expect(new Set(podsOfApp(twin, 'web').map(({ spec }) => spec.nodeName))).toEqual(
      new Set(['w1']),
    );
    twin.node('w0').files.write(FLANNEL, FLANNEL_CONF);
    twin.run(30);
    twin.store.create(deploymentOf('late', 4));
    twin.run(30);
    expect(podsOfApp(twin, 'late').some(({ spec }) => spec.nodeName === 'w0')).toBe(true);
  });

  it('evicts ordinary pods after their tolerationSeconds, counted from the taint', () => {
    const twin = cluster(2);
    podOn(twin, 'usual', 'w0', { tolerations: tolerates(300) });
    podOn(twin, 'hasty', 'w0', { tolerations: tolerates(30) });
    twin.run(10);
    twin.node('w0').files.remove(FLANNEL);
    twin.run(60);
    const asked = (name: string): boolean =>
      twin.store.get('Pod', 'default', name)?.metadata.deletionTimestamp !== undefined ||
      twin.store.get('Pod', 'default', name) === undefined;
    expect([asked('usual'), asked('hasty')]).toEqual([false, true]);
    twin.run(260);
    expect(asked('usual')).toBe(true);
  });

  it('leaves the pods of DaemonSets where they are', () => {
    const twin = cluster(2);
    twin.store.create(daemonSetOf('agent'));
    twin.run(10);
    twin.node('w0').files.remove(FLANNEL);
    twin.run(3_600);
    const agents = podsOfApp(twin, 'agent').map(({ spec }) => spec.nodeName);
    expect(agents.toSorted()).toEqual(['w0', 'w1']);
    expect(podsOfApp(twin, 'agent').every(isPodReady)).toBe(true);
  });

  // As the CNIs' own DaemonSets do: of themselves they tolerate not-ready:NoExecute only.
  const tolerations: readonly Toleration[] = [{ operator: 'Exists' }];

  it('does not keep hostNetwork pods of a DaemonSet that tolerates it from running all the same', () => {
    const twin = cluster(2);
    twin.node('w0').files.remove(FLANNEL);
    twin.run(30);
    twin.store.create(daemonSetOf('agent', { pod: { hostNetwork: true, tolerations } }));
    twin.run(600);
    const agents = podsOfApp(twin, 'agent');
    expect(agents.map(({ spec }) => spec.nodeName).toSorted()).toEqual(['w0', 'w1']);
    expect(agents.every(isPodReady)).toBe(true);
  });

  it('holds back such a pod of the pod network, and places one without the toleration nowhere', () => {
    const twin = cluster(2);
    twin.node('w0').files.remove(FLANNEL);
    twin.run(30);
    twin.store.create(daemonSetOf('tolerant', { pod: { tolerations } }));
    twin.store.create(daemonSetOf('plain'));
    twin.run(30);
    const held = podsOfApp(twin, 'tolerant').find(({ spec }) => spec.nodeName === 'w0');
    expect(reasons(twin, held?.metadata.name ?? '')).toContain('NetworkNotReady');
    expect(held?.status.phase).toBe('Pending');
    expect(podsOfApp(twin, 'plain').map(({ spec }) => spec.nodeName)).toEqual(['w1']);
  });
});

describe('Terminating pods that cannot be torn down', () => {
  it('stay, Running to those who look, with FailedKillPod, and go at the next try after the repair', () => {
    const twin = world();
    podOn(twin, 'p', 'n');
    twin.run(5);
    twin.node('n').files.write(CILIUM, CILIUM_CONF);
    twin.run(1);
    twin.store.delete('Pod', 'default', 'p');
    twin.run(120);
    expect(pod(twin, 'p').metadata.deletionTimestamp).toBeDefined();
    expect(pod(twin, 'p').status.phase).toBe('Running');
    const [told] = eventRecorderOf(twin)
      .of({ kind: 'Pod', namespace: 'default', name: 'p' })
      .filter(({ reason }) => reason === 'FailedKillPod');
    expect(told?.message).toMatch(
      /^error killing pod: failed to "KillPodSandbox" for "[^"]+" with KillPodSandboxError: "rpc error: code = Unknown desc = failed to destroy network for sandbox/,
    );
    twin.node('n').files.remove(CILIUM);
    twin.run(18);
    expect(twin.store.get('Pod', 'default', 'p')).toBeUndefined();
  });
});

describe('probes from the host', () => {
  it('judge a pod by the path from its node, not by what other pods reach', () => {
    const twin = world();
    const readinessProbe = { httpGet: { port: 80 }, periodSeconds: 5 };
    podOn(twin, 'p', 'n', { containers: [{ name: 'c', image: 'pause', readinessProbe }] });
    twin.run(10);
    twin.paths.verdict = (from) =>
      from.kind === 'host'
        ? { ok: false, sourceSeen: null, message: 'i/o timeout', because: [] }
        : REACHED;
    twin.paths.changed('n');
    twin.run(20);
    expect(isPodReady(pod(twin, 'p'))).toBe(false);
    expect(container(twin, 'p')?.restartCount).toBe(0);
  });
});

describe('restart of the kubelet', () => {
  it('keeps sandboxes, addresses and processes, and meets what came meanwhile', () => {
    const twin = world();
    podOn(twin, 'p', 'n');
    twin.run(5);
    const { uid = '' } = pod(twin, 'p').metadata;
    const before = twin.node('n').runtime.sandboxOf(uid);
    const process = twin.node('n').kubelet.process(uid, 'c');
    twin.node('n').kubelet.restart();
    podOn(twin, 'meanwhile', 'n');
    twin.run(10);
    expect(twin.node('n').runtime.sandboxOf(uid)).toBe(before);
    expect(twin.node('n').kubelet.process(uid, 'c')).toBe(process);
    expect(container(twin, 'p')?.restartCount).toBe(0);
    expect(isPodReady(pod(twin, 'meanwhile'))).toBe(true);
  });
});

describe('static pods', () => {
  it('tolerate every NoExecute taint, as the kubelet has it when it reads them', () => {
    const given = { key: 'a', operator: 'Exists' } as const;
    const spec = staticPodSpec({ containers: [], tolerations: [given] });
    expect(spec.tolerations).toEqual([given, { operator: 'Exists', effect: 'NoExecute' }]);
    expect(staticPodSpec(spec)).toBe(spec);
    const all = { containers: [], tolerations: [{ operator: 'Exists' }] } as const;
    expect(staticPodSpec(all)).toBe(all);
  });

  it('are not evicted over and over: a mirror without the toleration comes back with it', () => {
    const twin = cluster(2);
    twin.store.create(mirror('static', 'w0'));
    twin.run(10);
    const { uid = '' } = pod(twin, 'static').metadata;
    const process = twin.node('w0').kubelet.process(uid, 'c');
    twin.node('w0').files.remove(FLANNEL);
    twin.run(3_600);
    const evictions = twin.kernel.occurrences.filter(
      ({ kind, subject }) => kind === 'node.pod-evicted-by-taint' && subject?.name === 'static',
    );
    expect(evictions).toHaveLength(1);
    expect(pod(twin, 'static').spec.tolerations).toEqual([
      { operator: 'Exists', effect: 'NoExecute' },
    ]);
    expect(twin.node('w0').kubelet.process(uid, 'c')).toBe(process);
    expect(container(twin, 'static')?.restartCount).toBe(0);
  });

  it('start without an API server, and come back with the machine', () => {
    const twin = world();
    twin.store.create(mirror('static', 'n'));
    twin.run(5);
    twin.powerOff('n');
    twin.run(20);
    twin.powerOn('n');
    twin.run(20);
    expect(container(twin, 'static')?.restartCount).toBe(1);
    expect(isPodReady(pod(twin, 'static'))).toBe(true);
  });
});

function agent(): { twin: KubeletWorld; issued: () => number } {
  const twin = world();
  podOn(twin, 'agent', 'n', { hostNetwork: true });
  twin.run(5);
  const { uid = '' } = pod(twin, 'agent').metadata;
  const issued = (): number => twin.node('n').kubelet.tokenOf(uid)?.issuedAtMs ?? -1;
  return { twin, issued };
}

describe('token projection', () => {
  it('refreshes at 80 % of the time asked for, up to 10 s early and at the pod’s next sync', () => {
    const { twin, issued } = agent();
    const first = issued();
    const due = 0.8 * 3_607;
    twin.run(due - 20);
    expect(issued()).toBe(first);
    twin.run(20 + 90);
    expect((issued() - first) / 1000).toBeGreaterThanOrEqual(due - 10);
    expect((issued() - first) / 1000).toBeLessThanOrEqual(due + 91);
  });

  it('has a cache key without the account’s UID: a new account does not bring a new token', () => {
    const { twin } = agent();
    const { uid = '' } = pod(twin, 'agent').metadata;
    const before = twin.node('n').kubelet.tokenOf(uid);
    twin.store.delete('ServiceAccount', 'default', 'default');
    twin.store.create({
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { name: 'default', namespace: 'default' },
    });
    twin.run(60);
    const after = twin.node('n').kubelet.tokenOf(uid);
    expect(after?.serviceAccountUid).toBe(before?.serviceAccountUid);
  });

  it('has a cache that a restart of the kubelet empties', () => {
    const { twin, issued } = agent();
    const first = issued();
    twin.run(600);
    twin.node('n').kubelet.restart();
    twin.run(10);
    expect((issued() - first) / 1000).toBeGreaterThan(600);
  });

  it('has a cache that restarts of the runtime and of containers leave alone', () => {
    const { twin, issued } = agent();
    const first = issued();
    twin.run(600);
    twin.node('n').runtime.restart();
    twin.node('n').kubelet.restartSandbox?.(pod(twin, 'agent').metadata.uid ?? '');
    twin.run(30);
    expect(issued()).toBe(first);
  });

  it('gives tokens that are valid for a year by default', () => {
    const { twin } = agent();
    const { uid = '' } = pod(twin, 'agent').metadata;
    const token = twin.node('n').kubelet.tokenOf(uid);
    if (token === undefined) throw new Error('no token');
    twin.run(364 * 86_400);
    expect(twin.api.check({ kind: 'token', token }).ok).toBe(true);
    twin.run(2 * 86_400);
    expect(twin.api.check({ kind: 'token', token })).toMatchObject({ failure: 'unauthorized' });
  });
});
