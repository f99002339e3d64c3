/**
 * The fault alone: the same twin, the same faults at the same times, and nobody who migrates. What is
 * as bad there is the fault's doing, not ours.
 */
import { Processes } from '../../twin/faults/processes.ts';
import { Weather } from '../../twin/faults/wire.ts';
import { createObserver, type ObservationReport } from '../../twin/observer/create-observer.ts';
import { createProber } from '../../twin/ports/prober.ts';
import { buildWorld } from '../../twin/scenario/build-world.ts';
import { type FaultedCase, type FaultedRun, strikeWorld } from './faulted-run.ts';

export function runFaultsAlone(
  { input, seed, strikes }: FaultedCase,
  { struckAt, watchedUntil }: Pick<FaultedRun, 'struckAt' | 'watchedUntil'>,
): ObservationReport {
  const processes = new Processes();
  const { world } = buildWorld(input, { seed, wrapPrograms: (make) => processes.wrap(make) });
  const observer = createObserver(world, createProber(world));
  const scene = {
    world,
    weather: new Weather(world.kernel),
    processes,
    executor: { kill: () => undefined, startAnother: () => undefined },
    seed,
  };
  for (const [index, strike] of strikes.entries()) {
    const at = struckAt[index];
    if (at !== undefined) world.kernel.after(at, () => void strikeWorld(strike, index, scene));
  }
  world.kernel.runUntil(watchedUntil);
  return observer.finish();
}
