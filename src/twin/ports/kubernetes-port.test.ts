/** The Kubernetes API on the twin as a client sees it. */
import { describe, expect, it } from 'vitest';
import type { EventObject, PodObject } from '../../model/kubernetes.ts';
import { eventRecorderOf } from '../kubelet/event-recorder.ts';
import type { ApiServer } from '../world.ts';
import { fakeWorld, type FakeWorld } from '../machine/testing.ts';
import { createKubernetesPort } from './kubernetes-port.ts';

const CONFIG = { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'a', name: 'c' };
const evict = () => ({ evicted: true }) as const;

function run<T>(world: FakeWorld, work: () => Promise<T>): Promise<T> {
  return world.kernel.drive(work);
}

function pod(name: string, node: string, labels: Record<string, string> = {}): PodObject {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'a', labels },
    spec: { nodeName: node, containers: [] },
    status: {},
  };
}

describe('kubernetes port', () => {
  it('takes time for each call', async () => {
    const world = fakeWorld();
    const port = createKubernetesPort(world, evict);
    expect(await run(world, () => port.get(CONFIG))).toBeUndefined();
    expect(world.kernel.now()).toBe(world.constants.apiCallMs);
  });

  it('lists by node and labels', async () => {
    const world = fakeWorld();
    world.store.create(pod('one', 'n1', { app: 'x' }));
    world.store.create(pod('two', 'n1', { app: 'y' }));
    world.store.create(pod('three', 'n2', { app: 'x' }));
    const port = createKubernetesPort(world, evict);
    const found = await run(world, () =>
      port.list('v1', 'Pod', { nodeName: 'n1', labelSelector: { app: 'x' } }),
    );
    expect(found.map(({ metadata }) => metadata.name)).toEqual(['one']);
  });

  it('lists the events that kubelets and controllers have recorded, as core/v1 shows them', async () => {
    const world = fakeWorld();
    const subject = { kind: 'Pod', namespace: 'a', name: 'web' };
    const details = { subject, subjectUid: 'u1', host: 'n1', type: 'Warning' } as const;
    const reason = 'FailedCreatePodSandBox';
    const message = 'Failed to create pod sandbox: no';
    const recorder = eventRecorderOf(world);
    for (const at of [1_000, 13_000]) {
      world.kernel.runUntil(at);
      recorder.record({ ...details, component: 'kubelet', reason, message });
    }
    recorder.record({
      ...details,
      subject: { kind: 'Node', name: 'n1' },
      component: 'kubelet',
      reason: 'Rebooted',
      message: 'x',
    });
    const port = createKubernetesPort(world, evict);
    const [event, ...others] = await run(world, () =>
      port.list<EventObject>('v1', 'Event', { namespace: 'a' }),
    );
    expect(others).toEqual([]);
    expect(event).toMatchObject({
      involvedObject: { ...subject, uid: 'u1' },
      type: 'Warning',
      reason,
      message,
      count: 2,
      firstTimestamp: '1970-01-01T00:00:01Z',
      lastTimestamp: '1970-01-01T00:00:13Z',
      reportingComponent: 'kubelet',
      reportingInstance: 'n1',
      source: { component: 'kubelet', host: 'n1' },
    });
    const names = (await run(world, () => port.list('v1', 'Event'))).map(
      ({ metadata }) => metadata.name,
    );
    expect(new Set(names).size).toBe(2);
  });

  it('applies over what is there, and patches by merge', async () => {
    const world = fakeWorld();
    const port = createKubernetesPort(world, evict);
    const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'c', namespace: 'a' } };
    await run(world, () => port.apply({ ...object, data: { a: '1', b: '2' } }));
    await run(world, () => port.apply({ ...object, data: { b: '3' } }));
    await run(world, () => port.patch(CONFIG, { data: { a: null } }));
    expect(world.store.get('ConfigMap', 'a', 'c')?.data).toEqual({ b: '3' });
  });

  it('does not find what it is to patch, and does not mind what it is to delete', async () => {
    const world = fakeWorld();
    const port = createKubernetesPort(world, evict);
    await expect(run(world, () => port.patch(CONFIG, {}))).rejects.toMatchObject({
      code: 'not-found',
    });
    await expect(run(world, () => port.delete(CONFIG))).resolves.toBeUndefined();
  });

  it('is refused by admission with the webhook’s words, and nothing is written', async () => {
    const world = fakeWorld();
    const message = 'failed calling webhook "v.example.com"';
    const api: ApiServer = { ...world.api, admit: () => ({ ok: false, message, because: [] }) };
    const port = createKubernetesPort({ ...world, api }, evict);
    const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'c', namespace: 'a' } };
    await expect(run(world, () => port.apply(object))).rejects.toMatchObject({
      code: 'refused',
      message,
    });
    expect(world.store.list('ConfigMap')).toEqual([]);
  });

  it('is unreachable while the control plane is', async () => {
    const world = fakeWorld();
    world.apiHealthy = false;
    const port = createKubernetesPort(world, evict);
    await expect(run(world, () => port.get(CONFIG))).rejects.toMatchObject({ code: 'unreachable' });
  });
});
