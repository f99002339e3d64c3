import { assert, constantFrom, property, record, uniqueArray } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MergeRules } from './list-types.ts';
import type { Tree } from '../../../base/json-tree.ts';
import { fieldsOf, fromFieldsV1, toFieldsV1 } from './field-set.ts';
import { afterUpdate, applied } from './managed-fields.ts';

const rules = new MergeRules();

function writing(name: string, force = false) {
  const manager = { name, apiVersion: 'apps/v1', time: '2026-01-01T00:00:00Z' };
  return { rules, manager, ignoresStatus: true, force };
}

function web(containers: readonly object[], more: object = {}): Tree {
  const template = { spec: { containers } };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web' },
    spec: { template, ...more },
  };
}

describe('server-side apply', () => {
  it('names every conflict by manager and path, in the words of the API server', () => {
    const live = afterUpdate(
      undefined,
      web([{ name: 'c', image: 'i:1' }], { replicas: 1 }),
      writing('kubectl'),
    );
    const given = web([{ name: 'c', image: 'i:2' }]);
    expect(() => applied(live, given, writing('helm'))).toThrow(
      'Apply failed with 1 conflict: conflict with "kubectl" using apps/v1: .spec.template.spec.containers[name="c"].image',
    );
    const two = web([{ name: 'c', image: 'i:2' }], { replicas: 2 });
    expect(() => applied(live, two, writing('helm'))).toThrow(
      [
        'Apply failed with 2 conflicts: conflicts with "kubectl" using apps/v1:',
        '- .spec.replicas',
        '- .spec.template.spec.containers[name="c"].image',
      ].join('\n'),
    );
    const forced = applied(live, two, writing('helm', true));
    expect(forced).toMatchObject({ spec: { replicas: 2 } });
    // The update lost what was taken: it does not stand in the way again.
    expect(() => applied(forced, two, writing('helm'))).not.toThrow();
  });

  it('keeps what others own of an entry that its manager lets go', () => {
    const first = applied(
      undefined,
      web([
        { name: 'c', image: 'i:1' },
        { name: 'd', image: 'd:1' },
      ]),
      writing('a'),
    );
    const both = applied(first, web([{ name: 'c', command: ['x'] }]), writing('b'));
    const left = applied(both, web([{ name: 'd', image: 'd:1' }]), writing('a'));
    expect(left).toMatchObject({
      spec: { template: { spec: { containers: [{ name: 'c', command: ['x'] }, { name: 'd' }] } } },
    });
    expect(JSON.stringify(left)).not.toContain('i:1');
  });

  it('takes an object that nobody is known to own for somebody’s', () => {
    const live = web([{ name: 'c', image: 'i:1' }]);
    expect(() => applied(live, web([{ name: 'c', image: 'i:2' }]), writing('a'))).toThrow(
      'conflict with "before-first-apply" using apps/v1: .spec.template.spec.containers[name="c"].image',
    );
  });

  it('is the same when it is done twice', () => {
    const name = constantFrom('a', 'b', 'c');
    const container = record({ name, image: constantFrom('x', 'y') });
    const containers = uniqueArray(container, { selector: (each) => each.name });
    assert(
      property(containers, containers, (before, given) => {
        const live = applied(undefined, web(before), writing('other'));
        const once = applied(live, web(given), writing('me', true));
        expect(applied(once, web(given), writing('me'))).toEqual(once);
      }),
    );
  });
});

describe('FieldsV1', () => {
  it('reads what it writes', () => {
    const object = web([{ name: 'c', ports: [{ containerPort: 80 }] }], { replicas: 0 });
    const fields = toFieldsV1(fieldsOf(object, rules));
    expect(fields).toMatchObject({
      'f:spec': {
        'f:replicas': {},
        'f:template': {
          'f:spec': {
            'f:containers': {
              'k:{"name":"c"}': {
                '.': {},
                'f:name': {},
                'f:ports': {
                  'k:{"containerPort":80,"protocol":"TCP"}': { '.': {}, 'f:containerPort': {} },
                },
              },
            },
          },
        },
      },
    });
    expect(toFieldsV1(fromFieldsV1(fields))).toEqual(fields);
  });
});
