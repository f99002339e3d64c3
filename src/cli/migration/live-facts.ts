/** The facts of the cluster as it is now: its objects, and the machine configs where machines tell them. */
import type { FilesRead, TextFile } from '../../drivers/files/read-files.ts';
import type { NodeObject } from '../../model/kubernetes.ts';
import type { ClusterFacts, TargetFacts } from '../../model/facts.ts';
import type { Plan } from '../../model/plan.ts';
import type { NodeHostPort } from '../../ports/index.ts';
import { inParallel } from '../../steps/waiting.ts';
import type { CliContext } from '../context.ts';
import type { ClusterFlags } from '../flags.ts';
import { liveFiles } from '../input/given-files.ts';
import { readCluster } from '../input/read-cluster.ts';

/** As many machines at a time are asked for their config. */
const AT_A_TIME = 8;

export interface LiveFacts {
  readonly facts: ClusterFacts;
  readonly target: TargetFacts | undefined;
}

export interface LiveFactsRequest {
  readonly plan: Plan;
  readonly nodes: readonly NodeObject[];
  readonly nodeHost: NodeHostPort;
  readonly target?: string;
  readonly talosVersion?: string;
  readonly ciliumVersion?: string;
}

export async function readLiveFacts(
  context: CliContext,
  flags: ClusterFlags,
  request: LiveFactsRequest,
): Promise<LiveFacts> {
  const { plan, nodes, nodeHost, target, talosVersion, ciliumVersion } = request;
  const objects = await liveFiles(context, { ...flags, live: true });
  const isTold = objects.files.some(({ path }) => path.endsWith('/machineconfig.yaml'));
  const configs =
    plan.platform.distribution === 'talos' && !isTold ? await machineConfigs(nodes, nodeHost) : [];
  const live: FilesRead = { ...objects, files: [...objects.files, ...configs] };
  const read = await readCluster({
    paths: [],
    live,
    ...(target === undefined ? {} : { target }),
    ...(talosVersion === undefined ? {} : { talosVersion }),
    ...(ciliumVersion === undefined ? {} : { ciliumVersion }),
  });
  return { facts: read.facts, target: read.target };
}

/** As `talosctl get machineconfig -o yaml` prints them; they hold secrets and stay in memory. */
async function machineConfigs(
  nodes: readonly NodeObject[],
  nodeHost: NodeHostPort,
): Promise<readonly TextFile[]> {
  const files: TextFile[] = [];
  await inParallel(nodes, AT_A_TIME, async ({ metadata: { name } }) => {
    const spec = await nodeHost.machineConfig(name);
    const metadata = {
      namespace: 'config',
      type: 'MachineConfigs.config.talos.dev',
      id: 'v1alpha1',
    };
    const text = JSON.stringify({ node: name, metadata, spec });
    files.push({ path: `machineconfig/${name}.json`, text, named: false });
  });
  return files.toSorted((left, right) => (left.path < right.path ? -1 : 1));
}
