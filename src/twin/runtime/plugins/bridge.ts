/** The bridge plugin (`plugins:plugins/main/bridge/bridge.go@v1.6.2`; truth:A18, A19, B29, L27). */
import { isJsonObject, structField } from '../../../knowledge/go-json.ts';
import type { JsonObject } from '../../../knowledge/go-json.ts';
import {
  type CniResult,
  DONE,
  type PluginCall,
  type PluginOutcome,
  type PluginRun,
  done,
  failed,
} from '../plugin-call.ts';
import { ObjectMemo } from '../object-memo.ts';
import type { PluginHost } from '../plugin-host.ts';
import { Waiting, andThen } from '../run.ts';
import { Settings } from './settings.ts';
import { pluginProgram } from './skeleton.ts';
import { referenceVersions } from './versions.ts';

export const bridge = pluginProgram({ add, del, check, status }, referenceVersions);

interface BridgeConf {
  readonly bridge: string;
  readonly isGateway: boolean;
  readonly isDefaultGateway: boolean;
  readonly forceAddress: boolean;
  readonly ipam: string;
  readonly error: string | undefined;
  /** Checked at ADD only. */
  readonly addError: string | undefined;
  /** Interfaces of the result, by the pod's interface name. */
  readonly interfaces: Map<string, readonly string[]>;
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
    interfaces: new Map<string, readonly string[]>(),
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

function add(call: PluginCall, host: PluginHost): PluginRun {
  const conf = confOf(call.conf);
  const problem = conf.error ?? conf.addError;
  if (problem !== undefined) return failed(problem);
  const hadMac = host.links.plugIn(conf.bridge, call.attach.container.id);
  if (conf.ipam === '') return done(resultOf(conf, call, undefined));
  const run = host.execute(conf.ipam, call);
  if (!(run instanceof Waiting)) return addressed(conf, call, host, { given: run, hadMac });
  return andThen(run, (given) => addressed(conf, call, host, { given, hadMac }));
}

function addressed(
  conf: BridgeConf,
  call: PluginCall,
  host: PluginHost,
  { given, hadMac }: { readonly given: PluginOutcome; readonly hadMac: boolean },
): PluginRun {
  if (given.kind === 'failed') return passedOn(given);
  const addresses = given.result?.addresses ?? [];
  if (addresses.length === 0)
    return released(conf, call, host, 'IPAM plugin returned missing IP config');
  if (conf.isGateway) {
    for (const { gateway } of addresses) {
      if (gateway === undefined) continue;
      const force = conf.forceAddress;
      const error = host.links.ensureAddress(conf.bridge, gateway, { force, hadMac });
      if (error !== undefined)
        return released(conf, call, host, `failed to set bridge addr: ${error}`);
    }
  }
  return done(resultOf(conf, call, given.result));
}

/** A failure after the address was given: the address goes back first (truth:L27). */
function released(
  conf: BridgeConf,
  call: PluginCall,
  host: PluginHost,
  message: string,
): PluginRun {
  return andThen(host.execute(conf.ipam, { ...call, verb: 'DEL' }), () => failed(message));
}

function resultOf(conf: BridgeConf, call: PluginCall, given: CniResult | undefined): CniResult {
  const { ifName } = call.attach;
  let interfaces = conf.interfaces.get(ifName);
  if (interfaces === undefined) {
    interfaces = [conf.bridge, 'veth', ifName];
    conf.interfaces.set(ifName, interfaces);
  }
  return {
    cniVersion: call.cniVersion,
    interfaces,
    addresses:
      given?.addresses.map(({ address, gateway }) => ({ address, gateway, onInterface: 2 })) ?? [],
    defaultRoute: conf.isDefaultGateway || given?.defaultRoute === true,
  };
}

function del(call: PluginCall, host: PluginHost): PluginRun {
  const conf = confOf(call.conf);
  if (conf.error !== undefined) return failed(conf.error);
  if (call.attach.netns !== '') host.links.unplug(call.attach.container.id);
  if (conf.ipam === '') return DONE;
  const run = host.execute(conf.ipam, call);
  return run instanceof Waiting ? andThen(run, passedOn) : passedOn(run);
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
