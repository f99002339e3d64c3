/** The published schemas of Status and RunResult, held to the types by the compiler. */
import { z } from 'zod';
import type { RunResultDocument, StatusDocument } from '../status.ts';
import { list } from './parts.ts';

const count = z.number().int().nonnegative();

const migration = z.object({
  planId: z.string(),
  phase: z.string(),
  startedAt: z.string(),
  step: z.string().exactOptional(),
  updatedAt: z.string(),
  state: z.enum(['running', 'paused', 'stopped', 'done']),
  done: count,
  total: count,
  holder: z.string(),
  auditLog: z.string().exactOptional(),
  message: z.string().exactOptional(),
  joined: list(z.string()).exactOptional(),
});

const node = z.object({
  name: z.string(),
  owner: z.enum(['old', 'new', 'none', 'both']),
  runtime: z.string(),
  activeConf: z.string().nullable(),
  confs: list(z.string()).nullable(),
  pods: z.object({ old: count, new: count, host: count, stuck: count }),
  ready: z.boolean(),
  cordoned: z.enum(['regauge', 'others']).exactOptional(),
});

const probes = z.object({ agents: count, ready: count });

const volumes = z.object({
  attached: count,
  waiting: list(
    z.object({ name: z.string(), node: z.string(), message: z.string().exactOptional() }),
  ),
  unhealthy: list(z.object({ name: z.string(), robustness: z.string() })),
});

const warning = z.object({
  reason: z.string(),
  count,
  last: z.string(),
  subject: z.string(),
  message: z.string(),
});

export const status = z.object({
  apiVersion: z.literal('regauge.dev/v1'),
  kind: z.literal('Status'),
  migration: migration.exactOptional(),
  nodes: list(node),
  probes: probes.nullable(),
  volumes: volumes.nullable(),
  events: list(warning).nullable(),
}) satisfies z.ZodType<StatusDocument>;

export const runResult = z.object({
  apiVersion: z.literal('regauge.dev/v1'),
  kind: z.literal('RunResult'),
  planId: z.string(),
  outcome: z.enum(['done', 'stopped', 'paused', 'halted']),
  done: count,
  total: count,
  seconds: z.number(),
  failed: z.object({ step: z.string(), message: z.string() }).exactOptional(),
  halted: z.object({ message: z.string(), steps: list(z.string()) }).exactOptional(),
  auditLog: z.string(),
}) satisfies z.ZodType<RunResultDocument>;
