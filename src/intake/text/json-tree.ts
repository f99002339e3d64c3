/**
 * Plain data as a `ConfigTree` that costs little per object: a path and a reference to its file.
 * Lines and columns are looked up in the text when somebody asks, where the text was kept.
 */
import type { Source } from '../../base/source.ts';
import { pathParts, showPath } from '../../model/config-tree.ts';
import type { Located, TreePath } from '../../model/config-tree.ts';
import { locateJson } from './json-text.ts';
import type { Place, PlaceOf } from './places.ts';
import { dataAt } from './yaml-tree.ts';
import type { TextTree, YamlText } from './yaml-tree.ts';

type Path = readonly (string | number)[];

/** A JSON document in a file. Without `text`, positions are paths only. */
export interface JsonDocument {
  readonly file: string;
  readonly text?: string;
  readonly placeOf?: PlaceOf;
  /** Where the document's value starts in the text. */
  readonly start: number;
}

/** A value of a document: `base` is its path there, or its index in `items`; `start` where it stands in the text, when known. */
export function jsonTree(
  document: JsonDocument,
  value: unknown,
  base: Path | number = [],
  start?: number,
): TextTree {
  return new JsonTree(document, value, base, start);
}

class JsonTree implements TextTree {
  readonly value: unknown;
  private readonly document: JsonDocument;
  private readonly base: Path | number;
  private readonly start: number | undefined;

  constructor(
    document: JsonDocument,
    value: unknown,
    base: Path | number,
    start: number | undefined,
  ) {
    this.document = document;
    this.value = value;
    this.base = base;
    this.start = start;
  }

  get source(): Source {
    return this.sourceOf([]);
  }

  at(path: TreePath): Located<unknown> | undefined {
    const parts = pathParts(path);
    const value = dataAt(this.value, parts);
    return value === undefined ? undefined : { value, source: this.sourceOf(parts) };
  }

  keyOf(path: TreePath): Source | undefined {
    return this.at(path)?.source;
  }

  nearest(path: TreePath): Source {
    const parts = pathParts(path);
    let length = parts.length;
    while (length > 0 && dataAt(this.value, parts.slice(0, length)) === undefined) length -= 1;
    return this.sourceOf(parts.slice(0, length));
  }

  embedded(path: TreePath): YamlText | undefined {
    const located = this.at(path);
    if (located === undefined || typeof located.value !== 'string') return undefined;
    const { line = 1, column = 1 } = located.source;
    // Escapes in a JSON string shift columns, so its start stands for all of it.
    return { file: this.document.file, text: located.value, placeOf: () => ({ line, column }) };
  }

  /** Made when asked for: a snapshot has very many items. */
  private get path(): Path {
    return typeof this.base === 'number' ? ['items', this.base] : this.base;
  }

  private sourceOf(parts: Path): Source {
    const path = [...this.path, ...parts];
    return {
      file: this.document.file,
      ...this.placeAt(parts),
      ...(path.length === 0 ? {} : { path: showPath(path) }),
    };
  }

  private placeAt(parts: Path): Partial<Place> {
    const { text, placeOf, start } = this.document;
    if (text === undefined || placeOf === undefined) return {};
    const offset =
      this.start === undefined
        ? locateJson(text, start, [...this.path, ...parts])
        : locateJson(text, this.start, parts);
    return offset === undefined ? {} : placeOf(offset);
  }
}

/** The part of a tree below a path, as a tree of its own; sources keep the whole path. */
export function subTree(tree: TextTree, base: Path): TextTree {
  const under = (path: TreePath): Path => [...base, ...pathParts(path)];
  return {
    source: tree.at(base)?.source ?? tree.source,
    value: tree.at(base)?.value,
    at: (path) => tree.at(under(path)),
    keyOf: (path) => tree.keyOf(under(path)),
    nearest: (path) => tree.nearest(under(path)),
    embedded: (path) => tree.embedded(under(path)),
  };
}

/**
 * Data whose tree is made again when somebody asks for a position: keeping the parser's nodes of
 * every object of a snapshot would cost fifty times its text.
 */
export function lazyTree(
  value: unknown,
  source: Source,
  parse: () => TextTree | undefined,
): TextTree {
  let parsed: TextTree | undefined;
  const tree = (): TextTree => {
    parsed ??= parse() ?? jsonTree({ file: source.file ?? '', start: 0 }, value);
    return parsed;
  };
  return {
    source,
    value,
    at: (path) => (dataAt(value, pathParts(path)) === undefined ? undefined : tree().at(path)),
    keyOf: (path) => tree().keyOf(path),
    nearest: (path) => tree().nearest(path),
    embedded: (path) => tree().embedded(path),
  };
}
