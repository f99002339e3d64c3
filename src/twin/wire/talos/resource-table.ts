/**
 * The COSI resources that the twin plays, as talosctl knows them: aliases and columns of the definitions
 * (talos:pkg/machinery/resources@v1.11.0, cosi-rt:pkg/resource/meta/spec/resource_definition.go@v1.10.7).
 */
import { parseDocument } from 'yaml';
import {
  ADDRESS_STATUSES,
  HOST_DNS_CONFIG,
  KUBE_PRISM_STATUS,
  LINK_STATUSES,
  MACHINE_CONFIG,
  MACHINE_STATUS,
  MEMBERS,
  NODENAME,
  PERSISTENT_CONFIG_ID,
  type ResourceKind,
  SERVICES,
} from '../../../knowledge/talos-resources.ts';
import { HOST_DNS_ADDRESS } from '../../../knowledge/talos-versions.ts';
import { atLeast } from '../../../base/versions.ts';
import { settingsOfConfig } from '../../machine/talos-config.ts';
import type { TwinNode, World } from '../../world.ts';
import type { Call } from './apid.ts';
import { servicesOf } from './machine-services.ts';

export interface PlayedKind extends ResourceKind {
  /** Singular, in camel case. */
  readonly display: string;
  readonly aliases: readonly string[];
  readonly columns: readonly (readonly [name: string, path: string])[];
  /** Specs by id. */
  readonly specs: (world: World, call: Call) => ReadonlyMap<string, unknown>;
  /** The spec's own bytes, where they are a text. */
  readonly text?: true;
}

export const PLAYED: readonly PlayedKind[] = [
  {
    ...MACHINE_CONFIG,
    display: 'MachineConfig',
    aliases: ['machineconfig', 'mc', 'mcs'],
    columns: [],
    text: true,
    specs: (_, call) => machineConfigs(call),
  },
  {
    ...NODENAME,
    display: 'Nodename',
    aliases: ['nodename'],
    columns: [['Nodename', '{.nodename}']],
    specs: (_, { node }) => new Map([[NODENAME.id, { nodename: node.name }]]),
  },
  {
    ...MACHINE_STATUS,
    display: 'MachineStatus',
    aliases: ['machinestatus', 'ms'],
    columns: [
      ['Stage', '{.stage}'],
      ['Ready', '{.status.ready}'],
    ],
    specs: (_, { talos }) =>
      new Map([
        [
          MACHINE_STATUS.id,
          {
            stage: talos.stage(),
            status: { ready: talos.stage() === 'running', unmetConditions: [] },
          },
        ],
      ]),
  },
  {
    ...MEMBERS,
    display: 'Member',
    aliases: ['member'],
    columns: [
      ['Hostname', '{.hostname}'],
      ['Machine Type', '{.machineType}'],
      ['OS', '{.operatingSystem}'],
      ['Addresses', '{.addresses}'],
    ],
    specs: (world) => new Map([...world.nodes.values()].map((node) => [node.name, memberOf(node)])),
  },
  {
    ...SERVICES,
    display: 'Service',
    aliases: ['service', 'svc'],
    columns: [
      ['Running', '{.running}'],
      ['Healthy', '{.healthy}'],
      ['Health Unknown', '{.unknown}'],
    ],
    specs: (_, { node }) => new Map(servicesOf(node).map((each) => [each.id, serviceOf(each)])),
  },
  {
    ...LINK_STATUSES,
    display: 'LinkStatus',
    aliases: ['linkstatus', 'ls', 'link', 'links'],
    columns: [],
    specs: (_, { node }) =>
      new Map(node.network.links().map((link, index) => [link, { index: index + 1 }])),
  },
  {
    ...ADDRESS_STATUSES,
    display: 'AddressStatus',
    aliases: ['addressstatus', 'as', 'address', 'addresses'],
    columns: [['Address', '{.address}']],
    specs: (_, { node }) => new Map([[node.address, { address: node.address }]]),
  },
  {
    ...HOST_DNS_CONFIG,
    display: 'HostDNSConfig',
    aliases: ['hostdnsconfig'],
    columns: [
      ['Enabled', '{.enabled}'],
      ['Listen Addresses', '{.listenAddresses}'],
    ],
    specs: (_, call) => new Map([['config', hostDnsOf(call)]]),
  },
  {
    ...KUBE_PRISM_STATUS,
    display: 'KubePrismStatus',
    aliases: ['kubeprismstatus'],
    columns: [['Healthy', '{.healthy}']],
    specs: (world, call) => kubePrismOf(world, call),
  },
];

function hostDnsOf({ node, talos }: Call): unknown {
  const { hostDns } = settingsOfConfig(node.machine.config(), talos.version());
  const forwarded = hostDns.enabled && hostDns.forwardKubeDnsToHost;
  return {
    enabled: hostDns.enabled,
    listenAddresses: hostDns.enabled
      ? ['127.0.0.53:53', ...(forwarded ? [`${HOST_DNS_ADDRESS}:53`] : [])]
      : [],
    serviceHostDNSAddress: forwarded ? HOST_DNS_ADDRESS : '',
    resolveMemberNames: hostDns.resolveMemberNames,
  };
}

/** It balances over the API servers, and is as well as one of them is. */
function kubePrismOf(world: World, { node, talos }: Call): ReadonlyMap<string, unknown> {
  const { kubePrism } = settingsOfConfig(node.machine.config(), talos.version());
  if (!kubePrism.enabled) return new Map();
  const host = `127.0.0.1:${kubePrism.port}`;
  return new Map([['k8s-kube-prism', { host, healthy: world.api.healthy() }]]);
}

/** From 1.12 on as one string; before, as the document it is (knowledge 4.12). */
export function yamlOfConfig(text: string, version: string): string {
  if (atLeast(version, '1.12.0')) return JSON.stringify(text);
  const document = parseDocument(text);
  return document.errors.length > 0 ? JSON.stringify(text) : text;
}

function machineConfigs({ node, talos }: Call): ReadonlyMap<string, unknown> {
  const active = node.machine.config();
  if (active === '') return new Map();
  const all = new Map([[MACHINE_CONFIG.id as string, active]]);
  if (atLeast(talos.version(), '1.10.0')) all.set(PERSISTENT_CONFIG_ID, talos.persistedConfig());
  return all;
}

function memberOf(node: TwinNode): unknown {
  const isControlPlane = node.role === 'control-plane';
  return {
    nodeId: node.name,
    addresses: [node.address],
    hostname: node.name,
    machineType: isControlPlane ? 'controlplane' : 'worker',
    operatingSystem: `Talos (v${node.machine.talos?.version() ?? ''})`,
    ...(isControlPlane ? { controlPlane: { port: 6443 } } : {}),
  };
}

function serviceOf({ state, healthy }: ReturnType<typeof servicesOf>[number]): unknown {
  return {
    running: state === 'Running',
    healthy: healthy ?? false,
    unknown: healthy === undefined,
  };
}
