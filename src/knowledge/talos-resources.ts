/**
 * The COSI resources of Talos that regauge reads, by type, namespace and id. Source: knowledge
 * talos-and-cni-selection.md 4.12; aliases as talosctl resolves them from the resource definitions.
 */
export interface ResourceKind {
  readonly type: string;
  readonly namespace: string;
  /** Where there is only one of the kind. */
  readonly id?: string;
}

export const MACHINE_CONFIG = {
  type: 'MachineConfigs.config.talos.dev',
  namespace: 'config',
  /** The config in force. */
  id: 'v1alpha1',
} as const satisfies ResourceKind;

/** The config on disk, from Talos 1.10 on: ahead of the one in force when staged, behind it while tried. */
export const PERSISTENT_CONFIG_ID = 'persistent';

export const NODENAME = {
  type: 'Nodenames.kubernetes.talos.dev',
  namespace: 'k8s',
  id: 'nodename',
} as const satisfies ResourceKind;

export const MACHINE_STATUS = {
  type: 'MachineStatuses.runtime.talos.dev',
  namespace: 'runtime',
  id: 'machine',
} as const satisfies ResourceKind;

export const MEMBERS = {
  type: 'Members.cluster.talos.dev',
  namespace: 'cluster',
} as const satisfies ResourceKind;

export const SERVICES = {
  type: 'Services.v1alpha1.talos.dev',
  namespace: 'runtime',
} as const satisfies ResourceKind;

export const LINK_STATUSES = {
  type: 'LinkStatuses.net.talos.dev',
  namespace: 'network',
} as const satisfies ResourceKind;

export const ADDRESS_STATUSES = {
  type: 'AddressStatuses.net.talos.dev',
  namespace: 'network',
} as const satisfies ResourceKind;

/** Host DNS as it runs: `enabled`, `listenAddresses`, `serviceHostDNSAddress`, `resolveMemberNames`. */
export const HOST_DNS_CONFIG = {
  type: 'HostDNSConfigs.net.talos.dev',
  namespace: 'network',
} as const satisfies ResourceKind;

/** KubePrism as it runs: `host`, `healthy`. */
export const KUBE_PRISM_STATUS = {
  type: 'KubePrismStatuses.kubernetes.talos.dev',
  namespace: 'k8s',
} as const satisfies ResourceKind;
