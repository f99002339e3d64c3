/**
 * What the plan will install is rendered before anything is changed: by the user's Helm, with what the
 * cluster is able to. A chart that cannot be had, or that refuses the values, is known beforehand.
 */
import { canonicalJson } from '../../base/canonical-json.ts';
import { RegaugeError } from '../../base/errors.ts';
import type { OpenedHelm } from '../../drivers/helm/open.ts';
import type { Plan } from '../../model/plan.ts';

type Prover = Pick<OpenedHelm, 'version' | 'status' | 'template'>;

/** Throws what Helm or the chart has against it, with the step that would have failed. */
export async function proveReleases(helm: Prover, { steps }: Pick<Plan, 'steps'>): Promise<void> {
  await helm.version();
  const proven = new Set<string>();
  for (const { title, action } of steps) {
    if (action.kind !== 'install-helm-release') continue;
    const { release, namespace, chart, version, values } = action;
    const key = canonicalJson({ version, values });
    if (proven.has(key)) continue;
    proven.add(key);
    try {
      await helm.template({ release, namespace, chart, version, values });
    } catch (error) {
      if (!(error instanceof RegaugeError)) throw error;
      // Half-way through, nodes can be moved without the chart; it is asked for again in its turn.
      const isInstalled = (await helm.status(release, namespace)) !== undefined;
      if (error.code === 'unreachable' && isInstalled) return;
      throw new RegaugeError(error.code, `"${title}" could not be done: ${error.message}`, {
        cause: error,
        ...(error.hint === undefined ? {} : { hint: error.hint }),
      });
    }
  }
}
