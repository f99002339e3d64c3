/**
 * Probes on a real cluster: agents on every node, on the pod network and on the host, whose results
 * are read from their logs, so that a broken pod network hides nothing. What was not read lately is
 * unknown, and never taken for fine.
 */
import {
  CLOSED_NAME,
  HOST_PROBE_NAME,
  PROBE_NAME,
  PROBE_NAMESPACE,
} from '../../knowledge/probes/objects.ts';
import type { KubeObject } from '../../model/kubernetes.ts';
import { methodsOf, plannedPathsAt, ringOf, peersAt } from '../../model/probe-paths.ts';
import type { ProbeEnd, ProbeLine } from '../../model/probe.ts';
import type { PathObservation } from '../../model/rehearsal.ts';
import type {
  ClockPort,
  ClosedPath,
  FailingPath,
  KubernetesPort,
  ProberPort,
  UnknownPaths,
} from '../../ports/index.ts';
import { type AgentPod, AgentPods } from './agent-pods.ts';
import { Installation } from './installation.ts';
import { LogReader } from './log-reader.ts';
import { PathBook } from './path-book.ts';
import { Standstills } from './standstill.ts';

export interface ProberSettings {
  readonly kubernetes: KubernetesPort;
  readonly clock: ClockPort;
  /** The agent's program as text: `import agentScript from '…/probe-agent/agent.script'` in cli. */
  readonly agentScript: string;
  /** Ranges of the new network (`plan.to.podCidrs`); else those the CiliumNodes tell. */
  readonly newPodCidrs?: readonly string[];
  /** An image with `node` in it, where the pinned public one cannot be pulled. */
  readonly image?: string;
  /** `host:port` outside the cluster, or `none`; 1.1.1.1:443 when absent. */
  readonly egress?: string;
  /** A name outside the cluster that is asked for; kubernetes.io when absent. */
  readonly externalName?: string;
  /** Logs read per second at most, of the 20 requests a client may send; 8 when absent. */
  readonly readsPerSecond?: number;
  /** The pod that a policy can close is there from the start, and not when it is first asked for. */
  readonly closedPod?: boolean;
  /** How long `start` waits for the agents (seconds), 120 when absent; and for two rounds of reading. */
  readonly startSeconds?: number;
}

export type OpenedProber = Required<ProberPort>;

const READS_PER_SECOND = 8;
const START_SECONDS = 120;
const LOOK_MS = 1_000;
const ROUNDS = 2;
/** A path that nothing answers is taken for seen when its agent has tried for so long. */
const TRIED_MS = 5_000;
/** Up to so many nodes, all are read often. */
const FEW_NODES = 8;
const REFRESH_MS = 10_000;
/** An agent prints at least every five seconds: one whose time stands still does not run. */
const SILENCE_MS = 15_000;
const GONE_MS = 30_000;

/** Nothing is asked of the cluster before `start`. */
export function openProber(settings: ProberSettings): OpenedProber {
  return new RealProber(settings);
}

const ENDS: readonly ProbeEnd[] = ['pod', 'host'];

class RealProber implements OpenedProber {
  private readonly settings: ProberSettings;
  private readonly installation: Installation;
  private readonly book: PathBook;
  private readonly pods: AgentPods;
  private readonly reader: LogReader;
  private readonly over = new AbortController();
  private nodes: readonly string[] = [];
  private ring: readonly string[] = [];
  private attended: ReadonlySet<string> = new Set();
  /** Nodes with a path that fails, as far as was read. */
  private readonly troubled = new Set<string>();
  /** When an agent's own time was last seen to go on, by the pod's name. */
  private readonly alive = new Map<string, { readonly upMs: number; readonly at: number }>();
  private readonly standstills = new Standstills();
  private startedAt = 0;
  private isStarted = false;
  private installing: Promise<readonly string[]> = Promise.resolve([]);
  private background: Promise<unknown> = Promise.resolve();

