/** Lists: what is in them, by pages, and by what they may be narrowed. */
import { expect, it } from 'vitest';
import type { KubeObject } from '../../../src/model/kubernetes.ts';
import type { KubernetesPort, ListOptions, ListPage } from '../../../src/ports/index.ts';
import { configMap, group, podLiteral, type TargetKind } from './target.ts';
import { failureOf } from '../../support/failure-of.ts';

export function describeLists(kind: TargetKind): void {
  group(kind, 'lists', (on) => {
    it(
      'shows each object once over all pages, of one state, though some are written meanwhile',
      on(async ({ port, namespace }) => {
        const names = ['a', 'b', 'c', 'd', 'e'];
        for (const name of names) await port.create(configMap(namespace, name, { labels: OURS }));
        const seen: ListPage<KubeObject>[] = [];
        const options = { namespace, limit: 2, labelSelector: OURS };
        for await (const page of port.pages('v1', 'ConfigMap', options)) {
          seen.push(page);
          if (seen.length === 1) await port.create(configMap(namespace, 'bb', { labels: OURS }));
        }
        expect(seen.flatMap(({ items }) => items.map(({ metadata }) => metadata.name))).toEqual(
          names,
        );
        expect(seen.map(({ items }) => items.length)).toEqual([2, 2, 1]);
        expect(new Set(seen.map(({ resourceVersion }) => resourceVersion)).size).toBe(1);
        for (const { apiVersion, kind: each } of seen.flatMap(({ items }) => items)) {
          expect([apiVersion, each]).toEqual(['v1', 'ConfigMap']);
        }
      }),
    );

    it(
      'has one page where there is nothing',
      on(async ({ port, namespace }) => {
        const pages: ListPage<KubeObject>[] = [];
        const options = { namespace, labelSelector: 'none' };
        for await (const page of port.pages('v1', 'ConfigMap', options)) pages.push(page);
        expect(pages.map(({ items }) => items)).toEqual([[]]);
        expect(Number(pages[0]?.resourceVersion)).toBeGreaterThan(0);
      }),
    );

    it(
      'has no pages of a kind that it does not serve',
      on(async ({ port }) => {
        const pages = port.pages('none.example.com/v1', 'Nothing')[Symbol.asyncIterator]();
        expect(await failureOf(pages.next())).toMatchObject({ code: 'not-found' });
      }),
    );

    it(
      'selects by labels in each of the ways the API has',
      on(async ({ port, namespace }) => {
        await port.create(configMap(namespace, 'a', { labels: { app: 'web', tier: 'front' } }));
        await port.create(configMap(namespace, 'b', { labels: { app: 'web' } }));
        await port.create(configMap(namespace, 'c', { labels: { app: 'db' } }));
        const by = async (labelSelector: ListOptions['labelSelector']): Promise<string> =>
          namesOf(port, 'ConfigMap', { namespace, labelSelector: labelSelector ?? '' });
        expect(await by({ app: 'web' })).toBe('a b');
        expect(await by({ app: 'web', tier: 'front' })).toBe('a');
        expect(await by('app=web,!tier')).toBe('b');
        expect(await by('app in (db,none)')).toBe('c');
        expect(await by('app,app notin (db)')).toBe('a b');
        expect(await by('app!=web,app')).toBe('c');
        expect(await by('tier')).toBe('a');
      }),
    );

    it(
      'selects by the fields it knows, and refuses others',
      on(async ({ port, namespace }) => {
        await port.create(podLiteral(namespace, 'a'));
        await port.create(podLiteral(namespace, 'b'));
        const by = (options: ListOptions): Promise<string> =>
          namesOf(port, 'Pod', { namespace, ...options });
        expect(await by({ fieldSelector: { 'metadata.name': 'b' } })).toBe('b');
        expect(await by({ fieldSelector: 'metadata.name!=b,status.phase=Pending' })).toBe('a');
        expect(await by({ nodeName: 'nowhere' })).toBe('');
        const error = await failureOf(by({ fieldSelector: { 'spec.unknown': 'x' } }));
        expect(error).toMatchObject({ code: 'refused' });
        expect(error.message).toContain('field label not supported');
      }),
    );

    it(
      'lists a namespace alone, and all of them together',
      on(async ({ port, namespace }) => {
        // Other namespaces may hold what other tests left.
        const labelSelector = { 'example.com/contract': namespace };
        await port.create(configMap(namespace, 'a', { labels: labelSelector }));
        expect(await namesOf(port, 'ConfigMap', { labelSelector })).toBe('a');
        expect(await namesOf(port, 'ConfigMap', { labelSelector, namespace: 'none' })).toBe('');
      }),
    );
  });
}

const OURS = { 'example.com/contract': 'lists' };

async function namesOf(port: KubernetesPort, kind: string, options: ListOptions): Promise<string> {
  const objects = await port.list('v1', kind, options);
  return objects
    .map(({ metadata }) => metadata.name)
    .filter((name) => name !== 'kube-root-ca.crt')
    .toSorted()
    .join(' ');
}
