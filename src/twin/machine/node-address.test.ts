/** The choice of the node's address, with the cases of FM-09 and near misses. */
import { describe, expect, it } from 'vitest';
import { type AddressRules, chooseNodeAddress } from './node-address.ts';

const RULES: AddressRules = {
  podSubnets: ['10.244.0.0/16'],
  serviceSubnets: ['10.96.0.0/12'],
  podCidrs: [],
  validSubnets: [],
};

describe('chooseNodeAddress', () => {
  it('survives by luck where the LAN sorts before the pool (10.0.1.61 < 10.245.0.1)', () => {
    expect(chooseNodeAddress(['10.245.0.1', '10.0.1.61'], RULES)).toBe('10.0.1.61');
  });

  it('takes cilium_host where the LAN sorts after a pool outside podSubnets', () => {
    expect(chooseNodeAddress(['192.168.1.10', '10.245.0.1'], RULES)).toBe('10.245.0.1');
  });

  it('keeps the LAN when the pool is inside podSubnets', () => {
    expect(chooseNodeAddress(['192.168.1.10', '10.244.9.1'], RULES)).toBe('192.168.1.10');
  });

  it('keeps the LAN when validSubnets say so', () => {
    const rules = { ...RULES, validSubnets: ['192.168.0.0/16'] };
    expect(chooseNodeAddress(['192.168.1.10', '10.245.0.1'], rules)).toBe('192.168.1.10');
  });

  it('excludes Node.spec.podCIDRs where they are told (>= 1.13), and subnets marked with !', () => {
    expect(
      chooseNodeAddress(['192.168.1.10', '10.245.0.1'], { ...RULES, podCidrs: ['10.245.0.0/24'] }),
    ).toBe('192.168.1.10');
    expect(
      chooseNodeAddress(['192.168.1.10', '10.245.0.1'], {
        ...RULES,
        validSubnets: ['!10.0.0.0/8'],
      }),
    ).toBe('192.168.1.10');
  });

  it('sorts by number, not by text', () => {
    expect(chooseNodeAddress(['192.168.1.100', '192.168.1.20'], RULES)).toBe('192.168.1.20');
  });

  it('has nothing to say when everything is excluded', () => {
    expect(chooseNodeAddress(['10.244.0.5'], RULES)).toBeUndefined();
  });
});
