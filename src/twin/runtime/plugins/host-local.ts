/**
 * The host-local address manager: round robin over a range, one file per address, keyed by the
 * network's *name* (`plugins:plugins/ipam/host-local/@v1.6.2`; truth:L14, L15, L28, L31).
 */
import { isJsonObject, structField } from '../../../knowledge/go-json.ts';
import type { JsonObject } from '../../../knowledge/go-json.ts';
import type { Lease, LeaseHolder, LeaseStore } from '../lease-store.ts';
import type { Container } from '../cni-state.ts';
import {
  type Attach,
  DONE,
  type PluginCall,
  type PluginOutcome,
  type PluginRun,
  type PluginSettings,
  type ReadyPlugin,
  type ResultAddress,
  failed,
} from '../plugin-call.ts';
import { ObjectMemo } from '../object-memo.ts';
import type { PluginHost } from '../plugin-host.ts';
import { type RangeSet, type RangesRead, readRanges } from './address-range.ts';
import { pluginProgram } from './skeleton.ts';
import { referenceVersions } from './versions.ts';

export const hostLocal = pluginProgram(
  { prepare: (settings, host) => new HostLocal(settings, host), check },
  referenceVersions,
);

interface HostLocalConf {
  readonly ranges: RangesRead;
  /** `dataDir` and a colon when leases are not in the usual place. */
  readonly place: string;
}

const confs = new ObjectMemo<JsonObject, HostLocalConf>();

function confOf(call: PluginSettings): HostLocalConf {
  const known = confs.get(call.conf);
  if (known !== undefined) return known;
  const ipam = structField(call.conf, 'ipam');
  const data = isJsonObject(ipam) ? structField(ipam, 'dataDir') : undefined;
  const conf = {
    ranges: readRanges(call.conf, call.cniVersion),
    place: typeof data === 'string' && data !== '' ? `${data}:` : '',
  };
  confs.set(call.conf, conf);
  return conf;
}

const NO_ADDRESSES: readonly ResultAddress[] = [];
const NO_INTERFACES: readonly string[] = [];

class HostLocal implements ReadyPlugin {
  private readonly conf: HostLocalConf;
  private readonly network: string;
  private readonly cniVersion: string;
  private readonly host: PluginHost;

  constructor(settings: PluginSettings, host: PluginHost) {
    this.conf = confOf(settings);
    this.network = `${this.conf.place}${settings.name}`;
    this.cniVersion = settings.cniVersion;
    this.host = host;
  }

  add({ container, ifName }: Attach): PluginRun {
    const { ranges } = this.conf;
    if (!ranges.ok) return failed(ranges.error);
    const { state } = this.host;
    const store = state.leasesOf(this.network);
    state.keep(container);
    let addresses: readonly ResultAddress[] = NO_ADDRESSES;
    for (let index = 0; index < ranges.sets.length; index += 1) {
      const set = ranges.sets[index];
      if (set === undefined) break;
      const error = duplicate(store, set, container, ifName);
      const given =
        error === undefined ? allocate(store, set, index, container, ifName) : undefined;
      if (given === undefined) return this.refused(store, index, { container, ifName, error });
      addresses = index === 0 ? [given] : [...addresses, given];
    }
    return {
      kind: 'result',
      cniVersion: this.cniVersion,
      interfaces: NO_INTERFACES,
      addresses,
      defaultRoute: false,
    };
  }

  private refused(
    store: LeaseStore,
    index: number,
    attempt: {
      readonly container: Container;
      readonly ifName: string;
      readonly error: string | undefined;
    },
  ): PluginOutcome {
    const { container, ifName, error } = attempt;
    const { ranges } = this.conf;
    if (index > 0) store.release(container, ifName);
    this.host.state.settle(container);
    const label = ranges.ok ? (ranges.sets[index]?.label ?? '') : '';
    const reason = error ?? `no IP addresses available in range set: ${label}`;
    const leaked = store.leakedBecause;
    return failed(
      `failed to allocate for range ${index}: ${reason}`,
      leaked === undefined ? [] : [leaked],
    );
  }

  del({ container, ifName }: Attach): PluginRun {
    const { ranges } = this.conf;
    if (!ranges.ok) return failed(ranges.error);
    const { state } = this.host;
    state.know(container);
    state.leasesOf(this.network).release(container, ifName);
    state.settle(container);
    return DONE;
  }
}

function check(call: PluginCall, host: PluginHost): PluginRun {
  const { ranges, place } = confOf(call);
  if (!ranges.ok) return failed(ranges.error);
  const { container, ifName } = call.attach;
  const store = host.state.leasesOf(`${place}${call.name}`);
  host.state.know(container);
  if (leaseOf(store, container, ifName) !== undefined) return DONE;
  return failed(`host-local: Failed to find address added by container ${container.id}`);
}

function duplicate(
  store: LeaseStore,
  set: RangeSet,
  holder: LeaseHolder,
  ifName: string,
): string | undefined {
  let lease = leaseOf(store, holder, ifName);
  for (; lease !== undefined; lease = leaseAfter(lease, store, ifName)) {
    const { address, holder: owner } = lease;
    if (set.ranges.some((range) => range.offsetOf(address) !== undefined)) {
      return `${address} has been allocated to ${owner.id}, duplicate allocation is not allowed`;
    }
  }
  return undefined;
}

function leaseOf(store: LeaseStore, holder: LeaseHolder, ifName: string): Lease | undefined {
  const first = holder.leases;
  if (first === undefined || (first.store === store && first.ifName === ifName)) return first;
  return leaseAfter(first, store, ifName);
}

function leaseAfter(lease: Lease, store: LeaseStore, ifName: string): Lease | undefined {
  let { next } = lease;
  while (next !== undefined && (next.store !== store || next.ifName !== ifName)) next = next.next;
  return next;
}

/** The first free address after the last one given, all the way round. */
function allocate(
  store: LeaseStore,
  set: RangeSet,
  index: number,
  holder: LeaseHolder,
  ifName: string,
): ResultAddress | undefined {
  const last = store.lastOf(index);
  const from =
    last === undefined ? -1 : last.within === set ? last.position : positionOf(set, last.address);
  for (let step = 1; step <= set.size; step += 1) {
    let at = from + step;
    if (at >= set.size) at -= set.size;
    const position = at;
    for (const range of set.ranges) {
      if (at >= range.size) {
        at -= range.size;
        continue;
      }
      const text = range.textOf(at);
      if (range.isGateway(at) || store.has(text)) break;
      store.reserve(holder, ifName, text);
      store.setLast(index, text, set, position);
      return { address: text, onInterface: undefined, gateway: range.gateway };
    }
  }
  return undefined;
}

/** Where the last address is in the set; before its start when it is in none of its ranges. */
function positionOf(set: RangeSet, address: string): number {
  let before = 0;
  for (const range of set.ranges) {
    const offset = range.offsetOf(address);
    if (offset !== undefined) return before + offset;
    before += range.size;
  }
  return -1;
}
