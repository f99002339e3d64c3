/** The shape of a Runbook's structured steps (model/runbook.ts), strict at every level. */
import { z } from 'zod';

const text = z.string().min(1);
const table = z.record(z.string(), z.unknown());
const marks = z.record(z.string(), z.string().nullable());
const nodes = z.array(text).min(1);

export const runbookSchema = z.strictObject({
  apiVersion: z.literal('regauge.dev/v1').optional(),
  kind: z.literal('Runbook'),
  name: text.optional(),
  description: z.string().optional(),
  steps: z.array(z.unknown()).min(1),
});

export const stepSchema = z.strictObject({
  title: z.string().optional(),
  reading: z
    .strictObject({ kind: z.enum(['quote', 'corrected', 'assumed']), why: z.string().optional() })
    .optional(),
  continueOnError: z.boolean().optional(),
  helm: z.unknown().optional(),
  kubectl: z.unknown().optional(),
  talos: z.unknown().optional(),
  files: z.unknown().optional(),
  wait: z.unknown().optional(),
  look: z.unknown().optional(),
});

const installation = {
  release: text,
  namespace: text,
  chart: text,
  version: text,
  values: table,
  reuseValues: z.boolean().optional(),
  wait: z.boolean().optional(),
  atomic: z.boolean().optional(),
  timeoutSeconds: z.number().min(0).optional(),
};

const helmSchema = z.discriminatedUnion('action', [
  z.strictObject({ action: z.literal('install'), ...installation }),
  z.strictObject({ action: z.literal('upgrade'), ...installation }),
  z.strictObject({ action: z.literal('uninstall'), release: text, namespace: text }),
  z.strictObject({
    action: z.literal('rollback'),
    release: text,
    namespace: text,
    revision: z.int().min(0).optional(),
  }),
]);

const kubectlSchema = z.discriminatedUnion('action', [
  z.strictObject({ action: z.literal('apply'), objects: z.array(table) }),
  z.strictObject({
    action: z.literal('delete'),
    kind: text,
    namespace: text.optional(),
    name: text.optional(),
    selector: text.optional(),
    onNode: text.optional(),
    all: z.boolean().optional(),
    force: z.boolean().optional(),
  }),
  z.strictObject({
    action: z.literal('patch'),
    kind: text,
    namespace: text.optional(),
    name: text,
    patch: table,
  }),
  z.strictObject({
    action: z.literal('rollout-restart'),
    kind: text,
    namespace: text,
    name: text.optional(),
    selector: text.optional(),
  }),
  z.strictObject({
    action: z.literal('rollout-status'),
    kind: text,
    namespace: text,
    name: text,
    timeoutSeconds: z.number().min(0).optional(),
  }),
  z.strictObject({
    action: z.literal('wait'),
    until: z.union([
      z.literal('deleted'),
      z.strictObject({ condition: text, status: z.enum(['True', 'False', 'Unknown']) }),
    ]),
    kind: text,
    namespace: text.optional(),
    name: text.optional(),
    selector: text.optional(),
    timeoutSeconds: z.number().min(0),
  }),
  z.strictObject({
    action: z.literal('label'),
    kind: text,
    namespace: text.optional(),
    name: text,
    labels: marks,
  }),
  z.strictObject({
    action: z.literal('annotate'),
    kind: text,
    namespace: text.optional(),
    name: text,
    annotations: marks,
  }),
  z.strictObject({
    action: z.literal('taint'),
    node: text,
    add: z.array(
      z.strictObject({
        key: text,
        value: z.string().optional(),
        effect: z.enum(['NoSchedule', 'PreferNoSchedule', 'NoExecute']),
      }),
    ),
    remove: z.array(z.strictObject({ key: text, effect: text.optional() })),
  }),
  z.strictObject({
    action: z.literal('scale'),
    kind: text,
    namespace: text,
    name: text,
    replicas: z.int().min(0),
  }),
  z.strictObject({ action: z.literal('cordon'), node: text }),
  z.strictObject({ action: z.literal('uncordon'), node: text }),
  z.strictObject({
    action: z.literal('drain'),
    node: text,
    timeoutSeconds: z.number().min(0).optional(),
    force: z.boolean().optional(),
    ignoreDaemonsets: z.boolean().optional(),
    deleteEmptydirData: z.boolean().optional(),
  }),
]);

const talosSchema = z.discriminatedUnion('action', [
  z.strictObject({
    action: z.literal('patch'),
    nodes,
    patch: text,
    mode: z.enum(['auto', 'no-reboot', 'reboot', 'staged', 'try']).optional(),
  }),
  z.strictObject({
    action: z.literal('upgrade'),
    nodes,
    image: text,
    preserve: z.boolean().optional(),
    wait: z.boolean().optional(),
  }),
  z.strictObject({ action: z.literal('reboot'), nodes, wait: z.boolean().optional() }),
  z.strictObject({ action: z.literal('service-restart'), nodes, service: text }),
  z.strictObject({ action: z.literal('upgrade-k8s'), to: text.optional() }),
]);

const filesSchema = z.strictObject({
  nodes,
  changes: z
    .array(
      z.union([
        z.strictObject({
          write: text,
          content: z.string(),
          mode: z.int().min(0).max(0o7777).optional(),
        }),
        z.strictObject({ remove: text }),
        z.strictObject({ rename: text, to: text }),
      ]),
    )
    .min(1),
});

export const COMMAND_SCHEMAS = {
  helm: helmSchema,
  kubectl: kubectlSchema,
  talos: talosSchema,
  files: filesSchema,
  wait: z.strictObject({ seconds: z.number().min(0) }),
  look: text,
} as const;

/** A whole Runbook, for publishing: each command in its structured form, or as it would be typed. */
export const publishedRunbook = runbookSchema.extend({
  steps: z
    .array(
      z.union([
        text.describe('A command as typed: kubectl, helm, talosctl or sleep'),
        stepSchema.extend({
          helm: z.union([helmSchema, text]).optional(),
          kubectl: z.union([kubectlSchema, text]).optional(),
          talos: z.union([talosSchema, text]).optional(),
          files: filesSchema.optional(),
          wait: z.union([COMMAND_SCHEMAS.wait, text, z.number().min(0)]).optional(),
          look: text.optional(),
        }),
      ]),
    )
    .min(1),
});

export type CommandKey = keyof typeof COMMAND_SCHEMAS;
