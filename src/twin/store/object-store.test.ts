import { describe, expect, it } from 'vitest';
import type { PodObject } from '../../model/kubernetes.ts';
import { Kernel } from '../kernel/kernel.ts';
import { type Change, ObjectStore } from './object-store.ts';
import { POD_PART } from './pod-changes.ts';

function pod(name: string, node?: string): PodObject {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      namespace: 'shop',
      name,
      ownerReferences: [
        { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web', uid: 'rs-1', controller: true },
      ],
    },
    spec: { containers: [{ name: 'c' }], ...(node === undefined ? {} : { nodeName: node }) },
    status: { phase: 'Pending' },
  };
}

function setUp() {
  const kernel = new Kernel(1);
  const store = new ObjectStore(kernel);
  const seen: string[] = [];
  store.watch('Pod', ({ type, object }: Change) => seen.push(`${type} ${object.metadata.name}`));
  return { kernel, store, seen };
}

describe('ObjectStore', () => {
  it('gives every write a higher resourceVersion, and a spec change a higher generation', () => {
    const { store } = setUp();
    const created = store.create(pod('a'));
    const status = store.update('Pod', 'shop', 'a', (old) => ({
      ...old,
      status: { phase: 'Running' },
    }));
    const spec = store.update('Pod', 'shop', 'a', (old) => ({
      ...old,
      spec: { ...old.spec, nodeName: 'n1' },
    }));
    const versions = [created, status, spec].map((object) =>
      Number(object?.metadata.resourceVersion),
    );
    expect(versions).toEqual(versions.toSorted((a, b) => a - b));
    expect([created, status, spec].map((object) => object?.metadata.generation)).toEqual([1, 1, 2]);
  });

  it('does not count an update that changes nothing', () => {
    const { kernel, store, seen } = setUp();
    store.create(pod('a'));
    kernel.runUntil(10);
    store.update('Pod', 'shop', 'a', (old) => old);
    kernel.runUntil(20);
    expect(seen).toEqual(['added a']);
  });

  it('tells watchers later, in the order of the writes, with the causes of each write', () => {
    const { kernel, store, seen } = setUp();
    const cause = kernel.because([], () => kernel.occur('client.object-changed', { message: '' }));
    let told: readonly number[] = [];
    store.watch('Pod', () => (told = kernel.causes));
    kernel.because([cause], () => store.create(pod('a')));
    store.create(pod('b'));
    expect(seen).toEqual([]);
    kernel.step();
    expect(seen).toEqual(['added a', 'added b']);
    expect(told).toEqual([]);
    expect(store.causesOf(store.get('Pod', 'shop', 'a') ?? pod('a'))).toEqual([cause]);
  });

  it('keeps a bound pod until its kubelet lets go, and takes an unbound one at once', () => {
    const { store } = setUp();
    store.create(pod('bound', 'n1'));
    store.create(pod('unbound'));
    store.delete('Pod', 'shop', 'bound');
    store.delete('Pod', 'shop', 'unbound');
    expect(store.get('Pod', 'shop', 'bound')?.metadata.deletionTimestamp).toBeDefined();
    expect(store.get('Pod', 'shop', 'unbound')).toBeUndefined();
    store.remove('Pod', 'shop', 'bound');
    expect(store.get('Pod', 'shop', 'bound')).toBeUndefined();
  });

  it('waits for finalizers, and is gone when the last one is', () => {
    const { store } = setUp();
    store.create({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { namespace: 'a', name: 'b', finalizers: ['x'] },
    });
    store.delete('ConfigMap', 'a', 'b');
    expect(store.get('ConfigMap', 'a', 'b')).toBeDefined();
    store.update('ConfigMap', 'a', 'b', (old) => ({
      ...old,
      metadata: { ...old.metadata, finalizers: [] },
    }));
    expect(store.get('ConfigMap', 'a', 'b')).toBeUndefined();
  });

  it('finds pods by node and by owner as they move and go', () => {
    const { store } = setUp();
    store.create(pod('a'));
    store.create(pod('b', 'n1'));
    expect(store.podsOn('n1').map(({ metadata }) => metadata.name)).toEqual(['b']);
    store.update('Pod', 'shop', 'a', (old) => ({ ...old, spec: { ...old.spec, nodeName: 'n1' } }));
    expect(store.podsOn('n1')).toHaveLength(2);
    store.remove('Pod', 'shop', 'b');
    expect(store.podsOn('n1').map(({ metadata }) => metadata.name)).toEqual(['a']);
    expect(store.podsOf('rs-1').map(({ metadata }) => metadata.name)).toEqual(['a']);
  });

  it('tells of a pod only who follows the part that changed, or its coming and going', () => {
    const { kernel, store } = setUp();
    const told: string[] = [];
    const note = (who: string) => (change: Change) => told.push(`${who} ${change.type}`);
    store.watchPods({ parts: POD_PART.node }, note('node'));
    store.watchPods({ parts: POD_PART.phase, owner: 'ReplicaSet' }, note('phase of a set'));
    store.watchPods({ parts: POD_PART.phase, owner: 'Job' }, note('phase of a job'));
    store.create(pod('a'));
    store.update('Pod', 'shop', 'a', (old) => ({ ...old, spec: { ...old.spec, nodeName: 'n1' } }));
    store.update('Pod', 'shop', 'a', (old) => ({ ...old, status: { phase: 'Running' } }));
    store.update('Pod', 'shop', 'a', (old) => ({ ...old, status: { ...old.status } }));
    store.remove('Pod', 'shop', 'a');
    kernel.runUntil(10);
    expect(told).toEqual([
      'node added',
      'phase of a set added',
      'node modified',
      'phase of a set modified',
      'node deleted',
      'phase of a set deleted',
    ]);
  });
});
