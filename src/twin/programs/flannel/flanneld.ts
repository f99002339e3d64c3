/**
 * flanneld: from API access over the node's podCIDR and flannel.1 to `/run/flannel/subnet.env`, in
 * that order; it ends where a step fails (F:main.go, pkg/subnet/kube/kube.go, pkg/backend/vxlan).
 * What it set up stays when it goes, except its traffic rules in some versions.
 */
import { contains, nthAddress, parseCidr } from '../../../base/cidr.ts';
import type { Condition, Container } from '../../../model/kubernetes.ts';
import type { Process, ProcessHost } from '../../world.ts';
import { fabricOf } from '../../network/fabric.ts';
import { networkOf } from '../../network/kernel-network.ts';
import { hasFelixRules } from '../../network/old-rules.ts';
import type { PacketFilter } from '../../network/packet-filter.ts';
import { FLANNEL_PUBLIC_IP, FLANNEL_SUBNET_MANAGER } from '../../network/peer-tables.ts';
import { blameAbsence } from '../absence.ts';
import { apiAccess } from '../api-access.ts';
import { Life, type StopReason } from '../life.ts';
import { isCalicoImage } from '../image.ts';
import { becauseOfRemoval, followRemovals, SUBNET_ENV } from '../removals.ts';
import { setNodeCondition } from '../node-conditions.ts';
import { type FlannelConfig, readFlannelConfig, removesRulesOnExit } from './flannel-config.ts';

/** VXLAN over IPv4 on a 1500-byte underlay. */
const MTU = 1450;

/** What else than a ConfigMap and its pod may tell it. */
export interface FlannelSettings extends FlannelConfig {
  readonly enforcesPolicies: boolean;
  readonly policyRules?: (filter: PacketFilter) => boolean;
}

export function flanneld(pod: ProcessHost): Process {
  return runFlannel(pod, () => {
    const config = readFlannelConfig(pod);
    return config === undefined
      ? undefined
      : {
          ...config,
          enforcesPolicies: enforcesPolicies(pod),
          ...(hasFelix(pod) ? { policyRules: hasFelixRules } : {}),
        };
  });
}

type Settings = () => FlannelSettings | undefined;

export function runFlannel(host: ProcessHost, settings: Settings): Process {
  const life = new Life(host.world.kernel);
  followRemovals(host.world);
  keepRules(host, life);
  life.onEnd((reason) => leaveBehind(host, reason));
  if (host.adopted === true) {
    const failure = setUp(host, settings);
    if (failure === undefined) host.setReady(true);
    else fail(host, life, failure.message, failure.because);
    return life.asProcess();
  }
  life.after(host.world.constants.apiCallMs, () => start(host, life, settings));
  return life.asProcess();
}

/** It looks again and again whether its rules are there, in iptables; tables of nft it writes once. */
function keepRules({ node, world }: ProcessHost, life: Life): void {
  const network = networkOf(node);
  const writeAgain = (): void => {
    const { flannel } = network;
    if (flannel !== undefined) network.setFlannel({ ...flannel, masquerade: true });
  };
  const forget = network.onRulesLost(() => {
    const { flannel } = network;
    if (flannel?.masquerade === false && flannel.nftables !== true)
      life.after(world.constants.flannelResyncMs, writeAgain);
  });
  life.onEnd(forget);
}

interface Failure {
  readonly message: string;
  readonly because: readonly number[];
}

function start(host: ProcessHost, life: Life, settings: Settings): void {
  const access = apiAccess(host);
  if (!access.ok) {
    const { namespace = '', name } = host.pod.metadata;
    const message = `Failed to create SubnetManager: error retrieving pod spec for '${namespace}/${name}': ${access.message}`;
    fail(host, life, message, access.because);
    return;
  }
  life.after(host.world.constants.flanneldReadyMs, () => {
    const failure = setUp(host, settings);
    if (failure !== undefined) {
      fail(host, life, failure.message, failure.because);
      return;
    }
    setNodeCondition(host.world, host.node.name, NETWORK_IS_UP);
    host.log(`Wrote subnet file to ${SUBNET_ENV}`);
    host.log('Running backend.');
    host.setReady(true);
  });
}

const NETWORK_IS_UP: Condition = {
  type: 'NetworkUnavailable',
  status: 'False',
  reason: 'FlannelIsUp',
  message: 'Flannel is running on this node',
};

