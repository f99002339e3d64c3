/**
 * What of an owner is left in a table, and the commands that take it away: first the rules that lead into its
 * chains, so that nothing of it is met any more, then what is in the chains, then the chains. Each is one
 * command and may be repeated. A chain that somebody else's rule leads into is in use: it is named.
 */
import type { RulesOwner } from '../../model/plan.ts';
import { ownsChain, ownsRule } from './rules-owners.ts';
import {
  type FilterBackend,
  type FilterFamily,
  filterProgram,
  type SavedRule,
  type SavedTable,
  targetOf,
} from './saved-rules.ts';

export interface FilterPlace {
  readonly family: FilterFamily;
  readonly backend: FilterBackend;
}

export interface LeftInTable {
  readonly place: FilterPlace;
  readonly table: string;
  /** In chains that are not its own. */
  readonly rules: readonly SavedRule[];
  readonly chains: readonly string[];
  /** Somebody else's rules that lead into its chains. */
  readonly foreign: readonly SavedRule[];
}

export function leftIn(
  place: FilterPlace,
  tables: readonly SavedTable[],
  owners: readonly RulesOwner[],
): readonly LeftInTable[] {
  return tables.flatMap(({ name, chains, rules }) => {
    const own = chains
      .filter((chain) => !chain.builtIn && ownsChain(owners, chain.name))
      .map((chain) => chain.name);
    const names = new Set(own);
    const outside = rules.filter(({ chain }) => !names.has(chain));
    const marked = outside.filter((rule) => ownsRule(owners, rule));
    const foreign = outside.filter(
      (rule) => names.has(targetOf(rule) ?? '') && !ownsRule(owners, rule),
    );
    if (own.length === 0 && marked.length === 0) return [];
    return [{ place, table: name, rules: marked, chains: own, foreign }];
  });
}

/** Seconds a command waits for the lock that all programs of the node share. */
const LOCK_SECONDS = '10';

/** None for chains that are in use. */
export function removalCommands({
  place,
  table,
  rules,
  chains,
  foreign,
}: LeftInTable): readonly (readonly string[])[] {
  const on = [filterProgram(place.family, place.backend), '-w', LOCK_SECONDS, '-t', table];
  const deletions = rules.map(({ chain, words }) => [...on, '-D', chain, ...words]);
  if (foreign.length > 0) return deletions;
  return [
    ...deletions,
    ...chains.map((chain) => [...on, '-F', chain]),
    ...chains.map((chain) => [...on, '-X', chain]),
  ];
}

const CHAINS_NAMED_MAX = 3;

/** `FLANNEL-POSTRTG of table nat (iptables-nft)`. */
export function showLeft({ place, table, rules, chains, foreign }: LeftInTable): string {
  const what =
    chains.length > 0
      ? `${chains.slice(0, CHAINS_NAMED_MAX).join(', ')}${chains.length > CHAINS_NAMED_MAX ? ` and ${chains.length - CHAINS_NAMED_MAX} more chains` : ''}`
      : `${rules.length} ${rules.length === 1 ? 'rule' : 'rules'}`;
  const [first] = foreign;
  const use =
    first === undefined
      ? ''
      : `, which somebody’s rule leads into: -A ${first.chain} ${first.words.join(' ')}`;
  return `${what} of table ${table} (${filterProgram(place.family, place.backend)})${use}`;
}

/** Somebody was faster: what the command is to remove is not there. */
export function isGoneAlready(stderr: string): boolean {
  return /No chain\/target\/match by that name|does a matching rule exist in that chain|set with the given name does not exist/i.test(
    stderr,
  );
}

/** The kernel has no such thing, so nobody has rules in it: no nf_tables, or no ipset (in their own words). */
export function isNotInKernel(stderr: string): boolean {
  return /Failed to initialize nft: Protocol not supported|Cannot open session to kernel/i.test(
    stderr,
  );
}
