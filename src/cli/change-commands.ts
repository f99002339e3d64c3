/** The commands that change a cluster, and that say how a change stands: their words, flags and help. */
import { buildCommand } from '@stricli/core';
import {
  clusterFlags,
  guarded,
  hostImageFlags,
  outputOf,
  probeFlags,
  talosFlags,
  text,
  versions,
  wholeNumber,
} from './command-parts.ts';
import type { CliContext } from './context.ts';
import type { ChangeFlags, MigrateFlags, StatusFlags, VerifyFlags } from './flags.ts';

const changeFlags = {
  ...clusterFlags,
  ...talosFlags,
  ...hostImageFlags,
  ...probeFlags,
  yes: {
    kind: 'boolean',
    default: false,
    withNegated: false,
    brief: 'Do not ask; without a terminal nothing is done without it',
  },
  takeOver: {
    kind: 'boolean',
    default: false,
    withNegated: false,
    brief: 'Take the cluster from a regauge that is gone, without waiting for its lease',
  },
  gateTimeout: wholeNumber('Seconds a gate may take to hold (default 900)', 1),
  budget: text(
    'What a class of paths may lose before the run pauses, per step and run: pod-new=5s,service=2s/30s',
    'budgets',
  ),
  chart: text('Where the Cilium chart is: repository, oci://…, folder, archive', 'place'),
  auditLog: text('Where every change is written down (default: the state directory)', 'file'),
  audit: text(
    'Send the audit log there besides, as NDJSON; REGAUGE_AUDIT_TOKEN is its token',
    'url',
  ),
  auditRequired: {
    kind: 'boolean',
    default: false,
    withNegated: false,
    brief: 'Pause at the next safe point when --audit is not taken for 30 s',
  },
  backups: text('Directory for a second copy of the backups (default: the same)', 'directory'),
  output: outputOf(['text', 'json', 'yaml', 'ndjson']),
} as const;

const planFile = {
  kind: 'array',
  parameter: {
    parse: String,
    brief: 'The plan, as regauge plan --out wrote it',
    placeholder: 'plan.json',
  },
  maximum: 1,
} as const;

export const rollback = buildCommand<ChangeFlags, string[], CliContext>({
  func: guarded(() => import('./commands/rollback.ts')),
  parameters: { flags: changeFlags, aliases: { o: 'output' }, positional: planFile },
  docs: {
    brief: 'Take a migration back, from wherever it stands',
    fullDescription:
      'Reads from the cluster how far the migration came, shows the way back and asks. Objects come ' +
      'back from the backups, nodes return one wave at a time, each pod restarts once. Ends when every ' +
      'path works as it did before, and leaves nothing of regauge behind. Pauses and goes on as ' +
      'migrate does: run it again.',
  },
});

export const migrate = buildCommand<MigrateFlags, string[], CliContext>({
  func: guarded(() => import('./commands/migrate.ts')),
  parameters: {
    flags: {
      ...changeFlags,
      ...versions,
      target: text(
        'Helm values the plan was made for, to see that they are the same',
        'values.yaml',
      ),
      resume: {
        kind: 'boolean',
        default: false,
        withNegated: false,
        brief: 'Go on with the plan that the cluster keeps',
      },
      acceptDrift: text('Facts that may have changed since the plan, separated by commas', 'facts'),
    },
    aliases: { o: 'output' },
    positional: planFile,
  },
  docs: {
    brief: 'Execute a plan on the cluster: gates, probes, pause, resume',
    fullDescription:
      'Shows what will happen and asks. Refuses a plan whose cluster is another one, or another ' +
      'state of it. One regauge acts on a cluster at a time (a Lease). Ctrl-C, or p, pauses at the ' +
      'next safe point: no step starts any more, what runs comes to its end, and no node is left ' +
      'between two networks; a second Ctrl-C stops at once. Whatever ends it, also kill -9: ' +
      'regauge migrate --resume goes on, from any machine. Every change is written to the audit log ' +
      'first. Exits 0 when done, 1 when a step failed, 130 when paused.',
  },
});

export const status = buildCommand<StatusFlags, [], CliContext>({
  func: guarded(() => import('./commands/status.ts')),
  parameters: {
    flags: { ...clusterFlags, ...talosFlags, output: outputOf(['text', 'json', 'yaml']) },
    aliases: { o: 'output' },
    positional: { kind: 'tuple', parameters: [] },
  },
  docs: {
    brief: 'How a migration stands: who runs it, and which network each node is on',
    fullDescription:
      'Reads nodes, pods and what regauge keeps in its namespace, and on Talos the CNI confs. Changes nothing.',
  },
});

export const verify = buildCommand<VerifyFlags, [], CliContext>({
  func: guarded(() => import('./commands/verify.ts')),
  parameters: {
    flags: {
      ...clusterFlags,
      ...probeFlags,
      registryMirror: hostImageFlags.registryMirror,
      seconds: wholeNumber('How long to probe (default 30)', 1),
      policies: {
        kind: 'boolean',
        default: true,
        brief: 'Also try connections that a NetworkPolicy of its own forbids',
      },
      takeOver: {
        kind: 'boolean',
        default: false,
        withNegated: false,
        brief: 'Take over probes that run already, and remove them in the end',
      },
      output: outputOf(['text', 'json', 'yaml']),
    },
    aliases: { o: 'output' },
    positional: { kind: 'tuple', parameters: [] },
  },
  docs: {
    brief: 'Measure every class of paths: pods, services, names, egress, the API, policies',
    fullDescription:
      'Runs small probes on every node for a while, on the pod network and on the host: UDP, TCP held ' +
      'and new, HTTP, DNS, full-size datagrams. Prints losses and gaps in milliseconds, and whether what ' +
      'a NetworkPolicy forbids is denied. What it makes (in regauge-system) it removes, also after ' +
      'Ctrl-C. Exits 0 when no path loses packets, 1 when one does or something is not known.',
  },
});
