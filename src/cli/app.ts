/**
 * The command tree: every command's words, flags and help, and where its code is. Code is loaded when
 * the command runs, so that help and completion stay quick. Commands decide nothing themselves.
 */
import {
  type Application,
  buildApplication,
  buildCommand,
  buildRouteMap,
  run,
} from '@stricli/core';
import { SEVERITIES } from '../model/finding.ts';
import { migrate, rollback, status, verify } from './change-commands.ts';
import {
  clusterFlags,
  files,
  guarded,
  hostAccessFlags,
  nodeFlags,
  outputOf,
  text,
  versions,
  wholeNumber,
} from './command-parts.ts';
import { type CliContext, type CliProcess, EXIT } from './context.ts';
import type {
  CheckFlags,
  ExplainNodeFlags,
  IncidentFlags,
  PlanFlags,
  RehearseFlags,
  SnapshotFlags,
  TwinServeFlags,
} from './flags.ts';
import { VERSION } from './version.ts';

const live = {
  ...clusterFlags,
  ...nodeFlags,
  ...hostAccessFlags,
  live: {
    kind: 'boolean',
    default: false,
    brief: 'Read the cluster itself, besides the files',
  },
} as const;

const snapshot = buildCommand<SnapshotFlags, [], CliContext>({
  func: guarded(() => import('./commands/snapshot.ts')),
  parameters: {
    flags: {
      ...clusterFlags,
      ...nodeFlags,
      ...hostAccessFlags,
      out: {
        kind: 'parsed',
        parse: String,
        default: 'regauge-snapshot',
        brief: 'Directory to write to',
        placeholder: 'directory',
      },
      asTar: { kind: 'boolean', default: false, brief: 'One .tar.gz instead of a directory' },
      output: outputOf(['text', 'json', 'yaml']),
    },
    aliases: { o: 'output' },
    positional: { kind: 'tuple', parameters: [] },
  },
  docs: {
    brief: 'Record a cluster, redacted, for check, plan and rehearse',
    fullDescription:
      'Reads the API objects that decide how a migration ends, a page at a time and at most 20 requests ' +
      'a second, and what the machines hold: on Talos through its API, elsewhere through mounts that ' +
      'network agents have already. Secrets are not read; tokens, keys and environment values are ' +
      'taken out. An interrupted snapshot goes on where it was. Changes nothing, unless --host-access ' +
      'lets it make pods, which it removes.',
  },
});

const check = buildCommand<CheckFlags, string[], CliContext>({
  func: guarded(() => import('./commands/check.ts')),
  parameters: {
    flags: {
      ...versions,
      ...live,
      output: outputOf(['text', 'json', 'yaml', 'sarif', 'junit']),
      failOn: {
        kind: 'enum',
        values: SEVERITIES,
        default: 'high',
        brief: 'Exit 1 from this severity on',
      },
      only: text('Only these hazards or failure modes, separated by commas', 'ids'),
      ignore: text('Demote these hazards or failure modes to info', 'ids'),
    },
    aliases: { o: 'output' },
    positional: files(
      'Helm values, Talos configs and patches, CNI confs, manifests, a snapshot; - for standard input',
    ),
  },
  docs: {
    brief: 'Find what would hurt, in the files you have',
    fullDescription:
      'Reads any mix of Cilium Helm values, Talos machine configs and patches, CNI confs or listings, ' +
      'Kubernetes manifests and snapshots; recognises each by content. Touches no cluster.',
  },
});

const plan = buildCommand<PlanFlags, string[], CliContext>({
  func: guarded(() => import('./commands/plan.ts')),
  parameters: {
    flags: {
      ...versions,
      ...live,
      target: text('Helm values that are wanted in the end', 'values.yaml'),
      strategy: {
        kind: 'enum',
        values: ['evict-in-place', 'reboot', 'sandbox-restart'],
        optional: true,
        brief: 'How pods come over (default: chosen per cluster, with the reason)',
      },
      waveSize: wholeNumber('Nodes moved together, at most', 1),
      poolCidr: text('Pod CIDR for Cilium', 'cidr'),
      out: text('Directory to write plan.json, artifacts and runbook.md to', 'directory'),
      output: outputOf(['text', 'json', 'yaml']),
    },
    aliases: { o: 'output' },
    positional: files('Snapshot or files of the cluster'),
  },
  docs: { brief: 'Derive the migration for a cluster: steps, gates, undo, artifacts' },
});

