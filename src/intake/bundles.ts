/**
 * Bundles that other tools make of a cluster, told by how they name their files. Their objects are
 * read as any others; what must be known besides is what such a bundle cannot tell, since what was
 * not collected looks like what is not there.
 */
export interface Bundle {
  readonly kind: 'kubectl cluster-info dump' | 'Troubleshoot support bundle' | 'cilium sysdump';
  /** Directory or archive that holds it. */
  readonly root: string;
  readonly cannotTell: readonly string[];
}

const NODE_FILES =
  'machine configs and CNI confs of the nodes (talosctl get machineconfig, ls of the conf directory)';

/** Source: kubernetes:staging/src/k8s.io/kubectl/pkg/cmd/clusterinfo/clusterinfo_dump.go@v1.33.0. */
const DUMP: Pick<Bundle, 'kind' | 'cannotTell'> = {
  kind: 'kubectl cluster-info dump',
  cannotTell: [
    'other namespaces than kube-system and the current one, unless it was made with --all-namespaces',
    'StatefulSets, PodDisruptionBudgets, network policies, ConfigMaps, volumes and webhooks',
    NODE_FILES,
  ],
};

/** Source: troubleshoot:pkg/constants/constants.go@v0.119.0 (CLUSTER_RESOURCES_…). */
const TROUBLESHOOT: Pick<Bundle, 'kind' | 'cannotTell'> = {
  kind: 'Troubleshoot support bundle',
  cannotTell: [
    'what its collectors were not told to take, or what its redactors removed',
    'admission webhooks',
    NODE_FILES,
  ],
};

/** Source: cilium:cilium-cli/sysdump/constants.go (k8s-…-<ts>.yaml, cilium-…-<ts>.yaml). */
const SYSDUMP: Pick<Bundle, 'kind' | 'cannotTell'> = {
  kind: 'cilium sysdump',
  cannotTell: [
    'workloads other than Cilium’s own: Deployments, ReplicaSets, StatefulSets and DaemonSets',
    'PodDisruptionBudgets, volumes and webhooks',
    NODE_FILES,
  ],
};

const STAMP = String.raw`-\d{8}-\d{6}`;
const SYSDUMP_NODES = new RegExp(String.raw`^(.*/)?k8s-nodes${STAMP}\.ya?ml$`);
const SYSDUMP_VALUES = new RegExp(String.raw`(^|/)cilium-helm-values${STAMP}\.ya?ml$`);
const TROUBLESHOOT_NODES = /^(.*\/)?cluster-resources\/nodes\.json$/;
const DUMP_CONTROLLERS = /^(.*\/)?[^/]+\/replication-controllers\.(json|yaml)$/;

/** The bundles among the files, each once. */
export function bundlesIn(paths: readonly string[]): readonly Bundle[] {
  const found = new Map<string, Bundle>();
  const add = (what: Pick<Bundle, 'kind' | 'cannotTell'>, prefix: string | undefined): void => {
    const root = prefix === undefined ? '.' : prefix.replace(/\/$/, '');
    found.set(`${what.kind} ${root}`, { ...what, root });
  };
  const all = new Set(paths);
  for (const path of paths) {
    const sysdump = SYSDUMP_NODES.exec(path);
    if (sysdump !== null) add(SYSDUMP, sysdump[1]);
    const troubleshoot = TROUBLESHOOT_NODES.exec(path);
    if (troubleshoot !== null) add(TROUBLESHOOT, troubleshoot[1]);
    const dump = DUMP_CONTROLLERS.exec(path);
    const prefix = dump?.[1] ?? '';
    if (dump !== null && all.has(`${prefix}nodes.${dump[2] ?? ''}`)) add(DUMP, dump[1]);
  }
  return [...found.values()];
}

/** A sysdump's values are those of the release that runs, not of one that is wanted. */
export function isLiveValues(path: string): boolean {
  return SYSDUMP_VALUES.test(path);
}
