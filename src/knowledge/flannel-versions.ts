/**
 * Flannel and its CNI plugin by version. Source: knowledge/cilium-and-flannel.md sections 13 and 14.
 */
import { atLeast, compareVersions, normalVersion } from '../base/versions.ts';

/**
 * The plugin's words when subnet.env is missing: they changed with v1.7.1-flannel2 (18df61d).
 * Plugin versions look like `v1.7.1-flannel2`.
 */
export function subnetEnvMissingMessage(pluginVersion: string, path: string): string {
  const reason = `open ${path}: no such file or directory`;
  return hasNewWording(pluginVersion)
    ? `failed to load flannel 'subnet.env' file: ${reason}. Check the flannel pod log for this node.`
    : `loadFlannelSubnetEnv failed: ${reason}`;
}

function hasNewWording(pluginVersion: string): boolean {
  const [base = '0.0.0', build = ''] = pluginVersion.replace(/^v/, '').split('-flannel');
  const order = compareVersions(normalVersion(base) ?? '0.0.0', '1.7.1');
  return order > 0 || (order === 0 && Number(build || '0') >= 2);
}

/** 0.25.0 to 0.26.7 take their rules along on SIGTERM; earlier and later ones leave them. */
export function removesRulesOnExit(flannelVersion: string): boolean {
  return atLeast(flannelVersion, '0.25.0') && !atLeast(flannelVersion, '0.27.0');
}
