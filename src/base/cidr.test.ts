import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { contains, nthAddress, nthSubnet, overlaps, parseAddress, parseCidr } from './cidr.ts';

function cidr(text: string) {
  const parsed = parseCidr(text);
  if (parsed === undefined) throw new Error(`not a CIDR: ${text}`);
  return parsed;
}

const cidr4 = fc
  .tuple(fc.nat(0xffffffff), fc.integer({ min: 0, max: 32 }))
  .map(
    ([address, prefix]) =>
      `${[24, 16, 8, 0].map((shift) => (address >>> shift) & 255).join('.')}/${prefix}`,
  );

describe('CIDRs', () => {
  it.each([
    '010.244.0.0/16',
    '10.244/16',
    '10.244.0.0/33',
    '0x0a.1.1.1/8',
    '10.244.0.0',
    'fe80::/129',
    '',
    '/',
  ])('refuses %j, which lenient parsers read as something else', (text) =>
    expect(parseCidr(text)).toBeUndefined(),
  );

  it('reads both families', () => {
    expect(cidr('10.244.0.0/16')).toMatchObject({ family: 4, prefix: 16 });
    expect(cidr('fd00:10::/56')).toMatchObject({ family: 6, prefix: 56 });
    expect(parseAddress('10.0.1.61')).toMatchObject({ family: 4, prefix: 32 });
  });

  it('never says that families overlap', () => {
    expect(overlaps(cidr('0.0.0.0/0'), cidr('::/0'))).toBe(false);
  });

  it('overlaps are symmetric, and containment is an overlap', () => {
    fc.assert(
      fc.property(cidr4, cidr4, (left, right) => {
        expect(overlaps(cidr(left), cidr(right))).toBe(overlaps(cidr(right), cidr(left)));
        const isInside = contains(cidr(left), cidr(right));
        expect(isInside && !overlaps(cidr(left), cidr(right))).toBe(false);
      }),
    );
  });

  it('splits a range into subnets that lie in it and do not touch', () => {
    const pool = cidr('10.245.0.0/16');
    const subnets = Array.from({ length: 256 }, (_, index) => cidr(nthSubnet(pool, 24, index)));
    expect(subnets.every((subnet) => contains(pool, subnet))).toBe(true);
    expect(
      subnets.some((subnet, index) => index > 0 && overlaps(subnet, subnets[index - 1] ?? subnet)),
    ).toBe(false);
    expect(subnets[3]?.text).toBe('10.245.3.0/24');
    expect(nthAddress(pool, 300)).toBe('10.245.1.44');
  });
});
