/** IP ranges with Go's own words for what is no CIDR; addresses of a range by their offset. */
import { type Cidr, parseAddress, parseCidr } from '../../base/cidr.ts';
import { nthAddress } from '../../base/cidr.ts';

export type GoCidr =
  | { readonly ok: true; readonly cidr: Cidr; readonly address: bigint }
  | { readonly ok: false; readonly error: string };

/** `net.ParseCIDR`; `address` keeps the host bits. */
export function parseGoCidr(text: string): GoCidr {
  const cidr = parseCidr(text);
  const own = parseAddress(text.split('/')[0] ?? '');
  if (cidr === undefined || own === undefined) {
    return { ok: false, error: `invalid CIDR address: ${text}` };
  }
  return { ok: true, cidr, address: own.first };
}

export function parseGoAddress(
  text: string,
): { readonly value: bigint; readonly family: 4 | 6 } | undefined {
  const parsed = parseAddress(text);
  return parsed === undefined ? undefined : { value: parsed.first, family: parsed.family };
}

/** The network of a CIDR as Go prints an IPNet: `10.22.0.0/24`. */
export function showNetwork(cidr: Cidr): string {
  return `${nthAddress(cidr, 0)}/${cidr.prefix}`;
}
