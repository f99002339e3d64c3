/**
 * Watches: what happened after a resourceVersion and what happens from now on, as a stream of events.
 * A watch keeps its place in the history rather than a queue of its own, so that a slow client costs
 * no memory: when its place is compacted it hears 410 and the stream ends.
 */
import type { KubeObject } from '../../../../model/kubernetes.ts';
import { ApiError, badRequest, tooOld } from '../api-error.ts';
import type { HistoryEntry, KindHistory } from '../../../store/change-history.ts';
import type { WallClock } from '../../pace.ts';
import { keyOf } from './objects.ts';
import { wholeNumber } from './list.ts';
import type { Resource } from '../../../api/served-resources.ts';
import type { Selection } from './selection.ts';

export type WireEventType = 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';

export interface WatchRequest {
  readonly resource: Resource;
  readonly namespace: string | undefined;
  readonly query: URLSearchParams;
  readonly selection: Selection;
}

export interface WatchSource {
  readonly history: KindHistory;
  /** The version that `present` shows. */
  readonly resourceVersion: number;
  /** What is there now, for a watch that begins with it. */
  present(): readonly KubeObject[];
  /** The object of an event in the form asked for: JSON, table or metadata. */
  encode(object: KubeObject): string;
  /** An object that holds nothing but a resourceVersion. */
  encodeBookmark(resourceVersion: string, isEndOfInitial: boolean): string;
  readonly clock: WallClock;
}

const TYPES = { added: 'ADDED', modified: 'MODIFIED', deleted: 'DELETED' } as const;

/** Between half an hour and an hour, unless asked for less (KK apiserver MinRequestTimeout). */
const DEFAULT_TIMEOUT_SECONDS = 1_800;
const BOOKMARK_MS = 60_000;
/** A bookmark before the end, so that whoever comes back knows from where. */
const LAST_BOOKMARK_MS = 2_000;
/** Events written at once before others get a turn. */
const BATCH = 256;

/** The text of the events, one JSON document a line. */
export function watchStream(
  source: WatchSource,
  request: WatchRequest,
): ReadableStream<Uint8Array> {
  const watch = new Watch(source, request);
  return new ReadableStream<Uint8Array>(
    {
      start: (controller) => watch.start(controller),
      pull: () => watch.pull(),
      cancel: () => watch.end(),
    },
    { highWaterMark: 16 },
  );
}

class Watch {
  private readonly source: WatchSource;
  private readonly request: WatchRequest;
  private readonly bookmarks: boolean;
  private readonly timeoutMs: number;
  private readonly encoder = new TextEncoder();
  private initial: readonly KubeObject[] = [];
  private initialSent = 0;
  private endOfInitial = false;
  private position = 0;
  /** What the client knows: the version of the last event it was sent. */
  private version: number;
  private controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  private readonly releases: (() => void)[] = [];

  constructor(source: WatchSource, request: WatchRequest) {
    this.source = source;
    this.request = request;
    const { query } = request;
    this.bookmarks = isTrue(query.get('allowWatchBookmarks'));
    const asked = wholeNumber(query.get('timeoutSeconds'), 'timeoutSeconds') ?? 0;
    this.timeoutMs = (asked === 0 ? DEFAULT_TIMEOUT_SECONDS : asked) * 1000;
    this.version = source.resourceVersion;
    this.begin();
  }

  private begin(): void {
    const { source, request } = this;
    const { query, selection } = request;
    const wantsInitial = isTrue(query.get('sendInitialEvents'));
    if (wantsInitial) checkInitial(query, this.bookmarks);
    const asked = wholeNumber(query.get('resourceVersion'), 'resourceVersion') ?? 0;
    const after = source.history.positionAfter(asked === 0 ? source.resourceVersion : asked);
    if (after === undefined && !wantsInitial) return;
    const isFromPresent = wantsInitial || (asked === 0 && query.get('sendInitialEvents') === null);
    if (!isFromPresent) {
      this.position = after ?? source.history.end;
      this.version = asked === 0 ? source.resourceVersion : asked;
      return;
    }
    this.initial = source.present().filter((object) => selection.matches(object));
    this.endOfInitial = wantsInitial;
    // What the store has done but not told yet is in `present` already.
    this.position = source.history.positionAfter(source.resourceVersion) ?? source.history.end;
  }

