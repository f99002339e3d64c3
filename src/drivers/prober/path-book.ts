/**
 * What all agents have said, as paths between classes. An agent's line holds totals since its own
 * start, so the newest line of each start is all that counts; what was there when the prober had
 * started is taken off.
 */
import { contains, parseAddress, parseCidr } from '../../base/cidr.ts';
import type { ProbeEnd, ProbeLine, ProbeLinePath, ProbeMethod } from '../../model/probe.ts';
import { type PathClass, PATH_CLASSES, type PathObservation } from '../../model/rehearsal.ts';
import type { ClosedPath, FailingPath } from '../../ports/index.ts';

/** Gaps listed per path and pair of classes; later ones still count in the sums. */
const GAPS_MAX = 32;

const PROTOCOLS: Readonly<Record<ProbeMethod, PathObservation['protocol']>> = {
  udp: 'udp',
  'udp-full': 'udp',
  'tcp-held': 'tcp',
  'tcp-new': 'tcp',
  http: 'http',
  dns: 'dns',
};

interface Reading {
  readonly line: ProbeLine;
  /** Clock time of the reading. */
  readonly at: number;
}

interface Start {
  /** The clock's time of the agent's own zero, at the latest: the least that readings allow. */
  zero: number;
  reading: Reading;
  /** By path, when the book was opened; of later starts there is none. */
  readonly before: ReadonlyMap<string, ProbeLinePath>;
  /** Gaps by their beginning, since a line holds the newest only. */
  readonly gaps: Map<string, Map<number, number>>;
}

export class PathBook {
  private readonly starts = new Map<string, Start>();
  /** The start of the agent that runs at an end of a node now. */
  private readonly current = new Map<string, string>();
  private classOf: (address: string) => PathClass;
  private openedAt = -Infinity;

  constructor(newPodCidrs: readonly string[]) {
    this.classOf = classifier(newPodCidrs);
  }

  newRanges(cidrs: readonly string[]): void {
    this.classOf = classifier(cidrs);
  }

  /** Counts from now on. */
  open(now: number): void {
    this.openedAt = now;
    for (const [boot, start] of this.starts) {
      const before = new Map(start.reading.line.paths.map((path) => [keyOf(path), path]));
      this.starts.set(boot, { ...start, before, gaps: new Map() });
    }
  }

  take(line: ProbeLine, at: number): void {
    const id = `${line.node} ${line.end} ${line.boot}`;
    this.current.set(endOf(line.end, line.node), id);
    const zero = at - line.upMs;
    let start = this.starts.get(id);
    if (start === undefined) {
      start = { zero, reading: { line, at }, before: new Map(), gaps: new Map() };
      this.starts.set(id, start);
    } else {
      start.zero = Math.min(start.zero, zero);
      start.reading = { line, at };
    }
    for (const path of line.paths) this.takeGaps(start, path);
  }

  /** The newest line of the agent that runs there now. */
  lineOf(end: ProbeEnd, node: string): ProbeLine | undefined {
    return this.starts.get(this.current.get(endOf(end, node)) ?? '')?.reading.line;
  }

  /** Its pod is gone: what it said last is no news any more. */
  gone(end: ProbeEnd, node: string): void {
    this.current.delete(endOf(end, node));
  }

  /** Whether the closed pod is reached from the node's pod; undefined where it is not asked for. */
  closedFrom(node: string): ClosedPath | undefined {
    const line = this.lineOf('pod', node);
    const path = line?.paths.find(({ kind }) => kind === 'closed');
    if (line === undefined || path === undefined) return undefined;
    const isTried = path.failing !== undefined || path.sent > path.lost;
    return {
      from: { class: this.classOf(line.address), node },
      to: { class: this.classOf(path.address), node: path.to },
      reached: isTried ? path.failing === undefined : undefined,
    };
  }

  failing(now: number): readonly FailingPath[] {
    const found = new Map<string, FailingPath>();
    for (const id of this.current.values()) {
      const start = this.starts.get(id);
      if (start === undefined) continue;
      const { line } = start.reading;
      for (const path of line.paths) {
        if (path.failing === undefined) continue;
        const { from, to } = this.ends(line, path);
        if (from === undefined || to === undefined) continue;
        const key = `${from.class}@${from.node}>${to.class}@${to.node}`;
        const sinceMs = Math.max(0, now - (start.zero + path.failing.sinceMs));
        const message = `${METHODS[path.method]}: ${path.failing.message}`;
        const known = found.get(key);
        if (known === undefined || sinceMs > known.sinceMs)
          found.set(key, { from, to, sinceMs, message });
      }
    }
    return [...found.values()];
  }

