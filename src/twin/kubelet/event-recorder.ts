/**
 * Kubernetes events, kept beside the object store since they are many and nothing acts on them.
 * Counts follow the client's recorder: equal events add up, ten different ones of a kind become
 * "(combined from similar events)", and each source has a token bucket per object (CG
 * tools/record/events_cache.go). An event that goes on by itself is one record with a period;
 * its count is worked out when somebody reads.
 */
import type { ObjectReference } from '../../base/source.ts';
import type { EventObject } from '../../model/kubernetes.ts';
import type { Constants } from '../constants.ts';
import type { Kernel } from '../kernel/kernel.ts';
import type { ObjectStore } from '../store/object-store.ts';

export interface EventDetails {
  readonly subject: ObjectReference;
  readonly subjectUid?: string | undefined;
  /** `kubelet`, `default-scheduler`, … */
  readonly component: string;
  readonly host?: string;
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
}

/** As the API shows it, with what it always has. */
interface RecordedEvent extends EventObject {
  readonly source: { readonly component: string; readonly host?: string };
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
  readonly count: number;
  readonly firstTimestamp: string;
  readonly lastTimestamp: string;
}

/** With the virtual milliseconds of its first and last, which timestamps round to seconds. */
export interface TimedEvent extends RecordedEvent {
  readonly firstMs: number;
  readonly lastMs: number;
}

export interface Recurrence {
  stop(): void;
}

/** Small, since there are many: what all records of an object share is in its log. */
interface EventRecord {
  readonly id: number;
  readonly uid: string | undefined;
  readonly bucket: Bucket;
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
  count: number;
  readonly first: number;
  last: number;
  repeat: { next: number; readonly period: number } | undefined;
}

/** A source of events on an object, with the tokens it has left. */
interface Bucket {
  readonly component: string;
  readonly host: string | undefined;
  tokens: number;
  at: number;
}

interface SubjectLog {
  /** Grows with the order of their first events. */
  readonly id: number;
  readonly subject: ObjectReference;
  readonly records: EventRecord[];
  readonly buckets: Bucket[];
  /** Messages of the last similar events by source, type and reason. */
  similar: Map<string, { messages: Set<string>; last: number }> | undefined;
}

interface Parts {
  readonly kernel: Kernel;
  readonly store: ObjectStore;
  readonly constants: Constants;
}

const COMBINED = '(combined from similar events): ';
const PRUNE_EVERY = 8192;

const recorders = new WeakMap<ObjectStore, EventRecorder>();

/** The one recorder of the cluster this store belongs to. */
export function eventRecorderOf(parts: Parts): EventRecorder {
  let recorder = recorders.get(parts.store);
  if (recorder === undefined) recorders.set(parts.store, (recorder = new EventRecorder(parts)));
  return recorder;
}

/** Hears of each event as it is written: new, or counted once more. */
export type EventListener = (event: EventObject, isNew: boolean) => void;

export class EventRecorder {
  /** In order of their first event. */
  private readonly logs = new Set<SubjectLog>();
  /** Of these, the ones with a warning: few, and asked for again and again. */
  private readonly warned = new Set<SubjectLog>();
  /** By kind, namespace and name: no key is put together for an event. */
  private readonly index = new Map<string, Map<string, Map<string, SubjectLog>>>();
  private listener: EventListener | undefined;
  private readonly kernel: Kernel;
  private readonly constants: Constants;
  private recorded = 0;
  private pruneAt = PRUNE_EVERY;

  constructor(parts: Pick<Parts, 'kernel' | 'constants'>) {
    this.kernel = parts.kernel;
    this.constants = parts.constants;
  }

  record(details: EventDetails): void {
    this.write(details);
  }

  /** Records it now and again every `period` milliseconds from `next` on, until stopped. */
  recur(details: EventDetails, next: number, period: number): Recurrence {
    const record = this.write(details);
    if (record === undefined) return { stop: () => undefined };
    record.repeat = { next, period };
    return {
      stop: () => {
        // What happens at this very moment is no longer the same event.
        this.catchUp(record, this.kernel.now() - 1);
        record.repeat = undefined;
      },
    };
  }

