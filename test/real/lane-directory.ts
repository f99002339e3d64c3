/**
 * Folders of what the lane runs, named after the lane's own process: whoever comes later can tell
 * which of them a killed run left, and end what still runs in them.
 */
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const PREFIX = 'regauge-real-';

export function laneDirectory(): string {
  return mkdtempSync(join(tmpdir(), `${PREFIX}${process.pid}-`));
}

/** Ends what runs with a path of such a folder among its arguments, by its id, and removes the folder. */
export function sweepDirectories(): void {
  for (const name of readdirSync(tmpdir())) {
    const owner = new RegExp(`^${PREFIX}(\\d+)-`).exec(name)?.[1];
    if (owner === undefined || isRunning(Number(owner))) continue;
    const directory = join(tmpdir(), name);
    for (const id of processesNaming(`${directory}/`)) process.kill(id, 'SIGKILL');
    rmSync(directory, { recursive: true, force: true });
  }
}

function isRunning(id: number): boolean {
  try {
    process.kill(id, 0);
    return true;
  } catch {
    return false;
  }
}

/** Linux only; elsewhere nothing is found. */
function processesNaming(path: string): readonly number[] {
  return entriesOf('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((id) => argumentsOf(id).includes(path))
    .map(Number)
    .filter((id) => id !== process.pid);
}

function entriesOf(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

/** Empty for what has ended meanwhile. */
function argumentsOf(id: string): string {
  try {
    return readFileSync(`/proc/${id}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}
