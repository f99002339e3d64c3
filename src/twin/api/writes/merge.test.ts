/** Merges as the API's clients do them; goal: what is kept, what wins and what goes. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mergePatch, threeWayMerge } from './merge.ts';

describe('mergePatch (RFC 7386)', () => {
  it('merges maps, removes nulls and replaces lists', () => {
    expect(mergePatch({ a: 1, b: { c: 2, d: 3 }, e: [1, 2] }, { b: { c: null }, e: [3] })).toEqual({
      a: 1,
      b: { d: 3 },
      e: [3],
    });
  });

  it('is the same object when nothing changes', () => {
    const object = { data: { 'cni-exclusive': 'true' } };
    expect(mergePatch(object, { data: { 'cni-exclusive': 'true' } })).toBe(object);
  });

  it('applied twice is applied once', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string(), fc.jsonValue()),
        fc.dictionary(fc.string(), fc.jsonValue()),
        (object, patch) => {
          const once = mergePatch(object, patch);
          expect(mergePatch(once, patch)).toEqual(once);
        },
      ),
    );
  });
});

describe('threeWayMerge (Helm)', () => {
  const last = { data: { pool: '10.245.0.0/16', gone: 'x' } };

  it('overwrites an edit made beside Helm, removes what is rendered no more, keeps what Helm never knew', () => {
    const live = { data: { pool: '10.244.0.0/16', gone: 'x', 'cni-exclusive': 'true' } };
    expect(threeWayMerge(last, live, { data: { pool: '10.245.0.0/16' } })).toEqual({
      data: { pool: '10.245.0.0/16', 'cni-exclusive': 'true' },
    });
  });

  it('leaves an object alone that is as rendered', () => {
    const live = { data: { pool: '10.245.0.0/16', gone: 'x' }, status: {} };
    expect(threeWayMerge(last, live, last)).toBe(live);
  });
});
