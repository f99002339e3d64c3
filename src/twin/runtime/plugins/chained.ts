/**
 * Plugins that only work behind another one: portmap, firewall and bandwidth
 * (`plugins:plugins/meta/{portmap,firewall,bandwidth}/@v1.6.2`; truth:L12, L16, L32).
 */
import type { HostPortRule } from '../node-links.ts';
import {
  DONE,
  type PluginCall,
  type PluginOutcome,
  type PluginRun,
  done,
  failed,
} from '../plugin-call.ts';
import type { PluginHost } from '../plugin-host.ts';
import { pluginProgram } from './skeleton.ts';
import { firewallVersions, referenceVersions } from './versions.ts';

export const portmap = pluginProgram(
  { add: addPorts, del: deletePorts, check: checkPorts },
  referenceVersions,
);

function addPorts(call: PluginCall, host: PluginHost): PluginRun {
  const problem = portProblem(call);
  if (problem !== undefined) return failed(`failed to parse config: ${problem}`);
  if (call.previous === undefined) return failed('must be called as chained plugin');
  if (call.ports.length === 0) return done(call.previous);
  const rules: HostPortRule[] = [];
  for (const address of podAddresses(call)) {
    for (const { hostPort, containerPort, protocol } of call.ports) {
      rules.push({
        network: call.name,
        containerId: call.attach.container.id,
        protocol: protocol.toLowerCase(),
        hostPort,
        to: address.includes(':') ? `[${address}]:${containerPort}` : `${address}:${containerPort}`,
      });
    }
  }
  host.links.addRules(rules);
  return done(call.previous);
}

/** The rules are found by network name and container: another network's name finds none. */
function deletePorts(call: PluginCall, host: PluginHost): PluginRun {
  const problem = portProblem(call);
  if (problem !== undefined) return failed(`failed to parse config: ${problem}`);
  if (call.ports.length > 0) host.links.removeRules(call.name, call.attach.container.id);
  return DONE;
}

function checkPorts(call: PluginCall): PluginRun {
  const problem = portProblem(call);
  if (problem !== undefined) return failed(problem);
  return call.previous === undefined ? failed('Required prevResult missing') : DONE;
}

function portProblem(call: PluginCall): string | undefined {
  for (const { hostPort, containerPort } of call.ports) {
    if (containerPort <= 0) return `Invalid container port number: ${containerPort}`;
    if (hostPort <= 0) return `Invalid host port number: ${hostPort}`;
  }
  return undefined;
}

/** The pod's first address of each family on this interface. */
function podAddresses(call: PluginCall): readonly string[] {
  const { previous, attach } = call;
  const first = new Map<boolean, string>();
  for (const { address, onInterface } of previous?.addresses ?? []) {
    const name = onInterface === undefined ? attach.ifName : previous?.interfaces[onInterface];
    const isV6 = address.includes(':');
    if (name === attach.ifName && !first.has(isV6)) first.set(isV6, address);
  }
  return [...first.values()];
}

export const firewall = pluginProgram(
  { add: (call) => passOn(call, 'missing prevResult from earlier plugin'), del: () => DONE },
  firewallVersions,
);

export const bandwidth = pluginProgram(
  { add: (call) => passOn(call, 'must be called as chained plugin'), del: () => DONE },
  referenceVersions,
);

export const tuning = pluginProgram(
  { add: (call) => passOn(call, 'Required prevResult missing'), del: () => DONE },
  referenceVersions,
);

function passOn(call: PluginCall, complaint: string): PluginOutcome {
  return call.previous === undefined ? failed(complaint) : done(call.previous);
}
