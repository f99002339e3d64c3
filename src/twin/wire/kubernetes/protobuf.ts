/**
 * Objects as protobuf, which typed clients send for built-in kinds (`application/vnd.kubernetes.
 * protobuf`; KK staging/src/k8s.io/apimachinery/pkg/runtime/serializer/protobuf): four bytes, then
 * an envelope with the type and the object. Answers are JSON, which every client takes.
 */
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import {
  type Message,
  type MessageField,
  messageOf,
  messageOfKind,
} from '../../../knowledge/kubernetes-fields/messages.ts';
import { badRequest } from './api-error.ts';
import { mapOf, type Tree } from '../../../base/json-tree.ts';

export const PROTOBUF = 'application/vnd.kubernetes.protobuf';

/** `k8s` and a zero. */
const MAGIC = [0x6b, 0x38, 0x73, 0x00] as const;

export function readProtobuf(bytes: Uint8Array): Tree {
  if (!MAGIC.every((byte, index) => bytes[index] === byte))
    throw badRequest('provided data does not appear to be a protobuf message: no k8s prefix');
  try {
    return envelope(bytes.subarray(MAGIC.length));
  } catch (error) {
    if (!(error instanceof RangeError) && !(error instanceof SyntaxError)) throw error;
    throw badRequest(`error decoding the body: ${error.message}`);
  }
}

/** runtime.Unknown: the type, and the object's own bytes. */
function envelope(bytes: Uint8Array): Tree {
  let apiVersion = '';
  let kind = '';
  let raw: Uint8Array = new Uint8Array();
  eachField(bytes, (number, reader, wireType) => {
    if (number === 2) raw = reader.bytes();
    else if (number === 1) {
      eachField(reader.bytes(), (part, inner, innerType) => {
        if (part === 1) apiVersion = inner.string();
        else if (part === 2) kind = inner.string();
        else inner.skip(innerType);
      });
    } else reader.skip(wireType);
  });
  const isOptions = kind === 'DeleteOptions';
  const message = isOptions ? messageOf('meta/DeleteOptions') : messageOfKind(apiVersion, kind);
  if (message === undefined)
    throw badRequest(`no kind "${kind}" is registered for version "${apiVersion}"`);
  return { apiVersion, kind, ...decode(message, raw) };
}

function eachField(
  bytes: Uint8Array,
  take: (number: number, reader: BinaryReader, wireType: WireType) => void,
): void {
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [number, wireType] = reader.tag();
    take(number, reader, wireType);
  }
}

function decode(message: Message, bytes: Uint8Array): Tree {
  const result: Record<string, unknown> = {};
  eachField(bytes, (number, reader, wireType) => {
    const field = message.byNumber.get(number);
    if (field === undefined) reader.skip(wireType);
    else put(result, field, reader);
  });
  return result;
}

function put(result: Record<string, unknown>, field: MessageField, reader: BinaryReader): void {
  const { name, holding } = field;
  if (name === undefined) {
    const value = read(field, reader);
    Object.assign(result, value);
  } else if (holding === 'list') {
    const before = result[name];
    result[name] = [...(Array.isArray(before) ? before : []), read(field, reader)];
  } else if (holding === 'map') {
    const [key, value] = entry(field, reader.bytes());
    result[name] = { ...mapOf(result[name]), [key]: value };
  } else {
    const value = read(field, reader);
    // Go writes fields that are no pointers even when nobody set them.
    if (field.isOptional || !isZero(value)) result[name] = value;
  }
}

function entry(field: MessageField, bytes: Uint8Array): readonly [string, unknown] {
  let key = '';
  let value: unknown = '';
  eachField(bytes, (number, reader, wireType) => {
    if (number === 1) key = reader.string();
    else if (number === 2) value = read(field, reader);
    else reader.skip(wireType);
  });
  return [key, value];
}

function read({ type }: MessageField, reader: BinaryReader): unknown {
  switch (type) {
    case 'string':
      return reader.string();
    case 'boolean':
      return reader.bool();
    case 'integer':
      return Number(reader.int64());
    case 'number':
      return reader.double();
    case 'bytes':
      return Buffer.from(reader.bytes()).toString('base64');
    case 'time':
      return time(reader.bytes());
    case 'duration':
      return `${numbersOf(reader.bytes()).get(1) ?? 0}ns`;
    case 'quantity':
      return only(reader.bytes());
    case 'intOrString':
      return intOrString(reader.bytes());
    case 'json': {
      const text = only(reader.bytes());
      return text === '' ? undefined : JSON.parse(text);
    }
    case 'strings':
      return texts(reader.bytes());
    default: {
      const message = messageOf(type);
      if (message === undefined) throw new RangeError(`${type} is not known`);
      return decode(message, reader.bytes());
    }
  }
}

/** Seconds and nanoseconds; empty for no time. */
function time(bytes: Uint8Array): string | undefined {
  const parts = numbersOf(bytes);
  const seconds = parts.get(1);
  if (seconds === undefined || seconds < 0) return undefined;
  const text = new Date(seconds * 1000 + Math.floor((parts.get(2) ?? 0) / 1e6)).toISOString();
  return text.replace('.000Z', 'Z');
}

function numbersOf(bytes: Uint8Array): Map<number, number> {
  const parts = new Map<number, number>();
  eachField(bytes, (number, reader, wireType) => {
    if (wireType === WireType.Varint) parts.set(number, Number(reader.int64()));
    else reader.skip(wireType);
  });
  return parts;
}

function texts(bytes: Uint8Array): readonly string[] {
  const all: string[] = [];
  eachField(bytes, (number, reader, wireType) => {
    if (number === 1) all.push(reader.string());
    else reader.skip(wireType);
  });
  return all;
}

function only(bytes: Uint8Array): string {
  return texts(bytes)[0] ?? '';
}

/** Type 0 is a number, 1 a text. */
function intOrString(bytes: Uint8Array): number | string {
  let isText = false;
  let number = 0;
  let text = '';
  eachField(bytes, (part, reader, wireType) => {
    if (part === 1) isText = Number(reader.int64()) === 1;
    else if (part === 2) number = Number(reader.int64());
    else if (part === 3) text = reader.string();
    else reader.skip(wireType);
  });
  return isText ? text : number;
}

function isZero(value: unknown): boolean {
  if (value === undefined || value === '' || value === 0 || value === false) return true;
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0;
}
