/** The published schema of FixSearch, held to the type by the compiler. */
import { z } from 'zod';
import { type FixSearch, TRIAL_VERDICTS } from '../fix-search.ts';
import { outcomes } from './fault-sweep.ts';
import { count, list, seconds } from './parts.ts';

const planChange = z.object({
  id: z.string(),
  about: z.string(),
  change: z.string(),
  because: z.string(),
  flag: z.tuple([z.string(), z.string()]).readonly().exactOptional(),
  patch: z.object({ file: z.string(), yaml: z.string() }).exactOptional(),
});

const trial = z.object({
  verdict: z.enum(TRIAL_VERDICTS),
  outcome: z.enum(['clean', 'degraded', 'stuck', 'harmful']).exactOptional(),
  outcomes: outcomes.exactOptional(),
  makespanSeconds: seconds.exactOptional(),
  podOutageSeconds: seconds.exactOptional(),
  why: z.string().exactOptional(),
});

export const fixSearch = z.object({
  apiVersion: z.literal('regauge.dev/v1'),
  kind: z.literal('FixSearch'),
  of: z.enum(['rehearsal', 'sweep']),
  seed: z.int(),
  rehearsals: count,
  before: trial,
  candidates: list(planChange),
  tried: list(trial.extend({ changes: list(z.string()) })),
  exhausted: z.boolean(),
  fixes: list(
    trial.extend({
      changes: list(planChange),
      costs: z.object({ makespanSeconds: z.number(), podOutageSeconds: z.number() }).nullable(),
      command: z.string(),
    }),
  ),
}) satisfies z.ZodType<FixSearch>;
