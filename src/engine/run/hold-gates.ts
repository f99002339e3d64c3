/**
 * Waits until the gates of a step hold, and says what is waited for whenever that changes. What
 * waiting cannot mend (401, 403, a certificate) ends the wait at once: it is no blip.
 */
import { RegaugeError } from '../../base/errors.ts';
import type { Gate } from '../../model/plan.ts';
import type { Verdict } from '../../steps/step-module.ts';
import { FIRST_PAUSE_MS, LONGEST_PAUSE_MS } from '../../steps/waiting.ts';
import { evaluateGate, showGate } from '../gates/evaluate.ts';
import type { GateContext } from '../gates/gate-context.ts';
import { RunHalted } from './run-control.ts';

export interface GateWait {
  readonly context: GateContext;
  /** Clock time (milliseconds) until which they may fail to hold. */
  readonly deadline: number;
  /** The wait is to be given up, for no fault of a gate. */
  readonly isOver: () => boolean;
  readonly tell: (
    gate: string,
    state: 'holds' | 'waiting' | 'failed',
    message: string,
  ) => Promise<void>;
}

export type Waited = 'hold' | 'given-up' | { readonly failed: string };

const HOPELESS = new Set(['unauthenticated', 'forbidden', 'untrusted']);

export async function holdGates(gates: readonly Gate[], wait: GateWait): Promise<Waited> {
  for (const gate of gates) {
    const waited = await holdGate(gate, wait);
    if (waited !== 'hold') return waited;
  }
  return 'hold';
}

async function holdGate(
  gate: Gate,
  { context, deadline, isOver, tell }: GateWait,
): Promise<Waited> {
  const name = showGate(gate);
  let told = '';
  let isHopeless = false;
  const look = async (): Promise<Verdict> => {
    const verdict = await evaluateGate(context, gate, (error) => {
      if (error instanceof RunHalted) throw error;
      isHopeless = error instanceof RegaugeError && HOPELESS.has(error.code);
    });
    if (!verdict.holds && verdict.message !== told) {
      told = verdict.message;
      if (!isHopeless) await tell(name, 'waiting', told);
    }
    return verdict;
  };
  const { clock } = context.ports;
  let verdict = await look();
  for (let pause = FIRST_PAUSE_MS; !verdict.holds && !isHopeless;) {
    const left = deadline - clock.now();
    if (left <= 0) break;
    if (isOver()) return 'given-up';
    await clock.sleep(Math.min(pause, left));
    pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
    verdict = await look();
  }
  if (verdict.holds) {
    await tell(name, 'holds', 'holds');
    return 'hold';
  }
  await tell(name, 'failed', verdict.message);
  return { failed: `gate ${name} does not hold: ${verdict.message}` };
}
