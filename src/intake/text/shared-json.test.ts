/** The same as JSON.parse would make, of any text; equal parts of many objects are one value. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseShared } from './shared-json.ts';

function pods(count: number): unknown {
  return {
    kind: 'PodList',
    items: Array.from({ length: count }, (_, index) => ({
      metadata: {
        name: `a-pod-with-a-long-name-${index}`,
        labels: { app: 'the-same-for-all-of-them' },
      },
      spec: {
        nodeName: `a-node-with-a-long-name-${index % 3}`,
        tolerations: [{ key: 'node.kubernetes.io/not-ready', operator: 'Exists' }],
        volumes: [{ name: `kube-api-access-${index}`, projected: { sources: [{ a: 1 }] } }],
      },
    })),
  };
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

describe('parseShared', () => {
  it('makes what JSON.parse makes', () => {
    fc.assert(
      fc.property(fc.array(fc.json()), fc.constantFrom(0, 1), (texts, indent) => {
        const text = JSON.stringify({ items: texts.map((each) => JSON.parse(each)) }, null, indent);
        expect(parseShared(text)).toEqual(JSON.parse(text));
      }),
    );
    for (const count of [1, 10, 1_500])
      expect(parseShared(JSON.stringify(pods(count)))).toEqual(pods(count));
  });

  it('takes nothing that JSON.parse does not take', () => {
    fc.assert(
      fc.property(
        fc.json(),
        fc.nat(),
        fc.constantFrom('', '"', ',', '}', '[', '\\', 'x', '\n'),
        (text, at, more) => {
          const cut = at % (text.length + 1);
          const broken = text.slice(0, cut) + more + text.slice(cut + 1);
          expect(parseShared(broken) !== undefined).toBe(isJson(broken));
        },
      ),
      { numRuns: 2_000 },
    );
    // Deeper than any object: left to JSON.parse.
    expect(parseShared(`${'['.repeat(9_000)}${']'.repeat(9_000)}`)).toBeUndefined();
  });

  it('keeps a key that names the prototype as a key', () => {
    const value = parseShared('{"items":[{"__proto__":{"polluted":true}}]}');
    expect(JSON.stringify(value)).toBe('{"items":[{"__proto__":{"polluted":true}}]}');
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });

  it('leaves out what is not read, only where it is named, and only where it is a text', () => {
    const unread = new Map([['containerStatuses', new Set(['imageID'])]]);
    const status = { name: 'a', imageID: 'registry/a@sha256:1', ready: true };
    const value = { items: [{ status: { containerStatuses: [status, status], imageID: 'b' } }] };
    const { imageID: _, ...rest } = status;
    expect(parseShared(JSON.stringify(value), unread)).toEqual({
      items: [{ status: { containerStatuses: [rest, rest], imageID: 'b' } }],
    });
    const broken = '{"items":[{"containerStatuses":[{"imageID":nonsense}]}]}';
    expect(parseShared(broken, unread)).toBeUndefined();
  });

  it('tells numbers apart from those that begin alike, and large ones from small', () => {
    const numbers = [1, 12, 123, -1, 0, 1.5, 1e21, 123456789, 1234567890, 12345678901234, 12];
    const value = { items: numbers.map((number) => ({ spec: { number } })) };
    expect(parseShared(JSON.stringify(value))).toEqual(value);
    expect(parseShared('{"items":[01]}')).toBeUndefined();
  });

  it('makes one value of parts that are equal, and keeps those apart that are not', () => {
    const list = parseShared(JSON.stringify(pods(1_500))) as {
      items: { spec: { tolerations: object; volumes: { name: string; projected: object }[] } }[];
    };
    const last = list.items.slice(-2).map(({ spec }) => spec);
    expect(last[0]?.tolerations).toBe(last[1]?.tolerations);
    expect(last[0]?.volumes[0]?.projected).toBe(last[1]?.volumes[0]?.projected);
    expect(last.map(({ volumes }) => volumes[0]?.name)).toEqual([
      'kube-api-access-1498',
      'kube-api-access-1499',
    ]);
  });
});