  constructor(settings: ProberSettings) {
    const { kubernetes, clock, newPodCidrs = [], readsPerSecond = READS_PER_SECOND } = settings;
    const { signal } = this.over;
    this.settings = settings;
    this.installation = new Installation(settings);
    this.book = new PathBook(newPodCidrs);
    this.pods = new AgentPods({
      kubernetes,
      clock,
      signal,
      changed: (pod) => this.podChanged(pod),
    });
    this.reader = new LogReader({
      kubernetes,
      clock,
      signal,
      readsPerSecond,
      agents: () => this.pods.all(),
      isAttended: (agent) => this.isAttended(agent),
      read: (agent, line, at) => this.read(agent, line, at),
    });
  }

  async start(): Promise<void> {
    if (this.isStarted) return;
    this.isStarted = true;
    const { clock } = this.settings;
    this.startedAt = clock.now();
    if (this.settings.newPodCidrs === undefined) await this.readNewRanges();
    this.installing = this.installation.install(this.over.signal);
    this.nodes = await this.installing;
    if (this.over.signal.aborted) return;
    this.ring = ringOf(this.nodes);
    this.background = Promise.all([this.pods.follow(), this.reader.run()]);
    const deadline = this.startedAt + this.startMs();
    while (!this.over.signal.aborted && !this.allSeen() && clock.now() < deadline)
      await clock.sleep(LOOK_MS);
    this.book.open(clock.now());
  }

  attend(nodes: readonly string[]): void {
    const known = new Set(nodes);
    for (const node of nodes) for (const peer of this.neighbours(node)) known.add(peer);
    this.attended = known;
  }

  async failing(): Promise<readonly FailingPath[]> {
    const { clock } = this.settings;
    const now = clock.now();
    const stale = [...this.pods.all()].filter((agent) => {
      const at = this.reader.attemptOf(agent)?.startedAt ?? -Infinity;
      return agent.running && this.isAttended(agent) && now - at > LOOK_MS;
    });
    await this.reader.refresh(stale, REFRESH_MS);
    return this.book.failing(clock.now());
  }

  unknown(): Promise<readonly UnknownPaths[]> {
    const now = this.settings.clock.now();
    const found = this.nodes.flatMap((node) => {
      const troubles = ENDS.flatMap((end) => this.troubleOn(end, node, now) ?? []);
      return troubles.toSorted((left, right) => right.sinceMs - left.sinceMs).slice(0, 1);
    });
    return Promise.resolve(found);
  }

  observations(): Promise<readonly PathObservation[]> {
    return Promise.resolve(this.book.observations());
  }

  async forbidden(): Promise<readonly ClosedPath[]> {
    await this.installation.addClosedPod(this.over.signal);
    await this.reader.refresh(
      [...this.pods.all()].filter(({ end, running }) => end === 'pod' && running),
      REFRESH_MS,
    );
    return this.nodes.flatMap((node) => this.book.closedFrom(node) ?? []);
  }

  async stop(): Promise<void> {
    if (!this.isStarted) return;
    const { clock, kubernetes } = this.settings;
    const last = [...this.pods.all()].filter((agent) => agent.running && this.isAttended(agent));
    if (!this.over.signal.aborted) await this.reader.refresh(last, REFRESH_MS);
    this.over.abort();
    // What is being made is made first, or it would be left behind.
    await this.installing.catch(() => undefined);
    await this.installation.remove();
    const deadline = clock.now() + GONE_MS;
    while (clock.now() < deadline && (await podsLeft(kubernetes))) await clock.sleep(LOOK_MS);
    await this.background;
  }

  /** Pods start together; their logs are read one by one. */
  private startMs(): number {
    const { startSeconds = START_SECONDS, readsPerSecond = READS_PER_SECOND } = this.settings;
    return (startSeconds + (ROUNDS * ENDS.length * this.nodes.length) / readsPerSecond) * 1_000;
  }

  private allSeen(): boolean {
    const { ring } = this;
    return ring.every((node, index) =>
      ENDS.every((end) => {
        const line = this.book.lineOf(end, node);
        if (line === undefined) return false;
        if (line.upMs >= TRIED_MS) return true;
        const wanted = plannedPathsAt(ring, index)
          .filter((path) => path.end === end)
          .flatMap((path) => methodsOf(path, ring.length));
        return line.paths.filter(isAnswered).length >= wanted.length;
      }),
    );
  }

