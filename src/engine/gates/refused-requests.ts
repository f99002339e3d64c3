/**
 * Requests that the API server answered with 401, by its own count. It tells what no event does: a client
 * whose token is not taken any more and that merely logs it. The count is of one process: where several
 * API servers answer at one address, each has its own, so that only looks at the same process are
 * compared, and what the others refused meanwhile is not seen. A process that began after the first look
 * has counted from 0 since.
 */
import { RegaugeError } from '../../base/errors.ts';
import type { AuthenticationFailures, ClockPort, KubernetesPort } from '../../ports/index.ts';

/** How much one process counted, and in which time. */
export interface Growth {
  readonly count: number;
  readonly ms: number;
}

/** A client that is refused asks again within a minute. */
const WINDOW_MS = 60_000;
/** The answer is megabytes on a large cluster. */
const READ_EVERY_MS = 30_000;
const MINUTE_MS = 60_000;
/** Deviations from what is to be expected that are chance: clients of others come and go. */
const DEVIATIONS = 3;

const COUNTED = 'unauthorized counted ';
const UNKNOWN = 'unauthorized unknown ';
/** What a server that will not tell says, for as long as it runs: RBAC, a proxy, another server. */
const NEVER_TOLD: ReadonlySet<string> = new Set(['forbidden', 'not-found', 'refused']);

type Look = AuthenticationFailures;

export class RefusedRequests {
  private readonly kubernetes: Pick<KubernetesPort, 'authenticationFailures'>;
  private readonly clock: ClockPort;
  /** By process: looks of the last minute, and the one before. */
  private readonly looks = new Map<string, Look[]>();
  private firstAt: number | undefined;
  private last: { readonly at: number; readonly look: Promise<Look> } | undefined;

  constructor(kubernetes: Pick<KubernetesPort, 'authenticationFailures'>, clock: ClockPort) {
    this.kubernetes = kubernetes;
    this.clock = clock;
  }

  /** Before the first step; throws as the port does. */
  async begin(): Promise<Look> {
    return this.note(await this.kubernetes.authenticationFailures());
  }

  /**
   * In the last minute or longer, since the look that lies so far back; undefined for a process that is
   * older than the first look and was not seen yet. `before`: what an earlier run saw first.
   */
  async growth(before: Look | undefined): Promise<Growth | undefined> {
    const now = await this.look();
    const known = [...(before?.server === now.server ? [before] : []), ...this.looksAt(now)];
    const base = known.findLast(({ uptimeMs }) => uptimeMs <= now.uptimeMs - WINDOW_MS) ?? known[0];
    if (base !== undefined && base !== now)
      return { count: now.count - base.count, ms: now.uptimeMs - base.uptimeMs };
    const since = this.clock.now() - (this.firstAt ?? this.clock.now());
    return now.uptimeMs <= since ? { count: now.count, ms: now.uptimeMs } : undefined;
  }

  private look(): Promise<Look> {
    const at = this.clock.now();
    if (this.last !== undefined && at - this.last.at < READ_EVERY_MS) return this.last.look;
    const look = this.begin();
    this.last = { at, look };
    look.catch(() => (this.last = undefined));
    return look;
  }

  private note(look: Look): Look {
    this.firstAt ??= this.clock.now();
    const looks = [...this.looksAt(look), look];
    const old = looks.findLastIndex(({ uptimeMs }) => uptimeMs <= look.uptimeMs - WINDOW_MS);
    this.looks.set(look.server, looks.slice(Math.max(0, old)));
    return look;
  }

  private looksAt({ server }: Look): readonly Look[] {
    return this.looks.get(server) ?? [];
  }
}

/** What was so before the first step, as a key that gates are handed. */
export async function refusedBefore(requests: RefusedRequests): Promise<readonly string[]> {
  try {
    const { server, count, uptimeMs } = await requests.begin();
    return [`${COUNTED}${server} ${count} ${Math.round(uptimeMs)}`];
  } catch (error) {
    if (!(error instanceof RegaugeError)) throw error;
    return NEVER_TOLD.has(error.code) ? [`${UNKNOWN}${error.message}`] : [];
  }
}

/** Whether a key is of this module. */
export function isOfRefused(key: string): boolean {
  return key.startsWith(COUNTED) || key.startsWith(UNKNOWN);
}

export interface RefusedBefore {
  readonly look?: Look;
  /** Why the server does not tell, and so is not asked. */
  readonly unknown?: string;
}

export function refusedBeforeOf(keys: Iterable<string>): RefusedBefore {
  for (const key of keys) {
    if (key.startsWith(UNKNOWN)) return { unknown: key.slice(UNKNOWN.length) };
    if (!key.startsWith(COUNTED)) continue;
    const [server = '', count, uptimeMs] = key.slice(COUNTED.length).split(' ');
    return { look: { server, count: Number(count), uptimeMs: Number(uptimeMs) } };
  }
  return {};
}

/** More than chance makes of the rate before; where nothing is known of that, any is. */
export function isMore({ count, ms }: Growth, before: Look | undefined): boolean {
  const expected = perMinute(before) * (ms / MINUTE_MS);
  return count > expected + DEVIATIONS * Math.sqrt(expected);
}

export function perMinute(look: Look | undefined): number {
  return look === undefined || look.uptimeMs === 0 ? 0 : look.count / (look.uptimeMs / MINUTE_MS);
}