  observations(): readonly PathObservation[] {
    const found = new Map<string, PathObservation>();
    for (const start of this.starts.values()) {
      for (const path of start.reading.line.paths) {
        const observed = this.observed(start, path);
        if (observed === undefined) continue;
        const { from, to, method } = observed;
        const key = `${from.class}@${from.node}>${to.class}@${to.node} ${method ?? ''}`;
        const known = found.get(key);
        found.set(key, known === undefined ? observed : added(known, observed));
      }
    }
    return [...found.values()];
  }

  private observed(start: Start, path: ProbeLinePath): PathObservation | undefined {
    const { from, to } = this.ends(start.reading.line, path);
    const before = start.before.get(keyOf(path));
    const sent = path.sent - (before?.sent ?? 0);
    if (from === undefined || to === undefined || sent <= 0) return undefined;
    const gaps = [...(start.gaps.get(keyOf(path)) ?? [])].map(
      ([begin, end]) => [start.zero + begin, start.zero + end] as const,
    );
    const { failing } = path;
    if (failing !== undefined)
      gaps.push([start.zero + failing.sinceMs, start.zero + start.reading.line.upMs]);
    const later = gaps
      .filter(([, end]) => end > this.openedAt)
      .map(([begin, end]) => [Math.max(begin, this.openedAt), end] as const);
    const grown = path.longestMs > (before?.longestMs ?? 0) ? path.longestMs : 0;
    const listed = later.map(([begin, end]) => end - begin);
    return {
      from,
      to,
      protocol: PROTOCOLS[path.method],
      method: path.method,
      sent,
      lost: Math.max(0, path.lost - (before?.lost ?? 0)),
      longestGapMs: Math.round(Math.max(0, ...listed, later.length === 0 ? grown : 0)),
      sourceSeen: path.source ?? null,
      gaps: later.map(([begin, end]) => [this.seconds(begin), this.seconds(end)] as const),
    };
  }

  private seconds(at: number): number {
    return Math.round(at - Math.max(0, this.openedAt)) / 1000;
  }

  private takeGaps(start: Start, path: ProbeLinePath): void {
    if (path.gaps.length === 0) return;
    const key = keyOf(path);
    let gaps = start.gaps.get(key);
    if (gaps === undefined) start.gaps.set(key, (gaps = new Map()));
    for (const [begin, end] of path.gaps) {
      if (gaps.size < GAPS_MAX || gaps.has(begin)) gaps.set(begin, end);
    }
  }

  private ends(
    line: ProbeLine,
    { kind, to, address }: ProbeLinePath,
  ): { readonly from?: PathObservation['from']; readonly to?: PathObservation['to'] } {
    const target =
      kind === 'pod' ? this.classOf(address) : PATH_CLASSES.find((name) => name === kind);
    if (target === undefined) return {};
    const own = line.end === 'host' ? 'host' : this.classOf(line.address);
    return { from: { class: own, node: line.node }, to: { class: target, node: to } };
  }
}

const METHODS: Readonly<Record<ProbeMethod, string>> = {
  udp: 'UDP',
  'udp-full': 'UDP of full size',
  'tcp-held': 'TCP, a held connection',
  'tcp-new': 'TCP, a new connection',
  http: 'HTTP',
  dns: 'DNS',
};

function added(known: PathObservation, more: PathObservation): PathObservation {
  return {
    ...known,
    sent: known.sent + more.sent,
    lost: known.lost + more.lost,
    longestGapMs: Math.max(known.longestGapMs, more.longestGapMs),
    sourceSeen: more.sourceSeen ?? known.sourceSeen,
    gaps: [...known.gaps, ...more.gaps].slice(0, GAPS_MAX),
  };
}

function keyOf({ kind, to, method, address }: ProbeLinePath): string {
  return `${kind} ${to} ${method} ${address}`;
}

function endOf(end: ProbeEnd, node: string): string {
  return `${end} ${node}`;
}

function classifier(cidrs: readonly string[]): (address: string) => PathClass {
  const ranges = cidrs.flatMap((text) => parseCidr(text) ?? []);
  const known = new Map<string, PathClass>();
  return (text) => {
    let found = known.get(text);
    if (found === undefined) {
      const address = parseAddress(text);
      const isNew = address !== undefined && ranges.some((range) => contains(range, address));
      known.set(text, (found = isNew ? 'pod-new' : 'pod-old'));
    }
    return found;
  };
}
