/** A text that holds a secret has a mark, whatever stands around the secret; ordinary texts have few. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { redactText } from './redaction.ts';
import { isMark, NOTABLE } from './redaction-marks.ts';

function isMarked(text: string): boolean {
  const bytes = Buffer.from(JSON.stringify(text));
  return bytes.some((byte, at) => {
    const notable = NOTABLE[byte];
    return at > 0 && (notable === 3 || (notable === 1 && isMark(bytes, at, 1)));
  });
}

const hex = fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: 32 });
const word = fc.string({ unit: fc.constantFrom(...'abcXYZ019_-'), minLength: 16, maxLength: 50 });
const small = fc.string({ unit: fc.constantFrom(...'abcz09'), minLength: 16, maxLength: 16 });
const SECRETS = fc.oneof(
  fc.constantFrom('', 'RSA ', 'EC ').map((of) => `-----BEGIN ${of}PRIVATE KEY-----MIIE`),
  fc.nat().map((tail) => `LS0tLS1CRUdJTi${'Qk'.repeat(20)}${tail}`),
  fc.nat().map((tail) => `H4sI${'AA'.repeat(100)}${tail}`),
  fc.tuple(word, word, word).map(([a, b, c]) => `eyJ${a}.${b}.${c}`),
  fc.tuple(small, small).map(([a, b]) => `${a.slice(0, 6)}.${b}`),
  fc.tuple(hex, word).map(([a, b]) => `K10${a}::${b}`),
  fc.constantFrom('AKIA', 'ASIA').map((mark) => `${mark}0123456789ABCDEF`),
  fc
    .tuple(fc.constantFrom('ghp_', 'gho-', 'glpat-', 'xoxb-', 'xoxs_'), word)
    .map(([mark, rest]) => mark + rest),
  fc.tuple(word, word).map(([user, password]) => `postgres://${user}:${password}@db/x`),
  fc
    .tuple(
      fc.constantFrom(
        'token',
        'my-Secret',
        'PASSWORD',
        'passwd',
        'passphrase',
        'api-key',
        'apiKey',
      ),
      fc.constantFrom('', '"', "'"),
      fc.constantFrom('', ' ', '  ', '\t', '\u00A0', '\u2003'),
      fc.constantFrom(':', '='),
      word,
    )
    .map((parts) => parts.join('')),
  fc.constant('privatekey: abcdefgh'),
);

describe('marks of secrets', () => {
  it('are in every text of which something is taken out', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary' }),
        fc.oneof(SECRETS, fc.string({ unit: 'binary' })),
        fc.string({ unit: 'binary' }),
        (before, secret, after) => {
          const text = before + secret + after;
          expect(redactText(text) === text || isMarked(text)).toBe(true);
        },
      ),
      { numRuns: 3_000 },
    );
  });

  it('are not in the texts that pods are made of', () => {
    const texts = [
      '2025-01-11T19:42:03Z',
      'containerd://2d4b82acf2aacdc05a0911c7fa436d0bda89b88a2cd3713a62d03060866ee406',
      'registry.example.com/team/service-1@sha256:1b0bcc6430fe59dcc8b9a9bf431aa93ac2667b3223e32',
      'node.kubernetes.io/not-ready',
      'kube-api-access-djcpm',
      '/var/run/secrets/kubernetes.io/serviceaccount',
      'IfNotPresent',
      'ClusterFirst',
      'fd00:10:244::5',
      '51326e58-181e-4a28-9155-1d3b9e5d4beb',
    ];
    expect(texts.filter(isMarked)).toEqual([]);
  });
});
