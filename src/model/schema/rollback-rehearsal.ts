/** The published schema of RollbackRehearsal, held to the type by the compiler. */
import { z } from 'zod';
import type { RollbackRehearsal } from '../rollback-rehearsal.ts';
import { count, list, seconds } from './parts.ts';

export const rollbackRehearsal = z.object({
  apiVersion: z.literal('regauge.dev/v1'),
  kind: z.literal('RollbackRehearsal'),
  name: z.string(),
  seed: z.int(),
  outcome: z.enum(['clean', 'broken']),
  points: list(
    z.object({
      after: z.string(),
      outcome: z.enum(['back', 'broken']),
      message: z.string().exactOptional(),
      stepsBack: count,
      seconds,
      maxRestartsPerPod: count,
      podsStuck: count,
      longestPathGapMs: z.number().nonnegative(),
      maxPodOutageSeconds: seconds,
    }),
  ),
  pointsOfNoReturn: list(z.string()),
}) satisfies z.ZodType<RollbackRehearsal>;
