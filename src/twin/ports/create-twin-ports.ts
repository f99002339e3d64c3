/** The twin's set of ports: what the engine drives instead of a cluster. */
import { renderCiliumChart } from '../../knowledge/cilium-chart/render.ts';
import { RegaugeError } from '../../base/errors.ts';
import type { EvictionAnswer, Ports } from '../../ports/index.ts';
import { evictPod, type EvictionResult } from '../controllers/eviction.ts';
import { cleanKubeProxyRules } from '../network/fabric.ts';
import type { TwinWorld } from '../scenario/build-world.ts';
import { createClockPort } from './clock-port.ts';
import { createHelmPort } from './helm/helm-port.ts';
import { createKubernetesPort } from './kubernetes-port.ts';
import { createNodeHostPort } from './node-host-port.ts';
import { createProber, type TwinProber } from './prober.ts';

/** With the prober as the observer wants to follow it. */
export interface TwinPorts extends Ports {
  readonly prober: TwinProber;
}

export function createTwinPorts(world: TwinWorld): TwinPorts {
  return {
    clock: createClockPort(world),
    kubernetes: createKubernetesPort(world, (namespace, pod, gracePeriodSeconds) =>
      answerOf(evictPod(world, namespace, pod, gracePeriodSeconds)),
    ),
    nodeHost: createNodeHostPort(world, {
      cleanKubeProxyRules,
      upgradeKubernetes: () => world.upgradeKubernetes(),
    }),
    helm: createHelmPort(world, renderCiliumChart, world.releases),
    prober: createProber(world),
  };
}

function answerOf(result: EvictionResult): EvictionAnswer {
  if (result.evicted) return result;
  if (result.status === 404) throw new RegaugeError('not-found', result.message);
  const cause = result.status === 500 ? 'budgets-overlap' : 'budget';
  return { evicted: false, message: result.message, cause };
}
