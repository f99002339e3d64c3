/**
 * Agents read their configuration when they start. Where somebody has changed it since the release wrote
 * it (a reconciler, a hand; FM-35), an agent that restarts is another one than the plan believes, and no
 * step is left that would say it again. So a run that goes on brings it back before its first step, and
 * lets the agents read it: the gates of steps would wait for what only that mends.
 */
import { RegaugeError } from '../../base/errors.ts';
import type { KubeObject } from '../../model/kubernetes.ts';
import type { ObjectSelector, Plan } from '../../model/plan.ts';
import type { Ports, ReleaseStatus } from '../../ports/index.ts';
import { configDrift } from '../../steps/config-drift.ts';
import { type HelmRelease, isAsWanted } from '../../steps/helm-release.ts';
import { rolledOut } from '../../steps/roll-out.ts';
import { fails, HOLDS, type Verdict } from '../../steps/step-module.ts';
import { waitUntil } from '../../steps/waiting.ts';

/**
 * Annotation of the agents' DaemonSet, and of its template: which change of the configuration was taken
 * back, and which one the pods have started after. A run that is killed between the two goes on from it.
 */
const RESTORED_MARK = 'regauge.dev/config-restored';
/** As long as a roll-out of agents may take as a step (seconds). */
const ROLL_OUT_SECONDS = 900;

/** `say` hears of what is done, and of what could not be: the gates of the steps then tell what it means. */
export async function restoreConfig(
  plan: Plan,
  ports: Ports,
  say: (message: string) => void,
): Promise<void> {
  try {
    const verdict = await restored(plan, ports, say);
    if (!verdict.holds) say(verdict.message);
  } catch (error) {
    if (!(error instanceof RegaugeError)) throw error;
    say(`the configuration of the agents could not be seen to: ${error.message}`);
  }
}

async function restored(
  plan: Plan,
  ports: Ports,
  say: (message: string) => void,
): Promise<Verdict> {
  const { name, namespace } = plan.platform.release;
  const status = await ports.helm.status(name, namespace);
  const wanted = releaseInForce(plan, status);
  const agents: ObjectSelector = {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    namespace,
    name: 'cilium',
  };
  // Without agents there is more to do than this, and steps that do it.
  if (wanted === undefined || (await ports.kubernetes.get(agents)) === undefined) return HOLDS;
  const drift = await configDrift(wanted, ports);
  if (drift !== undefined) {
    say(`${drift.inWords}: the release is applied again, and the agents restart with it`);
    const annotations = { [RESTORED_MARK]: drift.version };
    await ports.kubernetes.patch(agents, { metadata: { annotations } });
    const { release, chart, version, values } = wanted;
    await ports.helm.upgradeOrInstall({ release, namespace, chart, version, values });
  }
  return letAgentsRead(agents, ports);
}

/** What the plan last made the release say; undefined while it is another's, or half-way. */
function releaseInForce(
  { steps }: Plan,
  status: ReleaseStatus | undefined,
): HelmRelease | undefined {
  const releases = steps.flatMap(({ action }) =>
    action.kind === 'install-helm-release' ? [action] : [],
  );
  return releases.find((action) => isAsWanted(status, action));
}

/** Restarts the agents unless they have restarted since; a few at a time, as their update strategy says. */
async function letAgentsRead(
  agents: ObjectSelector,
  { kubernetes, clock }: Ports,
): Promise<Verdict> {
  const found = await kubernetes.get<KubeObject & Templated>(agents);
  const restored = found?.metadata.annotations?.[RESTORED_MARK];
  const read = found?.spec.template.metadata?.annotations?.[RESTORED_MARK];
  if (restored === undefined || restored === read) return HOLDS;
  const annotations = { [RESTORED_MARK]: restored };
  await kubernetes.patch(agents, { spec: { template: { metadata: { annotations } } } });
  return waitUntil(clock, clock.now() + ROLL_OUT_SECONDS * 1000, async () => {
    const now = await kubernetes.get(agents);
    return now === undefined ? fails('there is no DaemonSet cilium any more') : rolledOut(now);
  });
}

interface Templated {
  readonly spec: {
    readonly template: {
      readonly metadata?: { readonly annotations?: Readonly<Record<string, string>> };
    };
  };
}
