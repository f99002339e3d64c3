/** Ownership and patches beyond what the contract asks of every target. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ConfigMapObject, KubeObject, PodObject } from '../../../model/kubernetes.ts';
import { fakeWorld } from '../../machine/testing.ts';
import { type Resource, resourcesOf } from '../served-resources.ts';
import { appliedObject, updatedObject } from './object-rules.ts';
import { mergeRulesOf } from './write-rules.ts';
import { applyJsonPatch } from './json-patch.ts';
import { applyStrategicMerge } from './strategic-merge.ts';

const CONFIG_MAPS = builtIn('ConfigMap');
const PODS = builtIn('Pod');

function builtIn(kind: string): Resource {
  const found = resourcesOf(fakeWorld().store).ofKind('v1', kind);
  if (found === undefined) throw new Error(`${kind} is not served`);
  return found;
}

type Data = Readonly<Record<string, string>>;

const data = fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.constantFrom('1', '2'), {
  noNullPrototype: true,
});
const by = (manager: string, force = true) => ({ manager, force, time: '2026-01-01T00:00:00Z' });

function config(of: Data): ConfigMapObject {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { namespace: 'a', name: 'c' },
    ...(Object.keys(of).length === 0 ? {} : { data: of }),
  };
}

function dataOf(object: KubeObject): Data {
  return (object as ConfigMapObject).data ?? {}; // what `config` made
}

describe('server-side apply', () => {
  it('leaves for one manager what it applied last, however often it changed its mind', () => {
    fc.assert(
      fc.property(fc.array(data, { minLength: 1, maxLength: 5 }), (wishes) => {
        let live: KubeObject | undefined;
        for (const wish of wishes) live = appliedObject(CONFIG_MAPS, live, config(wish), by('one'));
        expect(dataOf(live ?? config({}))).toEqual(wishes.at(-1));
      }),
    );
  });

  it('leaves for two managers what both want, the later one where they differ', () => {
    fc.assert(
      fc.property(data, data, (first, second) => {
        const one = appliedObject(CONFIG_MAPS, undefined, config(first), by('one'));
        const two = appliedObject(CONFIG_MAPS, one, config(second), by('two'));
        expect(dataOf(two)).toEqual({ ...first, ...second });
        const gone = appliedObject(CONFIG_MAPS, two, config({}), by('two'));
        // What the second took over by force is no longer the first one's to keep.
        const kept = Object.entries(first).filter(
          ([key, value]) => second[key] === undefined || second[key] === value,
        );
        expect(dataOf(gone)).toEqual(Object.fromEntries(kept));
      }),
    );
  });

  it('is the same object when applied again', () => {
    fc.assert(
      fc.property(data, (wish) => {
        const live = appliedObject(CONFIG_MAPS, undefined, config(wish), by('one'));
        expect(appliedObject(CONFIG_MAPS, live, config(wish), by('one', false))).toBe(live);
      }),
    );
  });
});

describe('updates', () => {
  it('give no owners to objects that came without, so that old objects cost nothing', () => {
    const live = config({ a: '1' });
    const next = updatedObject(CONFIG_MAPS, live, config({ a: '2' }), by('one'));
    expect(next.metadata.managedFields).toBeUndefined();
    expect(dataOf(next)).toEqual({ a: '2' });
  });

  it('keep a specification that is as it was, so that its generation stays', () => {
    const spec = { containers: [{ name: 'c' }] };
    const live: PodObject = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { namespace: 'a', name: 'p' },
      spec,
      status: {},
    };
    const labelled = { ...live, metadata: { ...live.metadata, labels: { a: 'b' } } };
    const next = updatedObject(PODS, live, structuredClone(labelled), by('one')) as PodObject;
    expect(next.spec).toBe(spec);
    expect(next.metadata.labels).toEqual({ a: 'b' });
  });
});

describe('strategic merge patch', () => {
  const live = {
    spec: { containers: [{ name: 'a', image: '1' }, { name: 'b' }], tolerations: [1] },
  };

  it('merges entries by key, deletes them by name, and replaces what has no key', () => {
    const patch = {
      spec: {
        containers: [{ name: 'a', tty: true }, { name: 'b', $patch: 'delete' }, { name: 'c' }],
        tolerations: [2],
      },
    };
    expect(applyStrategicMerge(live, patch, mergeRulesOf(PODS))).toEqual({
      spec: { containers: [{ name: 'a', image: '1', tty: true }, { name: 'c' }], tolerations: [2] },
    });
  });

  it('replaces every list of a kind whose keys nobody knows', () => {
    const patch = { spec: { containers: [{ name: 'c' }] } };
    expect(
      applyStrategicMerge(live, patch, mergeRulesOf({ ...PODS, group: 'cilium.io' })),
    ).toMatchObject(patch);
    expect(
      applyStrategicMerge(live, patch, mergeRulesOf({ ...PODS, group: 'cilium.io' })),
    ).toHaveProperty('spec.containers.length', 1);
  });
});

describe('JSON patch', () => {
  it('does its operations in order, on a copy', () => {
    const live = { a: [1, 2], 'x/y': { '~': 1 } };
    const result = applyJsonPatch(live, [
      { op: 'add', path: '/a/1', value: 9 },
      { op: 'add', path: '/a/-', value: 3 },
      { op: 'replace', path: '/x~1y/~0', value: 2 },
      { op: 'move', from: '/a/0', path: '/b' },
      { op: 'copy', from: '/b', path: '/c' },
      { op: 'test', path: '/a', value: [9, 2, 3] },
    ]);
    expect(result).toEqual({ a: [9, 2, 3], 'x/y': { '~': 2 }, b: 1, c: 1 });
    expect(live).toEqual({ a: [1, 2], 'x/y': { '~': 1 } });
  });

  it('refuses what does not fit', () => {
    for (const path of ['/none/a', '/a/5', '/a/x', '/a/', '/a/0.5']) {
      const remove = (): unknown => applyJsonPatch({ a: [1] }, [{ op: 'remove', path }]);
      expect(remove).toThrow(/does not apply: doc is missing key/);
    }
  });
});
