/** Watches: every change once, in its order, from a list on; and what is too old is said to be. */
import { expect, it } from 'vitest';
import type { KubeObject } from '../../../src/model/kubernetes.ts';
import type { KubernetesPort, WatchEvent, WatchOptions } from '../../../src/ports/index.ts';
import { addressOf, configMap, group, type TargetKind, type WithTarget } from './target.ts';
import { failureOf } from '../../support/failure-of.ts';

const OURS = { 'example.com/contract': 'watches' };

export function describeWatches(kind: TargetKind): void {
  group(kind, 'watches', (on) => {
    it(
      'tells each change after the list, once and in its order',
      on(async ({ port, namespace }) => {
        await port.create(configMap(namespace, 'before', { labels: OURS }));
        const resourceVersion = await versionOfList(port, namespace);
        const object = await port.create(configMap(namespace, 'a', { labels: OURS }));
        await port.patch(addressOf(object), { data: { x: '1' } });
        await port.delete(addressOf(object));
        const events = await taken(port, { namespace, resourceVersion }, 3);
        expect(events.map(shown)).toEqual(['added a', 'modified a', 'deleted a']);
        const versions = events.map((event) => Number(event.resourceVersion));
        expect(versions).toEqual(versions.toSorted((one, other) => one - other));
        expect(new Set(versions).size).toBe(3);
        expect(versions[0]).toBeGreaterThan(Number(resourceVersion));
      }),
    );

    it(
      'goes on where an earlier watch was left, without a gap and without doubling',
      on(async ({ port, namespace }) => {
        const resourceVersion = await versionOfList(port, namespace);
        const object = await port.create(configMap(namespace, 'a', { labels: OURS }));
        const [first] = await taken(port, { namespace, resourceVersion }, 1);
        await port.patch(addressOf(object), { data: { x: '1' } });
        await port.create(configMap(namespace, 'b', { labels: OURS }));
        const from = first?.resourceVersion ?? '';
        const later = await taken(port, { namespace, resourceVersion: from }, 2);
        expect(later.map(shown)).toEqual(['modified a', 'added b']);
      }),
    );

    it(
      'tells what begins and ceases to be selected as added and deleted',
      on(async ({ port, namespace }) => {
        const resourceVersion = await versionOfList(port, namespace);
        const object = await port.create(configMap(namespace, 'a'));
        await port.patch(addressOf(object), { metadata: { labels: { on: 'yes' } } });
        await port.patch(addressOf(object), { data: { x: '1' } });
        await port.patch(addressOf(object), { metadata: { labels: { on: null } } });
        const options = { namespace, resourceVersion, labelSelector: { on: 'yes' } };
        const events = await taken(port, options, 3);
        expect(events.map(shown)).toEqual(['added a', 'modified a', 'deleted a']);
      }),
    );

    it(
      'hears what happens while it waits, and ends when it is told to',
      on(async ({ port, namespace }) => {
        const resourceVersion = await versionOfList(port, namespace);
        const controller = new AbortController();
        const { signal } = controller;
        const seen: string[] = [];
        const watching = (async () => {
          const options = { namespace, resourceVersion, signal, labelSelector: OURS };
          for await (const event of port.watch('v1', 'ConfigMap', options)) {
            if (event.type === 'bookmark') continue;
            seen.push(shown(event));
            if (seen.length === 2) controller.abort();
          }
        })();
        await port.create(configMap(namespace, 'a', { labels: OURS }));
        await port.create(configMap(namespace, 'b', { labels: OURS }));
        await watching;
        expect(seen).toEqual(['added a', 'added b']);
      }),
    );

    it(
      'knows no watch of a kind that it does not serve',
      on(async ({ port }) => {
        const options = { resourceVersion: '1' };
        const events = port.watch('none.example.com/v1', 'Nothing', options);
        const first = events[Symbol.asyncIterator]().next();
        expect(await failureOf(first)).toMatchObject({ code: 'not-found' });
      }),
    );
    describeCourse(kind, on);
  });
}

/** What not every target can be brought to. */
function describeCourse({ expire, bookmarks = false }: TargetKind, on: WithTarget): void {
  for (const milliseconds of bookmarks ? [90_000] : []) {
    it(
      'says how far it has come when nothing happens',
      on(async ({ port, namespace, pass }) => {
        const resourceVersion = await versionOfList(port, namespace);
        const options = { namespace, resourceVersion, labelSelector: { none: 'of-these' } };
        const events = port.watch('v1', 'ConfigMap', options)[Symbol.asyncIterator]();
        const next = events.next();
        await port.create(configMap(namespace, 'a', { labels: OURS }));
        await pass(milliseconds);
        const { value } = await next;
        await events.return?.();
        expect(value).toMatchObject({ type: 'bookmark' });
        expect(Number(value?.resourceVersion)).toBeGreaterThan(Number(resourceVersion));
      }),
    );
  }
  for (const forget of expire === undefined ? [] : [expire]) {
    it(
      'says by name that a version is too old',
      on(async (target) => {
        const { port, namespace } = target;
        const resourceVersion = await versionOfList(port, namespace);
        await port.create(configMap(namespace, 'a', { labels: OURS }));
        await forget(target);
        const work = taken(port, { namespace, resourceVersion }, 1);
        expect(await failureOf(work)).toMatchObject({ code: 'expired' });
      }),
    );
  }
}

async function versionOfList(port: KubernetesPort, namespace: string): Promise<string> {
  let version = '';
  for await (const page of port.pages('v1', 'ConfigMap', { namespace })) {
    version = page.resourceVersion;
  }
  return version;
}

type Change = Exclude<WatchEvent<KubeObject>, { readonly type: 'bookmark' }>;

async function taken(
  port: KubernetesPort,
  options: WatchOptions,
  count: number,
): Promise<Change[]> {
  const events: Change[] = [];
  for await (const event of port.watch('v1', 'ConfigMap', { labelSelector: OURS, ...options })) {
    if (event.type !== 'bookmark') events.push(event);
    if (events.length === count) break;
  }
  return events;
}

function shown(event: Change): string {
  return `${event.type} ${event.object.metadata.name}`;
}
