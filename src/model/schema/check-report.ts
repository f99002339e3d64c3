/** The published schema of CheckReport, held to the type by the compiler. */
import { z } from 'zod';
import { type CheckReport, type Evidence, type Finding, SEVERITIES } from '../finding.ts';
import { count, list } from './parts.ts';

export const evidence = z.object({
  source: z.string(),
  file: z.string().exactOptional(),
  path: z.string().exactOptional(),
  line: z.int().positive().exactOptional(),
  column: z.int().positive().exactOptional(),
  value: z.unknown().optional(),
}) satisfies z.ZodType<Evidence>;

const finding = z.object({
  hazard: z.string(),
  covers: list(z.string()),
  severity: z.enum(SEVERITIES),
  certainty: z.enum(['proven', 'likely', 'possible']),
  title: z.string(),
  message: z.string(),
  evidence: list(evidence),
  fix: z
    .object({
      summary: z.string(),
      patch: z.string().exactOptional(),
      command: z.string().exactOptional(),
    })
    .nullable(),
  references: list(z.string()),
}) satisfies z.ZodType<Finding>;

export const checkReport = z.object({
  apiVersion: z.literal('regauge.dev/v1'),
  kind: z.literal('CheckReport'),
  findings: list(finding),
  unknown: list(z.object({ hazard: z.string(), missing: list(z.string()) })),
  summary: z.object({
    critical: count,
    high: count,
    medium: count,
    low: count,
    info: count,
    unknown: count,
    hazardsEvaluated: count,
  }),
}) satisfies z.ZodType<CheckReport>;
