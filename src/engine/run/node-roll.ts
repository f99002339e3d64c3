/**
 * Who of the plan's nodes is there: one that has left the cluster is told of once, and the plan goes on
 * without it; one that joined is taken in when nothing runs. Who has left is looked for when something does
 * not come about: as long as all goes well, everybody is there.
 */
import { RegaugeError } from '../../base/errors.ts';
import type { NodeObject } from '../../model/kubernetes.ts';
import type { JoinedNode, Plan, Step } from '../../model/plan.ts';
import { planWith } from '../../planner/joined-nodes.ts';
import type { Ports } from '../../ports/index.ts';
import { getNode } from '../../steps/pods.ts';
import { looksElsewhere, newcomersIn } from './newcomers.ts';
import { isVoid, planWithout } from './nodes-left.ts';

/** Between two looks that nobody waits for (milliseconds). */
const LOOK_MS = 5_000;
/** How often a step that waits on one node asks whether it is there still (milliseconds). */
const WATCH_MS = 15_000;

const NOBODY: ReadonlySet<string> = new Set();

export interface RollListener {
  tell(message: string, node: string): Promise<void>;
  /** Somebody has left. */
  left(): Promise<void>;
}

export class NodeRoll {
  private readonly ports: Ports;
  private readonly listener: RollListener;
  private all: Plan;
  private present: Plan;
  private steps = new Map<string, Step>();
  private left: ReadonlySet<string> = new Set();
  private newcomers: readonly JoinedNode[] = [];
  /** Who joined and cannot be taken in by this run. */
  private readonly strange = new Set<string>();
  /** Everybody who was ever there. */
  private readonly met = new Set<string>();
  /** Who was there at the last look that saw no stranger. */
  private expected: ReadonlySet<string> = NOBODY;
  private lookedAt = -Infinity;

  /** `plan`: with those that joined in an earlier run. */
  constructor(plan: Plan, ports: Ports, listener: RollListener) {
    this.all = plan;
    this.ports = ports;
    this.listener = listener;
    this.present = plan;
    this.keep(plan);
  }

  /** For all that it knows, there or not. */
  get whole(): Plan {
    return this.all;
  }

  /** For those that are there. */
  get plan(): Plan {
    return this.present;
  }

  get gone(): ReadonlySet<string> {
    return this.left;
  }

  /** Somebody joined, and is not taken in yet. */
  get hasNewcomers(): boolean {
    return this.newcomers.length > 0;
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
    return isVoid(step, this.left, this.all);
  }

  /** The ports for a step on one node: its waits end when the node is gone, and none of them before. */
  watching({ action }: Step, ports: Ports): Ports {
    if (!('node' in action) || this.all.waves.length === 0) return ports;
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
    const { clock, kubernetes } = this.ports;
    if (this.all.waves.length === 0 || (!isUrgent && clock.now() - this.lookedAt < LOOK_MS)) return;
    this.lookedAt = clock.now();
    try {
      await this.seen(await kubernetes.list<NodeObject>('v1', 'Node'));
    } catch (error) {
      if (!(error instanceof RegaugeError)) throw error;
    }
  }

  /** These are all nodes there are. */
  async seen(nodes: readonly NodeObject[]): Promise<void> {
    if (nodes.length === 0 || this.all.waves.length === 0 || this.areAsExpected(nodes)) return;
    const names = new Set(nodes.map(({ metadata }) => metadata.name));
    for (const name of [...this.all.waves.flat(), ...names]) this.met.add(name);
    const missing = [...this.met].filter((name) => !names.has(name) && !this.left.has(name));
    this.newcomers = newcomersIn(this.all, nodes).filter(({ name }) => !this.strange.has(name));
    const planned = new Set(this.all.waves.flat());
    this.expected = [...names].every((name) => planned.has(name)) ? names : NOBODY;
    if (missing.length > 0) await this.without(missing);
  }

  /** The same as at the last look, and no stranger among them: it is so nearly always, at many nodes. */
  private areAsExpected(nodes: readonly NodeObject[]): boolean {
    const { expected } = this;
    if (nodes.length !== expected.size) return false;
    return nodes.every(({ metadata }) => expected.has(metadata.name));
  }

  /** The newcomers are nodes of the plan from now on; `record` has them before anything is done with them. */
  async takeIn(record: (plan: Plan) => Promise<void>): Promise<void> {
    for (const { name } of this.newcomers)
      if (await looksElsewhere(this.all, this.ports, name)) this.strange.add(name);
    const newcomers = this.newcomers.filter(({ name }) => !this.strange.has(name));
    this.newcomers = newcomers;
    if (newcomers.length === 0) return;
    const all = planWith(this.all, newcomers);
    await record(all);
    this.newcomers = [];
    this.all = all;
    this.left = new Set([...this.left].filter((name) => !newcomers.some((n) => n.name === name)));
    this.present = planWithout(all, this.left);
    this.keep(this.present);
    for (const { name, like } of newcomers)
      await this.listener.tell(
        `${name} has joined the cluster: it is taken in like ${like}, and its turn comes after the others’`,
        name,
      );
  }

  private async without(missing: readonly string[]): Promise<void> {
    this.left = new Set([...this.left, ...missing]);
    this.present = planWithout(this.all, this.left);
    this.keep(this.present);
    for (const node of missing)
      await this.listener.tell(
        `${node} has left the cluster: what was to be done there is void`,
        node,
      );
    await this.listener.left();
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
