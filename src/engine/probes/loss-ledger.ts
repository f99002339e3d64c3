/**
 * What the probes lost, step by step. It is handed what was observed so far, again and again, and
 * books what is new to the step that ran: one that moves a node at an end of the path, else the one
 * that runs alone, else the one that ended last. Says when a budget is spent.
 */
import type { PathObservation } from '../../model/rehearsal.ts';
import type { BudgetClass, LossBudgets } from './budgets.ts';

export interface Loss {
  readonly class: BudgetClass;
  /** Undefined when no step had begun, or several ran and none of them at either end. */
  readonly step: string | undefined;
  /** The worst path: what it lost since it was last looked at, and in this step so far (milliseconds). */
  readonly node: string;
  readonly ms: number;
  readonly stepMs: number;
  readonly path: Pick<PathObservation, 'from' | 'to'>;
}

export interface SpentBudget {
  readonly class: BudgetClass;
  readonly step: string | undefined;
  readonly lostMs: number;
  readonly allowedMs: number;
  readonly per: 'step' | 'run';
  readonly path: Pick<PathObservation, 'from' | 'to'>;
}

interface Booked {
  readonly path: Pick<PathObservation, 'from' | 'to'>;
  readonly class: BudgetClass;
  ms: number;
}

const AFTER_ALL = '';

export class LossLedger {
  private readonly budgets: LossBudgets;
  private readonly running = new Map<string, ReadonlySet<string>>();
  /** What ended last, with its nodes: losses come to light a little later than they happen. */
  private last: readonly [string, ReadonlySet<string>] | undefined;
  private readonly known = new Map<string, number>();
  /** By step (`AFTER_ALL` for none), then by class and path. */
  private readonly booked = new Map<string, Map<string, Booked>>();
  private readonly inRun = new Map<string, Booked>();
  private readonly told = new Set<string>();

  constructor(budgets: LossBudgets) {
    this.budgets = budgets;
  }

  stepBegan(step: string, nodes: readonly string[]): void {
    this.last = undefined;
    this.running.set(step, new Set(nodes));
  }

  /** Losses that come to light before another step's have been taken are still its own. */
  stepEnded(step: string): void {
    const nodes = this.running.get(step);
    if (nodes === undefined) return;
    this.running.delete(step);
    this.last = [step, nodes];
  }

  /** What of the observations is new, the worst path of each class and step. */
  take(observations: readonly PathObservation[]): readonly Loss[] {
    const worst = new Map<string, Loss>();
    for (const path of observations) {
      const ms = this.growthOf(path);
      if (ms <= 0) continue;
      const loss = this.book(path, ms);
      const key = `${loss.step ?? AFTER_ALL} ${loss.class}`;
      if (loss.ms > (worst.get(key)?.ms ?? 0)) worst.set(key, loss);
    }
    return [...worst.values()];
  }

  /** Budgets that were spent since the last call. */
  newlySpent(): readonly SpentBudget[] {
    const spent: SpentBudget[] = [];
    const look = (booked: Booked, per: 'step' | 'run', step: string | undefined): void => {
      const allowedMs = this.budgets[booked.class][per === 'step' ? 'stepMs' : 'runMs'];
      const key = `${per} ${step ?? AFTER_ALL} ${booked.class}`;
      if (booked.ms <= allowedMs || this.told.has(key)) return;
      this.told.add(key);
      spent.push({
        class: booked.class,
        step,
        lostMs: booked.ms,
        allowedMs,
        per,
        path: booked.path,
      });
    };
    for (const [step, paths] of this.booked)
      for (const booked of paths.values())
        look(booked, 'step', step === AFTER_ALL ? undefined : step);
    for (const booked of this.inRun.values()) look(booked, 'run', undefined);
    return spent;
  }

  /** Several methods measure one path at once: the worst of them speaks for it. */
  private growthOf(path: PathObservation): number {
    if (path.gaps.length === 0) return 0;
    const key = `${pathKey(path)} ${path.method ?? path.protocol}`;
    const lost = path.gaps.reduce((sum, [from, to]) => sum + (to - from), 0) * 1_000;
    const before = this.known.get(key) ?? 0;
    if (lost <= before) return 0;
    this.known.set(key, lost);
    return Math.round(lost - before);
  }

  private book(path: PathObservation, ms: number): Loss {
    const { step, isMoving } = this.causeOf(path);
    const budgetClass = isMoving ? 'moving' : path.to.class;
    const ends = { from: path.from, to: path.to };
    // By its method: what two methods saw of one gap is one gap.
    const key = `${budgetClass} ${pathKey(path)} ${path.method ?? path.protocol}`;
    let paths = this.booked.get(step ?? AFTER_ALL);
    if (paths === undefined) this.booked.set(step ?? AFTER_ALL, (paths = new Map()));
    const inStep = added(paths, key, { path: ends, class: budgetClass, ms });
    added(this.inRun, key, { path: ends, class: budgetClass, ms });
    const node = path.from.node;
    return { class: budgetClass, step, node, ms, stepMs: inStep.ms, path: ends };
  }

  private causeOf({ from, to }: PathObservation): {
    readonly step: string | undefined;
    readonly isMoving: boolean;
  } {
    const touches = (nodes: ReadonlySet<string>): boolean =>
      nodes.has(from.node) || nodes.has(to.node);
    for (const [step, nodes] of this.running) if (touches(nodes)) return { step, isMoving: true };
    const { last } = this;
    if (last !== undefined && touches(last[1])) return { step: last[0], isMoving: true };
    const [only, other] = this.running.keys();
    if (only !== undefined)
      return { step: other === undefined ? only : undefined, isMoving: false };
    return { step: last?.[0], isMoving: false };
  }
}

export function showSpent({
  class: spent,
  lostMs,
  allowedMs,
  per,
  step,
  path,
}: SpentBudget): string {
  const where = per === 'run' ? 'in this run' : step === undefined ? 'between steps' : `in ${step}`;
  return `the error budget of ${spent} is spent: ${path.from.class} on ${path.from.node} lost ${path.to.class} on ${path.to.node} for ${inSeconds(lostMs)} ${where}, ${inSeconds(allowedMs)} are allowed`;
}

function inSeconds(ms: number): string {
  return `${Math.round(ms / 100) / 10} s`;
}

function added(book: Map<string, Booked>, key: string, more: Booked): Booked {
  const known = book.get(key);
  if (known === undefined) {
    book.set(key, more);
    return more;
  }
  known.ms += more.ms;
  return known;
}

function pathKey({ from, to }: PathObservation): string {
  return `${from.class}@${from.node}>${to.class}@${to.node}`;
}
