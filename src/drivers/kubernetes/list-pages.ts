/**
 * Lists, page by page. A page is read whole before it is given on, so that one that was cut off is
 * asked for again; a server that ignores `limit` is read in parts instead. When the server forgets
 * the list in its middle (410), the list goes on at a newer state where the server offers it
 * (`inconsistent`), or begins again (`restarted`), no more than twice.
 */
import { RegaugeError } from '../../base/errors.ts';
import { fieldSelectorText, labelSelectorText } from '../../knowledge/object-selectors.ts';
import type { KubeObject } from '../../model/kubernetes.ts';
import type { ListOptions, ListPage, PageOptions } from '../../ports/index.ts';
import type { Answer } from './attempt.ts';
import type { ApiClient, Query } from './api-client.ts';
import { mapOf } from './json.ts';
import { type KindPlace, notServed, pathOf } from './kinds.ts';
import { type ListHead, ListSplitter } from './list-splitter.ts';
import { named, type PageForm } from './page-forms.ts';
import { foreignAnswer, StatusError } from './status.ts';

const PAGE = 500;
const RESTARTS_MAX = 2;
/** A page larger than this is read in parts. */
const WHOLE_BYTES_MAX = 32 * 1024 * 1024;
/** What pages that are sized by their bytes come to: a tenth of a second of an API server. */
const SIZED_BYTES = 16 * 1024 * 1024;
const SIZED_MAX = 5_000;
const SIZED_MIN = 50;
const FOREIGN_BYTES_MAX = 1_000_000;

type PageOf<T> = Omit<ListPage<KubeObject>, 'items'> & { readonly items: T };

interface WholePage<T> {
  readonly items: T;
  readonly head: ListHead;
  readonly bytes: number;
}

/** The begin of a body that is too large to be held. */
interface LargeBody {
  readonly first: readonly Buffer[];
  readonly rest: AsyncIterator<Buffer>;
}

type PageRead<T> = WholePage<T> | LargeBody;

export function selectionQuery(options: ListOptions): Query {
  return {
    labelSelector: labelSelectorText(options.labelSelector),
    fieldSelector: fieldSelectorText(options.fieldSelector, options.nodeName),
  };
}

export async function* listPages<T>(
  client: ApiClient,
  place: KindPlace,
  options: PageOptions,
  form: PageForm<T>,
): AsyncGenerator<PageOf<T>> {
  const stopping = new AbortController();
  const { signal = stopping.signal } = options;
  const asked = { ...options, signal: AbortSignal.any([signal, stopping.signal]) };
  let { limit = PAGE } = options;
  let token: string | undefined;
  let marks: Pick<ListPage<KubeObject>, 'inconsistent' | 'restarted'> = {};
  let restarts = 0;
  let ahead: Promise<PageRead<T>> | undefined;
  try {
    for (;;) {
      let answer: PageRead<T>;
      try {
        answer = await (ahead ?? askForPage(client, place, { ...asked, limit }, token, form));
      } catch (error) {
        ahead = undefined;
        const goOn = afterExpiry(error, token);
        if (goOn === undefined) throw explained(error, place);
        if (goOn.token === undefined && (restarts += 1) > RESTARTS_MAX) throw tooSlow(place);
        marks = goOn.token === undefined ? { restarted: true } : { inconsistent: true };
        ({ token } = goOn);
        continue;
      }
      if ('first' in answer) {
        yield* partsOf(answer, place, form, limit, marks);
        return;
      }
      const { items, head, bytes } = answer;
      const { resourceVersion, remaining } = head;
      token = head.continueToken;
      if (form.isSized && options.limit === undefined) limit = sizedLimit(limit, bytes);
      if (form.isSized && token !== undefined) {
        ahead = askForPage(client, place, { ...asked, limit }, token, form);
        // Who waits for it hears of it; nobody may wait any more.
        ahead.catch(() => undefined);
      }
      yield { items, resourceVersion, ...(remaining === undefined ? {} : { remaining }), ...marks };
      // A restart is told once; what is from a newer state stays so.
      if (marks.restarted === true) marks = {};
      if (token === undefined) return;
    }
  } finally {
    stopping.abort();
  }
}

