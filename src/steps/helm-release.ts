/** Installs, upgrades and uninstalls the Cilium release; done when its pods are there and ready. */
import { canonicalJson } from '../base/canonical-json.ts';
import type { ObjectSelector } from '../model/plan.ts';
import type { ReleaseStatus } from '../ports/index.ts';
import { rolledOut } from './roll-out.ts';
import {
  type ActionOf,
  fails,
  HOLDS,
  type StepContext,
  type StepModule,
  type Verdict,
} from './step-module.ts';

type Install = ActionOf<'install-helm-release'>;

export const installHelmRelease: StepModule<'install-helm-release'> = {
  async observe(context, action) {
    const status = await context.ports.helm.status(action.release, action.namespace);
    if (status !== undefined && status.status.startsWith('pending-')) {
      return {
        blocked: `release ${action.release} is ${status.status}: roll it back first (helm rollback)`,
      };
    }
    if (!isAsWanted(status, action)) return 'todo';
    return (await podsReady(context, action.namespace)).holds ? 'done' : 'todo';
  },

  async act({ ports }, action) {
    const { release, namespace, chart, version, values } = action;
    if (isAsWanted(await ports.helm.status(release, namespace), action)) return;
    await ports.helm.upgradeOrInstall({ release, namespace, chart, version, values });
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

function isAsWanted(status: ReleaseStatus | undefined, { version, values }: Install): boolean {
  return (
    status?.status === 'deployed' &&
    status.chartVersion.replace(/^v/, '') === version.replace(/^v/, '') &&
    canonicalJson(status.values) === canonicalJson(values)
  );
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
