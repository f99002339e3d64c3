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
import { mapOf } from '../../base/json-tree.ts';
import { type KindPlace, notServed, pathOf } from './kinds.ts';
import { type ListHead, ListSplitter } from './list-splitter.ts';
import { type LargeBody, PageBodies } from './page-bodies.ts';
import { named, type PageForm } from './page-forms.ts';
import { foreignAnswer, StatusError } from './status.ts';

const PAGE = 500;
const RESTARTS_MAX = 2;
/** A page larger than this is read in parts. */
const WHOLE_BYTES_MAX = 32 * 1024 * 1024;
/** What pages come to that are sized by their bytes, and how many objects that may be. */
const SIZED_BYTES = 16 * 1024 * 1024;
const SIZED_MIN = 50;
const SIZED_MAX = 5_000;
const FOREIGN_BYTES_MAX = 1_000_000;

type PageOf<T> = Omit<ListPage<KubeObject>, 'items'> & { readonly items: T };
type Marks = Pick<ListPage<KubeObject>, 'inconsistent' | 'restarted'>;

interface WholePage<T> {
  readonly items: T;
  readonly head: ListHead;
  readonly body: Buffer;
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
  const list = new PagedList(client, place, options, form);
  try {
    yield* list.pages();
  } finally {
    list.end();
  }
}

class PagedList<T> {
  private readonly client: ApiClient;
  private readonly place: KindPlace;
  private readonly options: PageOptions;
  private readonly form: PageForm<T>;
  private readonly bodies = new PageBodies();
  private readonly stopping = new AbortController();
  private limit: number;
  private token: string | undefined;
  private marks: Marks = {};
  private restarts = 0;
  /** The page after the one that is worked on. */
  private ahead: Promise<PageRead<T>> | undefined;

  constructor(client: ApiClient, place: KindPlace, options: PageOptions, form: PageForm<T>) {
    this.client = client;
    this.place = place;
    this.form = form;
    const { signal, limit = PAGE } = options;
    this.limit = limit;
    const signals = [this.stopping.signal, ...(signal === undefined ? [] : [signal])];
    this.options = { ...options, signal: AbortSignal.any(signals) };
  }

  async *pages(): AsyncGenerator<PageOf<T>> {
    do {
      const answer = await this.next();
      if (answer === undefined) continue;
      if ('first' in answer) {
        this.token = yield* this.partsOf(answer);
        continue;
      }
      const { items, head, body } = answer;
      const { resourceVersion, remaining } = head;
      this.token = head.continueToken;
      this.askAhead(body.length);
      const { marks } = this;
      yield { items, resourceVersion, ...(remaining === undefined ? {} : { remaining }), ...marks };
      this.bodies.giveBack(body);
      this.forgetRestart();
    } while (this.token !== undefined || this.marks.restarted === true);
  }

  /** Nobody waits for pages any more. */
  end(): void {
    this.stopping.abort();
  }

  /** Undefined where the list has to begin again, or goes on elsewhere. */
  private async next(): Promise<PageRead<T> | undefined> {
    const { ahead, token } = this;
    this.ahead = undefined;
    try {
      return await (ahead ?? this.ask());
    } catch (error) {
      const goOn = afterExpiry(error, token);
      if (goOn === undefined) throw explained(error, this.place);
      if (goOn.token === undefined && (this.restarts += 1) > RESTARTS_MAX)
        throw tooSlow(this.place);
      this.marks = goOn.token === undefined ? { restarted: true } : { inconsistent: true };
      this.token = goOn.token;
      return undefined;
    }
  }

  private askAhead(bytes: number): void {
    const { form, options, limit } = this;
    if (!form.isSized) return;
    if (options.limit === undefined) this.limit = sizedLimit(limit, bytes);
    if (this.token === undefined) return;
    this.ahead = this.ask();
    // Who waits for it hears of it; nobody may wait any more.
    this.ahead.catch(() => undefined);
  }

  private ask(): Promise<PageRead<T>> {
    const { options, limit, token } = this;
    const { namespace, signal, deadlineMs } = options;
    const request = {
      method: 'GET',
      path: pathOf(this.place, namespace),
      query: { ...selectionQuery(options), limit, continue: token },
      isRepeatable: true,
      ...(signal === undefined ? {} : { signal }),
      ...(deadlineMs === undefined ? {} : { deadlineMs }),
    };
    return this.client.send(request, (answer) => this.read(answer, request.path));
  }

  private async read(answer: Answer, path: string): Promise<PageRead<T>> {
    const body = await this.bodies.read(answer.body, WHOLE_BYTES_MAX);
    if ('first' in body) return body;
    const page = this.form.read(body);
    if (page !== undefined) return { ...page, body };
    throw foreignAnswer({
      httpStatus: answer.status,
      contentType: answer.headers['content-type'] ?? '',
      request: `GET ${path}`,
      server: this.client.server,
      text: body.toString('utf8', 0, FOREIGN_BYTES_MAX),
    });
  }

  /** Ends with the token of the page after. */
  private async *partsOf({
    first,
    rest,
  }: LargeBody): AsyncGenerator<PageOf<T>, string | undefined> {
    const { form, place } = this;
    const splitter = new ListSplitter();
    let items: KubeObject[] = [];
    const take = (found: readonly unknown[]): void => {
      for (const item of found) items.push(named(mapOf(item), place));
    };
    take(splitter.push(first));
    for (;;) {
      while (items.length >= PAGE) {
        // The list's own version may come only at its end.
        yield { items: form.ofObjects(items.slice(0, PAGE)), resourceVersion: '', ...this.marks };
        items = items.slice(PAGE);
        this.forgetRestart();
      }
      const next = await rest.next();
      if (next.done === true) break;
      take(splitter.push(next.value));
    }
    const { resourceVersion, continueToken } = splitter.end();
    yield { items: form.ofObjects(items), resourceVersion, ...this.marks };
    this.forgetRestart();
    if (form.isSized && this.options.limit === undefined)
      this.limit = Math.max(SIZED_MIN, Math.floor(this.limit / 2));
    return continueToken;
  }

  /** A restart is told once; what is from a newer state stays so. */
  private forgetRestart(): void {
    if (this.marks.restarted === true) this.marks = {};
  }
}

/** How many objects make a page of the size wanted, when so many made one of these bytes. */
export function sizedLimit(limit: number, bytes: number): number {
  const wanted = Math.floor((limit * SIZED_BYTES) / Math.max(1, bytes));
  return Math.max(SIZED_MIN, Math.min(SIZED_MAX, wanted));
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