const rehearse = buildCommand<RehearseFlags, string[], CliContext>({
  func: guarded(() => import('./commands/rehearse.ts')),
  parameters: {
    flags: {
      ...versions,
      ...live,
      target: text('Helm values that are wanted in the end', 'values.yaml'),
      runbook: text('Your own runbook instead of a plan', 'steps.yaml'),
      plan: text('A plan that was made before', 'plan.json'),
      strategy: {
        kind: 'enum',
        values: ['evict-in-place', 'reboot', 'sandbox-restart'],
        optional: true,
        brief: 'How pods come over',
      },
      waveSize: wholeNumber('Nodes moved together, at most', 1),
      poolCidr: text('Pod CIDR for Cilium', 'cidr'),
      seed: wholeNumber('Seed of the rehearsal (default 1)'),
      faults: {
        kind: 'boolean',
        optional: true,
        withNegated: false,
        brief: 'Rehearse many times, with something going wrong at some step each time',
      },
      fault: {
        ...text('What goes wrong: node-lost@<step>; with --faults, what to sweep', 'fault'),
        variadic: true,
      },
      rehearsals: wholeNumber('With --faults: how many (default 200)', 1),
      fix: {
        kind: 'boolean',
        optional: true,
        withNegated: false,
        brief:
          'Search the smallest change of plan or values that ends clean; with --faults, of the sweep',
      },
      rollback: {
        kind: 'enum',
        values: ['waves', 'steps'],
        optional: true,
        brief: 'Rehearse the way back: from after each wave and phase, or after each step',
      },
      workers: wholeNumber('With --faults: threads (default: one per core)', 1),
      report: text('Write the HTML report here', 'report.html'),
      events: {
        kind: 'boolean',
        default: false,
        brief: 'Print the run as it goes, one JSON event a line',
      },
      output: outputOf(['text', 'json', 'yaml']),
    },
    aliases: { o: 'output' },
    positional: files('Snapshot or files of the cluster'),
  },
  docs: {
    brief: 'Play a plan, or your own runbook, on a twin of the cluster',
    fullDescription:
      'Exits 0 when the rehearsal ends clean. With --faults it rehearses many times, something going ' +
      'wrong at a step each time, says how likely a clean end is and what broke, and exits 0 when ' +
      'nothing did; the worst is made as small as it gets, with the command that plays it again. ' +
      'With --rollback it goes back from point after point of the plan. With --fix it rehearses other ' +
      'choices and the corrections of check, one at a time and then together, until some end clean. ' +
      'Touches nothing.',
  },
});

const incident = buildCommand<IncidentFlags, [], CliContext>({
  func: guarded(() => import('./commands/incident.ts')),
  parameters: {
    flags: {
      run: {
        kind: 'enum',
        values: ['both', 'as-done', 'as-planned'],
        default: 'both',
        brief: 'Which rehearsal',
      },
      seed: wholeNumber('Seed of the rehearsals (default 1)'),
      report: text('Write the HTML report here', 'report.html'),
      output: outputOf(['text', 'json', 'yaml']),
    },
    aliases: { o: 'output' },
    positional: { kind: 'tuple', parameters: [] },
  },
  docs: {
    brief: 'Replay a six-hour incident: as it was done, and as regauge plans it',
    fullDescription: 'What npm start runs. Exits 0 when the planned run ends clean.',
  },
});

const explain = buildCommand<object, string[], CliContext>({
  func: guarded(() => import('./commands/explain.ts')),
  parameters: {
    positional: {
      kind: 'array',
      parameter: {
        parse: String,
        brief: 'A hazard, or a failure mode such as FM-01; nothing for the list',
        placeholder: 'hazard',
      },
    },
  },
  docs: { brief: 'The mechanism of a hazard, its evidence, fix and sources' },
});

