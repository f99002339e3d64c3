/**
 * Plugins that only work behind another one: portmap, firewall and bandwidth
 * (`plugins:plugins/meta/{portmap,firewall,bandwidth}/@v1.6.2`; truth:L12, L16, L32).
 */
import type { HostPortRule } from '../node-links.ts';
import type { SandboxRequest } from '../../world.ts';
import {
  type Attach,
  type CniResult,
  DONE,
  type PluginCall,
  type PluginOutcome,
  type PluginRun,
  type PluginSettings,
  type ReadyPlugin,
  failed,
  portsOf,
} from '../plugin-call.ts';
import type { PluginHost } from '../plugin-host.ts';
import { pluginProgram } from './skeleton.ts';
import { firewallVersions, referenceVersions } from './versions.ts';

export const portmap = pluginProgram(
  { prepare: (settings, host) => new Portmap(settings, host), check: checkPorts },
  referenceVersions,
);

class Portmap implements ReadyPlugin {
  private readonly settings: PluginSettings;
  private readonly host: PluginHost;

  constructor(settings: PluginSettings, host: PluginHost) {
    this.settings = settings;
    this.host = host;
  }

  add(attach: Attach, previous: CniResult | undefined): PluginRun {
    const ports = portsOf(this.settings.mapsPorts, attach);
    const problem = portProblem(ports);
    if (problem !== undefined) return failed(`failed to parse config: ${problem}`);
    if (previous === undefined) return failed('must be called as chained plugin');
    if (ports.length > 0) this.host.links.addRules(this.rules(attach, previous));
    return previous;
  }

  private rules(attach: Attach, previous: CniResult): readonly HostPortRule[] {
    const ports = portsOf(this.settings.mapsPorts, attach);
    return podAddresses(attach, previous).flatMap((address) =>
      ports.map(({ hostPort, containerPort, protocol }) => ({
        network: this.settings.name,
        containerId: attach.container.id,
        protocol: protocol.toLowerCase(),
        hostPort,
        to: address.includes(':') ? `[${address}]:${containerPort}` : `${address}:${containerPort}`,
      })),
    );
  }

  /** The rules are found by network name and container: another network's name finds none. */
  del(attach: Attach): PluginRun {
    const { name, mapsPorts } = this.settings;
    const ports = portsOf(mapsPorts, attach);
    const problem = portProblem(ports);
    if (problem !== undefined) return failed(`failed to parse config: ${problem}`);
    if (ports.length > 0) this.host.links.removeRules(name, attach.container.id);
    return DONE;
  }
}

function checkPorts(call: PluginCall): PluginRun {
  const problem = portProblem(portsOf(call.mapsPorts, call.attach));
  if (problem !== undefined) return failed(problem);
  return call.previous === undefined ? failed('Required prevResult missing') : DONE;
}

function portProblem(ports: SandboxRequest['hostPorts']): string | undefined {
  if (ports.length === 0) return undefined;
  for (const { hostPort, containerPort } of ports) {
    if (containerPort <= 0) return `Invalid container port number: ${containerPort}`;
    if (hostPort <= 0) return `Invalid host port number: ${hostPort}`;
  }
  return undefined;
}

/** The pod's first address of each family on this interface. */
function podAddresses(attach: Attach, previous: CniResult): readonly string[] {
  const first = new Map<boolean, string>();
  for (const { address, onInterface } of previous.addresses) {
    const name = onInterface === undefined ? attach.ifName : previous.interfaces[onInterface];
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
  return call.previous === undefined ? failed(complaint) : call.previous;
}
