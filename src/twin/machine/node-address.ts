/**
 * Which address a Talos node reports as its own. Talos takes every global address of the host, drops
 * those in the pod and service ranges, keeps those in `kubelet.nodeIP.validSubnets`, sorts
 * numerically and takes the first of a family. `cilium_host` is one of the candidates, so a pool
 * outside podSubnets can win (knowledge failure-modes.md FM-09; talos `k8s/nodeip.go`,
 * `nodeip_config.go`, `address_filter.go`@1.10).
 */
import { type Cidr, contains, parseAddress, parseCidr } from '../../base/cidr.ts';

export interface AddressRules {
  readonly podSubnets: readonly string[];
  readonly serviceSubnets: readonly string[];
  /** `Node.spec.podCIDRs`, which Talos >= 1.13 excludes too. */
  readonly podCidrs: readonly string[];
  /** Entries with `!` exclude, as Talos writes them. */
  readonly validSubnets: readonly string[];
}

/** The address that becomes InternalIP; undefined when none is left. */
export function chooseNodeAddress(
  candidates: readonly string[],
  rules: AddressRules,
): string | undefined {
  const excluded = ranges([...rules.podSubnets, ...rules.serviceSubnets, ...rules.podCidrs]);
  const wanted = ranges(rules.validSubnets.filter((subnet) => !subnet.startsWith('!')));
  const unwanted = ranges(
    rules.validSubnets.filter((subnet) => subnet.startsWith('!')).map((subnet) => subnet.slice(1)),
  );
  return candidates
    .flatMap((text) => {
      const address = parseAddress(text);
      return address === undefined ? [] : [address];
    })
    .filter((address) => !excluded.some((range) => contains(range, address)))
    .filter((address) => wanted.length === 0 || wanted.some((range) => contains(range, address)))
    .filter((address) => !unwanted.some((range) => contains(range, address)))
    .toSorted((left, right) => (left.first < right.first ? -1 : left.first > right.first ? 1 : 0))
    .find((address) => address.family === 4)?.text;
}

function ranges(subnets: readonly string[]): readonly Cidr[] {
  return subnets.flatMap((subnet) => {
    const range = parseCidr(subnet);
    return range === undefined ? [] : [range];
  });
}
