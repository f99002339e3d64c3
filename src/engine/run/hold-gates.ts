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

interface Look {
  readonly verdict: Verdict;
  /** No waiting mends it. */
  readonly isHopeless: boolean;
}

async function holdGate(gate: Gate, wait: GateWait): Promise<Waited> {
  const { context, deadline, isOver, tell } = wait;
  const { clock } = context.ports;
  const name = showGate(gate);
  let told = '';
  let seen = await lookAt(gate, context);
  for (let pause = FIRST_PAUSE_MS; !seen.verdict.holds && !seen.isHopeless;) {
    if (seen.verdict.message !== told) await tell(name, 'waiting', (told = seen.verdict.message));
    const left = deadline - clock.now();
    if (left <= 0) break;
    if (isOver()) return 'given-up';
    await clock.sleep(Math.min(pause, left));
    pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
    seen = await lookAt(gate, context);
  }
  const { verdict } = seen;
  await tell(name, verdict.holds ? 'holds' : 'failed', verdict.holds ? 'holds' : verdict.message);
  return verdict.holds ? 'hold' : { failed: `gate ${name} does not hold: ${verdict.message}` };
}

async function lookAt(gate: Gate, context: GateContext): Promise<Look> {
  let isHopeless = false;
  const verdict = await evaluateGate(context, gate, (error) => {
    if (error instanceof RunHalted) throw error;
    isHopeless = error instanceof RegaugeError && HOPELESS.has(error.code);
  });
  return { verdict, isHopeless };
}
