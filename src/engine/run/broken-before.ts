/**
 * What is broken before the first step: paths that lose packets, and what the cluster complains of.
 * Gates wait for none of it; a run that goes on takes it from the run that looked first.
 */
import { RegaugeError } from '../../base/errors.ts';
import type { Plan } from '../../model/plan.ts';
import type { Ports } from '../../ports/index.ts';
import { complainedBefore } from '../gates/complaints.ts';
import { isOfRefused, refusedBeforeOf } from '../gates/refused-requests.ts';
import { pathKey } from '../gates/paths.ts';
import type { Warnings } from '../gates/warnings.ts';

/** Once the probes run. */
export async function lookBefore(
  plan: Plan,
  ports: Ports,
  warnings: Warnings,
): Promise<readonly string[]> {
  const paths = (await ports.prober.failing()).map(pathKey);
  return [...(await complaints(plan, ports, warnings)), ...paths];
}

/** Unread, they are taken for none: the gates that ask again wait for what they cannot read. */
async function complaints(
  { steps }: Plan,
  ports: Ports,
  warnings: Warnings,
): Promise<readonly string[]> {
  if (!steps.some(({ gates }) => gates.some(({ kind }) => kind === 'sandboxes-made'))) return [];
  try {
    return await complainedBefore(ports, warnings);
  } catch (error) {
    if (error instanceof RegaugeError) return [];
    throw error;
  }
}

/** `; 3 paths fail already and are not waited for`, or nothing. */
export function brokenInWords(broken: readonly string[], fromEarlierRun: boolean): string {
  const { unknown } = refusedBeforeOf(broken);
  const uncounted =
    unknown === undefined ? '' : `; answers with 401 are seen in events alone: ${unknown}`;
  const keys = broken.filter((key) => !isOfRefused(key));
  if (keys.length === 0) return uncounted;
  const paths = keys.filter((key) => key.includes('>')).length;
  const others = keys.length - paths;
  const what = [
    ...(paths === 0 ? [] : [`${paths} paths`]),
    ...(others === 0 ? [] : [`pods of ${others} owners`]),
  ].join(' and ');
  return `; ${what} ${fromEarlierRun ? 'failed before the first step' : 'fail already'} and are not waited for${uncounted}`;
}
