/** Server-side apply: who owns which field, and what happens where two want the same. */
import { expect, it } from 'vitest';
import type {
  ConfigMapObject,
  DeploymentObject,
  KubeObject,
} from '../../../src/model/kubernetes.ts';
import { addressOf, configMap, group, type TargetKind } from './target.ts';
import { failureOf } from '../../support/failure-of.ts';

type Data = KubeObject & { readonly data?: Readonly<Record<string, string>> };

export function describeApply(kind: TargetKind): void {
  group(kind, 'server-side apply', (on) => {
    it(
      'creates what is not there, and leaves alone what is as it should be',
      on(async ({ port, namespace }) => {
        const object = configMap(namespace, 'a', { data: { x: '1' } });
        const made = await port.apply(object);
        const again = await port.apply(object);
        expect(again.metadata.resourceVersion).toBe(made.metadata.resourceVersion);
        const managers = made.metadata.managedFields?.map(({ manager }) => manager);
        expect(managers).toEqual(['regauge']);
      }),
    );

    it(
      'takes away what its manager no longer applies, and nothing of others',
      on(async ({ port, namespace }) => {
        await port.apply(configMap(namespace, 'a', { data: { x: '1', y: '2' } }));
        await port.apply(configMap(namespace, 'a', { data: { z: '3' } }), {
          fieldManager: 'other',
        });
        const now = await port.apply<Data>(configMap(namespace, 'a', { data: { y: '2' } }));
        expect(now.data).toEqual({ y: '2', z: '3' });
      }),
    );

    it(
      'names the other manager in a conflict, changes nothing, and takes over when forced',
      on(async ({ port, namespace }) => {
        await port.apply(configMap(namespace, 'a', { data: { x: '1' } }), { fieldManager: 'helm' });
        const mine = configMap(namespace, 'a', { data: { x: '2' } });
        const error = await failureOf(port.apply(mine));
        expect(error).toMatchObject({ code: 'conflict' });
        expect(error.message).toContain('conflict with "helm"');
        expect(error.message).toContain('.data.x');
        expect(await port.get<Data>(addressOf(mine))).toMatchObject({ data: { x: '1' } });
        const taken = await port.apply<Data>(mine, { force: true });
        expect(taken.data).toEqual({ x: '2' });
        const back = await failureOf(
          port.apply(configMap(namespace, 'a', { data: { x: '1' } }), { fieldManager: 'helm' }),
        );
        expect(back.message).toContain('conflict with "regauge"');
      }),
    );

    it(
      'shares a field that two managers want alike, and keeps it until both are gone from it',
      on(async ({ port, namespace }) => {
        const both = configMap(namespace, 'a', { data: { x: '1' } });
        await port.apply(both);
        await port.apply(both, { fieldManager: 'other' });
        await port.apply(configMap(namespace, 'a'));
        expect(await port.get<Data>(addressOf(both))).toMatchObject({ data: { x: '1' } });
        const last = await port.apply<ConfigMapObject>(configMap(namespace, 'a'), {
          fieldManager: 'other',
        });
        expect(last.data).toBeUndefined();
      }),
    );

    it(
      'owns what it wrote by a patch too',
      on(async ({ port, namespace }) => {
        await port.apply(configMap(namespace, 'a', { data: { x: '1' } }), { fieldManager: 'helm' });
        await port.patch(addressOf(configMap(namespace, 'a')), { data: { x: '2' } });
        const error = await failureOf(
          port.apply(configMap(namespace, 'a', { data: { x: '1' } }), { fieldManager: 'helm' }),
        );
        expect(error.message).toContain('conflict with "regauge"');
      }),
    );

    it(
      'merges containers by name',
      on(async ({ port, namespace }) => {
        await port.apply(deployment(namespace, [{ name: 'web', image: 'example.com/web:1' }]));
        const sidecar = deployment(namespace, [{ name: 'side', image: 'example.com/side:1' }]);
        const now = await port.apply(sidecar, { fieldManager: 'other' });
        const names = now.spec.template.spec.containers.map(({ name }) => name);
        expect(names.toSorted()).toEqual(['side', 'web']);
      }),
    );

    it(
      'is refused with an old version',
      on(async ({ port, namespace }) => {
        const made = await port.apply(configMap(namespace, 'a', { data: { x: '1' } }));
        await port.patch(addressOf(made), { data: { y: '2' } });
        const { resourceVersion = '' } = made.metadata;
        const old = configMap(namespace, 'a', { data: { x: '3' } });
        const error = await failureOf(
          port.apply({ ...old, metadata: { ...old.metadata, resourceVersion } }),
        );
        expect(error).toMatchObject({ code: 'conflict' });
      }),
    );
  });
}

function deployment(
  namespace: string,
  containers: readonly { readonly name: string; readonly image: string }[],
): DeploymentObject {
  const labels = { app: 'contract' };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { namespace, name: 'web' },
    spec: {
      replicas: 0,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers } },
    },
  };
}
