/**
 * What the prober's paths come to: time in which names were not resolved from some node that has a
 * client, and paths that were lost for long, told once per class and node that is reached.
 */
import type { TwinProber } from '../ports/prober.ts';
import type { ProbePath } from '../ports/probe-paths.ts';
import type { World } from '../world.ts';
import type { ObservedFailure } from '../../model/observed-failure.ts';

/** Shorter than this, a lost path is a pod that starts again. */
const LONG_GAP_MS = 30_000;
/** Failures told; beyond it, more of the same. */
const FAILURES_MAX = 200;

type PathFailure = NonNullable<ReturnType<ProbePath['log']['reasonOfGap']>>;

interface Loss {
  readonly from: number;
  until: number | undefined;
  /** Undefined while it lasts: the path itself knows it then. */
  reason: PathFailure | undefined;
}

export class PathReport {
  private readonly world: World;
  private readonly open = new Map<ProbePath, Loss>();
  private readonly losses = new Map<string, { readonly path: ProbePath; readonly loss: Loss }[]>();
  private dnsFailing = 0;
  private dnsSince = 0;
  private dnsMs = 0;

  constructor(world: World, prober: TwinProber) {
    this.world = world;
    prober.onTurn((path) => this.turned(path));
  }

  dnsOutageSeconds(): number {
    const running = this.dnsFailing > 0 ? this.world.kernel.now() - this.dnsSince : 0;
    return Math.round((this.dnsMs + running) / 100) / 10;
  }

  failures(): readonly ObservedFailure[] {
    const now = this.world.kernel.now();
    const all: ObservedFailure[] = [];
    for (const entries of this.losses.values()) {
      for (const { path, loss } of entries) {
        const isName = isDns(path);
        if (!isName && (loss.until ?? now) - loss.from < LONG_GAP_MS) continue;
        const reason = loss.reason ?? path.log.reasonOfGap(now);
        if (reason !== undefined && all.length < FAILURES_MAX)
          all.push(failureOf(path, loss, reason));
      }
    }
    return all;
  }

  private turned(path: ProbePath): void {
    const now = this.world.kernel.now();
    const { seen } = path.log;
    if (seen.kind === 'failing') {
      if (isDns(path)) {
        if (this.dnsFailing === 0) this.dnsSince = now;
        this.dnsFailing += 1;
      }
      const loss: Loss = { from: now, until: undefined, reason: undefined };
      this.open.set(path, loss);
      this.book(path, loss);
      return;
    }
    const loss = this.open.get(path);
    if (loss === undefined) return;
    loss.until = now;
    loss.reason = path.log.reasonOfGap(now);
    this.open.delete(path);
    if (!isDns(path)) return;
    this.dnsFailing -= 1;
    if (this.dnsFailing === 0) this.dnsMs += now - this.dnsSince;
  }

  /** Paths of one kind to one node fail together: one of them speaks for all at a time. */
  private book(path: ProbePath, loss: Loss): void {
    const node = isDns(path) ? path.from.node : path.to.node;
    const key = `${path.from.end} ${path.to.kind} ${node}`;
    const entries = this.losses.get(key);
    if (entries === undefined) {
      this.losses.set(key, [{ path, loss }]);
      return;
    }
    const last = entries.at(-1);
    if (last?.loss.until === undefined || entries.length >= FAILURES_PER_KEY) return;
    entries.push({ path, loss });
  }
}

const FAILURES_PER_KEY = 8;

function isDns({ to }: ProbePath): boolean {
  return to.kind === 'dns-internal' || to.kind === 'dns-external';
}

function failureOf(
  path: ProbePath,
  { from, until }: Loss,
  { message, because }: PathFailure,
): ObservedFailure {
  const name = `${path.from.end} on ${path.from.node} to ${path.to.kind} on ${path.to.node}`;
  return {
    subject: { kind: 'Path', name, node: path.from.node },
    symptom: isDns(path) ? `${path.to.kind}-failed` : 'path-lost',
    message,
    at: from / 1000,
    ...(until === undefined ? {} : { until: until / 1000 }),
    because,
  };
}