/** Everything up to subnet.env; the first thing that fails ends the process. */
function setUp(host: ProcessHost, settings: Settings): Failure | undefined {
  const { world, node } = host;
  const config = settings();
  if (config === undefined)
    return failure('Failed to read net conf: open /etc/kube-flannel/net-conf.json');
  const subnet = world.store.get('Node', undefined, node.name)?.spec.podCIDR;
  if (subnet === undefined)
    return failure(
      `Error registering network: failed to acquire lease: node "${node.name}" pod cidr not assigned`,
    );
  const network = parseCidr(config.network);
  const own = parseCidr(subnet);
  if (network === undefined || own === undefined || !contains(network, own)) {
    return failure(
      `subnet "${config.network}" specified in the flannel net config doesn't contain "${subnet}" PodCIDR of the "${node.name}" node.`,
    );
  }
  announce(host);
  const device = config.backend === 'vxlan' ? setUpDevice(host, config) : undefined;
  if (device !== undefined) return device;
  networkOf(node).setFlannel({
    ...config,
    subnet,
    masquerade: true,
    peers: undefined,
  });
  const content = subnetEnv(config.network, `${nthAddress(own, 1)}/${own.prefix}`);
  if (node.files.read(SUBNET_ENV) !== content) node.files.write(SUBNET_ENV, content);
  return undefined;
}

/** Node annotations: what every other flanneld learns its routes and FDB entries from. */
function announce({ world, node }: ProcessHost): void {
  world.store.update('Node', undefined, node.name, (object) => {
    const annotations = object.metadata.annotations ?? {};
    if (
      annotations[FLANNEL_PUBLIC_IP] === node.address &&
      annotations[FLANNEL_SUBNET_MANAGER] === 'true'
    ) {
      return object;
    }
    const added = {
      'flannel.alpha.coreos.com/backend-type': 'vxlan',
      [FLANNEL_PUBLIC_IP]: node.address,
      [FLANNEL_SUBNET_MANAGER]: 'true',
    };
    return {
      ...object,
      metadata: { ...object.metadata, annotations: { ...annotations, ...added } },
    };
  });
}

function setUpDevice({ world, node }: ProcessHost, { port }: FlannelConfig): Failure | undefined {
  const network = networkOf(node);
  const holder = network.holderOfPort(port, 'flannel.1');
  if (holder === undefined) {
    network.setVxlanLink('flannel.1', { port, up: true });
    return undefined;
  }
  network.setVxlanLink('flannel.1', { port, up: false });
  const message = 'failed to set interface flannel.1 to UP state: address already in use';
  const clash = world.kernel.because(world.kernel.causes, () =>
    world.kernel.occur('overlay.port-clash', {
      node: node.name,
      message: `${message}: ${holder} holds UDP port ${port}`,
      because: network.why(holder === 'flannel.1' ? 'flannel.1' : 'cilium_vxlan'),
    }),
  );
  return { message: `Error registering network: ${message}`, because: [clash] };
}

function subnetEnv(network: string, subnet: string): string {
  return `FLANNEL_NETWORK=${network}\nFLANNEL_SUBNET=${subnet}\nFLANNEL_MTU=${MTU}\nFLANNEL_IPMASQ=true\n`;
}

/** Calico beside it (Canal), or the kube-network-policies side-car (flannel chart ≥ 0.25.5, Talos ≥ 1.13). */
function enforcesPolicies(host: ProcessHost): boolean {
  return (
    hasFelix(host) ||
    containersOf(host).some(({ image }) => image?.includes('kube-network-policies') === true)
  );
}

function hasFelix(host: ProcessHost): boolean {
  return containersOf(host).some(isCalicoImage);
}

function containersOf({ pod: { spec } }: ProcessHost): readonly Container[] {
  return [...spec.containers, ...(spec.initContainers ?? [])];
}

function fail(host: ProcessHost, life: Life, message: string, because: readonly number[]): void {
  const { kernel } = host.world;
  kernel.occur('flannel.not-running', {
    node: host.node.name,
    subject: {
      kind: 'Pod',
      namespace: host.pod.metadata.namespace ?? '',
      name: host.pod.metadata.name,
    },
    message,
    because,
  });
  life.end('exited');
  blameAbsence(host.node, SUBNET_ENV);
  host.exit(1, message);
}

/** Devices, routes and subnet.env stay; what it knows of others is as of now. */
function leaveBehind(host: ProcessHost, reason: StopReason | 'exited'): void {
  if (reason === 'power-lost') return;
  const network = networkOf(host.node);
  const { flannel } = network;
  if (flannel === undefined || flannel.peers !== undefined) return;
  const masquerade = flannel.masquerade && !(reason === 'terminated' && removesRulesOnExit(host));
  const peers = fabricOf(host.world).revisions.freeze();
  becauseOfRemoval(host.world, 'flannel', () =>
    network.setFlannel({ ...flannel, masquerade, peers }),
  );
}

function failure(message: string): Failure {
  return { message, because: [] };
}
