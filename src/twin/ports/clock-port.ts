/** The engine's clock on the twin: virtual time. */
import type { ClockPort } from '../../ports/clock.ts';
import type { World } from '../world.ts';

export function createClockPort({ kernel }: World): ClockPort {
  return {
    now: () => kernel.now(),
    sleep: (milliseconds) => kernel.answer(Math.max(0, milliseconds), () => undefined),
  };
}
