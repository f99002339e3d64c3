/**
 * What a snapshot keeps of an object, told twice: by going through its bytes, and here by making the
 * object and taking out of it what must go. Both must come to the same.
 */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { REDACTED, redactData } from '../../base/redaction.ts';
import { ObjectRedactor } from './redact-objects.ts';
import { TextBuffer } from './text-buffer.ts';

const TYPE = { apiVersion: 'v1', kind: 'Pod' };
const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

function redacted(text: string): unknown[] {
  const out = new TextBuffer();
  const redactor = new ObjectRedactor(TYPE, Buffer.from(text), out);
  const all: unknown[] = [];
  while (redactor.hasNext()) {
    redactor.copyNext();
    all.push(JSON.parse(out.view().toString('utf8')));
    out.clear();
  }
  return all;
}

type Map = Readonly<Record<string, unknown>>;

function expected({ apiVersion: _a, kind: _k, metadata, ...body }: Map): Map {
  const rest = redactData(variablesGone(body)) as Map;
  return metadata === undefined
    ? { ...TYPE, ...rest }
    : { ...TYPE, ...rest, metadata: metadataKept(metadata) };
}

function metadataKept(metadata: unknown): unknown {
  if (!isMap(metadata)) return metadata;
  const { managedFields: _, annotations, ...rest } = metadata;
  if (!('annotations' in metadata)) return rest;
  if (!isMap(annotations)) return { ...rest, annotations };
  const { [LAST_APPLIED]: __, ...kept } = annotations;
  return { ...rest, annotations: redactData(variablesGone(kept)) };
}

function variablesGone(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(variablesGone);
  if (!isMap(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, child]) => [
      key,
      key === 'env' && Array.isArray(child) ? child.map(variable) : variablesGone(child),
    ]),
  );
}

function variable(entry: unknown): unknown {
  if (!isMap(entry) || !('value' in entry)) return variablesGone(entry);
  const { value, ...rest } = entry;
  const name = entry['name'];
  const isRead = typeof name === 'string' && /^(IP|CALICO_\w+|KUBERNETES_SERVICE_HOST)$/.test(name);
  const others = variablesGone(rest) as Map;
  return { ...others, value: isRead ? variablesGone(value) : REDACTED };
}

function isMap(value: unknown): value is Map {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const keys = fc.constantFrom(
  'metadata',
  'annotations',
  'managedFields',
  LAST_APPLIED,
  'env',
  'name',
  'value',
  'spec',
  'token',
  'password',
  'secretName',
  'apiKey',
  'key',
  'tolerations',
  'matchExpressions',
  'a"b',
  'kind',
  'apiVersion',
  'é',
  '',
);
const texts = fc.oneof(
  fc.constantFrom(
    'IP',
    'CALICO_X',
    'KUBERNETES_SERVICE_HOST',
    '',
    'x',
    'password: hunter22',
    'line\nbreak',
    'https://u:secret@host/x',
    'abcdef.0123456789abcdef',
    'AKIA0123456789ABCDEF',
    'ghp_',
  ),
  fc.string({ unit: 'binary' }),
);
const values = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    texts,
    fc.oneof(fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true }), fc.boolean()),
    fc.constant(null),
    fc.array(tie('value'), { maxLength: 4 }),
    tie('map'),
  ),
  map: fc.dictionary(keys, tie('value'), { maxKeys: 5, noNullPrototype: true }),
}));
const objects = values.map as fc.Arbitrary<Map>; // the keys of a dictionary are texts

describe('ObjectRedactor', () => {
  it('keeps of any object what making the object and taking its secrets out would keep', () => {
    fc.assert(
      fc.property(fc.array(objects, { maxLength: 3 }), fc.constantFrom(0, 1, 2), (list, indent) => {
        const text = JSON.stringify(list, undefined, indent);
        expect(redacted(text.slice(1, -1))).toEqual(JSON.parse(JSON.stringify(list.map(expected))));
      }),
      { numRuns: 400 },
    );
  });

  it('keeps of what came before, at the same place or another, what it kept then', () => {
    fc.assert(
      fc.property(objects, objects, keys, (one, other, key) => {
        const list = [
          one,
          other,
          one,
          { ...other, [key]: one },
          { spec: { [key]: [one, other, one] } },
          { spec: { [key]: [one, { ...one, value: 'x' }, other] }, env: [one, other] },
          { env: [other, one, { name: 'IP', value: one }], metadata: { annotations: one } },
        ];
        const expectedAll: unknown = JSON.parse(JSON.stringify(list.map(expected)));
        expect(redacted(JSON.stringify([...list, ...list]).slice(1, -1))).toEqual([
          ...(expectedAll as Map[]),
          ...(expectedAll as Map[]),
        ]);
      }),
      { numRuns: 300 },
    );
  });

  it('takes out managed fields, what was last applied, and values of variables', () => {
    const pod = {
      metadata: {
        name: 'p',
        managedFields: [{ manager: 'kubectl', fieldsV1: { 'f:spec': {} } }],
        annotations: { [LAST_APPLIED]: '{"kind":"Pod"}', note: 'kept', 'my.token': 'gone' },
        labels: { token: 'a label is no secret' },
      },
      spec: {
        containers: [
          {
            env: [
              { value: 'before its name', name: 'DATABASE' },
              { name: 'CALICO_IPV4POOL_CIDR', value: '10.0.0.0/16' },
              { name: 'FROM', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } },
            ],
          },
        ],
      },
    };
    expect(redacted(JSON.stringify(pod))).toEqual([
      {
        ...TYPE,
        metadata: {
          name: 'p',
          annotations: { note: 'kept', 'my.token': REDACTED },
          labels: { token: 'a label is no secret' },
        },
        spec: {
          containers: [
            {
              env: [
                { name: 'DATABASE', value: REDACTED },
                { name: 'CALICO_IPV4POOL_CIDR', value: '10.0.0.0/16' },
                { name: 'FROM', valueFrom: { secretKeyRef: { name: 's', key: REDACTED } } },
              ],
            },
          ],
        },
      },
    ]);
  });

  it('keeps the names of labels and taints: what runs where hangs on them', () => {
    const affinity = { matchExpressions: [{ key: 'zone', operator: 'In', values: ['a'] }] };
    const object = {
      spec: {
        tolerations: [{ key: 'node-role.kubernetes.io/control-plane', effect: 'NoSchedule' }],
        taints: [{ key: 'dedicated', value: 'db', effect: 'NoExecute' }],
        nodeAffinity: { required: { nodeSelectorTerms: [affinity] } },
      },
    };
    expect(redacted(JSON.stringify(object))).toEqual([{ ...TYPE, ...object }]);
    const other = { spec: { tls: { key: 'x' }, items: [{ key: 'x' }] } };
    expect(redacted(JSON.stringify(other))).toEqual([
      { ...TYPE, spec: { tls: { key: REDACTED }, items: [{ key: REDACTED }] } },
    ]);
  });

  it('says where a text is not whole', () => {
    const whole = JSON.stringify([{ metadata: { name: 'p' }, spec: { a: ['x', { b: 1 }] } }]);
    for (let end = 1; end < whole.length - 2; end += 1)
      expect(() => redacted(whole.slice(1, 1 + end))).toThrow(SyntaxError);
    expect(() => redacted('{"a":1}{"b":2}')).toThrow(SyntaxError);
    expect(() => redacted('{"a":nonsense!}')).toThrow(SyntaxError);
  });
});
