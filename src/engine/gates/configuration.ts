/** The gate on what agents read when they start, which is not what those that run have read (FM-35). */
import { configDrift } from '../../steps/config-drift.ts';
import { fails, HOLDS } from '../../steps/step-module.ts';
import type { GateModule } from './gate-context.ts';

/** Also after a hypothetical restart now, agents are what they are. */
export const configurationKept: GateModule<'configuration-kept'> = async ({ ports }, release) => {
  const drift = await configDrift(release, ports);
  return drift === undefined
    ? HOLDS
    : fails(`${drift.inWords}; \`migrate --resume\` brings it back`);
};
