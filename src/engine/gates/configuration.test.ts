/** The gate on what agents would read: fires on a change, not on what others add; unread, it does not hold. */
import { expect, it } from 'vitest';
import { RegaugeError } from '../../base/errors.ts';
import type { ConfigMapObject } from '../../model/kubernetes.ts';
import type { Gate } from '../../model/plan.ts';
import type { Ports } from '../../ports/index.ts';
import type { Verdict } from '../../steps/step-module.ts';
import { planOf } from '../testing.ts';
import { evaluateGate } from './evaluate.ts';
import { gateContextOf } from './gate-context.ts';

const GATE: Gate = { kind: 'configuration-kept', release: 'cilium', namespace: 'kube-system' };

function config(data: Readonly<Record<string, string>>): ConfigMapObject {
  const metadata = { namespace: 'kube-system', name: 'cilium-config', resourceVersion: '1' };
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata, data };
}

function verdictOn(live: ConfigMapObject | undefined, error?: RegaugeError): Promise<Verdict> {
  const ports = {
    clock: { now: () => 0, sleep: () => Promise.resolve() },
    kubernetes: { get: () => Promise.resolve(live) },
    helm: {
      manifest: () =>
        error === undefined ? Promise.resolve([config({ debug: 'false' })]) : Promise.reject(error),
    },
  } as unknown as Ports; // what the gate asks
  return evaluateGate(
    gateContextOf(planOf([]), ports, () => Promise.resolve()),
    GATE,
  );
}

it('does not hold where a key is another than the release wrote, or is gone', async () => {
  const changed = await verdictOn(config({ debug: 'true' }));
  expect(changed).toMatchObject({
    holds: false,
    message: expect.stringMatching(/debug is "true"/),
  });
  expect((await verdictOn(config({}))).holds).toBe(false);
  expect((await verdictOn(undefined)).holds).toBe(false);
});

it('holds where others have added a key', async () => {
  expect((await verdictOn(config({ debug: 'false', theirs: 'x' }))).holds).toBe(true);
});

it('does not hold where nobody says what the release wrote', async () => {
  const verdict = await verdictOn(
    config({ debug: 'false' }),
    new RegaugeError('timeout', 'no Helm'),
  );
  expect(verdict).toMatchObject({ holds: false, message: 'could not be evaluated: no Helm' });
});
