/**
 * What the lane builds and fetches, kept in the user's cache: a directory per thing, keyed by what it
 * is made of, so that a second run makes nothing.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { SOURCES, goVersion } from './go-tool.ts';

/** A directory per thing, made whole or not at all. */
export class Cache {
  private readonly root: string;
  readonly tell: (line: string) => void;
  /** The directory that is being made. */
  fresh = '';

  constructor(tell: (line: string) => void) {
    const base = process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache');
    this.root = join(base, 'regauge', 'real');
    this.tell = tell;
  }

  /** The directory of a module's binaries: as long as its sources and the toolchain are the same. */
  built(name: string, make: () => void): string {
    return this.entry(keyOf(name), `building ${name}`, make);
  }

  hasBuilt(name: string): boolean {
    return this.has(keyOf(name));
  }

  has(key: string): boolean {
    return existsSync(join(this.root, key));
  }

  entry(key: string, doing: string, make: () => void): string {
    const directory = join(this.root, key);
    if (existsSync(directory)) return directory;
    const since = Date.now();
    this.fresh = `${directory}.${process.pid}.new`;
    mkdirSync(this.fresh, { recursive: true });
    try {
      make();
      renameSync(this.fresh, directory);
    } finally {
      rmSync(this.fresh, { recursive: true, force: true });
    }
    this.tell(`${doing}: ${Math.round((Date.now() - since) / 1_000)} s`);
    return directory;
  }
}

function keyOf(name: string): string {
  const hash = createHash('sha256').update(goVersion()).update(process.arch);
  for (const path of filesBelow(join(SOURCES, name))) hash.update(readFileSync(path));
  return `${name}-${hash.digest('hex').slice(0, 16)}`;
}

function filesBelow(directory: string): readonly string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8', withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}
