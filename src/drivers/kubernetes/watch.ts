/**
 * Watches that go on: with bookmarks, from the last version that was told, after every end. The
 * server ends each in its time; one that is silent for too long is taken to be dead. A watch that
 * ends soon is not opened again at once, whatever it told meanwhile: reconnecting in a storm is an
 * attack on a server that is unwell.
 */
import { RegaugeError } from '../../base/errors.ts';
import type { KubeObject } from '../../model/kubernetes.ts';
import type { WatchEvent, WatchOptions } from '../../ports/index.ts';
import { AttemptError, type Answer } from './attempt.ts';
import type { ApiClient } from './api-client.ts';
import { mapOf } from '../../base/json-tree.ts';
import { type KindPlace, notServed, pathOf } from './kinds.ts';
import { linesOf } from './lines.ts';
import { selectionQuery } from './list-pages.ts';
import { refusalError, StatusError } from './status.ts';
import { deadlineOf, interrupted, sleep, type Timers } from './timers.ts';

/** The server is asked to end the watch in 5 to 10 minutes, as client-go does. */
const SERVER_SECONDS = 300;
/** Bookmarks come about every minute; without any for this long the connection is given up. */
const SILENCE_MS = 180_000;
/** A watch that lasted so long was a good one: the next may begin at once. */
const GOOD_MS = 30_000;
const FIRST_MS = 500;
const LONGEST_MS = 30_000;
/** How long a server may be away (a control-plane node that reboots) before the watch fails. */
const PATIENCE_MS = 300_000;

type Event = WatchEvent<KubeObject>;

interface Course {
  version: string;
  failures: number;
  /** Since when nothing was heard from the server; undefined while it answers. */
  silentSince: number | undefined;
}

export async function* watchEvents(
  client: ApiClient,
  place: KindPlace,
  options: WatchOptions,
): AsyncGenerator<Event> {
  const { timers } = client.parts;
  const deadline = deadlineOf(timers, options, `watch ${place.plural}`);
  const course: Course = {
    version: options.resourceVersion,
    failures: 0,
    silentSince: undefined,
  };
  try {
    for (;;) {
      const began = timers.now();
      const failure = yield* oneWatch(client, place, options, deadline.signal, course);
      if (options.signal?.aborted === true) return;
      if (deadline.signal.aborted) throw interrupted(deadline.signal);
      if (failure !== undefined && isFinal(failure)) throw told(failure, place);
      const lasted = timers.now() - began;
      if (failure === undefined) course.silentSince = undefined;
      else course.silentSince ??= began;
      course.failures = lasted >= GOOD_MS ? 0 : course.failures + 1;
      if (course.silentSince !== undefined && timers.now() - course.silentSince > PATIENCE_MS)
        throw told(failure, place);
      await pause(timers, course, failure, deadline.signal);
    }
  } catch (error) {
    if (options.signal?.aborted === true) return;
    throw error;
  } finally {
    deadline.clear();
  }
}

/** Tells events until the watch ends; the failure it ended with, if any. */
async function* oneWatch(
  client: ApiClient,
  place: KindPlace,
  options: WatchOptions,
  signal: AbortSignal,
  course: Course,
): AsyncGenerator<Event, RegaugeError | undefined> {
  let answer: Answer | undefined;
  const onAbort = (): void => answer?.discard();
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    answer = await openWatch(client, place, options, signal, course.version);
    for await (const line of linesOf(answer.body)) {
      if (line.trim() === '') continue;
      const event = eventOf(line, place, client.server);
      if (event === undefined) continue;
      course.version = event.resourceVersion;
      course.silentSince = undefined;
      yield event;
    }
    return undefined;
  } catch (error) {
    if (error instanceof AttemptError) return error.failure.error;
    if (error instanceof RegaugeError) return error;
    throw error;
  } finally {
    signal.removeEventListener('abort', onAbort);
    answer?.discard();
  }
}

function openWatch(
  client: ApiClient,
  place: KindPlace,
  options: WatchOptions,
  signal: AbortSignal,
  resourceVersion: string,
): Promise<Answer> {
  const jitter = Math.floor(client.parts.timers.random() * SERVER_SECONDS);
  const request = {
    method: 'GET',
    path: pathOf(place, options.namespace),
    query: {
      ...selectionQuery(options),
      watch: true,
      allowWatchBookmarks: true,
      resourceVersion,
      timeoutSeconds: SERVER_SECONDS + jitter,
    },
    isRepeatable: true,
    isRetried: false,
    idleMs: SILENCE_MS,
    signal,
  };
  return client.send(request, (answer) => Promise.resolve(answer));
}

function eventOf(line: string, place: KindPlace, server: string): Event | undefined {
  const { type, object } = parsedLine(line, server);
  const tree = mapOf(object);
  if (type === 'ERROR') {
    const { code } = tree;
    throw refusalError({
      httpStatus: typeof code === 'number' ? code : 500,
      contentType: 'application/json',
      text: JSON.stringify(tree),
      request: `watch ${place.plural}`,
      user: 'the user',
      server,
    });
  }
  const version = mapOf(tree['metadata'])['resourceVersion'];
  if (typeof version !== 'string') return undefined;
  if (type === 'BOOKMARK') return { type: 'bookmark', resourceVersion: version };
  const name = TYPES[String(type)];
  if (name === undefined) return undefined;
  const { apiVersion, kind } = place;
  // The server's object; what it is was in the question.
  const shown = { apiVersion, kind, ...tree } as unknown as KubeObject;
  return { type: name, object: shown, resourceVersion: version };
}

const TYPES: Readonly<Record<string, 'added' | 'modified' | 'deleted'>> = {
  ADDED: 'added',
  MODIFIED: 'modified',
  DELETED: 'deleted',
};

/** A line that is cut off is a broken connection. */
function parsedLine(line: string, server: string): Readonly<Record<string, unknown>> {
  try {
    return mapOf(JSON.parse(line));
  } catch {
    throw new RegaugeError('unreachable', `a watch of ${server} was cut off in an event`);
  }
}

function isFinal(error: RegaugeError): boolean {
  if (error.code === 'unreachable' || error.code === 'throttled') return false;
  // An internal error of the server passes, or the patience for it does.
  return !(error instanceof StatusError && error.httpStatus >= 500);
}

function told(error: RegaugeError | undefined, { apiVersion, kind }: KindPlace): RegaugeError {
  if (error instanceof StatusError && error.httpStatus === 404) return notServed(apiVersion, kind);
  return error ?? new RegaugeError('unreachable', `the watch of ${kind} kept ending at once`);
}

function pause(
  timers: Timers,
  { failures }: Course,
  failure: RegaugeError | undefined,
  signal: AbortSignal,
): Promise<void> {
  if (failures === 0) return Promise.resolve();
  const backOff = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(failures - 1, 10));
  const { retryAfterMs = 0 } = (failure ?? {}) as { readonly retryAfterMs?: number };
  return sleep(timers, Math.max(retryAfterMs, backOff * (0.5 + timers.random() / 2)), signal);
}
