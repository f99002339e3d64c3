/** The published schema of Verification, held to the type by the compiler. */
import { z } from 'zod';
import { RULES_OWNERS } from '../plan.ts';
import { POLICY_OUTCOMES, type Verification, VERIFICATION_VERDICTS } from '../verification.ts';
import { list, seconds } from './parts.ts';
import { pathEnd, pathObservation } from './rehearsal.ts';

const forbidden = z.object({
  from: pathEnd,
  to: pathEnd,
  reachedBefore: z.boolean(),
  outcome: z.enum(POLICY_OUTCOMES),
});

export const verification = z.object({
  apiVersion: z.literal('regauge.dev/v1'),
  kind: z.literal('Verification'),
  seconds,
  paths: list(pathObservation),
  failing: list(
    z.object({
      from: pathEnd,
      to: pathEnd,
      sinceMs: z.number().nonnegative(),
      message: z.string(),
    }),
  ),
  unknown: list(z.object({ node: z.string(), message: z.string() })),
  policies: z
    .object({
      tested: z.string(),
      enforcementExpected: z.boolean().nullable(),
      clusterwide: list(z.string()),
      connections: list(forbidden),
    })
    .exactOptional(),
  leftRules: z
    .object({
      owners: list(z.enum(RULES_OWNERS)),
      nodes: list(z.object({ node: z.string(), rules: list(z.string()) })),
      unread: list(z.object({ node: z.string(), message: z.string() })),
    })
    .exactOptional(),
  verdict: z.enum(VERIFICATION_VERDICTS),
}) satisfies z.ZodType<Verification>;
