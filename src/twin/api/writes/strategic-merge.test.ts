import { describe, expect, it } from 'vitest';
import { applyJsonPatch } from './json-patch.ts';
import { MergeRules } from './list-types.ts';
import { applyStrategicMerge } from './strategic-merge.ts';

function merge(target: unknown, patch: unknown): unknown {
  return applyStrategicMerge(target, patch, new MergeRules());
}

const POD = {
  spec: {
    containers: [
      { name: 'a', image: 'a:1', env: [{ name: 'X', value: '1' }], ports: [{ containerPort: 80 }] },
      { name: 'b', image: 'b:1' },
    ],
    tolerations: [{ key: 'x' }],
    volumes: [{ name: 'v', emptyDir: {} }],
  },
};

describe('strategic merge', () => {
  it('merges entries by the key of their list, and replaces lists without one', () => {
    const patch = {
      spec: {
        containers: [{ name: 'a', env: [{ name: 'Y', value: '2' }] }],
        tolerations: [{ key: 'y' }],
      },
    };
    expect(merge(POD, patch)).toEqual({
      spec: {
        ...POD.spec,
        containers: [
          {
            ...POD.spec.containers[0],
            env: [
              { name: 'X', value: '1' },
              { name: 'Y', value: '2' },
            ],
          },
          POD.spec.containers[1],
        ],
        tolerations: [{ key: 'y' }],
      },
    });
  });

  it('takes entries out, replaces, and keeps only the keys that are to be retained', () => {
    const gone = merge(POD, { spec: { containers: [{ name: 'a', $patch: 'delete' }] } });
    expect(gone).toMatchObject({ spec: { containers: [{ name: 'b' }] } });
    const retained = { name: 'v', $retainKeys: ['name', 'hostPath'], hostPath: { path: '/x' } };
    expect(merge(POD, { spec: { volumes: [retained] } })).toMatchObject({
      spec: { volumes: [{ name: 'v', hostPath: { path: '/x' } }] },
    });
    const replaced = { spec: { containers: [{ $patch: 'replace' }, { name: 'c' }] } };
    expect(merge(POD, replaced)).toMatchObject({ spec: { containers: [{ name: 'c' }] } });
    const metadata = { finalizers: ['a', 'b'] };
    const patch = { metadata: { '$deleteFromPrimitiveList/finalizers': ['a'], finalizers: ['c'] } };
    expect(merge({ metadata }, patch)).toEqual({ metadata: { finalizers: ['b', 'c'] } });
  });

  it('orders entries as it is told', () => {
    const patch = {
      spec: {
        '$setElementOrder/containers': [{ name: 'b' }, { name: 'new' }, { name: 'a' }],
        containers: [{ name: 'new', image: 'n:1' }],
      },
    };
    expect(merge(POD, patch)).toMatchObject({
      spec: { containers: [{ name: 'b' }, { name: 'new' }, { name: 'a' }] },
    });
  });

  it('knows a Service port from a container port', () => {
    const service = { spec: { ports: [{ port: 80, protocol: 'TCP' }] } };
    const patch = { spec: { ports: [{ port: 80, nodePort: 30_080 }, { port: 443 }] } };
    expect(merge(service, patch)).toEqual({
      spec: { ports: [{ port: 80, protocol: 'TCP', nodePort: 30_080 }, { port: 443 }] },
    });
  });
});

describe('JSON patch', () => {
  it('does all of it in order', () => {
    const patch = [
      { op: 'test', path: '/a~1b', value: 1 },
      { op: 'add', path: '/list/0', value: 'x' },
      { op: 'add', path: '/list/-', value: 'z' },
      { op: 'copy', from: '/list/0', path: '/c' },
      { op: 'move', from: '/a~1b', path: '/d' },
    ];
    const target = { 'a/b': 1, list: ['y'] };
    expect(applyJsonPatch(target, patch)).toEqual({ list: ['x', 'y', 'z'], c: 'x', d: 1 });
    expect(target).toEqual({ 'a/b': 1, list: ['y'] });
  });

  it.each([
    ['test', [{ op: 'test', path: '/a', value: 2 }], 'testing value /a failed'],
    ['replace', [{ op: 'replace', path: '/b', value: 2 }], 'replace operation does not apply'],
    ['remove', [{ op: 'remove', path: '/b' }], 'remove operation does not apply'],
    ['a path', [{ op: 'add', path: '/b/c', value: 2 }], 'doc is missing path'],
    ['an index', [{ op: 'add', path: '/l/7', value: 2 }], 'invalid index referenced'],
  ])('is refused for what is not there: %s', (_what, patch, message) => {
    expect(() => applyJsonPatch({ a: 1, l: [] }, patch)).toThrow(message);
  });
});
