/** Every fault that a rehearsal can try. */
import { apiErrors, apiHangs, apiThrottles, partition, watchLost } from './api-weather.ts';
import { clockSkew } from './clock-skew.ts';
import { executorKilled } from './executor-killed.ts';
import type { Fault } from './fault.ts';
import { helmKilled } from './helm-killed.ts';
import {
  autoscalerAddsNode,
  etcdMemberLost,
  nodeLost,
  nodeRemoved,
  nodeStaysDown,
} from './machines.ts';
import {
  budgetNever,
  colleagueUncordons,
  drainBlocked,
  gitopsReverts,
  webhookDown,
} from './other-hands.ts';
import { agentCrashes, dnsCrashes, operatorLeaderLost } from './programs.ts';
import { secondExecutor } from './second-executor.ts';
import { slowPulls } from './slow-pulls.ts';

export const FAULTS: readonly Fault[] = [
  executorKilled,
  helmKilled,
  secondExecutor,
  apiThrottles,
  apiErrors,
  apiHangs,
  partition,
  watchLost,
  nodeLost,
  nodeStaysDown,
  nodeRemoved,
  autoscalerAddsNode,
  etcdMemberLost,
  slowPulls,
  agentCrashes,
  operatorLeaderLost,
  dnsCrashes,
  webhookDown,
  gitopsReverts,
  budgetNever,
  drainBlocked,
  clockSkew,
  colleagueUncordons,
];

const byId = new Map(FAULTS.map((fault) => [fault.id, fault]));

export function faultById(id: string): Fault | undefined {
  return byId.get(id);
}
