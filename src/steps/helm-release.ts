/** Installs, upgrades and uninstalls the Cilium release; done when its pods are there and ready. */
import { canonicalJson } from '../base/canonical-json.ts';
import type { ObjectSelector, Plan } from '../model/plan.ts';
import { isUnfinished } from '../ports/helm.ts';
import type { ReleaseStatus } from '../ports/index.ts';
import { agentsWriteElsewhere } from './agent-directories.ts';
import { rolledOut } from './roll-out.ts';
import {
  type ActionOf,
  fails,
  HOLDS,
  type StepContext,
  type StepModule,
  type Verdict,
} from './step-module.ts';

export type HelmRelease = ActionOf<'install-helm-release'>;

export const installHelmRelease: StepModule<'install-helm-release'> = {
  async observe(context, action) {
    const status = await context.ports.helm.status(action.release, action.namespace);
    if (status !== undefined && isUnfinished(status) && !isOurs(status, context.plan)) {
      return {
        blocked: `release ${action.release} is ${status.status}, and not by this plan: see what runs, or roll it back (helm rollback)`,
      };
    }
    if (!isAsWanted(status, action) || (await isDrifted(context, action))) return 'todo';
    return (await podsReady(context, action.namespace)).holds ? 'done' : 'todo';
  },

  async act(context, action) {
    const { ports, plan } = context;
    const { release, namespace, chart, version, values } = action;
    const status = await ports.helm.status(release, namespace);
    if (isAsWanted(status, action) && !(await isDrifted(context, action))) return;
    const request = { release, namespace, chart, version, values };
    // A run that was killed left Helm half-way. It was ours, and it is gone: we hold the lease.
    const isLeft = status !== undefined && isUnfinished(status) && isOurs(status, plan);
    await ports.helm.upgradeOrInstall(request, isLeft ? { unfinished: 'repair' } : {});
  },

  async verify(context, action) {
    const status = await context.ports.helm.status(action.release, action.namespace);
    if (!isAsWanted(status, action))
      return fails(`release ${action.release} is ${status?.status ?? 'not installed'}`);
    return podsReady(context, action.namespace);
  },

  undo: ({ release, namespace }) => ({ kind: 'uninstall-helm-release', release, namespace }),
};

export const uninstallHelmRelease: StepModule<'uninstall-helm-release'> = {
  async observe({ ports }, { release, namespace }) {
    const status = await ports.helm.status(release, namespace);
    return status === undefined || status.status === 'uninstalled' ? 'done' : 'todo';
  },
  act: ({ ports }, { release, namespace }) => ports.helm.uninstall(release, namespace),
  async verify(context, action) {
    const seen = await uninstallHelmRelease.observe(context, action);
    return seen === 'done' ? HOLDS : fails(`release ${action.release} is installed still`);
  },
  undo: () => null,
};

/** Some step of the plan sets these very values. */
function isOurs(status: ReleaseStatus, { steps }: Plan): boolean {
  const values = canonicalJson(status.values);
  return steps.some(
    ({ action }) =>
      action.kind === 'install-helm-release' && canonicalJson(action.values) === values,
  );
}

/** It is deployed, with this chart and these values. */
export function isAsWanted(
  status: ReleaseStatus | undefined,
  { version, values }: HelmRelease,
): boolean {
  return (
    status?.status === 'deployed' &&
    status.chartVersion.replace(/^v/, '') === version.replace(/^v/, '') &&
    canonicalJson(status.values) === canonicalJson(values)
  );
}

/** Helm that does it again puts the agents back. */
function isDrifted({ ports }: StepContext, { release, namespace }: HelmRelease): Promise<boolean> {
  return agentsWriteElsewhere(ports, release, namespace);
}

async function podsReady({ ports }: StepContext, namespace: string): Promise<Verdict> {
  for (const target of releaseWorkloads(namespace)) {
    const found = await ports.kubernetes.get(target);
    if (found === undefined) return fails(`there is no ${target.kind} ${target.name} yet`);
    const verdict = rolledOut(found);
    if (!verdict.holds) return verdict;
  }
  return HOLDS;
}

function releaseWorkloads(namespace: string): readonly ObjectSelector[] {
  return [
    { apiVersion: 'apps/v1', kind: 'DaemonSet', namespace, name: 'cilium' },
    { apiVersion: 'apps/v1', kind: 'Deployment', namespace, name: 'cilium-operator' },
  ];
}
