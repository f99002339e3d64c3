/** The published schema of Rehearsal, held to the type by the compiler. */
import { z } from 'zod';
import { PROBE_METHODS } from '../probe.ts';
import { PATH_CLASSES, type PathObservation, type Rehearsal } from '../rehearsal.ts';
import { evidence } from './check-report.ts';
import { breakage, sweepOutcome } from './fault-sweep.ts';
import { count, list, seconds } from './parts.ts';

export const pathEnd = z.object({ class: z.enum(PATH_CLASSES), node: z.string() });

export const pathObservation = z.object({
  from: pathEnd,
  to: pathEnd,
  protocol: z.enum(['tcp', 'udp', 'dns', 'http']),
  method: z.enum(PROBE_METHODS).exactOptional(),
  sent: count,
  lost: count,
  longestGapMs: z.number().nonnegative(),
  sourceSeen: z.string().nullable(),
  gaps: list(z.tuple([seconds, seconds]).readonly()),
}) satisfies z.ZodType<PathObservation>;

export const rehearsalSummary = z.object({
  nodes: count,
  pods: count,
  podsRestarted: count,
  maxRestartsPerPod: count,
  podsStuck: count,
  podOutageSeconds: z.object({ total: seconds, p50: seconds, p99: seconds, max: seconds }),
  dnsOutageSeconds: seconds,
  apiUnauthorized: count,
  volumesStuck: count,
  policyGapSeconds: seconds,
  longestPathGapMs: z.number().nonnegative(),
  makespanSeconds: seconds,
  coveredWorkloads: z
    .object({ count, outageSeconds: z.object({ total: seconds, max: seconds }) })
    .exactOptional(),
});

const failure = z.object({
  subject: z.object({
    kind: z.string(),
    namespace: z.string().exactOptional(),
    name: z.string(),
    node: z.string().exactOptional(),
  }),
  symptom: z.string(),
  message: z.string(),
  at: seconds,
  until: seconds.exactOptional(),
  rootCauses: list(z.string()),
  because: list(z.string()),
});

const cause = z.object({
  id: z.string(),
  covers: list(z.string()),
  title: z.string(),
  node: z.string().exactOptional(),
  because: list(z.string()),
  evidence: list(evidence),
});

const nodeSpan = z.object({
  from: seconds,
  to: seconds,
  state: z.enum(['down', 'no-network', 'ready']),
  pods: z.object({ old: count, new: count, stuck: count }),
  unschedulable: z.boolean(),
});

export const rehearsal = z.object({
  apiVersion: z.literal('regauge.dev/v1'),
  kind: z.literal('Rehearsal'),
  name: z.string(),
  outcome: z.enum(['clean', 'degraded', 'stuck', 'harmful']),
  seed: z.int(),
  summary: rehearsalSummary,
  failures: list(failure),
  causes: list(cause),
  timeline: list(
    z.object({
      at: seconds,
      node: z.string().exactOptional(),
      step: z.string().exactOptional(),
      event: z.string(),
    }),
  ),
  failedSteps: list(
    z.object({ step: z.string(), title: z.string(), at: seconds, message: z.string() }),
  ),
  invariants: list(
    z.object({
      name: z.string(),
      held: z.boolean(),
      firstViolation: z.object({ at: seconds, message: z.string() }).exactOptional(),
    }),
  ),
  assumptions: list(
    z.object({
      about: z.string(),
      assumed: z.string(),
      because: z.string(),
      command: z.string().exactOptional(),
    }),
  ),
  paths: list(pathObservation),
  nodeHistories: list(z.object({ node: z.string(), spans: list(nodeSpan) })),
  underFaults: z
    .object({
      faults: list(z.object({ fault: z.string(), at: seconds.nullable() })),
      outcome: sweepOutcome,
      broke: list(breakage),
      runs: count,
    })
    .exactOptional(),
}) satisfies z.ZodType<Rehearsal>;
