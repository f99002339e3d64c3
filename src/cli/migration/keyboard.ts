/**
 * How a person at a terminal holds a run up: Ctrl-C or `p` pauses at the next safe point, a second
 * Ctrl-C stops at once. Signals from elsewhere count as Ctrl-C.
 */
import type { RunControl } from '../../engine/run/run-control.ts';

const CTRL_C = '\u0003';
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** The parts of a terminal that keys come from. */
export interface KeySource {
  readonly isTTY?: boolean;
  setRawMode?(on: boolean): unknown;
  resume?(): unknown;
  pause?(): unknown;
  on?(event: 'data', listener: (chunk: Uint8Array) => void): unknown;
  removeListener?(event: 'data', listener: (chunk: Uint8Array) => void): unknown;
}

/** Until what is returned is called. */
export function listenForStops(
  control: RunControl,
  keys: KeySource,
  say: (message: string) => void,
): () => void {
  const stop = (): void => {
    if (control.isStopped) return;
    if (control.isPausing) {
      say('stopping now; what was sent is waited for');
      control.stop('stopped by hand');
    } else {
      say('pausing at the next safe point; Ctrl-C again stops now');
      control.pause();
    }
  };
  const onKey = (chunk: Uint8Array): void => {
    const typed = Buffer.from(chunk).toString('utf8');
    if (typed.includes(CTRL_C)) stop();
    else if (/p/i.test(typed) && !control.isPausing) stop();
  };
  for (const signal of SIGNALS) process.on(signal, stop);
  const isTerminal = keys.isTTY === true && keys.setRawMode !== undefined;
  if (isTerminal) {
    keys.setRawMode?.(true);
    keys.on?.('data', onKey);
    keys.resume?.();
  }
  return () => {
    for (const signal of SIGNALS) process.removeListener(signal, stop);
    if (!isTerminal) return;
    keys.removeListener?.('data', onKey);
    keys.setRawMode?.(false);
    keys.pause?.();
  };
}

/** One line as it is typed; empty when the terminal is closed. */
export function lineFrom(keys: KeySource): Promise<string> {
  return new Promise((resolve) => {
    const onData = (chunk: Uint8Array): void => {
      keys.removeListener?.('data', onData);
      keys.pause?.();
      resolve(Buffer.from(chunk).toString('utf8').trim());
    };
    keys.on?.('data', onData);
    keys.resume?.();
  });
}
