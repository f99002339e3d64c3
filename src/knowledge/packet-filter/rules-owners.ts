/**
 * Whose a rule, chain or set is. Names that a program hashes are matched in their whole form, so that a chain
 * which somebody named alike stays; in the kernel's own chains a rule is told by the comment of its maker.
 *
 * Flannel: flannel:pkg/trafficmngr/iptables/iptables.go@cdf7605; chains of its own from 0.20.0 on
 * (4950b7a), before that rules in POSTROUTING and FORWARD with the same comments (bd0da0f, 0.17.0).
 * It uses iptables, or nft tables with EnableNFTables (pkg/trafficmngr/nftables/nftables.go, from 0.25.0,
 * f244861); which back end iptables has is decided by the wrapper in its image (images/Dockerfile).
 * K3s has kube-router's policy controller: kube-router:pkg/controllers/netpol/network_policy_controller.go@v2.2.1,
 * pod.go, policy.go, k3s:pkg/agent/netpol/netpol.go@0589157; iptables and ipsets.
 * Canal has Calico's Felix: calico:felix/rules/rule_defs.go, rulesdefs.go, felix/iptables/table.go@87c1590.
 */
import type { RulesOwner } from '../../model/plan.ts';
import { type SavedRule, valuesOf } from './saved-rules.ts';

interface OwnerMarks {
  readonly chain: RegExp;
  /** Of a rule in a chain of the kernel. */
  readonly comment: RegExp;
  /** Ipsets; undefined where it has none. */
  readonly set: RegExp | undefined;
}

/** Sixteen characters of a hash in base 32 (kube-router podFirewallChainName, networkPolicyChainName). */
const HASH = '[A-Z2-7]{16}';

const MARKS: Readonly<Record<RulesOwner, OwnerMarks>> = {
  flannel: {
    chain: /^FLANNEL-(POSTRTG|FWD)$/,
    comment: /^flanneld (masq|forward)$/,
    set: undefined,
  },
  'kube-router': {
    chain: new RegExp(
      `^KUBE-(ROUTER-(INPUT|FORWARD|OUTPUT)|NWPLCY-(DEFAULT|COMMON|TAIL|${HASH})|POD-FW-${HASH})$`,
    ),
    comment: new RegExp(
      `^(kube-router netpol - ${HASH}|rule to explicitly ACCEPT traffic that comply to network policies)$`,
    ),
    set: new RegExp(`^(inet6:)?(KUBE-(SRC|DST)-${HASH}|kube-router-local-pods)$`),
  },
  calico: {
    chain: /^cali-[\w.-]+$/,
    comment: /^cali:[\w-]{16}$/,
    set: /^cali[46]0[\w:.-]+$/,
  },
};

export function ownsChain(owners: readonly RulesOwner[], chain: string): boolean {
  return owners.some((owner) => MARKS[owner].chain.test(chain));
}

export function ownsSet(owners: readonly RulesOwner[], set: string): boolean {
  return owners.some((owner) => MARKS[owner].set?.test(set) === true);
}

export function ownsRule(owners: readonly RulesOwner[], rule: SavedRule): boolean {
  const comments = valuesOf(rule, '--comment');
  return owners.some((owner) => comments.some((text) => MARKS[owner].comment.test(text)));
}

export function haveSets(owners: readonly RulesOwner[]): boolean {
  return owners.some((owner) => MARKS[owner].set !== undefined);
}

/** With EnableNFTables, whatever families the cluster has (flannel:pkg/trafficmngr/nftables/nftables.go Init). */
export const FLANNEL_NFT_TABLES = ['ip flannel-ipv4', 'ip6 flannel-ipv6'] as const;
