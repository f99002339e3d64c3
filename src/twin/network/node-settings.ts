/**
 * What a Talos machine config says of the two node-local services that pods and agents lean on: host
 * DNS and KubePrism (talos-and-cni-selection.md 4.7, 4.8). Read from the active config, either style.
 * Where nothing is set, both are off: their defaults exist only in generated configs
 * (talos:pkg/machinery/config/contract.go).
 */
import { documentsOf } from '../../knowledge/talos-config/document-text.ts';
import type { Machine, TwinNode } from '../world.ts';

export interface NodeSettings {
  /** Pods with Default DNS get 169.254.116.108 as their upstream. */
  readonly forwardsDnsToHost: boolean;
  /** The port KubePrism listens on at 127.0.0.1, if it does. */
  readonly kubePrismPort: number | undefined;
}

export const HOST_DNS_ADDRESS = '169.254.116.108';

const NONE: NodeSettings = { forwardsDnsToHost: false, kubePrismPort: undefined };
const DEFAULT_KUBEPRISM_PORT = 7445;

const read = new WeakMap<Machine, { readonly text: string; readonly settings: NodeSettings }>();

export function settingsOf(node: TwinNode): NodeSettings {
  const text = node.machine.config();
  const cached = read.get(node.machine);
  if (cached?.text === text) return cached.settings;
  const settings = text === '' ? NONE : parse(text);
  read.set(node.machine, { text, settings });
  return settings;
}

function parse(text: string): NodeSettings {
  let settings = NONE;
  for (const value of documentsOf(text)) {
    const kind = at(value, 'kind');
    if (kind === undefined) settings = { ...settings, ...fromMain(value) };
    if (kind === 'ResolverConfig') settings = { ...settings, ...dns(at(value, 'hostDNS')) };
    if (kind === 'KubePrismConfig') {
      settings = {
        ...settings,
        kubePrismPort: numberOr(at(value, 'port'), DEFAULT_KUBEPRISM_PORT),
      };
    }
  }
  return settings;
}

function fromMain(value: unknown): Partial<NodeSettings> {
  const features = at(at(value, 'machine'), 'features');
  const prism = at(features, 'kubePrism');
  return {
    ...(at(prism, 'enabled') === true
      ? { kubePrismPort: numberOr(at(prism, 'port'), DEFAULT_KUBEPRISM_PORT) }
      : {}),
    ...dns(at(features, 'hostDNS')),
  };
}

function dns(hostDns: unknown): Partial<NodeSettings> {
  if (hostDns === undefined) return {};
  return {
    forwardsDnsToHost:
      at(hostDns, 'enabled') === true && at(hostDns, 'forwardKubeDNSToHost') === true,
  };
}

function at(value: unknown, key: string): unknown {
  if (value === null || typeof value !== 'object') return undefined;
  return (value as Readonly<Record<string, unknown>>)[key]; // a plain YAML mapping
}

function numberOr(value: unknown, fallback: number): number {
  return typeof value === 'number' ? value : fallback;
}