  /** For a served twin, whose clients watch events; one listener at most. */
  listen(listener: EventListener): void {
    this.listener = listener;
  }

  /** Of one object, oldest first. */
  of(subject: ObjectReference): TimedEvent[] {
    const log = this.namesBeside(subject).get(subject.name);
    if (log === undefined) return [];
    return this.alive(log).map((record) => ({
      ...toObject(log.subject, record, this.kernel.epochMs),
      firstMs: record.first,
      lastMs: record.last,
    }));
  }

  /** All that are younger than the API server keeps them; of one type, or of both. */
  list(namespace?: string, type?: string): RecordedEvent[] {
    const events: RecordedEvent[] = [];
    const logs = type === 'Warning' ? inOrder(this.warned) : this.logs;
    for (const log of logs) {
      const place = log.subject.namespace;
      if (namespace !== undefined && (place ?? 'default') !== namespace) continue;
      if (type !== undefined && !log.records.some((record) => record.type === type)) continue;
      for (const record of this.alive(log)) {
        if (type !== undefined && record.type !== type) continue;
        events.push(toObject(log.subject, record, this.kernel.epochMs));
      }
    }
    return events;
  }

  private write(details: EventDetails): EventRecord | undefined {
    this.recorded += 1;
    if (this.recorded >= this.pruneAt) this.prune();
    const log = this.logOf(details.subject);
    const message = this.aggregate(log, details);
    const bucket = this.bucketOf(log, details);
    const now = this.kernel.now();
    if (!this.take(bucket, now)) return undefined;
    const { type, reason, subjectUid: uid } = details;
    const known = sameRecord(log.records, { bucket, reason, uid, message });
    if (known !== undefined) {
      this.catchUp(known);
      known.count += 1;
      known.last = now;
      this.listener?.(toObject(log.subject, known, this.kernel.epochMs), false);
      return known;
    }
    const record: EventRecord = {
      id: this.recorded,
      uid,
      bucket,
      type,
      reason,
      message,
      count: 1,
      first: now,
      last: now,
      repeat: undefined,
    };
    log.records.push(record);
    if (type === 'Warning') this.warned.add(log);
    this.listener?.(toObject(log.subject, record, this.kernel.epochMs), true);
    return record;
  }

  private logOf(subject: ObjectReference): SubjectLog {
    const names = this.namesBeside(subject);
    let log = names.get(subject.name);
    if (log === undefined) {
      log = { id: this.recorded, subject, records: [], buckets: [], similar: undefined };
      names.set(subject.name, log);
      this.logs.add(log);
    }
    return log;
  }

  private namesBeside({ kind, namespace = '' }: ObjectReference): Map<string, SubjectLog> {
    let namespaces = this.index.get(kind);
    if (namespaces === undefined) this.index.set(kind, (namespaces = new Map()));
    let names = namespaces.get(namespace);
    if (names === undefined) namespaces.set(namespace, (names = new Map()));
    return names;
  }

  /** The message as it is stored: from the tenth different one of a kind on, they are combined. */
  private aggregate(log: SubjectLog, details: EventDetails): string {
    if (details.type === 'Normal') return details.message;
    const group = `${details.component}|${details.reason}`;
    const now = this.kernel.now();
    log.similar ??= new Map();
    let similar = log.similar.get(group);
    if (similar === undefined || now - similar.last > this.constants.eventAggregateWindowMs) {
      log.similar.set(group, (similar = { messages: new Set(), last: now }));
    }
    similar.last = now;
    similar.messages.add(details.message);
    if (similar.messages.size < this.constants.eventAggregateCount) return details.message;
    for (const oldest of similar.messages) {
      similar.messages.delete(oldest);
      break;
    }
    return COMBINED + details.message;
  }

  private bucketOf(log: SubjectLog, { component, host }: EventDetails): Bucket {
    for (const known of log.buckets)
      if (known.component === component && known.host === host) return known;
    const bucket = {
      component,
      host,
      tokens: this.constants.eventSpamBurst,
      at: this.kernel.now(),
    };
    log.buckets.push(bucket);
    return bucket;
  }