const explainNode = buildCommand<ExplainNodeFlags, string[], CliContext>({
  func: guarded(() => import('./commands/explain-node.ts')),
  parameters: {
    flags: {
      runtime: text('Container runtime and version, e.g. containerd://2.0.5', 'runtime'),
      distribution: {
        kind: 'enum',
        values: ['talos', 'k3s', 'rke2', 'kubeadm'],
        optional: true,
        brief: 'Distribution (default: told by the files)',
      },
      talosVersion: versions.talosVersion,
      node: text('The node, where the files tell of several', 'name'),
      output: outputOf(['text', 'json', 'yaml']),
    },
    aliases: { o: 'output' },
    positional: files('CNI confs, directory listings, a snapshot'),
  },
  docs: { brief: "Which network a node's next pod gets, now and after a reboot, and why" },
});

const schema = buildCommand<object, string[], CliContext>({
  func: guarded(() => import('./commands/schema.ts')),
  parameters: {
    positional: {
      kind: 'array',
      parameter: {
        parse: String,
        brief: 'A kind of document; nothing for the list',
        placeholder: 'kind',
      },
    },
  },
  docs: { brief: 'The JSON Schema of a document' },
});

const faultWorker = buildCommand<object, [], CliContext>({
  func: guarded(() => import('./commands/fault-worker.ts')),
  parameters: { positional: { kind: 'tuple', parameters: [] } },
  docs: { brief: 'A thread of rehearse --faults' },
});

const twinServe = buildCommand<TwinServeFlags, [], CliContext>({
  func: guarded(() => import('./commands/twin-serve.ts')),
  parameters: {
    flags: {
      cluster: text('Snapshot or cluster spec (default: a published incident, before it)', 'file'),
      speed: {
        kind: 'parsed',
        parse: speedOf,
        default: '1',
        brief: 'Virtual seconds per second, or max',
        placeholder: 'n',
      },
      listen: {
        kind: 'parsed',
        parse: String,
        default: '127.0.0.1:0',
        brief: 'Address and port of the Kubernetes API; port 0 takes a free one',
        placeholder: 'host:port',
      },
      iKnowOthersCanReachIt: {
        kind: 'boolean',
        default: false,
        withNegated: false,
        brief: 'Listen on an address that is not loopback',
      },
      out: text(
        'Directory for the kubeconfig and the talosconfig (default regauge-twin)',
        'directory',
      ),
      seed: wholeNumber('Seed of the twin (default 1)'),
      output: outputOf(['text', 'json', 'yaml']),
    },
    aliases: { o: 'output' },
    positional: { kind: 'tuple', parameters: [] },
  },
  docs: {
    brief: 'A practice cluster that answers kubectl, helm and talosctl',
    fullDescription:
      'Runs until it is ended, and writes a kubeconfig and a talosconfig for it. Touches nothing real.',
  },
});

const twin = buildRouteMap({
  routes: { serve: twinServe },
  docs: { brief: 'A twin of a cluster to practise on' },
});

function speedOf(input: string): number | 'max' {
  if (input === 'max') return 'max';
  const speed = Number(input);
  if (input !== '' && speed > 0 && speed <= 100_000) return speed;
  throw new SyntaxError(`${input} is no speed: a number above 0, or max`);
}

function application(): Application<CliContext> {
  return buildApplication(
    buildRouteMap({
      routes: {
        snapshot,
        check,
        plan,
        rehearse,
        migrate,
        rollback,
        status,
        verify,
        incident,
        explain,
        'explain-node': explainNode,
        schema,
        twin,
        'fault-worker': faultWorker,
      },
      docs: {
        hideRoute: { 'fault-worker': true },
        brief:
          'Changes the CNI of a running Kubernetes cluster, and shows how it will end before it starts.',
      },
    }),
    {
      name: 'regauge',
      versionInfo: { currentVersion: VERSION },
      scanner: { caseStyle: 'allow-kebab-for-camel', allowArgumentEscapeSequence: true },
      documentation: { caseStyle: 'convert-camel-to-kebab', useAliasInUsageLine: true },
    },
  );
}

/** Runs the command line; returns the exit status of the contract. */
export async function runApp(args: readonly string[], process: CliProcess): Promise<number> {
  const wanted = args.length === 0 ? ['--help'] : args;
  await run(application(), wanted, { process });
  const status = Number(process.exitCode ?? 0);
  // Stricli says 251 to 255 (or negative) for words it did not understand.
  return status < 0 || status > EXIT.interrupted ? EXIT.badInput : status;
}
