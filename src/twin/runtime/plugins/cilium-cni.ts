/**
 * cilium-cni: asks the agent over its socket. ADD waits for the agent, DEL does not: it is queued on
 * disk when nobody answers (`cilium:plugins/cilium-cni/cmd/cmd.go`, `cilium:pkg/client`; truth:R01, R03).
 */
import { DONE, type PluginCall, type PluginRun, failed } from '../plugin-call.ts';
import type { PluginHost } from '../plugin-host.ts';
import { Waiting } from '../run.ts';
import { VERSIONS_UNTIL_1_1, pluginProgram } from './skeleton.ts';
import type { AgentSocket } from '../../world.ts';

export const ciliumCni = pluginProgram({ add, del }, () => VERSIONS_UNTIL_1_1);

const SOCKET = '/var/run/cilium/cilium.sock';
const SOCKETS = ['/run/cilium/cilium.sock', SOCKET];
const QUEUE = '/run/cilium/deleteQueue';
const QUEUE_MAX = 256;

function agentOf(host: PluginHost): AgentSocket | undefined {
  for (const path of SOCKETS) {
    const agent = host.sockets.get(path);
    if (agent !== undefined) return agent;
  }
  return undefined;
}

function add(call: PluginCall, host: PluginHost): PluginRun {
  return addWithin(call, host, host.constants.ciliumClientTimeoutMs);
}

/** The client keeps trying until its time is up; an agent that comes back meanwhile is used. */
function addWithin(call: PluginCall, host: PluginHost, leftMs: number): PluginRun {
  const agent = agentOf(host);
  if (agent !== undefined) return allocated(call, host, agent);
  if (leftMs <= 0) return failed(unreachable(host), host.files.causesOf(SOCKET));
  const wait = Math.min(host.constants.ciliumClientLookMs, leftMs);
  return new Waiting(wait, (killed) =>
    killed
      ? failed('netplugin failed with no error message: signal: killed')
      : addWithin(call, host, leftMs - wait),
  );
}

function allocated(call: PluginCall, host: PluginHost, agent: AgentSocket): PluginRun {
  flushQueue(host, agent);
  const answer = agent.allocate(call.attach.container.request);
  if ('error' in answer) {
    return failed(`unable to allocate IP via local cilium agent: ${answer.error}`, answer.because);
  }
  return {
    kind: 'result',
    cniVersion: call.cniVersion,
    interfaces: ['lxc', call.attach.ifName],
    addresses: [{ address: answer.ip, onInterface: 1, gateway: undefined }],
    defaultRoute: true,
  };
}

function unreachable(host: PluginHost): string {
  const seconds = (host.constants.ciliumClientTimeoutMs / 1_000).toFixed(6);
  const reason = host.files.exists(SOCKET) ? 'connection refused' : 'no such file or directory';
  return (
    `unable to connect to Cilium agent: failed to create cilium agent client after ${seconds} seconds timeout: ` +
    `Get "http://localhost/v1/config": dial unix ${SOCKET}: connect: ${reason}\nIs the agent running?`
  );
}

/** The agent answers 404 for an endpoint it does not know, which is only a warning (truth:P11). */
function del(call: PluginCall, host: PluginHost): PluginRun {
  const agent = agentOf(host);
  if (agent !== undefined) {
    flushQueue(host, agent);
    agent.release(call.attach.container.request.podUid);
    return DONE;
  }
  return new Waiting(host.constants.ciliumDeleteQueueMs, () => queued(call, host));
}

function queued(call: PluginCall, host: PluginHost): PluginRun {
  const agent = agentOf(host);
  if (agent !== undefined) return del(call, host);
  if ((host.files.list(QUEUE)?.length ?? 0) >= QUEUE_MAX) {
    return failed(`deletion queue directory /var${QUEUE} has too many entries; aborting`);
  }
  host.files.write(
    `${QUEUE}/${call.attach.container.id}.delete`,
    call.attach.container.request.podUid,
  );
  return DONE;
}

/** The agent works off the queue when it starts; here, when it is next asked. */
function flushQueue(host: PluginHost, agent: AgentSocket): void {
  for (const name of host.files.list(QUEUE) ?? []) {
    const podUid = host.files.read(`${QUEUE}/${name}`);
    if (podUid !== undefined) agent.release(podUid);
    host.files.remove(`${QUEUE}/${name}`);
  }
}
