/** The published schema of FaultSweep, held to the type by the compiler. */
import { z } from 'zod';
import { type FaultSweep, SWEEP_OUTCOMES } from '../fault-sweep.ts';
import { count, list, seconds } from './parts.ts';

export const sweepOutcome = z.enum(SWEEP_OUTCOMES);
export const breakage = z.object({ what: z.string(), message: z.string() });

export const outcomes = z.object({ clean: count, resumed: count, stopped: count, broken: count });
const spread = z.object({ p50: seconds, p99: seconds, max: seconds });
const part = z.number().min(0).max(1);

const counterExample = z.object({
  seed: z.int(),
  faults: list(z.string()),
  outcome: sweepOutcome,
  broke: list(breakage),
  stoppedAt: z.object({ step: z.string(), message: z.string() }).exactOptional(),
  command: z.string(),
});

export const faultSweep = z.object({
  apiVersion: z.literal('regauge.dev/v1'),
  kind: z.literal('FaultSweep'),
  name: z.string(),
  seed: z.int(),
  planned: count,
  rehearsals: count,
  notStruck: count,
  outcomes,
  clean: z.object({ share: part, low: part, high: part }),
  makespanSeconds: spread,
  podOutageSeconds: spread,
  longestPathGapMs: spread,
  faults: list(z.object({ fault: z.string(), title: z.string(), standsFor: z.string(), outcomes })),
  steps: list(z.object({ step: z.string(), outcomes })),
  broken: list(
    z.object({
      what: z.string(),
      rehearsals: count,
      firstSeed: z.int(),
      message: z.string(),
    }),
  ),
  worst: counterExample.nullable(),
  shrunk: counterExample.extend({ tried: count }).nullable(),
}) satisfies z.ZodType<FaultSweep>;
