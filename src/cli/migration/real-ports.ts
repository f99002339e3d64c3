/** The real adapters behind the ports, by the user's usual settings, for one plan; closed together. */
import { clusterCapabilities } from '../../drivers/helm/capabilities.ts';
import { openHelm } from '../../drivers/helm/open.ts';
import { openNodeHost } from '../../drivers/host-access/open-node-host.ts';
import { openKubernetes, type OpenOptions } from '../../drivers/kubernetes/open.ts';
import { openProber } from '../../drivers/prober/open-prober.ts';
import type { Distribution } from '../../model/facts.ts';
import type { NodeObject } from '../../model/kubernetes.ts';
import type { Plan } from '../../model/plan.ts';
import type { ClockPort, KubernetesPort, Ports } from '../../ports/index.ts';
import type { CliContext } from '../context.ts';
import type { ChangeFlags } from '../flags.ts';
import { openTalos } from '../open-talos.ts';
import { probeSettings } from '../probe-settings.ts';
import { proveReleases } from './prove-releases.ts';
import { systemClock } from './system-clock.ts';

/** What a run on a real cluster is handed. */
export interface OpenedPorts {
  readonly ports: Ports;
  /** A connection and a clock of the lease's own: no queue stands before its renewal. */
  readonly leaseKubernetes: KubernetesPort;
  readonly leaseClock: ClockPort;
  /** Throws what would end the run later: no Helm, for instance. */
  readonly preflight: () => Promise<void>;
  close(): Promise<void>;
}

/** The connection alone: the plan may have to be read from the cluster first. */
export interface OpenedCluster {
  readonly kubernetes: KubernetesPort;
  readonly describe: { readonly context: string; readonly server: string };
  portsFor(plan: Plan, nodes: readonly NodeObject[]): Promise<OpenedPorts>;
  close(): Promise<void>;
}

export type OpenCluster = (context: CliContext, flags: ChangeFlags) => Promise<OpenedCluster>;

export async function openRealCluster(
  context: CliContext,
  flags: ChangeFlags,
): Promise<OpenedCluster> {
  const options = kubernetesOptions(context, flags);
  const kubernetes = await openKubernetes(options);
  return {
    kubernetes,
    describe: kubernetes.describe,
    portsFor: (plan, nodes) => openPorts({ context, flags, options, kubernetes, plan, nodes }),
    close: () => kubernetes.close(),
  };
}

function kubernetesOptions(
  { process }: CliContext,
  { kubeconfig, context, as }: ChangeFlags,
): OpenOptions {
  return {
    environment: process.env,
    ...(kubeconfig === undefined ? {} : { kubeconfig }),
    ...(context === undefined ? {} : { context }),
    ...(as === undefined ? {} : { as }),
  };
}

interface Opening {
  readonly context: CliContext;
  readonly flags: ChangeFlags;
  readonly options: OpenOptions;
  readonly kubernetes: KubernetesPort;
  readonly plan: Plan;
  readonly nodes: readonly NodeObject[];
}

async function openPorts(opening: Opening): Promise<OpenedPorts> {
  const { flags, options, kubernetes, plan, nodes } = opening;
  const talos =
    plan.platform.distribution === 'talos' ? openTalos(opening.context, flags) : undefined;
  const { nodeHost, close } = openNodeHost({
    kubernetes,
    ...(talos === undefined ? {} : { talos }),
    // What the planner plans for, it writes by its name.
    distribution: plan.platform.distribution as Distribution,
    hostAccess: {
      run: plan.id,
      mayCreatePods: true,
      isExclusive: true,
      ...(flags.hostAccessImage === undefined ? {} : { image: flags.hostAccessImage }),
      ...(flags.registryMirror === undefined ? {} : { registryMirror: flags.registryMirror }),
    },
    addresses: addressesOf(nodes),
  });
  const { environment, ...cluster } = options;
  const helm = openHelm({
    ...cluster,
    ...(environment === undefined ? {} : { environment }),
    ...(flags.chart === undefined ? {} : { chart: flags.chart }),
    capabilities: () => clusterCapabilities(kubernetes),
  });
  const leaseKubernetes = await openKubernetes(options);
  const clock = systemClock();
  const prober = openProber({
    kubernetes,
    clock,
    ...probeSettings(flags),
    newPodCidrs: plan.to.podCidrs,
  });
  return {
    ports: { clock, kubernetes, nodeHost, helm, prober },
    leaseKubernetes,
    leaseClock: systemClock({ keepsAlive: false }),
    preflight: () => proveReleases(helm, plan),
    close: async () => {
      await close();
      await talos?.close();
      await leaseKubernetes.close();
    },
  };
}

function addressesOf(nodes: readonly NodeObject[]): ReadonlyMap<string, string> {
  return new Map(
    nodes.flatMap(({ metadata, status }) => {
      const own = status.addresses?.find(({ type }) => type === 'InternalIP');
      return own === undefined ? [] : [[metadata.name, own.address] as const];
    }),
  );
}
