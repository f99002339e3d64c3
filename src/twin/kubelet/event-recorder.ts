/**
 * Kubernetes events, kept beside the object store since they are many and nothing acts on them.
 * Counts follow the client's recorder: equal events add up, ten different ones of a kind become
 * "(combined from similar events)", and each source has a token bucket per object (CG
 * tools/record/events_cache.go). An event that goes on by itself is one record with a period;
 * its count is worked out when somebody reads.
 */
import type { ObjectReference } from '../../base/source.ts';
import type { KubeObject } from '../../model/kubernetes.ts';
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

export interface EventObject extends KubeObject {
  readonly kind: 'Event';
  readonly involvedObject: ObjectReference & { readonly uid?: string };
  readonly source: { readonly component: string; readonly host?: string };
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
  readonly count: number;
  readonly firstTimestamp: string;
  readonly lastTimestamp: string;
  /** Virtual milliseconds of the first and last, which timestamps round to seconds. */
  readonly firstMs: number;
  readonly lastMs: number;
}

export interface Recurrence {
  stop(): void;
}

interface EventRecord {
  readonly details: EventDetails;
  readonly message: string;
  count: number;
  readonly first: number;
  last: number;
  repeat: { next: number; readonly period: number } | undefined;
}

interface Bucket {
  readonly source: string;
  tokens: number;
  at: number;
}

interface SubjectLog {
  readonly records: EventRecord[];
  readonly buckets: Bucket[];
  /** Messages of the last similar events by source, type and reason. */
  readonly similar: Map<string, { messages: Set<string>; last: number }>;
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

export class EventRecorder {
  private readonly logs = new Map<string, SubjectLog>();
  private readonly kernel: Kernel;
  private readonly constants: Constants;
  private recorded = 0;

  constructor(parts: Pick<Parts, 'kernel' | 'constants'>) {
    this.kernel = parts.kernel;
    this.constants = parts.constants;
  }

  record(details: EventDetails): void {
    this.write(details);
  }

  /** Records it now and again every `period` milliseconds from `next` on, until stopped. */
  recur(details: EventDetails, next: number, period: number): Recurrence {
    const { log, record } = this.write(details);
    if (record === undefined) return { stop: () => undefined };
    record.repeat = { next, period };
    return {
      stop: () => {
        // What happens at this very moment is no longer the same event.
        this.catchUp(log, record, this.kernel.now() - 1);
        record.repeat = undefined;
      },
    };
  }

  /** Of one object, oldest first. */
  of(subject: ObjectReference): EventObject[] {
    const log = this.logs.get(keyOf(subject));
    return log === undefined ? [] : this.show(log);
  }

  /** All that are younger than the API server keeps them. */
  list(namespace?: string): EventObject[] {
    const events: EventObject[] = [];
    for (const log of this.logs.values()) {
      const place = log.records[0]?.details.subject.namespace;
      if (namespace === undefined || (place ?? 'default') === namespace)
        events.push(...this.show(log));
    }
    return events;
  }

  private write(details: EventDetails): { log: SubjectLog; record: EventRecord | undefined } {
    this.recorded += 1;
    if (this.recorded % PRUNE_EVERY === 0) this.prune();
    const log = this.logOf(details.subject);
    const message = this.aggregate(log, details);
    if (!this.take(this.bucketOf(log, details), this.kernel.now()))
      return { log, record: undefined };
    const known = log.records.find((record) => isSame(record, details, message));
    if (known !== undefined) {
      this.catchUp(log, known);
      known.count += 1;
      known.last = this.kernel.now();
      return { log, record: known };
    }
    const now = this.kernel.now();
    const record: EventRecord = {
      details,
      message,
      count: 1,
      first: now,
      last: now,
      repeat: undefined,
    };
    log.records.push(record);
    return { log, record };
  }

  private logOf(subject: ObjectReference): SubjectLog {
    const key = keyOf(subject);
    let log = this.logs.get(key);
    if (log === undefined) {
      this.logs.set(key, (log = { records: [], buckets: [], similar: new Map() }));
    }
    return log;
  }

  /** The message as it is stored: from the tenth different one of a kind on, they are combined. */
  private aggregate(log: SubjectLog, details: EventDetails): string {
    if (details.type === 'Normal') return details.message;
    const group = `${details.component}|${details.reason}`;
    const now = this.kernel.now();
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

  private bucketOf(log: SubjectLog, details: EventDetails): Bucket {
    const source = `${details.component}|${details.host ?? ''}`;
    let bucket = log.buckets.find((candidate) => candidate.source === source);
    if (bucket === undefined) {
      bucket = { source, tokens: this.constants.eventSpamBurst, at: this.kernel.now() };
      log.buckets.push(bucket);
    }
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
  private catchUp(log: SubjectLog, record: EventRecord, until = this.kernel.now()): void {
    const { repeat } = record;
    if (repeat === undefined) return;
    const bucket = this.bucketOf(log, record.details);
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

  private show(log: SubjectLog): EventObject[] {
    const oldest = this.kernel.now() - this.constants.eventTtlMs;
    for (const record of log.records) this.catchUp(log, record);
    return log.records.filter((record) => record.last >= oldest).map(toObject);
  }

  private prune(): void {
    const oldest = this.kernel.now() - this.constants.eventTtlMs;
    for (const [key, log] of this.logs) {
      const alive = log.records.filter(
        (record) => record.last >= oldest || record.repeat !== undefined,
      );
      if (alive.length === log.records.length) continue;
      if (alive.length === 0) this.logs.delete(key);
      else log.records.splice(0, log.records.length, ...alive);
    }
  }
}

function keyOf(subject: ObjectReference): string {
  return `${subject.kind}|${subject.namespace ?? ''}|${subject.name}`;
}

function isSame(record: EventRecord, details: EventDetails, message: string): boolean {
  if (record.details.reason !== details.reason) return false;
  if (record.details.component !== details.component) return false;
  if (record.details.subjectUid !== details.subjectUid) return false;
  if (record.message === message) return true;
  return record.message.startsWith(COMBINED) && message.startsWith(COMBINED);
}

function toObject(record: EventRecord, index: number): EventObject {
  const { subject, subjectUid, component, host, type, reason } = record.details;
  return {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: {
      name: `${subject.name}.${Math.floor(record.first).toString(16)}-${index}`,
      namespace: subject.namespace ?? 'default',
      creationTimestamp: timestampOf(record.first),
    },
    involvedObject: { ...subject, ...(subjectUid === undefined ? {} : { uid: subjectUid }) },
    source: { component, ...(host === undefined ? {} : { host }) },
    type,
    reason,
    message: record.message,
    count: record.count,
    firstTimestamp: timestampOf(record.first),
    lastTimestamp: timestampOf(record.last),
    firstMs: record.first,
    lastMs: record.last,
  };
}

/** As the object store writes times: seconds of virtual time since the epoch of the twin. */
function timestampOf(milliseconds: number): string {
  return new Date(Math.floor(milliseconds / 1000) * 1000).toISOString().replace('.000Z', 'Z');
}
