/** What `plan` and `rehearse` read: the cluster's files, the target values, a runbook. */
import { RegaugeError } from '../../base/errors.ts';
import { type FilesRead, readFiles } from '../../drivers/files/read-files.ts';
import { type Bundle, bundlesIn } from '../../intake/bundles.ts';
import { deriveFacts } from '../../intake/facts.ts';
import { oneCluster } from '../../intake/one-cluster.ts';
import { readInput } from '../../intake/read-input.ts';
import type { ClusterInput } from '../../model/cluster-input.ts';
import type { ClusterFacts, TargetFacts } from '../../model/facts.ts';
import type { Runbook } from '../../model/runbook.ts';
import { together } from './given-files.ts';
import { type LeftOut, leftOutOf } from '../left-out.ts';
import { scenarioIn, withScenario } from './scenario-files.ts';

export interface ReadOptions {
  readonly paths: readonly string[];
  readonly target?: string;
  readonly runbook?: string;
  readonly ciliumVersion?: string;
  readonly talosVersion?: string;
  readonly stdin?: AsyncIterable<Uint8Array>;
  /** What was read of the cluster itself. */
  readonly live?: FilesRead;
}

export interface ClusterRead {
  readonly input: ClusterInput;
  readonly facts: ClusterFacts;
  /** The values named with `--target`. */
  readonly target: TargetFacts | undefined;
  readonly runbook: Runbook | undefined;
  /** Files, and documents in files, that were not understood or not taken. */
  readonly leftOut: readonly LeftOut[];
  /** What other tools made of the cluster, with what that cannot tell. */
  readonly bundles: readonly Bundle[];
}

/** What was given, as text: plain data, from which another thread makes the same cluster. */
export interface ClusterMaterial {
  readonly files: FilesRead;
  readonly named: Pick<ReadOptions, 'target' | 'runbook' | 'ciliumVersion' | 'talosVersion'>;
}

/** Throws `usage` and `bad-input` errors. */
export async function readCluster(options: ReadOptions): Promise<ClusterRead> {
  return clusterIn(await readMaterial(options));
}

export async function readMaterial(options: ReadOptions): Promise<ClusterMaterial> {
  const { paths, target, runbook, stdin, live } = options;
  if (paths.length === 0 && (live === undefined || live.files.length === 0)) {
    throw new RegaugeError('usage', 'no files of the cluster were given', {
      hint: 'Give --live to read the cluster itself, or files: kubectl get nodes,ns,pods,ds,deploy,rs,sts,svc,pdb,netpol,pv,pvc,volumeattachments,cm,validatingwebhookconfigurations,mutatingwebhookconfigurations -A -o json > snapshot.json, and on Talos talosctl -n <node>,<node> get machineconfig v1alpha1 -o yaml > machineconfigs.yaml',
    });
  }
  const named = [target, runbook].filter((path) => path !== undefined);
  const fromFiles = await readFiles([...paths, ...named], stdin === undefined ? {} : { stdin });
  const { ciliumVersion, talosVersion } = options;
  return {
    files: together(fromFiles, live),
    named: {
      ...(target === undefined ? {} : { target }),
      ...(runbook === undefined ? {} : { runbook }),
      ...(ciliumVersion === undefined ? {} : { ciliumVersion }),
      ...(talosVersion === undefined ? {} : { talosVersion }),
    },
  };
}

/** Throws `bad-input` errors. */
export function clusterIn({ files: read, named }: ClusterMaterial): ClusterRead {
  const { target, runbook, ciliumVersion, talosVersion } = named;
  const scenario = scenarioIn(read.files);
  const all = readInput(scenario.files, {
    ...(ciliumVersion === undefined ? {} : { ciliumVersion: ciliumVersion.replace(/^v/, '') }),
    ...(talosVersion === undefined ? {} : { talosVersion }),
    ...(target === undefined ? {} : { roles: { [target]: 'target' } }),
  });
  const input = withScenario(oneCluster(all), scenario);
  const facts = deriveFacts(input, talosVersion === undefined ? {} : { talosVersion });
  return {
    input,
    facts,
    target: targetIn(facts, target),
    runbook: runbookIn(input, runbook),
    leftOut: leftOutOf(read, all),
    bundles: bundlesIn(read.files.map(({ path }) => path)),
  };
}

function targetIn(facts: ClusterFacts, path: string | undefined): TargetFacts | undefined {
  if (path === undefined) return undefined;
  const found = facts.targets.find(({ source }) => source.file === path);
  if (found !== undefined) return found;
  throw new RegaugeError('bad-input', 'no Helm values of Cilium are in it', {
    source: { file: path },
  });
}

function runbookIn(input: ClusterInput, path: string | undefined): Runbook | undefined {
  if (path === undefined) return undefined;
  const found = input.runbooks.find(({ source }) => source.file === path);
  if (found !== undefined) return found.runbook;
  throw new RegaugeError('bad-input', 'no runbook is in it', {
    source: { file: path },
    hint: 'A runbook is {kind: Runbook, steps: [{helm|kubectl|talos|files|wait: …}]}.',
  });
}
