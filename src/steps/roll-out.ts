/**
 * Restarts a workload's pods by its own rolling update, as `kubectl rollout restart` does, with a
 * mark that names the step: a second run sees that this roll-out was asked for already.
 */
import type {
  DaemonSetObject,
  DeploymentObject,
  KubeObject,
  StatefulSetObject,
} from '../model/kubernetes.ts';
import type { Plan } from '../model/plan.ts';
import { fails, HOLDS, type StepModule, type Verdict } from './step-module.ts';

const ROLL_OUT_MARK = 'regauge.dev/rolled-out-by';

interface Templated extends KubeObject {
  readonly spec: {
    readonly template: {
      readonly metadata?: { readonly annotations?: Readonly<Record<string, string>> };
    };
  };
}

export const rollOut: StepModule<'roll-out'> = {
  async observe(context, { target }) {
    const found = await context.ports.kubernetes.get<Templated>(target);
    if (found === undefined) return { blocked: `there is no ${target.kind} ${target.name}` };
    const { plan, step } = context;
    return rolledOutBy(found, plan, step.id) && rolledOut(found).holds ? 'done' : 'todo';
  },

  async act(context, { target }) {
    const { plan, step } = context;
    const annotations = { [ROLL_OUT_MARK]: markOf(plan, step.id) };
    await context.ports.kubernetes.patch(target, {
      spec: { template: { metadata: { annotations } } },
    });
  },

  async verify(context, { target }) {
    const found = await context.ports.kubernetes.get(target);
    return found === undefined
      ? fails(`there is no ${target.kind} ${target.name}`)
      : rolledOut(found);
  },

  undo: () => null,
};

/** This very step asked for the roll-out that the workload is at. */
export function rolledOutBy(object: KubeObject, plan: Plan, stepId: string): boolean {
  // Workloads have a template; what has none was not rolled out.
  const { spec } = object as Partial<Templated>;
  return spec?.template.metadata?.annotations?.[ROLL_OUT_MARK] === markOf(plan, stepId);
}

function markOf(plan: Plan, stepId: string): string {
  return `${plan.id}.${stepId.replaceAll('/', '.')}`;
}

/** Every pod of the workload is of its present template and ready. */
export function rolledOut(object: KubeObject): Verdict {
  if (object.kind === 'DaemonSet') return daemonSetRolledOut(object as DaemonSetObject);
  if (object.kind === 'Deployment') return deploymentRolledOut(object as DeploymentObject);
  if (object.kind === 'StatefulSet') return statefulSetRolledOut(object as StatefulSetObject);
  return HOLDS;
}

function daemonSetRolledOut({ metadata, status }: DaemonSetObject): Verdict {
  const wanted = status?.desiredNumberScheduled ?? 0;
  const ready = status?.numberReady ?? 0;
  const updated = status?.updatedNumberScheduled ?? 0;
  if ((status?.observedGeneration ?? 0) < (metadata.generation ?? 0))
    return fails(`${metadata.name}: not observed yet`);
  if (wanted > 0 && updated >= wanted && ready >= wanted) return HOLDS;
  return fails(`DaemonSet ${metadata.name}: ${updated} of ${wanted} updated, ${ready} ready`);
}

function deploymentRolledOut({ metadata, spec, status }: DeploymentObject): Verdict {
  const wanted = spec.replicas ?? 1;
  const ready = status?.readyReplicas ?? 0;
  const updated = status?.updatedReplicas ?? 0;
  if ((status?.observedGeneration ?? 0) < (metadata.generation ?? 0))
    return fails(`${metadata.name}: not observed yet`);
  const old = (status?.replicas ?? 0) - updated;
  if (updated >= wanted && ready >= wanted && old <= 0) return HOLDS;
  return fails(`Deployment ${metadata.name}: ${updated} of ${wanted} updated, ${ready} ready`);
}

/** Source: kubernetes:staging/src/k8s.io/kubectl/pkg/polymorphichelpers/rollout_status.go. */
function statefulSetRolledOut({ metadata, spec, status = {} }: StatefulSetObject): Verdict {
  const wanted = spec.replicas ?? 1;
  const { readyReplicas: ready = 0, updatedReplicas: updated = 0 } = status;
  if ((status.observedGeneration ?? 0) < (metadata.generation ?? 0))
    return fails(`${metadata.name}: not observed yet`);
  if (ready >= wanted && status.updateRevision === status.currentRevision) return HOLDS;
  return fails(`StatefulSet ${metadata.name}: ${updated} of ${wanted} updated, ${ready} ready`);
}
