/**
 * Watches the probes while a run goes on: books losses to steps, tells of them as events, and calls
 * out when an error budget is spent, so that the run pauses at its next safe point.
 */
import type { RunEvent } from '../../model/run-event.ts';
import type { ClockPort, ProberPort } from '../../ports/index.ts';
import type { LossBudgets } from './budgets.ts';
import { type Loss, LossLedger, showSpent } from './loss-ledger.ts';

export interface LossWatchOptions {
  readonly prober: ProberPort;
  readonly clock: ClockPort;
  readonly budgets: LossBudgets;
  /** Seconds since the run's start. */
  readonly seconds: () => number;
  readonly tell: (event: RunEvent) => void;
  /** A budget is spent; the words say which. */
  readonly onSpent: (message: string) => void;
}

const LOOK_MS = 2_000;

export class LossWatch {
  private readonly options: LossWatchOptions;
  private readonly ledger: LossLedger;
  private isOver = false;
  private looking: Promise<void> = Promise.resolve();

  constructor(options: LossWatchOptions) {
    this.options = options;
    this.ledger = new LossLedger(options.budgets);
  }

  /** Looks every two seconds until `end`. To be called once the probes have started. */
  async run(): Promise<void> {
    while (!this.isOver) {
      await this.options.clock.sleep(LOOK_MS);
      if (!this.isOver) await this.look();
    }
  }

  /** What was lost before is not the step's. */
  async stepBegins(step: string, nodes: readonly string[]): Promise<void> {
    await this.look();
    this.ledger.stepBegan(step, nodes);
    this.options.prober.attend?.(nodes);
  }

  async stepEnds(step: string): Promise<void> {
    await this.look();
    this.ledger.stepEnded(step);
  }

  async end(): Promise<void> {
    this.isOver = true;
    await this.look();
  }

  /** One look at a time: observations that overtake each other would be booked twice. */
  private look(): Promise<void> {
    // One that failed is its caller's to know, and holds up no other.
    this.looking = this.looking.catch(() => undefined).then(() => this.lookNow());
    return this.looking;
  }

  private async lookNow(): Promise<void> {
    const { prober, tell, seconds, onSpent } = this.options;
    const losses = this.ledger.take(await prober.observations());
    for (const loss of losses) tell({ type: 'probe', at: seconds(), ...told(loss) });
    for (const spent of this.ledger.newlySpent()) onSpent(showSpent(spent));
  }
}

function told(loss: Loss): Omit<Extract<RunEvent, { readonly type: 'probe' }>, 'type' | 'at'> {
  const { from, to } = loss.path;
  const during = loss.step === undefined ? '' : ` during ${loss.step}`;
  return {
    class: loss.class,
    node: loss.node,
    ms: loss.ms,
    ...(loss.step === undefined ? {} : { step: loss.step }),
    message: `${from.class} on ${from.node} lost ${to.class} on ${to.node} for ${loss.ms} ms${during}`,
  };
}
