/** Secrets by key and by shape; and what only looks like one stays. */
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { isSecretKey, REDACTED, redactData, redactText } from './redaction.ts';

const JWT = `eyJ${'a'.repeat(20)}.eyJ${'b'.repeat(20)}.${'c'.repeat(20)}`;

it.each([
  ['a private key', '-----BEGIN EC PRIVATE KEY-----\nMHc\n-----END EC PRIVATE KEY-----'],
  ['PEM in base64', `LS0tLS1CRUdJTi${'A'.repeat(60)}=`],
  ['gzip in base64', `H4sI${'A'.repeat(300)}`],
  ['a service account token', JWT],
  ['a bootstrap token', 'abcdef.0123456789abcdef'],
  ['a join token of K3s', `K10${'0'.repeat(64)}::server:abcdef`],
  ['an access key', 'AKIAIOSFODNN7EXAMPLE'],
])('takes %s out of a text', (_what, secret) => {
  const kept = redactText(`before ${secret} after`);
  expect(kept).not.toContain(secret);
  expect(kept).toMatch(/^before .*after$/s);
});

it.each([
  ['--token=s3cr3tvalue', 's3cr3tvalue'],
  ['DB_PASSWORD=hunter22', 'hunter22'],
  ['password: "hunter22"', 'hunter22'],
  ['postgres://app:hunter22@db:5432/app', 'hunter22'],
])('takes the value out of %s', (text, secret) => {
  expect(redactText(text)).not.toContain(secret);
});

it.each([
  'registry.example.com/team/service@sha256:94028698684ad9a0f13bd8c272e9a3',
  'kubernetes.io/hostname',
  '10.244.0.0/16',
  'tokenExpirationSeconds is 3607',
  '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----',
])('leaves %s alone', (text) => {
  expect(redactText(text)).toBe(text);
});

it.each(['token', 'clientSecret', 'aescbcEncryptionSecret', 'DB_PASSWORD', 'key', 'api-key'])(
  'knows the key %s',
  (key) => {
    expect(isSecretKey(key)).toBe(true);
  },
);

it.each(['secretName', 'tokenExpirationSeconds', 'topologyKey', 'keys', 'secretRef', 'monkey'])(
  'takes the key %s for none',
  (key) => {
    expect(isSecretKey(key)).toBe(false);
  },
);

it('redacts by key at every depth, and leaves its input as it was', () => {
  const config = { machine: { token: 'x', ca: { crt: 'c', key: 'k' }, sysctls: { a: '1' } } };
  const before = structuredClone(config);
  expect(redactData(config)).toEqual({
    machine: { token: REDACTED, ca: { crt: 'c', key: REDACTED }, sysctls: { a: '1' } },
  });
  expect(config).toEqual(before);
});

it('is the same value where there is nothing to hide, and the same when done twice', () => {
  const plain = { a: [{ b: 1 }, 'text'], c: null };
  expect(redactData(plain)).toBe(plain);
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const once = redactData(value);
      expect(redactData(once)).toEqual(once);
    }),
  );
});
