/**
 * What `iptables-save` prints, as tables, chains and rules. Both of its back ends, legacy and nft, print the
 * same; each knows only its own tables, so both are asked. A table that somebody made with nft is named and
 * not shown: then it is not known what is in it.
 */
import { RegaugeError } from '../../base/errors.ts';

export const BACKENDS = ['legacy', 'nft'] as const;
export const FAMILIES = ['ipv4', 'ipv6'] as const;

export type FilterBackend = (typeof BACKENDS)[number];
export type FilterFamily = (typeof FAMILIES)[number];

export interface SavedRule {
  readonly chain: string;
  /** As after `-A CHAIN`, each a word of a command line. */
  readonly words: readonly string[];
}

export interface SavedTable {
  readonly name: string;
  readonly chains: readonly SavedChain[];
  readonly rules: readonly SavedRule[];
}

export interface SavedChain {
  readonly name: string;
  /** Of the kernel, with a policy of its own; nobody removes one. */
  readonly builtIn: boolean;
}

/** `ip6tables-nft`: programs that name their back end, beside the wrapper that picks one (iptables 1.8). */
export function filterProgram(family: FilterFamily, backend: FilterBackend): string {
  return `${family === 'ipv4' ? 'iptables' : 'ip6tables'}-${backend}`;
}

/** Throws `refused` where a table is not shown. */
export function readSavedRules(text: string): readonly SavedTable[] {
  const tables: { name: string; chains: SavedChain[]; rules: SavedRule[] }[] = [];
  for (const line of text.split('\n')) {
    const hidden = /^# Table `(\S+)' is incompatible/.exec(line)?.[1];
    if (hidden !== undefined) {
      throw new RegaugeError('refused', `table ${hidden} is not shown: it was made with nft`, {
        hint: `look at it with nft list table ip ${hidden}`,
      });
    }
    const table = tables.at(-1);
    if (line.startsWith('*')) tables.push({ name: line.slice(1).trim(), chains: [], rules: [] });
    else if (line.startsWith(':')) {
      const [name = '', policy] = line.slice(1).split(' ');
      table?.chains.push({ name, builtIn: policy !== '-' });
    } else if (line.startsWith('-A ')) {
      const [, chain = '', ...words] = wordsOf(line);
      table?.rules.push({ chain, words });
    }
  }
  return tables;
}

/** Words as iptables-save quotes them: in double quotes, with backslashes before quotes and backslashes. */
export function wordsOf(line: string): readonly string[] {
  const words: string[] = [];
  for (const [, quoted, plain] of line.matchAll(/"((?:\\.|[^"\\])*)"|(\S+)/g)) {
    words.push(plain ?? (quoted ?? '').replaceAll(/\\(.)/g, '$1'));
  }
  return words;
}

/** The value after an option, e.g. `--comment`; of several, all of them. */
export function valuesOf({ words }: SavedRule, option: string): readonly string[] {
  return words.filter((_, index) => words[index - 1] === option);
}

/** The chain that a rule leads to. */
export function targetOf(rule: SavedRule): string | undefined {
  return valuesOf(rule, '-j')[0] ?? valuesOf(rule, '-g')[0];
}
