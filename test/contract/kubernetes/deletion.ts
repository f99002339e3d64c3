/** Deletion: finalizers, preconditions, and eviction that asks the budgets. */
import { expect, it } from 'vitest';
import type { PodObject } from '../../../src/model/kubernetes.ts';
import type { KubernetesPort } from '../../../src/ports/index.ts';
import { addressOf, configMap, group, podLiteral, type TargetKind } from './target.ts';
import { failureOf } from '../../support/failure-of.ts';

export function describeDeletion(kind: TargetKind): void {
  group(kind, 'deletion', (on) => {
    it(
      'takes an object out, and minds nothing that is gone already',
      on(async ({ port, namespace }) => {
        const made = await port.create(configMap(namespace, 'a'));
        await port.delete(addressOf(made));
        expect(await port.get(addressOf(made))).toBeUndefined();
        await port.delete(addressOf(made));
      }),
    );

    it(
      'waits for finalizers, takes no new ones then, and goes with the last',
      on(async ({ port, namespace }) => {
        const finalizers = ['example.com/keep'];
        const made = await port.create({
          ...configMap(namespace, 'a'),
          metadata: { namespace, name: 'a', finalizers },
        });
        await port.delete(addressOf(made));
        const waiting = await port.get(addressOf(made));
        expect(waiting?.metadata.deletionTimestamp).toMatch(/Z$/);
        const more = { metadata: { finalizers: ['example.com/keep', 'example.com/new'] } };
        expect(await failureOf(port.patch(addressOf(made), more))).toMatchObject({
          code: 'refused',
        });
        await port.patch(addressOf(made), { metadata: { finalizers: null } });
        expect(await port.get(addressOf(made))).toBeUndefined();
      }),
    );

    it(
      'deletes the very object that is meant, or says that it is another',
      on(async ({ port, namespace }) => {
        const old = await port.create(configMap(namespace, 'a'));
        await port.delete(addressOf(old));
        const now = await port.create(configMap(namespace, 'a'));
        const uid = old.metadata.uid ?? '';
        const error = await failureOf(port.delete(addressOf(now), { preconditions: { uid } }));
        expect(error).toMatchObject({ code: 'conflict' });
        expect(await port.get(addressOf(now))).toBeDefined();
        await port.delete(addressOf(now), { preconditions: { uid: now.metadata.uid ?? '' } });
        expect(await port.get(addressOf(now))).toBeUndefined();
      }),
    );

    it(
      'gives a name that was freed to a new object with another uid',
      on(async ({ port, namespace }) => {
        const old = await port.create(configMap(namespace, 'a'));
        await port.delete(addressOf(old));
        const now = await port.create(configMap(namespace, 'a'));
        expect(now.metadata.uid).not.toBe(old.metadata.uid);
      }),
    );

    it(
      'finds no pod to evict where there is none',
      on(async ({ port, namespace }) => {
        const error = await failureOf(port.evict(namespace, 'none'));
        expect(error).toMatchObject({ code: 'not-found' });
        expect(error.message).toContain('pods "none" not found');
      }),
    );

    it(
      'evicts a pod that no budget holds',
      on(async ({ port, namespace }) => {
        const made = await port.create(podLiteral(namespace, 'a'));
        expect(await port.evict(namespace, 'a', { dryRun: true })).toEqual({ evicted: true });
        expect(await port.get(addressOf(made))).toBeDefined();
        expect(await port.evict(namespace, 'a')).toEqual({ evicted: true });
        expect(await port.get(addressOf(made))).toBeUndefined();
      }),
    );

    if (kind.budgets !== true) return;
    it(
      'does not evict against a budget, and not with two of them',
      on(async ({ port, namespace, pass }) => {
        const labels = { app: 'contract' };
        await running(port, namespace, labels);
        await port.create(budget(namespace, 'first', labels));
        await pass(5_000);
        const answer = await port.evict(namespace, 'a');
        expect(answer).toMatchObject({ evicted: false, cause: 'budget' });
        expect(answer).toHaveProperty('message', expect.stringContaining('disruption budget'));
        await port.create(budget(namespace, 'second', labels));
        const second = await port.evict(namespace, 'a');
        expect(second).toMatchObject({ evicted: false, cause: 'budgets-overlap' });
        const pod = { apiVersion: 'v1', kind: 'Pod', namespace, name: 'a' };
        expect((await port.get(pod))?.metadata.deletionTimestamp).toBeUndefined();
        await port.delete(pod, { gracePeriodSeconds: 0 });
      }),
    );
  });
}

/** A pod that counts as healthy, though nothing runs it. */
async function running(
  port: KubernetesPort,
  namespace: string,
  labels: Record<string, string>,
): Promise<void> {
  const made = await port.create(podLiteral(namespace, 'a', labels));
  const conditions = [{ type: 'Ready', status: 'True' }];
  await port.patch<PodObject>(
    addressOf(made),
    { status: { phase: 'Running', conditions } },
    { subresource: 'status' },
  );
}

function budget(namespace: string, name: string, matchLabels: Record<string, string>) {
  return {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: { namespace, name },
    spec: { minAvailable: 1, selector: { matchLabels } },
  };
}
