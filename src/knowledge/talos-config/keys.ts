/** The key tables of machine configs as a tree that can be walked, by Talos version. */
import { minorOf } from '../../base/versions.ts';
import { DOCUMENT_KEYS } from './document-keys.ts';
import { V1ALPHA1_KEYS } from './v1alpha1-keys.ts';

/** What is known below one key. */
export interface KeyNode {
  readonly children: ReadonlyMap<string, KeyNode>;
  /** Any key is fine below (maps of the user's own, or content that Talos hands on). */
  readonly open: boolean;
  /** First Talos minor with the key. */
  readonly since?: string;
  /** First Talos minor without it. */
  readonly until?: string;
}

/** The unnamed main document. */
export const MAIN_DOCUMENT = 'v1alpha1';

const DOCUMENT_META = ['apiVersion', 'kind'];

let parsed: ReadonlyMap<string, KeyNode> | undefined;

/** All kinds of documents that some version knows. */
export function documentTable(): ReadonlyMap<string, KeyNode> {
  if (parsed !== undefined) return parsed;
  const main: KeyNode = { children: parseKeys(V1ALPHA1_KEYS), open: false };
  const table = new Map([[MAIN_DOCUMENT, main]]);
  for (const [kind, node] of parseKeys(DOCUMENT_KEYS)) {
    const meta = DOCUMENT_META.map((key): [string, KeyNode] => [key, LEAF]);
    table.set(kind, { ...node, children: new Map([...meta, ...node.children]) });
  }
  parsed = table;
  return table;
}

export function isKnown(node: KeyNode, talosVersion: string): boolean {
  const minor = minorNumber(talosVersion);
  return (
    (node.since === undefined || minor >= minorNumber(node.since)) &&
    (node.until === undefined || minor < minorNumber(node.until))
  );
}

/** The child for a key, when the version knows it. */
export function childKey(node: KeyNode, key: string, talosVersion: string): KeyNode | undefined {
  const child = node.children.get(key) ?? node.children.get('*');
  return child !== undefined && isKnown(child, talosVersion) ? child : undefined;
}

function minorNumber(version: string): number {
  const [major = '1', minor = '0'] = minorOf(version).split('.');
  return Number(major) * 1000 + Number(minor);
}

const LEAF: KeyNode = { children: new Map(), open: false };
const TOKEN = /\s*([^\s{}~<>]+)(~?)(?:>=([\d.]+))?(?:<([\d.]+))?(\{)?/y;

function parseKeys(text: string): ReadonlyMap<string, KeyNode> {
  const state = { text, at: 0 };
  return parseLevel(state);
}

function parseLevel(state: { text: string; at: number }): ReadonlyMap<string, KeyNode> {
  const keys = new Map<string, KeyNode>();
  for (;;) {
    TOKEN.lastIndex = state.at;
    const match = TOKEN.exec(state.text);
    if (match === null) return keys;
    state.at = TOKEN.lastIndex;
    const [, key = '', open, since, until, brace] = match;
    const children = brace === undefined ? LEAF.children : parseLevel(state);
    if (brace !== undefined) state.at = state.text.indexOf('}', state.at) + 1;
    keys.set(key, {
      children,
      open: open === '~',
      ...(since === undefined ? {} : { since }),
      ...(until === undefined ? {} : { until }),
    });
  }
}
