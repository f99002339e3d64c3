/** Real time behind the clock port: monotonic, as deadlines need it. */
import type { ClockPort } from '../../ports/index.ts';

/** With `keepsAlive: false` a sleep holds no process up that has nothing else to do. */
export function systemClock({ keepsAlive = true } = {}): ClockPort {
  return {
    now: () => performance.now(),
    sleep: (milliseconds) =>
      new Promise((resolve) => {
        const timer = setTimeout(resolve, Math.max(0, milliseconds));
        if (!keepsAlive) timer.unref();
      }),
  };
}
