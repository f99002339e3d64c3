/**
 * Waits until the gates of a step hold, and says what is waited for whenever that changes. What
 * waiting cannot mend (401, 403, a certificate) ends the wait at once: it is no blip.
 */
import { RegaugeError } from '../../base/errors.ts';
import type { Gate } from '../../model/plan.ts';
import type { ClockPort } from '../../ports/index.ts';
import { fails, type Verdict } from '../../steps/step-module.ts';
import { pauseAfter } from '../../steps/waiting.ts';
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
const SILENT = new Set(['unreachable', 'timeout']);

export async function holdGates(gates: readonly Gate[], wait: GateWait): Promise<Waited> {
  for (const gate of gates) {
    const waited = await holdGate(gate, wait);
    if (waited !== 'hold') return waited;
  }
  return 'hold';
}

/**
 * Who hears nothing of a node calls it NotReady only after so long (milliseconds): kube-controller-manager
 * --node-monitor-grace-period, 50 s since 1.32 and 40 s before, looked at every 5 s.
 */
const NODE_GRACE_MS = 60_000;
/** A silence of this long may hide a node that went meanwhile: its Ready is from before. */
const SILENCE_MS = 40_000;

/**
 * What others have said of nodes, and in one answer: where a gate asks many things one after the other, the
 * time it takes is no silence.
 */
const HEARSAY: ReadonlySet<Gate['kind']> = new Set(['nodes-ready']);

interface Look {
  readonly verdict: Verdict;
  /** No waiting mends it. */
  readonly isHopeless: boolean;
  /** Nobody answered. */
  readonly isSilence: boolean;
}

async function holdGate(gate: Gate, wait: GateWait): Promise<Waited> {
  const { context, deadline, isOver, tell } = wait;
  const { clock } = context.ports;
  const name = showGate(gate);
  const plain = () => lookAt(gate, context);
  const look = HEARSAY.has(gate.kind) ? believing(plain, clock) : plain;
  const since = clock.now();
  let told = '';
  let seen = await look();
  while (!seen.verdict.holds && !seen.isHopeless) {
    if (seen.verdict.message !== told) await tell(name, 'waiting', (told = seen.verdict.message));
    const left = deadline - clock.now();
    if (left <= 0) break;
    if (isOver()) return 'given-up';
    await clock.sleep(Math.min(pauseAfter(clock.now() - since), left));
    seen = await look();
  }
  const { verdict } = seen;
  await tell(name, verdict.holds ? 'holds' : 'failed', verdict.holds ? 'holds' : verdict.message);
  return verdict.holds ? 'hold' : { failed: `gate ${name} does not hold: ${verdict.message}` };
}

/** Looks, and takes nothing for well that was last heard of before a long silence. */
function believing(look: () => Promise<Look>, clock: ClockPort): () => Promise<Look> {
  let silentFrom: number | undefined;
  let believedFrom = 0;
  return async () => {
    const askedAt = clock.now();
    const seen = await look();
    silentFrom ??= askedAt;
    if (seen.isSilence) return seen;
    const silence = clock.now() - silentFrom;
    silentFrom = undefined;
    if (silence >= SILENCE_MS) believedFrom = clock.now() + NODE_GRACE_MS;
    if (!seen.verdict.holds || clock.now() >= believedFrom) return seen;
    return { ...seen, verdict: fails(NOT_HEARD_YET) };
  };
}

const NOT_HEARD_YET =
  'nobody answered for a while: what is said of nodes may be from before, and is looked at again a minute later';

async function lookAt(gate: Gate, context: GateContext): Promise<Look> {
  let code: string | undefined;
  const verdict = await evaluateGate(context, gate, (error) => {
    if (error instanceof RunHalted) throw error;
    if (error instanceof RegaugeError) ({ code } = error);
  });
  return {
    verdict,
    isHopeless: code !== undefined && HOPELESS.has(code),
    isSilence: code !== undefined && SILENT.has(code),
  };
}
