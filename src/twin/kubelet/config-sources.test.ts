/**
 * Goal: a ConfigMap or Secret that is known to be missing holds a pod back where it really does:
 * before the sandbox for a volume, after it for the environment; and one that was not read never.
 */
import { describe, expect, it } from 'vitest';
import type { ConfigMapObject, Container, PodObject, PodSpec } from '../../model/kubernetes.ts';
import {
  CILIUM_CONF,
  CONF_DIR,
  FLANNEL_CONF,
  type KubeletWorld,
  kubeletWorld,
  podOn,
} from '../../../test/support/kubelet-world.ts';
import { configSourcesOf } from './config-sources.ts';
import { eventRecorderOf } from './event-recorder.ts';
import { isPodReady } from './pod-status.ts';

function world(): KubeletWorld {
  const made = kubeletWorld({
    nodes: [{ name: 'n', files: { [`${CONF_DIR}/10-flannel.conflist`]: FLANNEL_CONF } }],
  });
  made.store.create({
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { name: 'default', namespace: 'default' },
  });
  made.run(1);
  return made;
}

function configMap(twin: KubeletWorld, name: string, data?: Record<string, string>): void {
  twin.store.create<ConfigMapObject>({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, namespace: 'default' },
    ...(data === undefined ? {} : { data }),
  });
}

function remove(twin: KubeletWorld, kind: string, name: string): void {
  twin.kernel.because([], () => {
    twin.kernel.occur('client.object-deleted', { message: `kubectl delete ${kind} ${name}` });
    twin.store.delete(kind, 'default', name);
  });
  twin.run(1);
}

function pod(twin: KubeletWorld, name = 'p'): PodObject {
  const found = twin.store.get('Pod', 'default', name);
  if (found === undefined) throw new Error(`no pod ${name}`);
  return found;
}

function waiting(twin: KubeletWorld, index = 0) {
  return pod(twin).status.containerStatuses?.[index]?.state?.waiting;
}

function messages(twin: KubeletWorld, reason: string): string[] {
  return eventRecorderOf(twin)
    .of({ kind: 'Pod', namespace: 'default', name: 'p' })
    .filter((event) => event.reason === reason)
    .map(({ message }) => message);
}

function causesOf(twin: KubeletWorld, kind: string): string[] {
  const found = twin.kernel.occurrences.filter((occurrence) => occurrence.kind === kind);
  expect(found).toHaveLength(1);
  return (found[0]?.because ?? []).map((id) => twin.kernel.occurrence(id).kind);
}

const MOUNTS: Partial<PodSpec> = { volumes: [{ name: 'cfg', configMap: { name: 'settings' } }] };

function withEnv(env: Pick<Container, 'env' | 'envFrom'>): Partial<PodSpec> {
  return { containers: [{ name: 'c', image: 'pause', ...env }] };
}

const KEY = withEnv({
  env: [{ name: 'A', valueFrom: { configMapKeyRef: { name: 'settings', key: 'a' } } }],
});

describe('a volume of a ConfigMap that was deleted', () => {
  it('keeps the pod in ContainerCreating with FailedMount, before any sandbox', () => {
    const twin = world();
    configMap(twin, 'settings');
    twin.run(1);
    remove(twin, 'ConfigMap', 'settings');
    podOn(twin, 'p', 'n', MOUNTS);
    twin.run(60);
    expect(waiting(twin)?.reason).toBe('ContainerCreating');
    expect(twin.node('n').runtime.sandboxOf(pod(twin).metadata.uid ?? '')).toBeUndefined();
    expect(messages(twin, 'FailedMount')).toEqual([
      'MountVolume.SetUp failed for volume "cfg" : configmap "settings" not found',
    ]);
    expect(causesOf(twin, 'kubelet.volume-source-missing')).toEqual(['client.object-deleted']);
  });

  it('is tried again after 0.5, 1, 2 … s up to 2 m 2 s, and the pod starts once it is there', () => {
    const twin = world();
    configMap(twin, 'settings');
    twin.run(1);
    remove(twin, 'ConfigMap', 'settings');
    podOn(twin, 'p', 'n', MOUNTS);
    twin.run(400);
    const [event] = eventRecorderOf(twin)
      .of({ kind: 'Pod', namespace: 'default', name: 'p' })
      .filter(({ message }) => message.startsWith('MountVolume'));
    // At 0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5, 63.5, 127.5, 249.5 and 371.5 s.
    expect(event?.count).toBe(11);
    expect(messages(twin, 'FailedMount').at(-1)).toContain(
      'Unable to attach or mount volumes: unmounted volumes=[cfg]',
    );
    configMap(twin, 'settings');
    twin.run(125);
    expect(isPodReady(pod(twin))).toBe(true);
  });

  it('does not touch a pod that has it mounted, until its node has been down', () => {
    const twin = world();
    configMap(twin, 'settings');
    podOn(twin, 'p', 'n', { ...MOUNTS, hostNetwork: true });
    twin.run(5);
    remove(twin, 'ConfigMap', 'settings');
    twin.node('n').kubelet.restartSandbox(pod(twin).metadata.uid ?? '');
    twin.run(30);
    expect(isPodReady(pod(twin))).toBe(true);
    twin.powerOff('n');
    twin.powerOn('n');
    twin.run(60);
    expect(waiting(twin)?.reason).toBe('ContainerCreating');
    expect(messages(twin, 'FailedMount')).not.toEqual([]);
  });

  it('names all that a projected volume lacks, and leaves out what is optional', () => {
    const twin = world();
    for (const name of ['a', 'b', 'c']) configMap(twin, name);
    twin.run(1);
    for (const name of ['a', 'b', 'c']) remove(twin, 'ConfigMap', name);
    const sources = [
      { configMap: { name: 'a' } },
      { configMap: { name: 'b' } },
      { configMap: { name: 'c', optional: true } },
    ];
    podOn(twin, 'p', 'n', { volumes: [{ name: 'all', projected: { sources } }] });
    twin.run(5);
    expect(messages(twin, 'FailedMount')).toEqual([
      'MountVolume.SetUp failed for volume "all" : [configmap "a" not found, configmap "b" not found]',
    ]);
  });
});