/** How many objects make a page of the size wanted, when so many made one of these bytes. */
function sizedLimit(limit: number, bytes: number): number {
  const wanted = Math.floor((limit * SIZED_BYTES) / Math.max(1, bytes));
  return Math.max(SIZED_MIN, Math.min(SIZED_MAX, wanted));
}

function askForPage<T>(
  client: ApiClient,
  place: KindPlace,
  options: PageOptions,
  token: string | undefined,
  form: PageForm<T>,
): Promise<PageRead<T>> {
  const { limit, namespace, signal, deadlineMs } = options;
  const request = {
    method: 'GET',
    path: pathOf(place, namespace),
    query: { ...selectionQuery(options), limit, continue: token },
    isRepeatable: true,
    ...(signal === undefined ? {} : { signal }),
    ...(deadlineMs === undefined ? {} : { deadlineMs }),
  };
  return client.send(request, (answer) => readPage(client, form, answer, request.path));
}

async function readPage<T>(
  client: ApiClient,
  form: PageForm<T>,
  answer: Answer,
  path: string,
): Promise<PageRead<T>> {
  const pieces: Buffer[] = [];
  const pending = answer.body[Symbol.asyncIterator]();
  let bytes = 0;
  for (;;) {
    const next = await pending.next();
    if (next.done === true) break;
    pieces.push(next.value);
    bytes += next.value.length;
    if (bytes > WHOLE_BYTES_MAX) return { first: pieces, rest: pending };
  }
  const body = Buffer.concat(pieces, bytes);
  const page = form.read(body);
  if (page !== undefined) return { ...page, bytes };
  throw foreignAnswer({
    httpStatus: answer.status,
    contentType: answer.headers['content-type'] ?? '',
    request: `GET ${path}`,
    server: client.server,
    text: body.toString('utf8', 0, FOREIGN_BYTES_MAX),
  });
}

async function* partsOf<T>(
  { first, rest }: LargeBody,
  place: KindPlace,
  form: PageForm<T>,
  limit: number,
  marks: Pick<ListPage<KubeObject>, 'inconsistent' | 'restarted'>,
): AsyncGenerator<PageOf<T>> {
  const splitter = new ListSplitter();
  let items: KubeObject[] = [];
  let told = marks;
  const take = (found: readonly unknown[]): void => {
    for (const item of found) items.push(named(mapOf(item), place));
  };
  for (const piece of first) take(splitter.push(piece));
  for (;;) {
    while (items.length >= limit) {
      // The list's own version may come only at its end.
      yield { items: form.ofObjects(items.slice(0, limit)), resourceVersion: '', ...told };
      items = items.slice(limit);
      told = {};
    }
    const next = await rest.next();
    if (next.done === true) break;
    take(splitter.push(next.value));
  }
  const { resourceVersion } = splitter.end();
  yield { items: form.ofObjects(items), resourceVersion, ...told };
}

function afterExpiry(
  error: unknown,
  token: string | undefined,
): { readonly token: string | undefined } | undefined {
  if (!(error instanceof StatusError) || error.httpStatus !== 410 || token === undefined)
    return undefined;
  return { token: error.status?.continueToken };
}

function explained(error: unknown, { apiVersion, kind }: KindPlace): unknown {
  const isUnserved = error instanceof StatusError && error.httpStatus === 404;
  return isUnserved ? notServed(apiVersion, kind) : error;
}

function tooSlow({ kind }: KindPlace): RegaugeError {
  return new RegaugeError(
    'expired',
    `the list of ${kind} grew old before it was read to its end, ${RESTARTS_MAX + 1} times`,
    {
      hint: 'etcd is compacted faster than the list can be read: look at the network and at etcd.',
    },
  );
}
