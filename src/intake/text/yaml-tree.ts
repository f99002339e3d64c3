/**
 * A YAML document as a `ConfigTree`: plain data beside the nodes that know where they were written.
 * Aliases and merge keys are followed, so a value that came by `<<` is found where it stands.
 */
import { isAlias, isMap, isScalar, isSeq } from 'yaml';
import type { Document, Node, Pair } from 'yaml';
import type { Source } from '../../base/source.ts';
import { pathParts, showPath } from '../../model/config-tree.ts';
import type { ConfigTree, Located, TreePath } from '../../model/config-tree.ts';
import { placesIn } from './places.ts';
import type { PlaceOf } from './places.ts';

/** A tree that can also hand out a text inside it (`valuesContent: |`) with its own positions. */
export interface TextTree extends ConfigTree {
  /** The string at the path as a text to parse; undefined where there is no string. */
  embedded(path: TreePath): YamlText | undefined;
}

export interface YamlText {
  readonly file: string;
  readonly text: string;
  readonly placeOf: PlaceOf;
}

/** `value` is the document's plain data; passed in because the reader has made it already. */
export function yamlTree(document: Document, value: unknown, text: YamlText): TextTree {
  return new YamlTree(document, value, text);
}

interface Found {
  readonly key: Node | undefined;
  readonly value: Node | undefined;
}

class YamlTree implements TextTree {
  readonly source: Source;
  readonly value: unknown;
  private readonly document: Document;
  private readonly text: YamlText;

  constructor(document: Document, value: unknown, text: YamlText) {
    this.document = document;
    this.value = value;
    this.text = text;
    const start = document.contents?.range?.[0] ?? document.range?.[0] ?? 0;
    this.source = { file: text.file, ...text.placeOf(start) };
  }

  at(path: TreePath): Located<unknown> | undefined {
    const parts = pathParts(path);
    const value = dataAt(this.value, parts);
    if (value === undefined) return undefined;
    const found = this.find(parts);
    return { value, source: this.sourceOf(startOf(found?.value) ?? startOf(found?.key), parts) };
  }

  keyOf(path: TreePath): Source | undefined {
    const parts = pathParts(path);
    if (dataAt(this.value, parts) === undefined) return undefined;
    const found = this.find(parts);
    return this.sourceOf(startOf(found?.key) ?? startOf(found?.value), parts);
  }

  nearest(path: TreePath): Source {
    const parts = pathParts(path);
    let length = parts.length;
    while (length > 0 && dataAt(this.value, parts.slice(0, length)) === undefined) length -= 1;
    return length === 0 ? this.source : (this.keyOf(parts.slice(0, length)) ?? this.source);
  }

  embedded(path: TreePath): YamlText | undefined {
    const located = this.at(path);
    if (located === undefined || typeof located.value !== 'string') return undefined;
    const { file, line = 1, column = 1 } = located.source;
    const node = this.find(pathParts(path))?.value;
    const start = node?.range?.[0] ?? 0;
    const written = this.text.text.slice(start, node?.range?.[1] ?? 0);
    if (!isScalar(node) || node.type !== 'BLOCK_LITERAL') {
      // On one line and without escapes a text's offsets are columns; else its start stands for all.
      const quote = /^["']/.test(written) ? 1 : 0;
      const plain = written.length === located.value.length + 2 * quote && !written.includes('\n');
      const placeOf: PlaceOf = (offset) => ({
        line,
        column: plain ? column + quote + offset : column,
      });
      return { file: file ?? '', text: located.value, placeOf };
    }
    // The lines of a literal block are the text's lines, each cut by the same indentation.
    const indent = /\n( *)[^\s]/.exec(written)?.[1]?.length ?? 0;
    const first = { line: line + 1, column: indent + 1 };
    return {
      file: file ?? '',
      text: located.value,
      placeOf: placesIn(located.value, { first, indent }),
    };
  }

  private sourceOf(offset: number | undefined, parts: readonly (string | number)[]): Source {
    const place = offset === undefined ? {} : this.text.placeOf(offset);
    return {
      file: this.text.file,
      ...place,
      ...(parts.length === 0 ? {} : { path: showPath(parts) }),
    };
  }

  private find(parts: readonly (string | number)[]): Found | undefined {
    let found: Found = { key: undefined, value: this.document.contents ?? undefined };
    for (const part of parts) {
      const next = this.child(found.value, part);
      if (next === undefined) return undefined;
      found = next;
    }
    return found;
  }

  private child(node: Node | undefined, part: string | number): Found | undefined {
    const target = isAlias(node) ? node.resolve(this.document) : node;
    if (isSeq(target)) {
      const item = target.items[Number(part)];
      return item === undefined ? undefined : { key: undefined, value: nodeOf(item) };
    }
    if (!isMap(target)) return undefined;
    const own = target.items.find((pair) => keyText(pair) === String(part));
    if (own !== undefined) return { key: nodeOf(own.key), value: nodeOf(own.value) };
    return this.merged(target.items, part);
  }

  private merged(pairs: readonly Pair[], part: string | number): Found | undefined {
    for (const pair of pairs) {
      if (!isMergeKey(pair)) continue;
      const value = nodeOf(pair.value);
      const target = isAlias(value) ? value.resolve(this.document) : value;
      const sources = isSeq(target) ? target.items.map(nodeOf) : [target];
      for (const source of sources) {
        const found = this.child(source, part);
        if (found !== undefined) return found;
      }
    }
    return undefined;
  }
}

export function isMergeKey(pair: Pair): boolean {
  return isScalar(pair.key) && (pair.key.source === '<<' || typeof pair.key.value === 'symbol');
}

/** The key as plain data names it. */
function keyText(pair: Pair): string | undefined {
  if (!isScalar(pair.key)) return undefined;
  const { value } = pair.key;
  if (value === null) return '';
  return typeof value === 'symbol' ? undefined : String(value);
}

function nodeOf(item: unknown): Node | undefined {
  return isScalar(item) || isMap(item) || isSeq(item) || isAlias(item) ? item : undefined;
}

/** An empty value has no text of its own: its key stands for it. */
function startOf(node: Node | undefined): number | undefined {
  if (node === undefined || (isScalar(node) && node.source === '' && node.type === 'PLAIN')) {
    return undefined;
  }
  return node.range?.[0];
}

export function dataAt(value: unknown, parts: readonly (string | number)[]): unknown {
  let node = value;
  for (const part of parts) {
    if (node === null || typeof node !== 'object') return undefined;
    if (Array.isArray(node)) node = node[Number(part)] as unknown;
    else if (Object.hasOwn(node, part)) node = (node as Record<string, unknown>)[part];
    else return undefined;
  }
  return node;
}
