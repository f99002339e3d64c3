/**
 * The host-local address manager: round robin over a range, one file per address, keyed by the
 * network's *name* (`plugins:plugins/ipam/host-local/@v1.6.2`; truth:L14, L15, L28, L31).
 */
import { isJsonObject, structField } from '../../../knowledge/go-json.ts';
import type { JsonObject } from '../../../knowledge/go-json.ts';
import type { LeaseStore } from '../lease-store.ts';
import {
  DONE,
  type PluginCall,
  type PluginRun,
  type ResultAddress,
  done,
  failed,
} from '../plugin-call.ts';
import type { PluginHost } from '../plugin-host.ts';
import { type RangeSet, type RangesRead, readRanges } from './address-range.ts';
import { pluginProgram } from './skeleton.ts';
import { referenceVersions } from './versions.ts';

export const hostLocal = pluginProgram({ add, del, check }, referenceVersions);

const ranges = new WeakMap<JsonObject, RangesRead>();

function rangesOf(call: PluginCall): RangesRead {
  const known = ranges.get(call.conf);
  if (known !== undefined) return known;
  const read = readRanges(call.conf, call.cniVersion);
  ranges.set(call.conf, read);
  return read;
}

function add(call: PluginCall, host: PluginHost): PluginRun {
  const read = rangesOf(call);
  if (!read.ok) return failed(read.error);
  const store = storeOf(call, host);
  const { containerId, ifName } = call.attach;
  const addresses: ResultAddress[] = [];
  for (const [index, set] of read.sets.entries()) {
    const error = duplicate(store, set, containerId, ifName);
    const given = error === undefined ? allocate(store, set, index, call) : undefined;
    if (given !== undefined) {
      addresses.push(given);
      continue;
    }
    if (addresses.length > 0) store.release(containerId, ifName);
    const reason = error ?? `no IP addresses available in range set: ${set.label}`;
    return failed(`failed to allocate for range ${index}: ${reason}`);
  }
  return done({ cniVersion: call.cniVersion, interfaces: [], addresses, defaultRoute: false });
}

function del(call: PluginCall, host: PluginHost): PluginRun {
  const read = rangesOf(call);
  if (!read.ok) return failed(read.error);
  storeOf(call, host).release(call.attach.containerId, call.attach.ifName);
  return DONE;
}

function check(call: PluginCall, host: PluginHost): PluginRun {
  const read = rangesOf(call);
  if (!read.ok) return failed(read.error);
  const { containerId, ifName } = call.attach;
  if (storeOf(call, host).addressesOf(containerId, ifName).length > 0) return DONE;
  return failed(`host-local: Failed to find address added by container ${containerId}`);
}

function storeOf(call: PluginCall, host: PluginHost): LeaseStore {
  const ipam = structField(call.conf, 'ipam');
  const data = isJsonObject(ipam) ? structField(ipam, 'dataDir') : undefined;
  const place = typeof data === 'string' && data !== '' ? `${data}:` : '';
  return host.state.leasesOf(place === '' ? call.name : `${place}${call.name}`);
}

function duplicate(
  store: LeaseStore,
  set: RangeSet,
  containerId: string,
  ifName: string,
): string | undefined {
  for (const address of store.addressesOf(containerId, ifName)) {
    if (set.ranges.some((range) => range.offsetOf(address) !== undefined)) {
      return `${address} has been allocated to ${containerId}, duplicate allocation is not allowed`;
    }
  }
  return undefined;
}

/** The first free address after the last one given, all the way round. */
function allocate(
  store: LeaseStore,
  set: RangeSet,
  index: number,
  call: PluginCall,
): ResultAddress | undefined {
  const last = store.lastOf(index);
  const from = last === undefined ? -1 : positionOf(set, last);
  for (let step = 1; step <= set.size; step += 1) {
    let at = from + step;
    if (at >= set.size) at -= set.size;
    for (const range of set.ranges) {
      if (at >= range.size) {
        at -= range.size;
        continue;
      }
      const text = range.textOf(at);
      if (range.isGateway(at) || store.has(text)) break;
      store.reserve(text, call.attach.containerId, call.attach.ifName, index);
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
