/** The module of each kind of action. */
import type { Action } from '../model/plan.ts';
import { unreachable } from '../base/assert.ts';
import { auditPolicies } from './audit-policies.ts';
import { backUp } from './back-up.ts';
import { cleanPacketFilter } from './clean-packet-filter.ts';
import { cordon, uncordon } from './cordon.ts';
import { installHelmRelease, uninstallHelmRelease } from './helm-release.ts';
import { labelNode } from './label-node.ts';
import { patchMachineConfig } from './machine-config.ts';
import { moveProbe } from './move-probe.ts';
import { changeNodeFiles } from './node-files.ts';
import { applyObjects, deleteObjects, restoreObjects } from './objects.ts';
import { provePolicies } from './prove-policies.ts';
import { reconfigureAgent } from './reconfigure-agent.ts';
import { restartAgent } from './restart-agent.ts';
import { restartService } from './restart-service.ts';
import { restartPods } from './restart-pods.ts';
import { returnNode } from './return-node.ts';
import { rollOut } from './roll-out.ts';
import type { ActionOf, Observation, StepContext, StepModule, Verdict } from './step-module.ts';
import { resumeOwner, suspendOwner } from './suspend-owner.ts';
import { verify } from './verify.ts';
import { writeNodeFile } from './write-node-file.ts';

/** A step's module bound to its action. */
export interface BoundStep {
  observe(context: StepContext): Promise<Observation>;
  act(context: StepContext): Promise<void>;
  verify(context: StepContext): Promise<Verdict>;
  undo(): Action | null;
}

function bind<K extends Action['kind']>(module: StepModule<K>, action: ActionOf<K>): BoundStep {
  return {
    observe: (context) => module.observe(context, action),
    act: (context) => module.act(context, action),
    verify: (context) => module.verify(context, action),
    undo: () => module.undo(action),
  };
}

export function stepFor(action: Action): BoundStep {
  switch (action.kind) {
    case 'back-up':
      return bind(backUp, action);
    case 'patch-machine-config':
      return bind(patchMachineConfig, action);
    case 'install-helm-release':
      return bind(installHelmRelease, action);
    case 'uninstall-helm-release':
      return bind(uninstallHelmRelease, action);
    case 'apply-objects':
      return bind(applyObjects, action);
    case 'delete-objects':
      return bind(deleteObjects, action);
    case 'restore-objects':
      return bind(restoreObjects, action);
    case 'label-node':
      return bind(labelNode, action);
    case 'cordon':
      return bind(cordon, action);
    case 'uncordon':
      return bind(uncordon, action);
    case 'restart-agent':
      return bind(restartAgent, action);
    case 'reconfigure-agent':
      return bind(reconfigureAgent, action);
    case 'restart-pods':
      return bind(restartPods, action);
    case 'return-node':
      return bind(returnNode, action);
    case 'roll-out':
      return bind(rollOut, action);
    case 'suspend-owner':
      return bind(suspendOwner, action);
    case 'resume-owner':
      return bind(resumeOwner, action);
    case 'change-node-files':
      return bind(changeNodeFiles, action);
    case 'clean-packet-filter':
      return bind(cleanPacketFilter, action);
    case 'write-node-file':
      return bind(writeNodeFile, action);
    case 'restart-service':
      return bind(restartService, action);
    case 'move-probe':
      return bind(moveProbe, action);
    case 'audit-policies':
      return bind(auditPolicies, action);
    case 'prove-policies':
      return bind(provePolicies, action);
    case 'verify':
      return bind(verify, action);
    default:
      return unreachable(action);
  }
}
