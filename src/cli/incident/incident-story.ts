/** What was done in the published incident, and what is remembered of it; the planned run needs neither. */
import { z } from 'zod';
import asItWasDone from '../../../scenarios/post-mortem/as-it-was-done.yaml';
import rememberedClaims from '../../../scenarios/post-mortem/remembered.yaml';
import { present } from '../../base/assert.ts';
import { readInput } from '../../intake/read-input.ts';
import type { Runbook } from '../../model/runbook.ts';
import type { RememberedClaim } from '../../report/sections/lists.ts';
import { CILIUM_VERSION } from './incident-data.ts';

export interface Story {
  readonly runbook: Runbook;
  readonly remembered: readonly RememberedClaim[];
}

const rememberedFile = z.object({
  explanations: z.array(
    z.object({ claim: z.string(), verdict: z.string(), why: z.string(), source: z.string() }),
  ),
});

export function incidentStory(): Story {
  const file = {
    path: 'scenarios/post-mortem/as-it-was-done.json',
    text: JSON.stringify(asItWasDone),
  };
  const { runbooks } = readInput([file], { ciliumVersion: CILIUM_VERSION });
  return {
    runbook: present(runbooks[0], 'the runbook of the incident').runbook,
    remembered: rememberedFile.parse(rememberedClaims).explanations,
  };
}
