/** A file's text to documents, each with its positions; long lists item by item. */
import { badInput } from '../base/errors.ts';
import { endOfValue, findDuplicateKey, itemStarts, parseJsonTexts } from './text/json-text.ts';
import { jsonTree, lazyTree, subTree } from './text/json-tree.ts';
import type { JsonDocument } from './text/json-tree.ts';
import { placesIn } from './text/places.ts';
import type { Place, PlaceOf } from './text/places.ts';
import { splitDocuments, splitList } from './text/yaml-split.ts';
import type { TextPart } from './text/yaml-split.ts';
import { parseYaml } from './text/yaml-text.ts';
import type { TextTree, YamlText } from './text/yaml-tree.ts';
import { isTable } from './intake.ts';
import type { InputFile } from './intake.ts';

export interface ReadDocument {
  readonly tree: TextTree;
  /** The items of a list, each with a tree of its own; absent when the document is no list. */
  readonly items?: readonly TextTree[];
}

/** Up to this length the text of a JSON file is kept, to find lines and columns in it. */
const KEPT_JSON_CHARACTERS = 4 * 2 ** 20;
/** From this length on a YAML list is parsed item by item. */
const SPLIT_YAML_CHARACTERS = 128 * 1024;

/** Throws `bad-input` at the first place that cannot be read. */
export function readDocuments(file: InputFile): readonly ReadDocument[] {
  return isJson(file) ? jsonDocuments(file) : yamlDocuments(file);
}

/** JSON by content: a flow-style YAML file also starts with a brace, and is not JSON. */
function isJson({ path, text }: InputFile): boolean {
  const start = /^\s*[{[]/.exec(text);
  if (start === null) return false;
  if (/\.json$/i.test(path) || text.length > KEPT_JSON_CHARACTERS) return true;
  // A quoted key, a nested bracket or an end: flow YAML with quoted keys reads the same either way.
  return /^\s*(\{\s*("|\})|\[\s*([{["\]\d]|true|false|null))/.test(text) && !isYamlAfterAll(text);
}

function isYamlAfterAll(text: string): boolean {
  const end = endOfValue(text, text.search(/\S/));
  return /^[ \t]*:|^\s*\n---/.test(text.slice(end, end + 64));
}

function jsonDocuments(file: InputFile): readonly ReadDocument[] {
  const { path, text } = file;
  const kept: Pick<JsonDocument, 'text' | 'placeOf'> =
    text.length <= KEPT_JSON_CHARACTERS ? { text, placeOf: placesIn(text) } : {};
  return parseJsonTexts(text, path).map(({ value, start, end }) => {
    if (kept.placeOf !== undefined) refuseDuplicateKey(file, start, end, kept.placeOf);
    const document: JsonDocument = { file: path, start, ...kept };
    const tree = jsonTree(document, value);
    if (!isTable(value) || !isList(value)) return { tree };
    const starts = kept.text === undefined ? [] : itemStarts(kept.text, start, ['items']);
    return {
      tree,
      items: value.items.map((item, index) => jsonTree(document, item, index, starts[index])),
    };
  });
}

/** Only in files that a person may have written: no program prints a key twice. */
function refuseDuplicateKey(
  { path, text }: InputFile,
  start: number,
  end: number,
  placeOf: PlaceOf,
): void {
  const found = findDuplicateKey(text, start, end);
  if (found === undefined) return;
  throw badInput(
    `duplicate key "${found.key}": it is already given in line ${placeOf(found.firstOffset).line}`,
    { file: path, ...placeOf(found.offset) },
    'Keep one of the two; which one would win differs between programs.',
  );
}

function yamlDocuments({ path, text }: InputFile): readonly ReadDocument[] {
  return splitDocuments(text).flatMap((part) => yamlDocument(path, part));
}

function yamlDocument(file: string, part: TextPart): readonly ReadDocument[] {
  const split = part.text.length > SPLIT_YAML_CHARACTERS ? splitList(part) : undefined;
  if (split !== undefined) {
    const head = parseYaml(toYaml(file, { text: split.head, first: part.first }));
    if (head !== undefined && isTable(head.value) && isList(head.value)) {
      return [{ tree: head, items: split.items.map((item) => yamlItem(file, item)) }];
    }
  }
  const tree = parseYaml(toYaml(file, part));
  if (tree === undefined) return [];
  if (!isTable(tree.value) || !isList(tree.value)) return [{ tree }];
  const { items } = tree.value;
  return [{ tree, items: items.map((_item, index) => subTree(tree, ['items', index])) }];
}

function yamlItem(file: string, item: TextPart): TextTree {
  const yaml = toYaml(file, item);
  const tree = parseYaml(yaml);
  const place: Place =
    tree?.source.line === undefined
      ? item.first
      : { line: tree.source.line, column: tree.source.column ?? 1 };
  return lazyTree(tree?.value ?? null, { file, ...place }, () => parseYaml(yaml));
}

function isList(
  value: Readonly<Record<string, unknown>>,
): value is { readonly items: readonly unknown[] } {
  return (
    typeof value['kind'] === 'string' &&
    value['kind'].endsWith('List') &&
    Array.isArray(value['items'])
  );
}

function toYaml(file: string, { text, first }: TextPart): YamlText {
  return { file, text, placeOf: placesIn(text, { first }) };
}
