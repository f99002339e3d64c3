/**
 * What an agreement test needs: a small cluster with files that people write for it, what `check`
 * says of them, and what the twin shows when somebody goes through with it all the same.
 */
import { present } from '../../src/base/assert.ts';
import { rehearse } from '../../src/cli/rehearsal-session.ts';
import { evaluateHazards, HAZARDS } from '../../src/hazards/registry.ts';
import { deriveFacts } from '../../src/intake/facts.ts';
import { readInput } from '../../src/intake/read-input.ts';
import type { ClusterInput } from '../../src/model/cluster-input.ts';
import type { RunbookStep } from '../../src/model/runbook.ts';
import type { ClusterSpecInput } from '../../src/twin/scenario/cluster-spec.ts';
import { expandCluster } from '../../src/twin/scenario/expand-cluster.ts';
import { clusterSpecOf } from '../../src/twin/scenario/read-spec.ts';

/** A table as people write it, to any depth. */
export interface Table {
  readonly [key: string]: unknown;
}

export interface Files {
  /** Laid over the small cluster. */
  readonly cluster?: Partial<ClusterSpecInput>;
  /** Laid over values of Cilium beside Flannel that hurt nobody, table by table. */
  readonly values?: Table;
  readonly chart?: string;
  /** A machine config patch that is at hand, and that the steps apply. */
  readonly patch?: string;
  /** What is done; Cilium is installed first, unless the values are left out with null. */
  readonly steps?: readonly RunbookStep[];
  /** False: nothing of Cilium is read or installed. */
  readonly cilium?: boolean;
}

export interface Agreement {
  readonly hazard: string;
  /** At a severity that `check` fails on; below it the finding itself says that luck decides. */
  readonly foretold: boolean;
  /** Foretold without an if: what was read leaves no other end. */
  readonly proven: boolean;
  readonly struck: boolean;
  /** Whether the chain of a failure that users would feel leads through the sign. */
  readonly blamed: boolean;
}

const CHART = '1.16.5';

/** As the documented migration has it: second overlay, kube-proxy kept, nobody takes a node over. */
const HARMLESS: Table = {
  ipam: { mode: 'cluster-pool', operator: { clusterPoolIPv4PodCIDRList: ['10.245.0.0/16'] } },
  tunnelPort: 8473,
  kubeProxyReplacement: false,
  k8sServiceHost: 'localhost',
  k8sServicePort: 7445,
  cni: { exclusive: false },
  bpf: { hostLegacyRouting: true },
  operator: { unmanagedPodWatcher: { restart: false } },
  securityContext: {
    capabilities: {
      ciliumAgent: ['CHOWN', 'KILL', 'NET_ADMIN', 'NET_RAW', 'IPC_LOCK', 'SYS_ADMIN'],
      cleanCiliumState: ['NET_ADMIN', 'SYS_ADMIN', 'SYS_RESOURCE'],
    },
  },
  cgroup: { autoMount: { enabled: false }, hostRoot: '/sys/fs/cgroup' },
};

const CLUSTER: ClusterSpecInput = {
  kind: 'ClusterSpec',
  name: 'small',
  versions: { talos: '1.10.2', kubernetes: '1.33.1' },
  network: { endpoint: 'https://10.0.1.10:6443' },
  machine: {},
  nodes: [
    { name: 'cp-1', address: '10.0.1.11', role: 'control-plane' },
    { name: 'w-1', address: '10.0.1.21', role: 'worker' },
    { name: 'w-2', address: '10.0.1.22', role: 'worker' },
    { name: 'w-3', address: '10.0.1.23', role: 'worker' },
  ],
};

/** Whether `check` finds the hazard in the files, and whether its sign is seen once they are used. */
export async function agreementOn(hazard: string, files: Files): Promise<Agreement> {
  const [agreement] = await agreementsOn([hazard], files);
  return present(agreement, `the agreement on ${hazard}`);
}

export async function agreementsOn(
  hazards: readonly string[],
  files: Files,
): Promise<readonly Agreement[]> {
  const { input, steps } = inputFor(files);
  const runbook = { apiVersion: 'regauge.dev/v1', kind: 'Runbook', steps } as const;
  const { occurrences, rehearsal } = await rehearse({ input, runbook });
  const facts = deriveFacts(input);
  return hazards.map((hazard) => {
    const card = present(
      HAZARDS.find(({ id }) => id === hazard),
      `the hazard ${hazard}`,
    );
    const findings = evaluateHazards(facts, [card]).findings.filter(({ severity }) =>
      ['critical', 'high'].includes(severity),
    );
    const signs = new Set<string>(card.signs.occurrences);
    return {
      hazard,
      foretold: findings.length > 0,
      proven: findings.some(({ certainty }) => certainty === 'proven'),
      struck: occurrences.some(({ kind }) => signs.has(kind)),
      blamed: rehearsal.causes.some(({ id }) => signs.has(id.replace(/@.*/, ''))),
    };
  });
}

function inputFor(files: Files): {
  readonly input: ClusterInput;
  readonly steps: readonly RunbookStep[];
} {
  const { chart = CHART, patch, cilium = true } = files;
  const values = merged(HARMLESS, files.values ?? {});
  const install: RunbookStep = {
    title: 'Install Cilium',
    helm: {
      action: 'install',
      release: 'cilium',
      namespace: 'kube-system',
      chart: 'cilium',
      version: chart,
      values,
    },
  };
  const steps = [...(cilium ? [install] : []), ...(files.steps ?? [])];
  const runbook = { apiVersion: 'regauge.dev/v1', kind: 'Runbook', steps };
  const told = readInput(
    [
      ...(cilium ? [{ path: 'values.yaml', text: JSON.stringify(values) }] : []),
      ...(steps.length === 0 ? [] : [{ path: 'runbook.yaml', text: JSON.stringify(runbook) }]),
      ...(patch === undefined ? [] : [{ path: 'patch.yaml', text: patch }]),
    ],
    { ciliumVersion: chart },
  );
  const cluster = expandCluster(clusterSpecOf({ ...CLUSTER, ...files.cluster }));
  const input = {
    ...cluster,
    helmValues: told.helmValues,
    runbooks: told.runbooks,
    machineConfigs: [...cluster.machineConfigs, ...told.machineConfigs],
  };
  return { input, steps };
}

function merged(base: Table, over: Table): Table {
  const result: Record<string, unknown> = { ...base };
  for (const [key, value] of Object.entries(over)) {
    const old = result[key];
    result[key] = isTable(old) && isTable(value) ? merged(old, value) : value;
  }
  return result;
}

function isTable(value: unknown): value is Table {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
