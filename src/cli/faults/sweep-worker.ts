/** A thread that rehearses cases of a sweep, by number: it has the input and the plan, made once. */
import type { MessagePort } from 'node:worker_threads';
import { casesOf } from '../../engine/faults/sample-cases.ts';
import type { ClusterInput } from '../../model/cluster-input.ts';
import type { FaultStrike } from '../../model/fault.ts';
import type { FaultedResult } from '../../model/fault-sweep.ts';
import type { Plan } from '../../model/plan.ts';
import { requireFault } from '../../twin/faults/fault-text.ts';
import { type ClusterMaterial, clusterIn } from '../input/read-cluster.ts';
import { rehearseCase } from './judge.ts';

/** What is swept; plain data, since it crosses threads. */
export interface SweepWork {
  readonly plan: Plan;
  readonly nodes: readonly { readonly name: string; readonly controlPlane: boolean }[];
  readonly faults: readonly string[];
  readonly steps?: readonly string[];
  readonly seed: number;
}

/** A case by its number, or one that was put together: a smaller counter-example. */
export type SweepOrder =
  | number
  | { readonly index: number; readonly seed: number; readonly strikes: readonly FaultStrike[] };

/** As a thread is started with it: it makes the cluster itself, whose input is no plain data. */
export interface ThreadWork {
  readonly work: SweepWork;
  readonly material: ClusterMaterial;
}

export type Rehearse = (order: SweepOrder) => Promise<FaultedResult>;

export function rehearser(input: ClusterInput, work: SweepWork): Rehearse {
  const { plan } = work;
  const caseOf = casesOf({ ...work, faults: work.faults.map(requireFault) });
  return (order) => {
    const { index, seed, strikes } = typeof order === 'number' ? caseOf(order) : order;
    return rehearseCase({ input, plan, seed, strikes }, index);
  };
}

/** Answers each order with its result, one after the other. */
export function serveSweep(port: MessagePort, { work, material }: ThreadWork): void {
  const rehearse = rehearser(clusterIn(material).input, work);
  let before: Promise<unknown> = Promise.resolve();
  port.on('message', (order: SweepOrder) => {
    before = before.then(async () => port.postMessage(await rehearse(order)));
  });
}