describe('an environment that cannot be made', () => {
  it('is CreateContainerConfigError, with the sandbox there and its address', () => {
    const twin = world();
    twin.store.create({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'password', namespace: 'default' },
    });
    twin.run(1);
    remove(twin, 'Secret', 'password');
    podOn(twin, 'p', 'n', withEnv({ envFrom: [{ secretRef: { name: 'password' } }] }));
    twin.run(30);
    expect(waiting(twin)).toEqual({
      reason: 'CreateContainerConfigError',
      message: 'secret "password" not found',
    });
    expect(pod(twin).status).toMatchObject({ phase: 'Pending', podIP: '10.244.1.2' });
    expect(messages(twin, 'Failed')).toEqual(['Error: secret "password" not found']);
    expect(causesOf(twin, 'kubelet.container-config-missing')).toEqual(['client.object-deleted']);
    twin.store.create({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'password', namespace: 'default' },
    });
    twin.run(17);
    expect(isPodReady(pod(twin))).toBe(true);
    expect(pod(twin).status.containerStatuses?.[0]?.restartCount).toBe(0);
  });

  it('names a key that its ConfigMap does not have, and the other containers start', () => {
    const twin = world();
    configMap(twin, 'settings', { b: '1' });
    podOn(twin, 'p', 'n', {
      containers: [...(KEY.containers ?? []), { name: 'other', image: 'pause' }],
    });
    twin.run(30);
    expect(waiting(twin)?.message).toBe("couldn't find key a in ConfigMap default/settings");
    expect(pod(twin).status.containerStatuses?.[1]?.state?.running).toBeDefined();
    expect(isPodReady(pod(twin))).toBe(false);
  });

  it('is met at the next start of a container only: what runs keeps what it has', () => {
    const twin = world();
    configMap(twin, 'settings', { a: '1' });
    podOn(twin, 'p', 'n', KEY);
    twin.run(5);
    remove(twin, 'ConfigMap', 'settings');
    twin.run(60);
    expect(isPodReady(pod(twin))).toBe(true);
    twin.node('n').kubelet.restartSandbox(pod(twin).metadata.uid ?? '');
    twin.run(30);
    expect(waiting(twin)?.reason).toBe('CreateContainerConfigError');
    expect(pod(twin).status.phase).toBe('Running');
  });

  it('is never how a failing CNI shows: that one stays ContainerCreating (B12)', () => {
    const twin = world();
    configMap(twin, 'settings', { b: '1' });
    twin.node('n').files.write(`${CONF_DIR}/05-cilium.conflist`, CILIUM_CONF);
    podOn(twin, 'p', 'n', KEY);
    twin.run(200);
    expect(waiting(twin)?.reason).toBe('ContainerCreating');
    expect(messages(twin, 'Failed')).toEqual([]);
  });
});

describe('what was not read', () => {
  const both: Partial<PodSpec> = { ...MOUNTS, ...KEY };

  it('breaks no pod', () => {
    const twin = world();
    podOn(twin, 'p', 'n', both);
    twin.run(10);
    expect(isPodReady(pod(twin))).toBe(true);
  });

  it('is missing where the kind was listed and the namespace shows others of it', () => {
    const twin = world();
    configMap(twin, 'kube-root-ca.crt');
    configSourcesOf(twin).listed(['ConfigMap']);
    podOn(twin, 'p', 'n', both);
    twin.run(10);
    expect(messages(twin, 'FailedMount')).toHaveLength(1);
  });

  it('stays unknown where the namespace shows none of a kind that was listed', () => {
    const twin = world();
    configSourcesOf(twin).listed(['ConfigMap', 'Secret']);
    podOn(twin, 'p', 'n', both);
    twin.run(10);
    expect(isPodReady(pod(twin))).toBe(true);
  });

  it('says nothing of a key when the contents of the ConfigMap were not read', () => {
    const twin = world();
    configMap(twin, 'settings');
    podOn(twin, 'p', 'n', both);
    twin.run(10);
    expect(isPodReady(pod(twin))).toBe(true);
  });
});
