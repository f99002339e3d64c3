/**
 * host-local's directory of one network name: a file per address, holding the container it is for,
 * and the last address given per range (`plugins:plugins/ipam/host-local/backend/disk/backend.go@v1.6.2`).
 */
const LINE_BREAK = '\r\n';
const LAST = 'last_reserved_ip.';

export class LeaseStore {
  /** Address → owner as in the file; interface eth0 is left out to save a string per pod. */
  private readonly owners = new Map<string, string>();
  private readonly addresses = new Map<string, string | readonly string[]>();
  private readonly last = new Map<number, string>();

  get size(): number {
    return this.owners.size;
  }

  has(address: string): boolean {
    return this.owners.has(address);
  }

  reserve(address: string, containerId: string, ifName: string, range: number): void {
    const owner = ownerKey(containerId, ifName);
    this.owners.set(address, owner);
    const before = this.addresses.get(owner);
    if (before === undefined) this.addresses.set(owner, address);
    else
      this.addresses.set(
        owner,
        typeof before === 'string' ? [before, address] : [...before, address],
      );
    this.last.set(range, address);
  }

  lastOf(range: number): string | undefined {
    return this.last.get(range);
  }

  addressesOf(containerId: string, ifName: string): readonly string[] {
    const found = this.addresses.get(ownerKey(containerId, ifName));
    if (found === undefined) return [];
    return typeof found === 'string' ? [found] : found;
  }

  /** Frees all of the container's addresses on the interface; none is no error. */
  release(containerId: string, ifName: string): void {
    const owner = ownerKey(containerId, ifName);
    const found = this.addresses.get(owner);
    if (found === undefined) return;
    this.addresses.delete(owner);
    if (typeof found === 'string') this.owners.delete(found);
    else for (const address of found) this.owners.delete(address);
  }

  /** Address and container, in numeric order of nothing but insertion. */
  entries(): readonly { readonly address: string; readonly containerId: string }[] {
    return [...this.owners].map(([address, owner]) => ({
      address,
      containerId: owner.split(LINE_BREAK)[0] ?? owner,
    }));
  }

  // ---------------------------------------------------------------- as files

  files(): readonly string[] {
    return [
      ...this.owners.keys(),
      ...[...this.last.keys()].map((range) => `${LAST}${range}`),
      'lock',
    ];
  }

  read(name: string): string | undefined {
    if (name.startsWith(LAST)) return this.last.get(Number(name.slice(LAST.length)));
    const owner = this.owners.get(name);
    if (owner === undefined) return name === 'lock' ? '' : undefined;
    return owner.includes(LINE_BREAK) ? owner : `${owner}${LINE_BREAK}eth0`;
  }

  write(name: string, content: string): void {
    if (name === 'lock') return;
    if (name.startsWith(LAST)) {
      this.last.set(Number(name.slice(LAST.length)), content.trim());
      return;
    }
    const [containerId = '', ifName = 'eth0'] = content.trim().split(LINE_BREAK);
    const owner = ownerKey(containerId, ifName);
    this.owners.set(name, owner);
    const before = this.addresses.get(owner);
    this.addresses.set(
      owner,
      before === undefined ? name : typeof before === 'string' ? [before, name] : [...before, name],
    );
  }

  removeFile(name: string): void {
    if (name.startsWith(LAST)) this.last.delete(Number(name.slice(LAST.length)));
    const owner = this.owners.get(name);
    if (owner === undefined) return;
    this.owners.delete(name);
    const left = this.addresses.get(owner);
    if (typeof left === 'string' || left === undefined) this.addresses.delete(owner);
    else
      this.addresses.set(
        owner,
        left.filter((address) => address !== name),
      );
  }
}

function ownerKey(containerId: string, ifName: string): string {
  return ifName === 'eth0' ? containerId : `${containerId}${LINE_BREAK}${ifName}`;
}
