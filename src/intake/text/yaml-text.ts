/**
 * YAML text to documents, read as Kubernetes, Helm and Talos read it: YAML 1.1 truth values and
 * octals, but no base-60 numbers, time stamps or binary (gopkg.in/yaml.v2 and v3, "Compatibility").
 * Every failure is one `bad-input` with its place; nothing a file holds makes this throw otherwise.
 */
import { isAlias, isMap, isScalar, isSeq, parseDocument } from 'yaml';
import type { Document, Node, Pair, Tags, YAMLError, YAMLMap } from 'yaml';
import { badInput, RegaugeError } from '../../base/errors.ts';
import { refuseDepth } from './yaml-depth.ts';
import type { PlaceOf } from './places.ts';
import { isMergeKey, yamlTree } from './yaml-tree.ts';
import type { TextTree, YamlText } from './yaml-tree.ts';

/** Values that aliases may add up to: far above any real file, far below what exhausts a machine. */
const EXPANDED_NODES_MAX = 1_000_000;

const UNREAD_TAGS = new Set([
  'tag:yaml.org,2002:timestamp',
  'tag:yaml.org,2002:binary',
  'tag:yaml.org,2002:omap',
  'tag:yaml.org,2002:pairs',
  'tag:yaml.org,2002:set',
]);

/** One document; undefined when the text holds none (only comments or white space). */
export function parseYaml(yaml: YamlText): TextTree | undefined {
  const { file, text, placeOf } = yaml;
  refuseDepth(yaml);
  try {
    const document = parseDocument(text, {
      version: '1.1',
      customTags: withoutUnreadTags,
      // The library compares every key with every other; `refuseDuplicates` is linear.
      uniqueKeys: false,
      prettyErrors: false,
      logLevel: 'silent',
    });
    const [error] = document.errors;
    if (error !== undefined) throw syntaxError(error, yaml);
    if (document.contents === null) return undefined;
    refuseDuplicates(document, placeOf, file);
    refuseExplosion(document, placeOf, file);
    return yamlTree(document, document.toJS({ maxAliasCount: -1 }), yaml);
  } catch (error) {
    if (error instanceof RegaugeError) throw error;
    throw badInput(
      error instanceof RangeError
        ? 'the YAML is nested too deeply'
        : `the YAML cannot be read: ${error instanceof Error ? error.message : String(error)}`,
      { file, ...placeOf(0) },
    );
  }
}

function withoutUnreadTags(tags: Tags): Tags {
  return tags.filter(
    (tag) => typeof tag === 'string' || (!UNREAD_TAGS.has(tag.tag) && tag.format !== 'TIME'),
  );
}

const TEMPLATE = /\{\{-?\s*[.$\w"(]/;
const TEMPLATE_HINT = 'This looks like a Helm template: render it first (helm template …).';

function syntaxError(error: YAMLError, { file, text, placeOf }: YamlText): RegaugeError {
  const reported = error.pos[0];
  const lineStart = text.lastIndexOf('\n', reported - 1) + 1;
  const line = text.slice(lineStart).split('\n', 1)[0] ?? '';
  const hint = TEMPLATE.test(text)
    ? TEMPLATE_HINT
    : /^\s*\t/.test(line)
      ? 'YAML is indented with spaces; a tab is an error.'
      : undefined;
  // Wrong indentation is reported at the line's start; what is indented wrongly is more to the point.
  const offset =
    reported + (/^ *(?=\S)/.exec(text.slice(reported, reported + 200))?.[0].length ?? 0);
  const sentence = error.message.replace(/^[A-Z](?=[a-z])/, (letter) => letter.toLowerCase());
  return badInput(`broken YAML: ${sentence}`, { file, ...placeOf(offset) }, hint);
}

function refuseDuplicates(document: Document, placeOf: PlaceOf, file: string): void {
  const open: (Node | null)[] = [document.contents];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (isSeq(node)) open.push(...node.items.filter(isCollection));
    if (!isMap(node)) continue;
    refuseDuplicatesIn(node, placeOf, file);
    for (const { value } of node.items) if (isCollection(value)) open.push(value);
  }
}

function refuseDuplicatesIn(map: YAMLMap, placeOf: PlaceOf, file: string): void {
  const seen = new Map<string, Pair>();
  for (const pair of map.items) {
    if (isMergeKey(pair) || isAlias(pair.key)) continue;
    if (!isScalar(pair.key)) {
      const offset = isMap(pair.key) || isSeq(pair.key) ? (pair.key.range?.[0] ?? 0) : 0;
      const hint = `Quote it. ${TEMPLATE_HINT}`;
      throw badInput('a key is a mapping or a list', { file, ...placeOf(offset) }, hint);
    }
    const key = String(pair.key.value ?? '');
    const first = seen.get(key);
    if (first !== undefined) {
      const before = placeOf(isScalar(first.key) ? (first.key.range?.[0] ?? 0) : 0);
      throw badInput(
        `duplicate key "${key}": it is already given in line ${before.line}`,
        { file, ...placeOf(pair.key.range?.[0] ?? 0) },
        'Keep one of the two; which one would win differs between programs.',
      );
    }
    seen.set(key, pair);
  }
}

function isCollection(node: unknown): node is Node {
  return isMap(node) || isSeq(node);
}

/** Counts values as they would be with every alias written out, in document order. */
function refuseExplosion(document: Document, placeOf: PlaceOf, file: string): void {
  const sizes = new Map<string, number>();
  const open = new Set<string>();
  let total = 0;
  const count = (node: unknown): number => {
    if (isAlias(node)) return countAlias(node.source, node.range?.[0] ?? 0);
    const anchor = isMap(node) || isSeq(node) || isScalar(node) ? node.anchor : undefined;
    const before = total;
    total += 1;
    if (anchor !== undefined) open.add(anchor);
    if (isSeq(node)) for (const item of node.items) count(item);
    if (isMap(node)) for (const { value } of node.items) count(value);
    const size = total - before;
    if (anchor !== undefined) {
      open.delete(anchor);
      sizes.set(anchor, size);
    }
    return size;
  };
  const countAlias = (name: string, offset: number): number => {
    const size = sizes.get(name);
    const source = { file, ...placeOf(offset) };
    if (open.has(name)) throw badInput(`the alias *${name} is inside its own anchor`, source);
    if (size === undefined) throw badInput(`there is no anchor &${name} before this alias`, source);
    total += size;
    if (total <= EXPANDED_NODES_MAX) return size;
    throw badInput(
      `anchors explode: with the alias *${name} the document has more than ${EXPANDED_NODES_MAX} values`,
      source,
      'Write the values out, or use fewer nested aliases.',
    );
  };
  count(document.contents);
}
