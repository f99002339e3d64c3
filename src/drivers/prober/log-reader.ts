/**
 * Reads the newest line of agents' logs, never faster than it may: nodes that are attended to and
 * paths in trouble every two seconds, all others in turn with what is left, at least a fourth. A log comes through the API server and the
 * kubelet, so that it is readable where the pod network is not.
 */
import { RegaugeError } from '../../base/errors.ts';
import { PROBE_CONTAINER, PROBE_NAMESPACE } from '../../knowledge/probes/objects.ts';
import { parseProbeLine, type ProbeLine } from '../../model/probe.ts';
import type { ClockPort, KubernetesPort } from '../../ports/index.ts';
import type { AgentPod } from './agent-pods.ts';

const OFTEN_MS = 2_000;
const SELDOM_MS = 10_000;
const IDLE_MS = 200;
/** A kubelet that hangs must not keep others waiting. */
const CALL_MS = 5_000;
const AT_A_TIME = 8;
/** However many are attended to, all others are read in the end. */
const OTHERS_EVERY = 4;

export interface LogReaderOptions {
  readonly kubernetes: KubernetesPort;
  readonly clock: ClockPort;
  readonly signal: AbortSignal;
  readonly readsPerSecond: number;
  /** Of which agents the log is read. */
  readonly agents: () => Iterable<AgentPod>;
  readonly isAttended: (agent: AgentPod) => boolean;
  readonly read: (agent: AgentPod, line: ProbeLine, at: number) => void;
}

interface Overdue {
  agent: AgentPod | undefined;
  ms: number;
}

interface Attempt {
  /** When the last reading began; what it brought may be no older. */
  startedAt: number;
  succeededAt: number;
  failure: string;
}

export class LogReader {
  private readonly options: LogReaderOptions;
  /** By the pod's name. */
  private readonly attempts = new Map<string, Attempt>();
  private readonly running = new Set<string>();
  private turns = 0;
  private waiting: { readonly names: Set<string>; readonly done: () => void }[] = [];

  constructor(options: LogReaderOptions) {
    this.options = options;
  }

  /** How long a reading may be old before it says nothing of the present (milliseconds). */
  patience(isAttended: boolean): number {
    const { agents, readsPerSecond } = this.options;
    const round = ([...agents()].length / readsPerSecond) * 1_000;
    return (isAttended ? OFTEN_MS : SELDOM_MS) * 2 + CALL_MS + round * 2;
  }

  attemptOf({ name }: AgentPod): Readonly<Attempt> | undefined {
    return this.attempts.get(name);
  }

  /** Resolves when each of them was read, or could not be, after now; or after the time given. */
  async refresh(agents: readonly AgentPod[], withinMs: number): Promise<void> {
    const { clock } = this.options;
    if (agents.length === 0) return;
    const names = new Set(agents.map(({ name }) => name));
    for (const name of names) {
      const attempt = this.attempts.get(name);
      if (attempt !== undefined) attempt.startedAt = -Infinity;
    }
    const read = new Promise<void>((done) => {
      this.waiting.push({ names, done });
    });
    await Promise.race([read, clock.sleep(withinMs)]);
    this.waiting = this.waiting.filter((entry) => entry.names !== names);
  }

  async run(): Promise<void> {
    const { clock, signal, readsPerSecond } = this.options;
    while (!signal.aborted) {
      const agent = this.running.size < AT_A_TIME ? this.next() : undefined;
      if (agent === undefined) await clock.sleep(IDLE_MS);
      else {
        void this.read(agent);
        await clock.sleep(1_000 / readsPerSecond);
      }
    }
  }

  /** The attended agent whose reading is most overdue, and every fourth time another one. */
  private next(): AgentPod | undefined {
    this.turns += 1;
    const [attended, other] = this.mostOverdue();
    return this.turns % OTHERS_EVERY === 0 ? (other ?? attended) : (attended ?? other);
  }

  private mostOverdue(): readonly [AgentPod | undefined, AgentPod | undefined] {
    const now = this.options.clock.now();
    const attended: Overdue = { agent: undefined, ms: 0 };
    const others: Overdue = { agent: undefined, ms: 0 };
    for (const agent of this.options.agents()) {
      if (!agent.running || this.running.has(agent.name)) continue;
      const at = this.attempts.get(agent.name)?.startedAt ?? -Infinity;
      const isAttended = this.options.isAttended(agent);
      const place = isAttended ? attended : others;
      const ms = now - at - (isAttended ? OFTEN_MS : SELDOM_MS);
      if (ms < place.ms || (place.agent !== undefined && ms === place.ms)) continue;
      place.agent = agent;
      place.ms = ms;
    }
    return [attended.agent, others.agent];
  }

  private async read(agent: AgentPod): Promise<void> {
    const { clock, signal } = this.options;
    const { name } = agent;
    const startedAt = clock.now();
    const before = this.attempts.get(name)?.succeededAt ?? -Infinity;
    const attempt: Attempt = { startedAt, succeededAt: before, failure: '' };
    this.attempts.set(name, attempt);
    this.running.add(name);
    try {
      const line = await this.newestLine(name);
      if (line === undefined) attempt.failure = 'it has printed nothing yet';
      else {
        attempt.succeededAt = clock.now();
        if (!signal.aborted) this.options.read(agent, line, attempt.succeededAt);
      }
    } catch (error) {
      if (!(error instanceof RegaugeError)) throw error;
      attempt.failure = error.message;
    } finally {
      this.running.delete(name);
      this.tellWaiting(name);
    }
  }

  private tellWaiting(name: string): void {
    for (const { names, done } of this.waiting) {
      names.delete(name);
      if (names.size === 0) done();
    }
  }

  private async newestLine(pod: string): Promise<ProbeLine | undefined> {
    const { kubernetes, signal } = this.options;
    let line: ProbeLine | undefined;
    const logs = kubernetes.logs({
      namespace: PROBE_NAMESPACE,
      pod,
      container: PROBE_CONTAINER,
      // A write that was cut leaves half a line behind.
      tailLines: 2,
      deadlineMs: CALL_MS,
      signal,
    });
    for await (const text of logs) line = parseProbeLine(text) ?? line;
    return line;
  }
}
