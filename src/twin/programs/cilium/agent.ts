/**
 * cilium-agent: API server, node range, data path, then the socket for cilium-cni and the conf. It
 * ends where a step fails, as the real one does; what it loaded into the kernel stays (P07, P08).
 */
import { podReference } from '../../kubelet/kubelet-context.ts';
import type { Process, ProcessHost } from '../../world.ts';
import { fabricOf } from '../../network/fabric.ts';
import { networkOf } from '../../network/kernel-network.ts';
import { blameAbsence } from '../absence.ts';
import { apiAccess, apiEndpoint } from '../api-access.ts';
import { Life, type StopReason } from '../life.ts';
import { agentVersion, type AgentConfig, configReasons, effectiveConfig } from './agent-config.ts';
import { type ApiFailure, tellApiFailure } from './api-failure.ts';
import { superviseApi } from './api-supervision.ts';
import { ensureCiliumNode, whenRangeGiven } from './cilium-node.ts';
import { manageCniConf } from './cni-conf.ts';
import { type Datapath, datapathFor } from './datapath.ts';
import { createAgentSocket } from './endpoints.ts';
import { setUpTunnelDevice } from './tunnel-device.ts';
import { watchSelection } from './selection-watch.ts';
import { takeOver } from './take-over.ts';

/** Where cilium-cni dials; `/var/run` is a link to `/run` on the host. */
export const AGENT_SOCKETS = ['/var/run/cilium/cilium.sock', '/run/cilium/cilium.sock'] as const;

export function ciliumAgent(host: ProcessHost): Process {
  const { world } = host;
  const life = new Life(world.kernel);
  life.onEnd((reason) => leaveBehind(host, reason));
  if (host.adopted === true) whenRangeGiven(host, life, (cidrs) => serve(host, life, cidrs));
  else life.after(world.constants.apiCallMs, () => contactApi(host, life, world.kernel.now()));
  return life.asProcess();
}

function contactApi(host: ProcessHost, life: Life, since: number): void {
  const access = apiAccess(host);
  if (access.ok) {
    prepare(host, life);
    return;
  }
  if (host.world.kernel.now() - since < host.world.constants.ciliumApiPatienceMs) {
    life.after(host.world.constants.ciliumApiRetryMs, () => contactApi(host, life, since));
    return;
  }
  die(host, life, apiFailure(host, access), [tellApiFailure(host, access)]);
}

function apiFailure(host: ProcessHost, access: ApiFailure): string {
  const endpoint = apiEndpoint(host);
  const address =
    endpoint === undefined ? 'https://10.96.0.1:443' : `https://${endpoint.host}:${endpoint.port}`;
  return `Unable to contact k8s api-server error="${access.message}" ipAddr="${address}"`;
}

function prepare(host: ProcessHost, life: Life): void {
  const datapath = datapathOf(host, effectiveConfig(host));
  if (!datapath.ok) {
    refuse(host, life, datapath);
    return;
  }
  ensureCiliumNode(host);
  whenRangeGiven(host, life, (cidrs) => {
    life.after(host.world.constants.ciliumAgentReadyMs, () => serve(host, life, cidrs));
  });
}

function refuse(
  host: ProcessHost,
  life: Life,
  { kind, message }: Extract<Datapath, { ok: false }>,
): void {
  const { kernel } = host.world;
  const cause = kernel.because(configReasons(host), () =>
    kernel.occur(kind, { node: host.node.name, subject: podReference(host.pod), message }),
  );
  die(host, life, message, [cause]);
}

function datapathOf(host: ProcessHost, config: AgentConfig): Datapath {
  const info = host.world.store.get('Node', undefined, host.node.name)?.status.nodeInfo;
  return datapathFor({ version: agentVersion(host), config, kernelVersion: info?.kernelVersion });
}

function serve(host: ProcessHost, life: Life, podCidrs: readonly string[]): void {
  const { node, world } = host;
  const config = effectiveConfig(host);
  const datapath = datapathOf(host, config);
  if (!datapath.ok) {
    refuse(host, life, datapath);
    return;
  }
  const network = networkOf(node);
  const clash =
    datapath.tunnel === undefined
      ? undefined
      : setUpTunnelDevice(network, datapath.tunnel, datapath.state.version);
  if (clash !== undefined) {
    const cause = world.kernel.occur('overlay.port-clash', {
      node: node.name,
      message: `${clash.message} (${clash.holder} holds the UDP port)`,
      because: network.why(clash.holder === 'flannel.1' ? 'flannel' : 'cilium'),
    });
    die(host, life, clash.message, [cause]);
    return;
  }
  network.addLink('cilium_host');
  network.addLink('cilium_net');
  const takenOver = takeOver(host, datapath.state);
  network.setCilium({ ...datapath.state, podCidrs, maps: undefined, takenOver });
  listen(host, life, podCidrs[0] ?? '');
  manageCniConf(host, life, config);
  watchSelection(host, life);
  superviseApi(host, life);
  host.log('Daemon initialization completed');
  host.setLive(true);
  host.setReady(true);
}

function listen(host: ProcessHost, life: Life, podCidr: string): void {
  const { node, world } = host;
  const socket = createAgentSocket(world, node, podCidr);
  for (const path of AGENT_SOCKETS) {
    node.sockets.set(path, socket);
    node.files.write(path, '');
  }
  life.onEnd((reason) => {
    for (const path of AGENT_SOCKETS) {
      if (node.sockets.get(path) === socket) node.sockets.delete(path);
      if (reason !== 'power-lost') node.files.remove(path);
    }
  });
}

function die(host: ProcessHost, life: Life, message: string, because: readonly number[]): void {
  host.world.kernel.occur('cilium-agent.exited', {
    node: host.node.name,
    subject: podReference(host.pod),
    message,
    because,
  });
  life.end('exited');
  blameAbsence(host.node, AGENT_SOCKETS[0]);
  host.exit(1, message);
}

/** Programs, maps and links stay; the maps are as of now. */
function leaveBehind(host: ProcessHost, reason: StopReason | 'exited'): void {
  if (reason === 'power-lost') return;
  const network = networkOf(host.node);
  const { cilium } = network;
  if (cilium === undefined || cilium.maps !== undefined) return;
  network.setCilium({ ...cilium, maps: fabricOf(host.world).revisions.freeze() });
}
