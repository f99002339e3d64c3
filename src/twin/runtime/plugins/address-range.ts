/**
 * host-local's ranges: read from the plugin's settings once, then addresses by offset
 * (`plugins:plugins/ipam/host-local/backend/allocator/{config,range}.go@v1.6.2`; truth:B29, L14).
 */
import { type Cidr, nthAddress } from '../../../base/cidr.ts';
import { isJsonObject, structField } from '../../../knowledge/go-json.ts';
import type { JsonObject, JsonValue } from '../../../knowledge/go-json.ts';
import { parseGoAddress, parseGoCidr, showNetwork } from '../go-net.ts';

class AddressRange {
  readonly family: 4 | 6;
  /** `10.244.1.1/24`. */
  readonly gateway: string;
  /** Addresses from the first to the last, both included; of huge ranges, as many as matter. */
  readonly size: number;
  readonly label: string;
  readonly first: bigint;
  readonly last: bigint;
  private readonly subnet: Cidr;
  private readonly start: number;
  private readonly gatewayOffset: number;
  private readonly texts: string[] = [];

  constructor(subnet: Cidr, bounds: { first: bigint; last: bigint; gateway: bigint }) {
    this.subnet = subnet;
    this.family = subnet.family;
    this.first = bounds.first;
    this.last = bounds.last;
    this.size = Number(bounds.last - bounds.first) + 1;
    this.start = Number(bounds.first - subnet.first);
    this.gatewayOffset = Number(bounds.gateway - bounds.first);
    this.gateway = `${nthAddress(subnet, Number(bounds.gateway - subnet.first))}/${subnet.prefix}`;
    this.label = `${this.textOf(0)}-${this.show(bounds.last)}`;
  }

  isGateway(offset: number): boolean {
    return offset === this.gatewayOffset;
  }

  textOf(offset: number): string {
    const known = this.texts[offset];
    if (known !== undefined) return known;
    const text = nthAddress(this.subnet, this.start + offset);
    this.texts[offset] = text;
    return text;
  }

  /** The offset of an address; undefined when it is not in the range. */
  offsetOf(text: string): number | undefined {
    const parsed = parseGoAddress(text);
    if (parsed === undefined || parsed.family !== this.family) return undefined;
    const { value } = parsed;
    return value < this.first || value > this.last ? undefined : Number(value - this.first);
  }

  private show(value: bigint): string {
    return nthAddress(this.subnet, Number(value - this.subnet.first));
  }
}

export interface RangeSet {
  readonly ranges: readonly AddressRange[];
  readonly size: number;
  readonly label: string;
}

export type RangesRead =
  | { readonly ok: true; readonly sets: readonly RangeSet[] }
  | { readonly ok: false; readonly error: string };

/** The ranges of a plugin's `ipam` settings, or host-local's complaint. */
export function readRanges(conf: JsonObject, cniVersion: string): RangesRead {
  const ipam = structField(conf, 'ipam');
  if (!isJsonObject(ipam)) return refuse("IPAM config missing 'ipam' key");
  const raw = structField(ipam, 'ranges');
  const listed: readonly JsonValue[] = Array.isArray(raw) ? raw : [];
  const single = structField(ipam, 'subnet') === undefined ? [] : [[ipam]];
  const sets: RangeSet[] = [];
  for (const [index, entry] of [...single, ...listed].entries()) {
    const set = readSet(Array.isArray(entry) ? entry : []);
    if (typeof set !== 'string') sets.push(set);
    else if (set.startsWith('!')) return refuse(set.slice(1));
    else return refuse(`invalid range set ${index}: ${set}`);
  }
  if (sets.length === 0) return refuse('no IP ranges specified');
  return checked(sets, cniVersion);
}

function checked(sets: readonly RangeSet[], cniVersion: string): RangesRead {
  const ofFamily = (family: number): number =>
    sets.filter((set) => set.ranges[0]?.family === family).length;
  if ((ofFamily(4) > 1 || ofFamily(6) > 1) && /^(0\.[12]\.0)?$/.test(cniVersion)) {
    return refuse(`CNI version ${cniVersion} does not support more than 1 address per family`);
  }
  for (const [index, set] of sets.entries()) {
    for (const [other, next] of sets.entries()) {
      if (other > index && overlap(set, next)) {
        return refuse(`range set ${index} overlaps with ${other}`);
      }
    }
  }
  return { ok: true, sets };
}

/** A set, its complaint, or with a leading `!` an error of the JSON decoder. */
function readSet(entries: readonly JsonValue[]): RangeSet | string {
  if (entries.length === 0) return 'empty range set';
  const ranges: AddressRange[] = [];
  for (const entry of entries) {
    const range = isJsonObject(entry) ? readRange(entry) : 'empty range set';
    if (typeof range === 'string') return range;
    ranges.push(range);
  }
  const [first] = ranges;
  if (ranges.some((range) => range.family !== first?.family)) return 'mixed address families';
  return {
    ranges,
    size: ranges.reduce((sum, range) => sum + range.size, 0),
    label: ranges.map((range) => range.label).join(','),
  };
}

function readRange(entry: JsonObject): AddressRange | string {
  const text = structField(entry, 'subnet');
  const subnet = parseGoCidr(typeof text === 'string' ? text : '');
  if (!subnet.ok) return `!${subnet.error}`;
  const { cidr, address } = subnet;
  const bits = cidr.family === 4 ? 32 : 128;
  if (cidr.prefix > bits - 2) return `Network ${showNetwork(cidr)} too small to allocate from`;
  if (address !== cidr.first) {
    return `Network has host bits set. For a subnet mask of length ${cidr.prefix} the network address is ${nthAddress(cidr, 0)}`;
  }
  const last = cidr.family === 4 ? cidr.last - 1n : cidr.last;
  const given = (key: string): bigint | string | undefined => addressField(entry, key);
  const gateway = given('gateway') ?? cidr.first + 1n;
  const start = given('rangeStart') ?? cidr.first + 1n;
  const end = given('rangeEnd') ?? last;
  for (const value of [gateway, start, end]) if (typeof value === 'string') return `!${value}`;
  if (typeof gateway === 'string' || typeof start === 'string' || typeof end === 'string')
    return '';
  if (start < cidr.first || start > cidr.last) return outside('RangeStart', entry, cidr);
  if (end < start || end > cidr.last) return outside('RangeEnd', entry, cidr);
  return new AddressRange(cidr, { first: start, last: end, gateway });
}

function addressField(entry: JsonObject, key: string): bigint | string | undefined {
  const value = structField(entry, key);
  if (typeof value !== 'string' || value === '') return undefined;
  return parseGoAddress(value)?.value ?? `invalid IP address: ${value}`;
}

function outside(what: 'RangeStart' | 'RangeEnd', entry: JsonObject, cidr: Cidr): string {
  const key = what === 'RangeStart' ? 'rangeStart' : 'rangeEnd';
  return `${what} ${String(structField(entry, key))} not in network ${showNetwork(cidr)}`;
}

function overlap(left: RangeSet, right: RangeSet): boolean {
  return left.ranges.some((one) =>
    right.ranges.some(
      (other) => one.family === other.family && one.first <= other.last && other.first <= one.last,
    ),
  );
}

function refuse(error: string): RangesRead {
  return { ok: false, error };
}
