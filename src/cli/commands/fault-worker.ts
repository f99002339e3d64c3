/** Not for people: a thread of `regauge rehearse --faults` (cli/faults/worker-pool.ts) runs this. */
import { parentPort, workerData } from 'node:worker_threads';
import { RegaugeError } from '../../base/errors.ts';
import type { CliContext } from '../context.ts';
import { serveSweep, type ThreadWork } from '../faults/sweep-worker.ts';

export function run(this: CliContext): void {
  if (parentPort === null)
    throw new RegaugeError('usage', 'fault-worker is a thread of regauge rehearse --faults');
  // The pool that starts the thread hands it this.
  serveSweep(parentPort, workerData as ThreadWork);
}
