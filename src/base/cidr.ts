/** CIDR arithmetic over `ip-address`, the one library measured to be strict (docs/decisions). */
import { Address4, Address6 } from 'ip-address';

export interface Cidr {
  readonly text: string;
  readonly family: 4 | 6;
  readonly prefix: number;
  readonly first: bigint;
  readonly last: bigint;
}

/** Undefined when the text is not a CIDR; leading zeros and short forms are refused. */
export function parseCidr(text: string): Cidr | undefined {
  if (!text.includes('/')) return undefined;
  return parse(text);
}

/** A plain address as a range of one; undefined when it is none. */
export function parseAddress(text: string): Cidr | undefined {
  return text.includes('/') ? undefined : parse(text);
}

/** The same few ranges and addresses are asked for again and again. */
const parsedTexts = new Map<string, Cidr | undefined>();
const PARSED_TEXTS_MAX = 20_000;

function parse(text: string): Cidr | undefined {
  if (parsedTexts.has(text)) return parsedTexts.get(text);
  if (parsedTexts.size >= PARSED_TEXTS_MAX) parsedTexts.clear();
  const parsed = parseOnce(text);
  parsedTexts.set(text, parsed);
  return parsed;
}

/** A plain IPv4 address in its only form; anything else, also what is none, is the library's to judge. */
const PLAIN_V4 =
  /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)\.){3}(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)$/;

function parseOnce(text: string): Cidr | undefined {
  if (PLAIN_V4.test(text)) {
    let number = 0;
    for (const part of text.split('.')) number = number * 256 + Number(part);
    const value = BigInt(number);
    return { text, family: 4, prefix: 32, first: value, last: value };
  }
  const family = text.includes(':') ? 6 : 4;
  try {
    const address = family === 6 ? new Address6(text) : new Address4(text);
    if (!text.includes('/')) {
      const value = address.bigInt();
      return { text, family, prefix: address.subnetMask, first: value, last: value };
    }
    return {
      text,
      family,
      prefix: address.subnetMask,
      first: address.startAddress().bigInt(),
      last: address.endAddress().bigInt(),
    };
  } catch {
    return undefined;
  }
}

export function overlaps(left: Cidr, right: Cidr): boolean {
  return left.family === right.family && left.first <= right.last && right.first <= left.last;
}

export function contains(outer: Cidr, inner: Cidr): boolean {
  return outer.family === inner.family && outer.first <= inner.first && inner.last <= outer.last;
}

/** The n-th subnet of the given prefix length, as text (`10.245.3.0/24`). IPv4 and IPv6. */
export function nthSubnet(range: Cidr, prefix: number, index: number): string {
  const bits = range.family === 4 ? 32 : 128;
  const first = range.first + BigInt(index) * (1n << BigInt(bits - prefix));
  return `${showAddress(first, range.family)}/${prefix}`;
}

/** The n-th address of the range, as text. */
export function nthAddress(range: Cidr, index: number): string {
  return showAddress(range.first + BigInt(index), range.family);
}

function showAddress(value: bigint, family: 4 | 6): string {
  if (family === 6) return Address6.fromBigInt(value).correctForm();
  if (value < 0n || value > 0xffff_ffffn) return Address4.fromBigInt(value).correctForm();
  const number = Number(value);
  return `${number >>> 24}.${(number >>> 16) & 255}.${(number >>> 8) & 255}.${number & 255}`;
}
