/**
 * One watch on the twin: changes wait here until the client asks for them. An object that begins or
 * ceases to match the watch's selector is told as added or deleted (KK apiserver/pkg/storage/cacher).
 */
import { RegaugeError } from '../../base/errors.ts';
import type { KubeObject } from '../../model/kubernetes.ts';
import type { WatchEvent, WatchOptions } from '../../ports/index.ts';
import type { Timer } from '../kernel/kernel.ts';
import { changeHistoryOf, type HistoryEntry } from '../store/change-history.ts';
import { WATCH_LATENCY } from '../store/object-store.ts';
import type { World } from '../world.ts';
import { selectorOf } from './kubernetes-lists.ts';

/** The API server sends bookmarks about once a minute. */
const BOOKMARK_MS = 60_000;

type Event = WatchEvent<KubeObject>;

export class WatchFeed {
  private readonly world: World;
  private readonly matches: (object: KubeObject) => boolean;
  private readonly waiting: Event[] = [];
  private asked: { resolve(event: Event | undefined): void } | undefined;
  private bookmark: Timer | undefined;
  private ended = false;
  private come = 0;
  private readonly stop: () => void;
  private readonly signal: AbortSignal | undefined;
  private readonly onAbort = (): void => this.close();

  /** Throws `expired` where the version is not known any more. */
  constructor(world: World, kind: string, options: WatchOptions) {
    this.world = world;
    this.matches = selectorOf(kind, options);
    const stop = changeHistoryOf(world.store)
      .of(kind)
      .since(Number(options.resourceVersion), (change) => this.heard(change));
    if (stop === undefined) {
      const { resourceVersion } = options;
      const message = `The resourceVersion for the provided watch is too old: ${resourceVersion}`;
      throw new RegaugeError('expired', message);
    }
    this.stop = stop;
    this.signal = options.signal;
    this.signal?.addEventListener('abort', this.onAbort);
    if (this.signal?.aborted === true) this.close();
    else this.planBookmark();
  }

  /** Undefined at the end. */
  next(): Promise<Event | undefined> {
    const event = this.waiting.shift();
    if (event !== undefined) return Promise.resolve(event);
    if (this.ended) return Promise.resolve(undefined);
    const answer = this.world.kernel.deferred<Event | undefined>();
    this.asked = answer;
    return answer.promise;
  }

  close(): void {
    if (this.ended) return;
    this.ended = true;
    this.stop();
    this.bookmark?.cancel();
    this.signal?.removeEventListener('abort', this.onAbort);
    this.asked?.resolve(undefined);
    this.asked = undefined;
  }

  private heard({ type, object, old }: HistoryEntry): void {
    const resourceVersion = object.metadata.resourceVersion ?? '';
    const isIn = type !== 'deleted' && this.matches(object);
    const wasIn = type !== 'added' && this.matches(old ?? object);
    if (!isIn && !wasIn) return;
    const kind = isIn ? (wasIn ? 'modified' : 'added') : 'deleted';
    const shown = isIn || type === 'deleted' ? object : asLeft(old ?? object, resourceVersion);
    this.come = Number(resourceVersion);
    this.tell({ type: kind, object: shown, resourceVersion });
  }

  private tell(event: Event): void {
    const { asked } = this;
    if (asked === undefined) {
      this.waiting.push(event);
      return;
    }
    this.asked = undefined;
    asked.resolve(event);
  }

  private planBookmark(): void {
    const { kernel, store } = this.world;
    this.bookmark = kernel.after(BOOKMARK_MS, () => {
      const version = store.resourceVersion;
      // Changes up to this version may still be on their way to those who watch.
      this.bookmark = kernel.after(WATCH_LATENCY, () => {
        this.come = Math.max(this.come, version);
        this.tell({ type: 'bookmark', resourceVersion: String(this.come) });
        this.planBookmark();
      });
    });
  }
}

/** What leaves a selection is shown as it was in it, with the version that took it out. */
function asLeft(object: KubeObject, resourceVersion: string): KubeObject {
  return { ...object, metadata: { ...object.metadata, resourceVersion } };
}
