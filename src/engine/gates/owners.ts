/** GitOps controllers that own what the plan changes leave it alone (FM-05). */
import { isSuspended } from '../../knowledge/gitops-owners.ts';
import { fails, HOLDS } from '../../steps/step-module.ts';
import type { GateModule } from './gate-context.ts';

/** An owner that is gone owns nothing. */
export const ownersSuspended: GateModule<'owners-suspended'> = async ({ ports }, { owners }) => {
  for (const owner of owners) {
    const found = await ports.kubernetes.get(owner);
    if (found !== undefined && !isSuspended(found))
      return fails(
        `${owner.kind} ${owner.namespace ?? ''}/${owner.name} reconciles: somebody, or its parent, let it go on`,
      );
  }
  return HOLDS;
};
