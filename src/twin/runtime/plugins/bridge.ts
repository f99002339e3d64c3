/** The bridge plugin (`plugins:plugins/main/bridge/bridge.go@v1.6.2`; truth:A18, A19, B29, L27). */
import { isJsonObject, structField } from '../../../knowledge/go-json.ts';
import type { JsonObject } from '../../../knowledge/go-json.ts';
import {
  type Attach,
  type CniResult,
  DONE,
  type PluginCall,
  type PluginOutcome,
  type PluginRun,
  type PluginSettings,
  type ReadyPlugin,
  type ResultAddress,
  callOf,
  failed,
} from '../plugin-call.ts';
import { ObjectMemo } from '../object-memo.ts';
import type { PluginHost } from '../plugin-host.ts';
import { andThen } from '../run.ts';
import { Settings } from './settings.ts';
import { pluginProgram } from './skeleton.ts';
import { referenceVersions } from './versions.ts';

export const bridge = pluginProgram(
  { prepare: (settings, host) => new Bridge(settings, host), check, status },
  referenceVersions,
);

const NO_ADDRESSES: readonly ResultAddress[] = [];

interface BridgeConf {
  readonly bridge: string;
  readonly isGateway: boolean;
  readonly isDefaultGateway: boolean;
  readonly forceAddress: boolean;
  readonly ipam: string;
  readonly error: string | undefined;
  /** Checked at ADD only. */
  readonly addError: string | undefined;
  /** Interfaces of the last result, since they are mostly the same. */
  interfaces: readonly string[] | undefined;
}

const confs = new ObjectMemo<JsonObject, BridgeConf>();

function confOf(raw: JsonObject): BridgeConf {
  const known = confs.get(raw);
  if (known !== undefined) return known;
  const read = readConf(raw);
  confs.set(raw, read);
  return read;
}

function readConf(raw: JsonObject): BridgeConf {
  const settings = new Settings(raw, 'NetConf');
  const isDefaultGateway = settings.flag('isDefaultGateway');
  const ipam = structField(raw, 'ipam');
  const type = isJsonObject(ipam) ? structField(ipam, 'type') : undefined;
  const vlan = settings.number('vlan') ?? 0;
  const both = settings.flag('hairpinMode') && settings.flag('promiscMode');
  const noInterface = settings.flag('disableContainerInterface');
  const ipamType = typeof type === 'string' ? type : '';
  const conf = {
    bridge: settings.text('bridge') ?? 'cni0',
    isGateway: settings.flag('isGateway') || isDefaultGateway,
    isDefaultGateway,
    forceAddress: settings.flag('forceAddress'),
    ipam: ipamType,
    interfaces: undefined,
    addError:
      ipamType !== '' && noInterface
        ? 'cannot use IPAM when DisableContainerInterface flag is set'
        : both
          ? 'cannot set hairpin mode and promiscuous mode at the same time'
          : undefined,
  };
  const error =
    settings.error !== undefined
      ? `failed to load netconf: ${settings.error}`
      : vlan < 0 || vlan > 4094
        ? `invalid VLAN ID ${vlan} (must be between 0 and 4094)`
        : undefined;
  return { ...conf, error };
}

class Bridge implements ReadyPlugin {
  private readonly conf: BridgeConf;
  private readonly settings: PluginSettings;
  private readonly host: PluginHost;
  private ipam: ReadyPlugin | undefined;

  constructor(settings: PluginSettings, host: PluginHost) {
    this.conf = confOf(settings.conf);
    this.settings = settings;
    this.host = host;
  }

  add(attach: Attach, previous: CniResult | undefined): PluginRun {
    const { conf, host } = this;
    const problem = conf.error ?? conf.addError;
    if (problem !== undefined) return failed(problem);
    const hadMac = host.links.plugIn(conf.bridge, attach.container);
    if (conf.ipam === '') return this.withoutAddresses(attach);
    this.ipam ??= host.ready(conf.ipam, this.settings);
    const run = this.ipam.add(attach, previous);
    if (run.kind !== 'waiting') return this.addressed(attach, run, hadMac);
    return andThen(run, (given) => this.addressed(attach, given, hadMac));
  }

  private addressed(attach: Attach, given: PluginOutcome, hadMac: boolean): PluginRun {
    if (given.kind === 'failed') return passedOn(given);
    const { conf } = this;
    if (given.kind !== 'result' || given.addresses.length === 0) {
      return this.released(attach, 'IPAM plugin returned missing IP config');
    }
    for (const address of given.addresses) {
      // The bridge and the node's end of the pair come before the pod's own end.
      address.onInterface = 2;
      const error = conf.isGateway ? this.ensureGateway(address.gateway, hadMac) : undefined;
      if (error !== undefined) return this.released(attach, error);
    }
    given.cniVersion = this.settings.cniVersion;
    given.interfaces = interfacesOf(conf, attach.ifName);
    given.defaultRoute ||= conf.isDefaultGateway;
    return given;
  }

  private ensureGateway(gateway: string | undefined, hadMac: boolean): string | undefined {
    if (gateway === undefined) return undefined;
    const { bridge: name, forceAddress } = this.conf;
    const error = this.host.links.ensureAddress(name, gateway, forceAddress, hadMac);
    return error === undefined ? undefined : `failed to set bridge addr: ${error}`;
  }

  /** A failure after the address was given: the address goes back first (truth:L27). */
  private released(attach: Attach, message: string): PluginRun {
    const call = callOf('DEL', this.settings, attach, undefined);
    return andThen(this.host.execute(this.conf.ipam, call), () => failed(message));
  }

  private withoutAddresses({ ifName }: Attach): CniResult {
    const { conf, settings } = this;
    return {
      kind: 'result',
      cniVersion: settings.cniVersion,
      interfaces: interfacesOf(conf, ifName),
      addresses: NO_ADDRESSES,
      defaultRoute: conf.isDefaultGateway,
    };
  }

  del(attach: Attach, previous: CniResult | undefined): PluginRun {
    const { conf, host } = this;
    if (conf.error !== undefined) return failed(conf.error);
    if (attach.hasNetns) host.links.unplug(attach.container);
    if (conf.ipam === '') return DONE;
    this.ipam ??= host.ready(conf.ipam, this.settings);
    const run = this.ipam.del(attach, previous);
    return run.kind === 'waiting' ? andThen(run, passedOn) : passedOn(run);
  }
}

function interfacesOf(conf: BridgeConf, ifName: string): readonly string[] {
  if (conf.interfaces?.[2] === ifName) return conf.interfaces;
  const interfaces = [conf.bridge, 'veth', ifName];
  conf.interfaces = interfaces;
  return interfaces;
}

function check(call: PluginCall, host: PluginHost): PluginRun {
  const conf = confOf(call.conf);
  if (conf.error !== undefined) return failed(conf.error);
  return andThen(host.execute(conf.ipam, call), (outcome) => {
    if (outcome.kind === 'failed') return passedOn(outcome);
    return call.previous === undefined ? failed('Required prevResult missing') : DONE;
  });
}

function status(call: PluginCall, host: PluginHost): PluginRun {
  const conf = confOf(call.conf);
  if (conf.error !== undefined) return failed(conf.error);
  return conf.ipam === '' ? DONE : andThen(host.execute(conf.ipam, call), passedOn);
}

/** A delegate's error is printed as the plugin's own. */
function passedOn(outcome: PluginOutcome): PluginOutcome {
  if (outcome.kind !== 'failed') return outcome;
  return outcome.printed ? outcome : failed(outcome.message, outcome.because);
}
