/**
 * Who of the plan's nodes is there: one that has left the cluster is told of once, and the plan goes on
 * without it. Looked at when something does not come about, and not before: as long as all goes well,
 * everybody is there.
 */
import { RegaugeError } from '../../base/errors.ts';
import type { NodeObject } from '../../model/kubernetes.ts';
import type { Plan, Step } from '../../model/plan.ts';
import type { Ports } from '../../ports/index.ts';
import { getNode } from '../../steps/pods.ts';
import { isVoid, planWithout } from './nodes-left.ts';

/** Between two looks that nobody waits for (milliseconds). */
const LOOK_MS = 5_000;
/** How often a step that waits on one node asks whether it is there still (milliseconds). */
const WATCH_MS = 15_000;

export class NodeRoll {
  private readonly whole: Plan;
  private readonly ports: Ports;
  private readonly tell: (message: string, node: string) => Promise<void>;
  private present: Plan;
  private steps = new Map<string, Step>();
  private left: ReadonlySet<string> = new Set();
  private lookedAt = -Infinity;

  constructor(plan: Plan, ports: Ports, tell: (message: string, node: string) => Promise<void>) {
    this.whole = plan;
    this.ports = ports;
    this.tell = tell;
    this.present = plan;
    this.keep(plan);
  }

  /** For those that are there. */
  get plan(): Plan {
    return this.present;
  }

  get gone(): ReadonlySet<string> {
    return this.left;
  }

  /** As it is for those that are there; another object once a node has left. */
  step(step: Step): Step {
    return this.steps.get(step.id) ?? step;
  }

  /** Nobody that the step is about has left since. */
  isAsItWas(step: Step): boolean {
    return this.step(step) === step && !this.isVoid(step);
  }

  isVoid(step: Step): boolean {
    return isVoid(step, this.left, this.whole);
  }

  /** The ports for a step on one node: its waits end when the node is gone, and none of them before. */
  watching({ action }: Step, ports: Ports): Ports {
    if (!('node' in action) || this.whole.waves.length === 0) return ports;
    const { node } = action;
    const { clock, kubernetes } = ports;
    let askedAt = clock.now();
    const sleep = async (ms: number): Promise<void> => {
      await clock.sleep(ms);
      if (clock.now() - askedAt < WATCH_MS) return;
      askedAt = clock.now();
      if (await isGone(kubernetes, node)) throw new Error(`${node} has left the cluster`);
    };
    return { ...ports, clock: { now: () => clock.now(), sleep } };
  }

  /** Nobody is taken for gone because the API did not answer. */
  async look(isUrgent = false): Promise<void> {
    const known = this.whole.waves.flat();
    const { clock, kubernetes } = this.ports;
    if (known.length === 0 || (!isUrgent && clock.now() - this.lookedAt < LOOK_MS)) return;
    this.lookedAt = clock.now();
    try {
      const nodes = await kubernetes.list<NodeObject>('v1', 'Node');
      const names = new Set(nodes.map(({ metadata }) => metadata.name));
      const missing = known.filter((name) => !names.has(name) && !this.left.has(name));
      if (nodes.length > 0 && missing.length > 0) await this.without(missing);
    } catch (error) {
      if (!(error instanceof RegaugeError)) throw error;
    }
  }

  private async without(missing: readonly string[]): Promise<void> {
    this.left = new Set([...this.left, ...missing]);
    this.present = planWithout(this.whole, this.left);
    this.keep(this.present);
    for (const node of missing)
      await this.tell(`${node} has left the cluster: what was to be done there is void`, node);
  }

  private keep(plan: Plan): void {
    this.steps = new Map(plan.steps.map((step) => [step.id, step]));
  }
}

async function isGone(kubernetes: Ports['kubernetes'], name: string): Promise<boolean> {
  try {
    return (await getNode(kubernetes, name)) === undefined;
  } catch (error) {
    if (error instanceof RegaugeError) return false;
    throw error;
  }
}
