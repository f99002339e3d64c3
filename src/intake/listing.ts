/**
 * Directory listings: `ls -la`, `ls -R`, `talosctl ls -l`, or bare names under a line that says of
 * which directory they are. Recognised only when every line is of one of these forms.
 */
import { known, unknown } from '../model/fact.ts';
import type { Fact } from '../model/fact.ts';
import type { DirectoryListing, ListedFile } from '../model/cluster-input.ts';
import type { Source } from '../base/source.ts';
import type { Intake, InputFile } from './intake.ts';

const LONGEST_LISTING = 2_000_000;
const LS_LINE =
  /^([-dlbcpsL])([rwxsStT-]{9})[.+@]?\s+\d+\s+\S+\s+\S+\s+\d[\d,]*\s+(?:\w{3}\s+\d+\s+[\d:]+|\d{4}-\d\d-\d\d\s+[\d:.]+(?:\s+[+-]\d{4})?)\s+(.+?)\s*$/;
const BARE_NAME = /^[\w.@+-]+$/;
const CONF_NAME = /\.(conf|conflist)(\.[\w-]+)?$/;

interface Block {
  directory: string | undefined;
  node: Fact<string> | undefined;
  line: number;
  readonly entries: ListedFile[];
}

/** True when the file is a listing; then it is taken. */
export function takeListing(intake: Intake, file: InputFile): boolean {
  if (file.text.length > LONGEST_LISTING || /\.(ya?ml|json)$/i.test(file.path)) return false;
  const lines = file.text.split(/\r?\n/);
  const blocks = lines.some((line) => /^NODE\s.*\bNAME\s*$/.test(line))
    ? talosBlocks(lines)
    : listBlocks(lines);
  if (blocks === undefined) return false;
  const listings = blocks.flatMap((block) => toListing(block, file));
  if (listings.length === 0) return false;
  intake.listings.push(...listings);
  return true;
}

function toListing(block: Block, { path }: InputFile): readonly DirectoryListing[] {
  const directory = block.directory ?? directoryInName(path) ?? directoryByEntries(block.entries);
  if (directory === undefined) return [];
  const source: Source = { file: path, line: block.line, column: 1 };
  const entries = block.entries.filter(({ name }) => name !== '.' && name !== '..');
  const node = block.node ?? nodeInName(path) ?? unknown(`the node of the listing ${path}`);
  return [{ directory, node, entries, source }];
}

function listBlocks(lines: readonly string[]): readonly Block[] | undefined {
  const blocks: Block[] = [];
  let current: Block = { directory: undefined, node: undefined, line: 1, entries: [] };
  for (const [index, line] of lines.entries()) {
    const directory = directoryLine(line);
    const entry = entryLine(line);
    if (directory !== undefined) {
      if (current.directory !== undefined || current.entries.length > 0) blocks.push(current);
      current = { directory, node: undefined, line: index + 1, entries: [] };
    } else if (entry !== undefined) current.entries.push(entry);
    else if (!/^\s*(#.*|\$ .*|total\s+\d+.*)?$/.test(line)) return undefined;
  }
  blocks.push(current);
  return blocks;
}

/** `/etc/cni/net.d:`, or a comment or prompt that names an absolute path as its last word. */
function directoryLine(line: string): string | undefined {
  const path =
    /^(\/\S*?)\/?:\s*$/.exec(line)?.[1] ??
    /^\s*(?:#|\$ |>).*?\s(\/[\w./@+-]+?)\/?:?\s*$/.exec(line)?.[1];
  return path === undefined ? undefined : onNode(path);
}

/** Cilium's agent sees the node's directory under `/host` (charts: hostConfDirMountPath). */
function onNode(path: string): string {
  return path.replace(/^\/host(?=\/)/, '').replace(/(.)\/+$/, '$1');
}

function entryLine(line: string): ListedFile | undefined {
  const long = LS_LINE.exec(line);
  if (long !== null) return longEntry(long[1] ?? '-', long[2] ?? '', long[3] ?? '');
  const bare = line.trim();
  return BARE_NAME.test(bare) ? { name: bare, type: 'file' } : undefined;
}

function longEntry(kind: string, permissions: string, shown: string): ListedFile {
  const [name = shown, target] = shown.split(' -> ');
  const type = kind === 'd' ? 'directory' : kind.toLowerCase() === 'l' ? 'symlink' : 'file';
  return { name, type, mode: octal(permissions), ...(target === undefined ? {} : { target }) };
}

function octal(permissions: string): number {
  const bits = [...permissions].map((char) =>
    char === '-' || char === 'S' || char === 'T' ? '0' : '1',
  );
  return Number.parseInt(bits.join(''), 2);
}

/** `talosctl ls [-l]`: a table whose columns stand where the head line has them. */
function talosBlocks(lines: readonly string[]): readonly Block[] | undefined {
  const blocks = new Map<string, Block>();
  let head = '';
  let directory: string | undefined;
  for (const [index, line] of lines.entries()) {
    if (/^NODE\s.*\bNAME\s*$/.test(line)) head = line;
    else if (head === '') {
      directory = directoryLine(line) ?? directory;
      if (directoryLine(line) === undefined && !/^\s*(#.*|\$ .*)?$/.test(line)) return undefined;
    } else if (line.trim() !== '') {
      const [node = ''] = line.split(/\s+/, 1);
      const block = blocks.get(node) ?? {
        directory,
        node: undefined,
        line: index + 1,
        entries: [],
      };
      block.node ??= known(node, { node });
      blocks.set(node, block);
      block.entries.push(talosEntry(head, line));
    }
  }
  return [...blocks.values()];
}

function talosEntry(head: string, line: string): ListedFile {
  const shown = line.slice(head.lastIndexOf('NAME')).trim();
  const mode = head.includes('MODE')
    ? line.slice(head.indexOf('MODE')).split(/\s+/, 1)[0]
    : undefined;
  if (mode === undefined) return { name: shown, type: 'file' };
  return longEntry(mode.slice(0, 1), mode.slice(-9), shown);
}

/** `cp-01-etc-cni-net.d.txt`: people name what they save after what they listed. */
function directoryInName(path: string): string | undefined {
  if (/cni[-_./]?net[-_.]?d/i.test(path)) return '/etc/cni/net.d';
  return /opt[-_./]cni[-_./]bin/i.test(path) ? '/opt/cni/bin' : undefined;
}

/** Confs by name are only ever listed from where runtimes read them. */
function directoryByEntries(entries: readonly ListedFile[]): string | undefined {
  return entries.some(({ name }) => CONF_NAME.test(name)) ? '/etc/cni/net.d' : undefined;
}

/** `nodes/<name>/…` as regauge's own snapshots have it, or what stands before the path on the node. */
function nodeInName(path: string): Fact<string> | undefined {
  const own = /(?:^|\/)nodes\/([^/]+)\/[^/]+$/.exec(path)?.[1];
  if (own !== undefined) return known(own, { file: path });
  const parts = path.split('/');
  const before = parts.findIndex((part) => part === 'etc' || part === 'opt');
  const name = before > 0 ? parts[before - 1] : undefined;
  return name === undefined || name === '' ? undefined : known(name, { file: path });
}