  private take(bucket: Bucket, now: number): boolean {
    const { eventSpamBurst, eventSpamRefillMs } = this.constants;
    bucket.tokens = Math.min(eventSpamBurst, bucket.tokens + (now - bucket.at) / eventSpamRefillMs);
    bucket.at = now;
    if (bucket.tokens < 1) return false;
    bucket.tokens -= 1;
    return true;
  }

  /** Adds what a recurring event has come to. */
  private catchUp(record: EventRecord, until = this.kernel.now()): void {
    const { repeat } = record;
    if (repeat === undefined) return;
    const { bucket } = record;
    while (repeat.next <= until) {
      if (this.take(bucket, repeat.next)) {
        record.count += 1;
        record.last = repeat.next;
        repeat.next += repeat.period;
        continue;
      }
      const wait = (1 - bucket.tokens) * this.constants.eventSpamRefillMs;
      repeat.next += Math.max(1, Math.ceil(wait / repeat.period)) * repeat.period;
    }
  }

  private alive(log: SubjectLog): EventRecord[] {
    const oldest = this.kernel.now() - this.constants.eventTtlMs;
    for (const record of log.records) this.catchUp(record);
    return log.records.filter((record) => record.last >= oldest);
  }

  /** Goes through all logs, and so comes once per as many events as there are logs. */
  private prune(): void {
    const oldest = this.kernel.now() - this.constants.eventTtlMs;
    for (const log of oldest > 0 ? this.logs : []) {
      if (log.records.every((record) => isKept(record, oldest))) continue;
      const alive = log.records.filter((record) => isKept(record, oldest));
      if (alive.length > 0) log.records.splice(0, log.records.length, ...alive);
      else {
        this.logs.delete(log);
        this.warned.delete(log);
        this.namesBeside(log.subject).delete(log.subject.name);
      }
    }
    this.pruneAt = this.recorded + Math.max(PRUNE_EVERY, this.logs.size);
  }
}

function isKept({ last, repeat }: EventRecord, oldest: number): boolean {
  return last >= oldest || repeat !== undefined;
}

type Told = Pick<EventRecord, 'bucket' | 'reason' | 'uid' | 'message'>;

function sameRecord(records: readonly EventRecord[], told: Told): EventRecord | undefined {
  for (const record of records) if (isSame(record, told)) return record;
  return undefined;
}

function isSame(record: EventRecord, { bucket, reason, uid, message }: Told): boolean {
  if (record.bucket !== bucket || record.reason !== reason || record.uid !== uid) return false;
  if (record.message === message) return true;
  return record.message.startsWith(COMBINED) && message.startsWith(COMBINED);
}

function inOrder(logs: Iterable<SubjectLog>): readonly SubjectLog[] {
  return [...logs].toSorted((left, right) => left.id - right.id);
}

function toObject(subject: ObjectReference, record: EventRecord, epochMs: number): RecordedEvent {
  const { id, uid, bucket, type, reason, message, count, first, last } = record;
  const { component, host } = bucket;
  const serial = id.toString(16).padStart(12, '0');
  return {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: {
      name: `${subject.name}.${serial}`,
      namespace: subject.namespace ?? 'default',
      uid: `00000000-0000-4000-9000-${serial}`,
      creationTimestamp: timestampOf(epochMs + first),
    },
    involvedObject: { ...subject, ...(uid === undefined ? {} : { uid }) },
    source: { component, ...(host === undefined ? {} : { host }) },
    reportingComponent: component,
    reportingInstance: host ?? '',
    type,
    reason,
    message,
    count,
    firstTimestamp: timestampOf(epochMs + first),
    lastTimestamp: timestampOf(epochMs + last),
  };
}

/** As the object store writes times: seconds of virtual time since the kernel's epoch. */
function timestampOf(milliseconds: number): string {
  return new Date(Math.floor(milliseconds / 1000) * 1000).toISOString().replace('.000Z', 'Z');
}
