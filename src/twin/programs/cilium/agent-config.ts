/**
 * What an agent works with: ConfigMap `cilium-config`, overridden on this node by every
 * CiliumNodeConfig that selects it, in name order, later ones winning
 * (C:cilium-dbg/cmd/build-config.go, pkg/option/resolver; cilium-and-flannel.md 1).
 */
import { servedNodeConfigVersions } from '../../../knowledge/cilium-versions.ts';
import { type KubeObject, type LabelSelector, matchesLabels } from '../../../model/kubernetes.ts';
import type { OccurrenceId } from '../../../model/occurrence.ts';
import type { ProcessHost } from '../../world.ts';
import { networkOf } from '../../network/kernel-network.ts';
import { imageVersion } from '../image.ts';

export type AgentConfig = Readonly<Record<string, string>>;

const CONFIG_MAP = 'cilium-config';

interface CiliumNodeConfig extends KubeObject {
  readonly spec?: {
    readonly defaults?: Readonly<Record<string, string>>;
    readonly nodeSelector?: LabelSelector | null;
  };
}

/** The version of an agent whose image does not tell (a digest, `latest`): the newest known line. */
const UNTOLD_VERSION = '1.18.3';

export function agentVersion(host: ProcessHost): string {
  const own = imageVersion(host.container);
  if (own !== undefined) return own;
  const told = host.pod.spec.containers.map(imageVersion).find((version) => version !== undefined);
  return told ?? UNTOLD_VERSION;
}

export function configMapOf({ world, pod }: ProcessHost): AgentConfig | undefined {
  return world.store.get('ConfigMap', pod.metadata.namespace, CONFIG_MAP)?.data;
}

/** As `cilium-dbg build-config` resolves it now; undefined when there is no ConfigMap. */
export function buildConfig(host: ProcessHost): AgentConfig | undefined {
  const base = configMapOf(host);
  if (base === undefined) return undefined;
  return Object.assign(
    {},
    base,
    ...overridesOf(host).map(({ spec }) => spec?.defaults ?? {}),
  ) as AgentConfig; // spread of string maps
}

/** Who last wrote what the agent's configuration comes from. */
export function configReasons(host: ProcessHost): readonly OccurrenceId[] {
  const { store } = host.world;
  const map = store.get('ConfigMap', host.pod.metadata.namespace, CONFIG_MAP);
  const sources = [...(map === undefined ? [] : [map]), ...overridesOf(host)];
  return [...new Set(sources.flatMap((source) => store.causesOf(source)))];
}

function overridesOf(host: ProcessHost): readonly CiliumNodeConfig[] {
  const labels = host.world.store.get('Node', undefined, host.node.name)?.metadata.labels ?? {};
  return host.world.store
    .list('CiliumNodeConfig', host.pod.metadata.namespace)
    .map((object) => object as CiliumNodeConfig) // kept as a plain object by the store
    .filter((object) => isServed(object.apiVersion, agentVersion(host)))
    .filter(({ spec }) => spec?.nodeSelector !== undefined && spec.nodeSelector !== null)
    .filter(({ spec }) => matchesLabels(spec?.nodeSelector ?? undefined, labels))
    .toSorted((left, right) => (left.metadata.name < right.metadata.name ? -1 : 1));
}

/** Versions of one CRD are one object: what was written in any that is served is read. */
function isServed(apiVersion: string, version: string): boolean {
  return servedNodeConfigVersions(version).includes(apiVersion);
}

/** What init container `config` left for the agent, or the mounted ConfigMap without one. */
export function effectiveConfig(host: ProcessHost): AgentConfig {
  const resolved = networkOf(host.node).scratch.get(host.pod.metadata.uid ?? '');
  if (resolved !== undefined) return resolved;
  if (host.adopted === true) return buildConfig(host) ?? {};
  return configMapOf(host) ?? {};
}
