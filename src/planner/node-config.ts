/**
 * The CiliumNodeConfig that makes the agent of a labelled node take the CNI conf. v2alpha1 up to
 * 1.15, v2 from 1.16 (alone in 1.20.0 and 1.20.1): crds/v2/ciliumnodeconfigs.yaml.
 */
import { nodeConfigApiVersion } from '../knowledge/cilium-versions.ts';
import type { KubeObject } from '../model/kubernetes.ts';
import { MIGRATION_LABEL } from './choices.ts';

export function nodeConfig(version: string, namespace: string, exclusive: boolean): KubeObject {
  const object = {
    apiVersion: nodeConfigApiVersion(version),
    kind: 'CiliumNodeConfig',
    metadata: { name: 'cilium-default', namespace },
    spec: {
      nodeSelector: { matchLabels: { [MIGRATION_LABEL]: 'true' } },
      defaults: {
        'write-cni-conf-when-ready': '/host/etc/cni/net.d/05-cilium.conflist',
        'custom-cni-conf': 'false',
        'cni-chaining-mode': 'none',
        'cni-exclusive': String(exclusive),
      },
    },
  };
  return object;
}
