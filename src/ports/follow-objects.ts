/**
 * A kind followed for as long as somebody wants: listed, watched, and listed again when the server no
 * longer knows where the watch was (410). Only keys and versions are kept, so that memory does not
 * hold the objects. Listing again backs off, and stays backed off until a watch has held: events that
 * arrive between two 410s are no reason to storm a server that is unwell.
 */
import { RegaugeError } from '../base/errors.ts';
import type { KubeObject } from '../model/kubernetes.ts';
import type { ClockPort } from './clock.ts';
import type { KubernetesReads } from './kubernetes.ts';
import type { ListOptions } from './kubernetes-calls.ts';

export type Followed<T extends KubeObject> =
  | { readonly type: 'added' | 'modified'; readonly object: T }
  | { readonly type: 'deleted'; readonly namespace: string | undefined; readonly name: string }
  /** All that is there has been told; again after each new list. */
  | { readonly type: 'synced'; readonly resourceVersion: string };

/** A watch that held so long proves that the server is well. */
const HELD_MS = 60_000;
const FIRST_MS = 1_000;
const LONGEST_MS = 60_000;

interface Known {
  readonly uid: string | undefined;
  readonly version: string | undefined;
  readonly namespace: string | undefined;
  readonly name: string;
}

export async function* followObjects<T extends KubeObject>(
  kubernetes: Pick<KubernetesReads, 'pages' | 'watch'>,
  clock: ClockPort,
  apiVersion: string,
  kind: string,
  options: ListOptions = {},
): AsyncGenerator<Followed<T>> {
  const known = new Map<string, Known>();
  let failures = 0;
  for (;;) {
    let resourceVersion = '';
    for await (const event of listed<T>(kubernetes, apiVersion, kind, options, known)) {
      if (event.type === 'synced') ({ resourceVersion } = event);
      yield event;
    }
    const began = clock.now();
    try {
      const watching = { ...options, resourceVersion };
      for await (const event of kubernetes.watch<T>(apiVersion, kind, watching)) {
        if (event.type === 'bookmark') continue;
        yield event.type === 'deleted'
          ? gone(known, event.object)
          : { type: seen(known, event.object) ?? 'modified', object: event.object };
      }
      return;
    } catch (error) {
      if (!(error instanceof RegaugeError) || error.code !== 'expired') throw error;
    }
    failures = clock.now() - began >= HELD_MS ? 1 : failures + 1;
    await clock.sleep(Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(failures - 1, 10)));
    if (options.signal?.aborted === true) return;
  }
}

/** What is new or changed against what is known, then what is gone. */
async function* listed<T extends KubeObject>(
  kubernetes: Pick<KubernetesReads, 'pages'>,
  apiVersion: string,
  kind: string,
  options: ListOptions,
  known: Map<string, Known>,
): AsyncGenerator<Followed<T>> {
  let here = new Set<string>();
  let resourceVersion = '';
  for await (const page of kubernetes.pages<T>(apiVersion, kind, options)) {
    if (page.restarted === true) here = new Set();
    ({ resourceVersion } = page);
    for (const object of page.items) {
      here.add(keyOf(object));
      const type = seen(known, object);
      if (type !== undefined) yield { type, object };
    }
  }
  for (const [key, { namespace, name }] of known) {
    if (here.has(key)) continue;
    known.delete(key);
    yield { type: 'deleted', namespace, name };
  }
  yield { type: 'synced', resourceVersion };
}

/** Undefined when this very version was told already. */
function seen(known: Map<string, Known>, object: KubeObject): 'added' | 'modified' | undefined {
  const { uid, resourceVersion: version, namespace, name } = object.metadata;
  const key = keyOf(object);
  const before = known.get(key);
  known.set(key, { uid, version, namespace, name });
  if (before === undefined || before.uid !== uid) return 'added';
  return before.version === version ? undefined : 'modified';
}

function gone<T extends KubeObject>(known: Map<string, Known>, object: T): Followed<T> {
  known.delete(keyOf(object));
  return { type: 'deleted', namespace: object.metadata.namespace, name: object.metadata.name };
}

function keyOf({ metadata: { namespace = '', name } }: KubeObject): string {
  return `${namespace}/${name}`;
}
