/**
 * Where something was read. Every fact and every finding carries one, so that a reader can go and
 * look. A source names a file position, an object, or a node's path; whatever is known of it.
 */
export interface Source {
  /** The file as the user named it; `-` for standard input. */
  readonly file?: string;
  /** 1-based. */
  readonly line?: number;
  /** 1-based. */
  readonly column?: number;
  /** Path inside the document, e.g. `cluster.network.cni.name` or `items[3].spec.podCIDR`. */
  readonly path?: string;
  readonly object?: ObjectReference;
  /** The node whose state or file this is. */
  readonly node?: string;
}

export interface ObjectReference {
  readonly kind: string;
  readonly namespace?: string;
  readonly name: string;
}

/** `file:line:column`, or as much of it as is known; for messages. */
export function showSource(source: Source): string {
  if (source.file !== undefined) {
    return [source.file, source.line, source.column].filter((part) => part !== undefined).join(':');
  }
  if (source.object !== undefined) return showReference(source.object);
  return source.node ?? 'unknown place';
}

export function showReference(object: ObjectReference): string {
  const name = object.namespace === undefined ? object.name : `${object.namespace}/${object.name}`;
  return `${object.kind} ${name}`;
}