  start(controller: ReadableStreamDefaultController<Uint8Array>): void {
    this.controller = controller;
    const { history, clock } = this.source;
    const { query } = this.request;
    const asked = wholeNumber(query.get('resourceVersion'), 'resourceVersion') ?? 0;
    if (asked !== 0 && this.initial.length === 0 && asked < history.oldest && !this.endOfInitial) {
      this.fail(tooOld(asked, history.oldest));
      return;
    }
    this.releases.push(
      history.listen(() => this.pull()),
      clock.after(this.timeoutMs, () => this.close()),
    );
    if (!this.bookmarks) return;
    this.bookmarkAfter(BOOKMARK_MS);
    if (this.timeoutMs > LAST_BOOKMARK_MS)
      this.releases.push(clock.after(this.timeoutMs - LAST_BOOKMARK_MS, () => this.bookmark()));
  }

  /** Sends while there is something and the client takes it. */
  pull(): void {
    for (let sent = 0; sent < BATCH && this.wantsMore(); sent += 1) {
      if (this.sendInitial()) continue;
      const { history } = this.source;
      if (history.isLost(this.position)) {
        this.fail(tooOld(this.version, history.oldest));
        return;
      }
      const entry = history.at(this.position);
      if (entry === undefined) return;
      this.position += 1;
      this.tell(entry);
    }
  }

  end(): void {
    this.controller = undefined;
    for (const release of this.releases.splice(0)) release();
  }

  private wantsMore(): boolean {
    return this.controller !== undefined && (this.controller.desiredSize ?? 0) > 0;
  }

  private sendInitial(): boolean {
    const object = this.initial[this.initialSent];
    if (object !== undefined) {
      this.initialSent += 1;
      this.send('ADDED', this.source.encode(object));
      return true;
    }
    this.initial = [];
    if (!this.endOfInitial) return false;
    this.endOfInitial = false;
    this.send('BOOKMARK', this.source.encodeBookmark(String(this.version), true));
    return true;
  }

  private tell({ version, type, object, old }: HistoryEntry): void {
    if (version <= this.version) return;
    this.version = version;
    const { namespace, selection } = this.request;
    if (namespace !== undefined && object.metadata.namespace !== namespace) return;
    const is = type !== 'deleted' && selection.matches(object);
    const was = old !== undefined && selection.matches(old);
    if (!is && !was) return;
    if (is && was) this.send(TYPES[type], this.source.encode(object));
    else if (is) this.send('ADDED', this.source.encode(object));
    else this.send('DELETED', this.source.encode(gone(object, old ?? object)));
  }

  private bookmarkAfter(delay: number): void {
    this.releases.push(
      this.source.clock.after(delay, () => {
        this.bookmark();
        if (this.controller !== undefined) this.bookmarkAfter(delay);
      }),
    );
  }

  private bookmark(): void {
    if (this.controller === undefined || this.initial.length > 0 || this.endOfInitial) return;
    const { history } = this.source;
    // Everything up to the newest entry was sent when nothing of it is left.
    const isThrough = this.position >= history.end;
    const version = isThrough ? Math.max(history.newest, this.version) : this.version;
    this.send('BOOKMARK', this.source.encodeBookmark(String(version), false));
  }

  private send(type: WireEventType, object: string): void {
    this.controller?.enqueue(this.encoder.encode(`{"type":"${type}","object":${object}}\n`));
  }

  private fail(error: ApiError): void {
    this.send('ERROR', JSON.stringify(error.body));
    this.close();
  }

  private close(): void {
    const { controller } = this;
    this.end();
    controller?.close();
  }
}

/** What left the selection is told as it was, under the version of the change. */
function gone(object: KubeObject, old: KubeObject): KubeObject {
  const { resourceVersion } = object.metadata;
  if (resourceVersion === undefined || keyOf(object) !== keyOf(old)) return old;
  return { ...old, metadata: { ...old.metadata, resourceVersion } };
}

function checkInitial(query: URLSearchParams, bookmarks: boolean): void {
  if (query.get('resourceVersionMatch') !== 'NotOlderThan') {
    throw badRequest('sendInitialEvents requires setting resourceVersionMatch to NotOlderThan');
  }
  if (!bookmarks) throw badRequest('sendInitialEvents requires allowWatchBookmarks to be true');
}

export function isTrue(text: string | null): boolean {
  return text === '' || text === 'true' || text === '1';
}
