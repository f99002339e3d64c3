/**
 * How many pods of an owner are on each node, by owner first: a pod that is placed asks hundreds of
 * nodes, and the few counts of one owner are at hand where a table in each node would not be.
 */
const NONE: ReadonlyMap<string, number> = new Map();

export class OwnerCounts {
  private readonly byOwner = new Map<string, Map<string, number>>();

  /** By node. */
  of(owner: string | undefined): ReadonlyMap<string, number> {
    return (owner === undefined ? undefined : this.byOwner.get(owner)) ?? NONE;
  }

  add(owner: string | undefined, node: string, sign: 1 | -1): void {
    if (owner === undefined) return;
    let byNode = this.byOwner.get(owner);
    if (byNode === undefined) this.byOwner.set(owner, (byNode = new Map()));
    const count = (byNode.get(node) ?? 0) + sign;
    if (count !== 0) byNode.set(node, count);
    else if (byNode.delete(node) && byNode.size === 0) this.byOwner.delete(owner);
  }
}
