/** The controllers of kube-controller-manager and the scheduler, started on a world that is there. */
import type { World } from '../world.ts';
import { AttachDetachController } from './attach-detach.ts';
import { DaemonSetController } from './daemon-set.ts';
import { DeploymentController } from './deployment.ts';
import { startDisruptionController } from './disruption.ts';
import { EndpointsController } from './endpoints.ts';
import { startGarbageCollector } from './garbage-collector.ts';
import { JobController } from './job.ts';
import { startNodeIpam } from './node-ipam.ts';
import { NodeLifecycleController } from './node-lifecycle.ts';
import { PodFactory } from './pod-factory.ts';
import { ReplicaSetController } from './replica-set.ts';
import { Scheduler } from './scheduler/scheduler.ts';
import { startServiceAccountController } from './service-accounts.ts';
import { StatefulSetController } from './stateful-set.ts';
import { TaintEvictionController } from './taint-eviction.ts';

/**
 * Reads what the store holds now and follows it from then on. What runs is taken to be what its
 * owners want: nothing is rolled out anew because the twin starts.
 */
export function startControllers(world: World): void {
  startServiceAccountController(world);
  const factory = new PodFactory(world);
  // Each keeps itself alive by its watches.
  void [
    new DaemonSetController(world, factory),
    new DeploymentController(world),
    new ReplicaSetController(world, factory),
    new StatefulSetController(world, factory),
    new JobController(world, factory),
    new Scheduler(world),
    new EndpointsController(world),
    new NodeLifecycleController(world),
    new TaintEvictionController(world),
    new AttachDetachController(world),
  ];
  startNodeIpam(world);
  startDisruptionController(world);
  startGarbageCollector(world);
}
