/** `kubeProxyReplacement` as the chart hands it to the agent, by version. */
import { atLeast } from '../../base/versions.ts';
import { showValue, valueAt, type ChartValues } from './values.ts';

/**
 * The text in the ConfigMap; whatever was written, when the chart does not accept it. The default is
 * `disabled` up to 1.13 and `false` since (charts:cilium/templates/cilium-configmap.yaml).
 */
export function kubeProxyReplacementText(version: string, merged: ChartValues): string {
  const text = showValue(valueAt(merged, 'kubeProxyReplacement'));
  if (text !== '') return text;
  return atLeast(version, '1.14.0') ? 'false' : 'disabled';
}

/** Full replacement: `true`, or the older `strict` where the agent knows it (until 1.15). */
export function isFullReplacement(version: string, text: string): boolean {
  if (text === 'true') return atLeast(version, '1.14.0');
  return text === 'strict' && !atLeast(version, '1.16.0');
}