  private isAttended({ node }: AgentPod): boolean {
    return this.nodes.length <= FEW_NODES || this.attended.has(node) || this.troubled.has(node);
  }

  private neighbours(node: string): readonly string[] {
    const { ring } = this;
    const index = ring.indexOf(node);
    if (index < 0) return [];
    const after = peersAt(ring, index);
    const before = ring.filter((_, other) => peersAt(ring, other).includes(node));
    return [...after, ...before];
  }

  private read(agent: AgentPod, line: ProbeLine, at: number): void {
    const known = this.alive.get(agent.name);
    if (known === undefined || known.upMs !== line.upMs)
      this.alive.set(agent.name, { upMs: line.upMs, at });
    this.book.take(line, at);
    this.standstills.take(agent.name, line);
    if (line.paths.some(({ failing }) => failing !== undefined)) this.troubled.add(agent.node);
    else if (this.isWell(agent.node)) this.troubled.delete(agent.node);
  }

  private isWell(node: string): boolean {
    return ENDS.every((end) =>
      (this.book.lineOf(end, node)?.paths ?? []).every(({ failing }) => failing === undefined),
    );
  }

  private podChanged({ end, node, name, running }: AgentPod): void {
    if (!running) {
      this.book.gone(end, node);
      this.alive.delete(name);
      this.standstills.forget(name);
    }
    if (this.nodes.includes(node) || this.over.signal.aborted) return;
    this.nodes = [...this.nodes, node];
    this.ring = ringOf(this.nodes);
    // The agents' ring grows with the next ConfigMap; one that cannot be written now is with the next node.
    void this.installation.addNode(node).catch(() => undefined);
  }

  private troubleOn(end: ProbeEnd, node: string, now: number): UnknownPaths | undefined {
    const who = end === 'pod' ? 'the probe on the pod network' : 'the probe on the host';
    const agent = this.pods.on(end, node);
    const never = now - this.startedAt;
    if (agent === undefined)
      return { node, sinceMs: never, message: `${who} of ${node} has no pod` };
    if (!agent.running) return { node, sinceMs: never, message: `${who}: ${agent.trouble}` };
    const alive = this.alive.get(agent.name);
    const attempt = this.reader.attemptOf(agent);
    if (alive === undefined) {
      const why =
        attempt?.failure === undefined || attempt.failure === '' ? '' : `: ${attempt.failure}`;
      return { node, sinceMs: never, message: `${who} of ${node} was not read yet${why}` };
    }
    const patience = Math.max(SILENCE_MS, this.reader.patience(this.isAttended(agent)));
    const sinceMs = now - alive.at;
    if (sinceMs <= patience) {
      const still = this.standstills.of(agent.name);
      if (still === undefined) return undefined;
      const message = `${who} of ${node} had no processor for ${seconds(still.stoodMs)} of ${seconds(still.ofMs)} s: its node is saturated`;
      return { node, sinceMs, message };
    }
    const why = attempt?.failure === '' ? 'it prints nothing' : (attempt?.failure ?? 'not read');
    return { node, sinceMs, message: `${who} of ${node} says nothing new: ${why}` };
  }

  private async readNewRanges(): Promise<void> {
    const nodes = await this.settings.kubernetes.list<CiliumNodeObject>(
      'cilium.io/v2',
      'CiliumNode',
    );
    this.book.newRanges(nodes.flatMap(({ spec }) => spec?.ipam?.podCIDRs ?? []));
  }
}

interface CiliumNodeObject extends KubeObject {
  readonly spec?: { readonly ipam?: { readonly podCIDRs?: readonly string[] } };
}

function isAnswered({ sent, lost, failing }: ProbeLine['paths'][number]): boolean {
  return failing === undefined && sent > lost;
}

function seconds(ms: number): number {
  return Math.round(ms / 100) / 10;
}

async function podsLeft(kubernetes: KubernetesPort): Promise<boolean> {
  const labelSelector = `app in (${[PROBE_NAME, HOST_PROBE_NAME, CLOSED_NAME].join(',')})`;
  return (
    (await kubernetes.list('v1', 'Pod', { namespace: PROBE_NAMESPACE, labelSelector })).length > 0
  );
}
