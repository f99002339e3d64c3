/**
 * What Talos refuses in a config that decodes: documents of the new form beside the same settings in
 * the main document (1.14), and the CNI's own checks. Sources:
 * talos:pkg/machinery/config/types/{k8s,network}/*.go@main (V1Alpha1ConflictValidate),
 * types/v1alpha1/v1alpha1_validation.go@v1.13.9.
 */
import { atLeast } from '../../base/versions.ts';
import { MAIN_DOCUMENT } from './keys.ts';
import { isTable } from './merge-config.ts';
import { pathValue, type ConfigDocument } from './read-config.ts';

interface Exclusion {
  readonly kind: string;
  /** Set in the main document, and the named document cannot be there. */
  readonly path: string;
  /** Only when the document sets this too. */
  readonly documentPath?: string;
  readonly message: string;
}

const EXCLUSIONS: readonly Exclusion[] = [
  {
    kind: 'KubeFlannelCNIConfig',
    path: 'cluster.network',
    message:
      "cluster network config in v1alpha1 config (.machine.cluster.network) can't be used with KubeFlannelCNIConfig document, please remove it to avoid conflicts",
  },
  {
    kind: 'KubeNetworkConfig',
    path: 'cluster.network',
    message:
      'cluster network config is already set in the v1alpha1 config (.machine.cluster.network). Please remove it and use only the new KubeNetworkConfig document to avoid conflicts',
  },
  {
    kind: 'KubeProxyConfig',
    path: 'cluster.proxy',
    message:
      "cluster proxy config in v1alpha1 config (.machine.cluster.proxy) can't be used with KubeProxyConfig document, please remove it to avoid conflicts",
  },
  {
    kind: 'KubePrismConfig',
    path: 'machine.features.kubePrism',
    message:
      "KubePrism config in v1alpha1 config (.machine.features.kubePrism) can't be used with KubePrismConfig document, please remove it to avoid conflicts",
  },
  {
    kind: 'ResolverConfig',
    path: 'machine.features.hostDNS',
    documentPath: 'hostDNS',
    message: '.machine.features.hostDNS is already set in v1alpha1 config',
  },
  {
    kind: 'KubeletConfig',
    path: 'machine.kubelet',
    message: 'kubelet config is already set in the v1alpha1 config (.machine.kubelet)',
  },
  {
    kind: 'KubeNodeConfig',
    path: 'machine.kubelet.nodeIP',
    message: '.machine.kubelet.nodeIP is already set in v1alpha1 config',
  },
];

/** The refusals, in Talos's words; empty when the documents go together. */
export function conflictsOf(
  documents: readonly ConfigDocument[],
  talosVersion: string,
): readonly string[] {
  const main = documents.find(({ kind }) => kind === MAIN_DOCUMENT)?.value;
  if (!isTable(main)) return [];
  return [
    ...(atLeast(talosVersion, '1.14.0-0') ? exclusions(main, documents) : []),
    ...cniChecks(main),
  ];
}

function exclusions(main: unknown, documents: readonly ConfigDocument[]): readonly string[] {
  return EXCLUSIONS.filter(({ kind, path, documentPath }) => {
    const document = documents.find((other) => other.kind === kind);
    if (document === undefined || isAbsent(pathValue(main, path))) return false;
    return documentPath === undefined || !isAbsent(pathValue(document.value, documentPath));
  }).map(({ message }) => message);
}

function cniChecks(main: unknown): readonly string[] {
  const name = pathValue(main, 'cluster.network.cni.name');
  if (name !== 'none' && name !== 'flannel') return [];
  const urls = pathValue(main, 'cluster.network.cni.urls');
  const args = pathValue(main, 'cluster.network.cni.flannel.extraArgs');
  return [
    ...(Array.isArray(urls) && urls.length > 0
      ? [`"urls" field should be empty for "${name}" CNI`]
      : []),
    ...(name === 'none' && Array.isArray(args) && args.length > 0
      ? ['"flanneldExtraArgs" field should be empty for "none" CNI']
      : []),
  ];
}

function isAbsent(value: unknown): boolean {
  return value === undefined || value === null;
}
