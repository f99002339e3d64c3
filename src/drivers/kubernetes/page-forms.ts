/**
 * What is made of the body of a list: its objects, or its text. A server writes the head of a list
 * before its items; where one does not, the text is made of the objects.
 */
import type { KubeObject } from '../../model/kubernetes.ts';
import { isMap, listOf } from '../../base/json-tree.ts';
import type { KindPlace } from './kinds.ts';
import { headOf, type ListHead } from './list-splitter.ts';

export interface PageForm<T> {
  /** Pages are sized by their bytes, and the next is asked for while one is worked on. */
  readonly isSized: boolean;
  /** Undefined for what is no list. */
  read(body: Buffer): { readonly items: T; readonly head: ListHead } | undefined;
  ofObjects(objects: readonly KubeObject[]): T;
}

export function parsedPages(place: KindPlace): PageForm<readonly KubeObject[]> {
  return {
    isSized: false,
    read: (body) => {
      const list = parsedList(body);
      return list === undefined
        ? undefined
        : { items: itemsOf(list).map((item) => named(item, place)), head: headOf(list) };
    },
    ofObjects: (objects) => objects,
  };
}

export const RAW_PAGES: PageForm<Uint8Array> = {
  isSized: true,
  read: (body) => split(body) ?? textOfObjects(body),
  ofObjects: textOf,
};

/** Objects in a list do not say what they are; everywhere else they do. */
export function named(
  item: Readonly<Record<string, unknown>>,
  { apiVersion, kind }: KindPlace,
): KubeObject {
  // The server's object, with what the list says of all of them.
  return { apiVersion, kind, ...item } as unknown as KubeObject;
}

const ITEMS = '"items":[';
/** The head of a list is a few hundred bytes, most of them its continue token. */
const HEAD_BYTES_MAX = 64 * 1024;
const END = ']}';

/** The text between the brackets of `items`, where they end the list, and all else is before them. */
function split(body: Buffer): { readonly items: Buffer; readonly head: ListHead } | undefined {
  const found = body.subarray(0, HEAD_BYTES_MAX).indexOf(ITEMS);
  if (found < 0) return undefined;
  const start = found + ITEMS.length;
  let end = body.length;
  while (end > start && (body[end - 1] ?? 0) <= 0x20) end -= 1;
  if (body.toString('latin1', end - END.length, end) !== END) return undefined;
  const frame = parsed(`${body.toString('utf8', 0, start)}${END}`);
  if (!isMap(frame) || !isMap(frame['metadata'])) return undefined;
  return { items: body.subarray(start, end - END.length), head: headOf(frame) };
}

function textOfObjects(
  body: Buffer,
): { readonly items: Uint8Array; readonly head: ListHead } | undefined {
  const list = parsedList(body);
  return list === undefined ? undefined : { items: textOf(itemsOf(list)), head: headOf(list) };
}

function textOf(objects: readonly unknown[]): Buffer {
  return Buffer.from(JSON.stringify(objects).slice(1, -1));
}

function itemsOf(list: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>>[] {
  return listOf(list['items']).filter(isMap);
}

function parsedList(body: Buffer): Readonly<Record<string, unknown>> | undefined {
  const list = parsed(body.toString('utf8'));
  // An empty list of a Go server may be null.
  return isMap(list) && 'items' in list ? list : undefined;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
