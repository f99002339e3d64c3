/**
 * Lets a GitOps controller leave what it owns alone, and hands it back: only a suspension that
 * regauge made is ever lifted (FM-05).
 */
import { isSuspended, suspensionPatch } from '../knowledge/gitops-owners.ts';
import type { KubeObject } from '../model/kubernetes.ts';
import type { ObjectSelector } from '../model/plan.ts';
import type { KubernetesPort } from '../ports/index.ts';
import { type StepModule, verifyByObserving } from './step-module.ts';

/** Annotation of an owner: the plan that suspended it. */
const SUSPENDED_MARK = 'regauge.dev/suspended-by';

export const suspendOwner: StepModule<'suspend-owner'> = {
  async observe({ ports }, { owner }) {
    const found = await ports.kubernetes.get(owner);
    if (found === undefined) return { blocked: `there is no ${owner.kind} ${owner.name}` };
    return isSuspended(found) ? 'done' : 'todo';
  },

  act: ({ ports, plan }, { owner }) => setSuspended(ports.kubernetes, owner, plan.id),

  verify: (context, action) =>
    verifyByObserving(suspendOwner, context, action, `${action.owner.name} reconciles still`),

  undo: ({ owner }) => ({ kind: 'resume-owner', owner }),
};

export const resumeOwner: StepModule<'resume-owner'> = {
  async observe({ ports }, { owner }) {
    const found = await ports.kubernetes.get(owner);
    return found !== undefined && isOurs(found) ? 'todo' : 'done';
  },

  act: ({ ports }, { owner }) => setSuspended(ports.kubernetes, owner, null),

  verify: (context, action) =>
    verifyByObserving(resumeOwner, context, action, `${action.owner.name} is suspended still`),

  undo: ({ owner }) => ({ kind: 'suspend-owner', owner }),
};

function isOurs({ metadata }: KubeObject): boolean {
  return metadata.annotations?.[SUSPENDED_MARK] !== undefined;
}

async function setSuspended(
  kubernetes: KubernetesPort,
  owner: ObjectSelector,
  mark: string | null,
): Promise<void> {
  const { annotations, spec } = suspensionPatch(owner.kind, mark !== null);
  await kubernetes.patch(owner, {
    metadata: { annotations: { ...annotations, [SUSPENDED_MARK]: mark } },
    ...(Object.keys(spec).length === 0 ? {} : { spec }),
  });
}
