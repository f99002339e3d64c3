/**
 * The CiliumNodeConfigs of a plan. One makes the agent of a labelled node take the CNI conf, the other
 * makes it serve Services. v2alpha1 up to 1.15, v2 from 1.16 (alone in 1.20.0 and 1.20.1): crds/v2/ciliumnodeconfigs.yaml.
 */
import { nodeConfigApiVersion } from '../knowledge/cilium-versions.ts';
import { CILIUM_CONF } from '../knowledge/node-paths.ts';
import type { KubeObject } from '../model/kubernetes.ts';
import { type ChartValues } from '../knowledge/cilium-chart/values.ts';
import { ciliumConfigData } from '../knowledge/cilium-chart/config-map.ts';
import { mergedValues } from '../knowledge/cilium-chart/defaults.ts';
import { MIGRATION_LABEL, REPLACEMENT_LABEL } from './choices.ts';

export function nodeConfig(version: string, namespace: string, exclusive: boolean): KubeObject {
  const object = {
    apiVersion: nodeConfigApiVersion(version),
    kind: 'CiliumNodeConfig',
    metadata: { name: 'cilium-default', namespace },
    spec: {
      nodeSelector: { matchLabels: { [MIGRATION_LABEL]: 'true' } },
      defaults: {
        'write-cni-conf-when-ready': `/host/etc/cni/net.d/${CILIUM_CONF}`,
        'custom-cni-conf': 'false',
        'cni-chaining-mode': 'none',
        'cni-exclusive': String(exclusive),
      },
    },
  };
  return object;
}

/**
 * What `cilium-config` will say with kube-proxy replaced and does not say yet, for labelled nodes
 * (cilium:Documentation/configuration/per-node-config.rst@main).
 */
export function replacementConfig(
  version: string,
  namespace: string,
  values: { readonly inCharge: ChartValues; readonly replacing: ChartValues },
): KubeObject {
  const before = ciliumConfigData(version, mergedValues(version, values.inCharge));
  const after = ciliumConfigData(version, mergedValues(version, values.replacing));
  const changed = Object.entries(after).filter(([key, value]) => before[key] !== value);
  const object = {
    apiVersion: nodeConfigApiVersion(version),
    kind: 'CiliumNodeConfig',
    metadata: { name: 'kube-proxy-replacement', namespace },
    spec: {
      nodeSelector: { matchLabels: { [REPLACEMENT_LABEL]: 'true' } },
      defaults: Object.fromEntries(changed),
    },
  };
  return object;
}
