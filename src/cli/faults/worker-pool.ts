/** Threads that rehearse side by side. Which thread a case goes to makes no difference to its result. */
import { Worker } from 'node:worker_threads';
import type { FaultedResult } from '../../model/fault-sweep.ts';
import type { ClusterInput } from '../../model/cluster-input.ts';
import type { ClusterMaterial } from '../input/read-cluster.ts';
import {
  type Rehearse,
  rehearser,
  type SweepOrder,
  type SweepWork,
  type ThreadWork,
} from './sweep-worker.ts';

export interface SweepPool {
  readonly rehearse: Rehearse;
  /** How many orders keep every thread busy. */
  readonly width: number;
  close(): Promise<void>;
}

/** Enough that no thread waits for the next order while its result is on the way. */
const ORDERS_PER_WORKER = 2;

export interface Threads {
  readonly count: number;
  /** The program, which becomes a worker by its command. */
  readonly entry: string;
  readonly material: ClusterMaterial;
}

/** In this thread where there are to be no others. */
export function openPool(
  work: SweepWork,
  input: ClusterInput,
  threads: Threads | undefined,
): SweepPool {
  if (threads === undefined)
    return { rehearse: rehearser(input, work), width: 1, close: () => Promise.resolve() };
  const { count, entry, material } = threads;
  return poolOf(Array.from({ length: count }, () => new Thread({ work, material }, entry)));
}

function poolOf(threads: readonly Thread[]): SweepPool {
  return {
    width: threads.length * ORDERS_PER_WORKER,
    rehearse: (order) => leastBusy(threads).rehearse(order),
    close: async () => {
      await Promise.all(threads.map((thread) => thread.close()));
    },
  };
}

function leastBusy(threads: readonly Thread[]): Thread {
  return threads.reduce((least, thread) => (thread.waiting < least.waiting ? thread : least));
}

interface Answer {
  resolve(result: FaultedResult): void;
  reject(error: Error): void;
}

class Thread {
  private readonly worker: Worker;
  /** First asked, first answered. */
  private readonly answers: Answer[] = [];

  constructor(work: ThreadWork, entry: string) {
    this.worker = new Worker(entry, { argv: ['fault-worker'], workerData: work });
    this.worker.on('message', (result: FaultedResult) => this.answers.shift()?.resolve(result));
    this.worker.on('error', (error) => this.failed(error));
    this.worker.on('exit', () => this.failed(new Error('a thread of the sweep ended')));
  }

  get waiting(): number {
    return this.answers.length;
  }

  rehearse(order: SweepOrder): Promise<FaultedResult> {
    return new Promise((resolve, reject) => {
      this.answers.push({ resolve, reject });
      this.worker.postMessage(order, []);
    });
  }

  async close(): Promise<void> {
    this.answers.length = 0;
    await this.worker.terminate();
  }

  private failed(error: Error): void {
    for (const { reject } of this.answers.splice(0)) reject(error);
  }
}
