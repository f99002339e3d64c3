/** What owners left in a node's packet filters, looked at and taken away as host access does with programs. */
import { RegaugeError } from '../../base/errors.ts';
import {
  leftIn,
  type LeftInTable,
  removalCommands,
  showLeft,
} from '../../knowledge/packet-filter/left-rules.ts';
import { ownsSet } from '../../knowledge/packet-filter/rules-owners.ts';
import { BACKENDS, FAMILIES, readSavedRules } from '../../knowledge/packet-filter/saved-rules.ts';
import type { RulesOwner } from '../../model/plan.ts';
import type { RulesRemoval } from '../../ports/node-host.ts';
import type { PacketFilter } from '../network/packet-filter.ts';

interface LeftInFilter {
  readonly tables: readonly LeftInTable[];
  readonly sets: readonly string[];
  readonly words: readonly string[];
}

export function leftInFilter(filter: PacketFilter, owners: readonly RulesOwner[]): LeftInFilter {
  const tables = FAMILIES.flatMap((family) =>
    BACKENDS.flatMap((backend) =>
      leftIn({ family, backend }, readSavedRules(filter.saved(family, backend)), owners),
    ),
  );
  const sets = [...filter.sets].filter((set) => ownsSet(owners, set));
  const words = [...tables.map(showLeft), ...sets.map((name) => `ipset ${name}`)];
  return { tables, sets, words };
}

export function removeFromFilter(filter: PacketFilter, { owners, nftTables }: RulesRemoval): void {
  const { tables, sets } = leftInFilter(filter, owners);
  for (const left of tables) {
    const { family, backend } = left.place;
    for (const [, ...args] of removalCommands(left)) filter.command(family, backend, args);
    if (left.foreign.length > 0) throw new RegaugeError('refused', showLeft(left));
  }
  for (const set of sets) filter.ipset(['destroy', set]);
  for (const table of nftTables) filter.nft([`add table ${table}; delete table ${table}`]);
}
