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
import { isMap, listOf, mapOf } from './json.ts';
import { type KindPlace, notServed, pathOf } from './kinds.ts';
import { headOf, type ListHead, ListSplitter } from './list-splitter.ts';
import { foreignAnswer, StatusError } from './status.ts';

const PAGE = 500;
const RESTARTS_MAX = 2;
/** A page larger than this is read in parts. */
const WHOLE_BYTES_MAX = 32 * 1024 * 1024;

type Page = ListPage<KubeObject>;

interface WholePage {
  readonly items: readonly KubeObject[];
  readonly head: ListHead;
}

/** The begin of a body that is too large to be held. */
interface LargeBody {
  readonly first: readonly Buffer[];
  readonly rest: AsyncIterator<Buffer>;
}

export function selectionQuery(options: ListOptions): Query {
  return {
    labelSelector: labelSelectorText(options.labelSelector),
    fieldSelector: fieldSelectorText(options.fieldSelector, options.nodeName),
  };
}

export async function* listPages(
  client: ApiClient,
  place: KindPlace,
  options: PageOptions,
): AsyncGenerator<Page> {
  const { limit = PAGE } = options;
  let token: string | undefined;
  let marks: Pick<Page, 'inconsistent' | 'restarted'> = {};
  let restarts = 0;
  for (;;) {
    let answer: WholePage | LargeBody;
    try {
      answer = await askForPage(client, place, options, token);
    } catch (error) {
      const goOn = afterExpiry(error, token);
      if (goOn === undefined) throw explained(error, place);
      if (goOn.token === undefined && (restarts += 1) > RESTARTS_MAX) throw tooSlow(place);
      marks = goOn.token === undefined ? { restarted: true } : { inconsistent: true };
      ({ token } = goOn);
      continue;
    }
    if ('first' in answer) {
      yield* partsOf(answer, place, limit, marks);
      return;
    }
    const { items, head } = answer;
    const { resourceVersion, remaining } = head;
    yield { items, resourceVersion, ...(remaining === undefined ? {} : { remaining }), ...marks };
    // A restart is told once; what is from a newer state stays so.
    if (marks.restarted === true) marks = {};
    token = head.continueToken;
    if (token === undefined) return;
  }
}

function askForPage(
  client: ApiClient,
  place: KindPlace,
  options: PageOptions,
  token: string | undefined,
): Promise<WholePage | LargeBody> {
  const { limit = PAGE, namespace, signal, deadlineMs } = options;
  const request = {
    method: 'GET',
    path: pathOf(place, namespace),
    query: { ...selectionQuery(options), limit, continue: token },
    isRepeatable: true,
    ...(signal === undefined ? {} : { signal }),
    ...(deadlineMs === undefined ? {} : { deadlineMs }),
  };
  return client.send(request, (answer) => readPage(client, place, answer, request.path));
}

async function readPage(
  client: ApiClient,
  place: KindPlace,
  answer: Answer,
  path: string,
): Promise<WholePage | LargeBody> {
  const pieces: Buffer[] = [];
  const body = answer.body[Symbol.asyncIterator]();
  let bytes = 0;
  for (;;) {
    const next = await body.next();
    if (next.done === true) break;
    pieces.push(next.value);
    bytes += next.value.length;
    if (bytes > WHOLE_BYTES_MAX) return { first: pieces, rest: body };
  }
  const text = Buffer.concat(pieces).toString('utf8');
  const list = parsedList(text);
  if (list === undefined) {
    throw foreignAnswer({
      httpStatus: answer.status,
      contentType: answer.headers['content-type'] ?? '',
      request: `GET ${path}`,
      server: client.server,
      text,
    });
  }
  return {
    items: listOf(list['items'])
      .filter(isMap)
      .map((item) => named(item, place)),
    head: headOf(list),
  };
}

function parsedList(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const list: unknown = JSON.parse(text);
    // An empty list of a Go server may be null.
    return isMap(list) && 'items' in list ? list : undefined;
  } catch {
    return undefined;
  }
}

async function* partsOf(
  { first, rest }: LargeBody,
  place: KindPlace,
  limit: number,
  marks: Pick<Page, 'inconsistent' | 'restarted'>,
): AsyncGenerator<Page> {
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
      yield { items: items.slice(0, limit), resourceVersion: '', ...told };
      items = items.slice(limit);
      told = {};
    }
    const next = await rest.next();
    if (next.done === true) break;
    take(splitter.push(next.value));
  }
  yield { items, resourceVersion: splitter.end().resourceVersion, ...told };
}

/** Objects in a list do not say what they are; everywhere else they do. */
function named(item: Readonly<Record<string, unknown>>, place: KindPlace): KubeObject {
  const { apiVersion, kind } = place;
  // The server's object, with what the list says of all of them.
  return { apiVersion, kind, ...item } as unknown as KubeObject;
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
