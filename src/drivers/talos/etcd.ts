/**
 * etcd through Talos: its members, the state of each, and a snapshot written to a file. A snapshot is
 * whole only with the digest that etcd puts at its end, so a broken stream never looks like a backup.
 */
import { createHash } from 'node:crypto';
import { create } from '@bufbuild/protobuf';
import { EmptySchema } from '@bufbuild/protobuf/wkt';
import { RegaugeError } from '../../base/errors.ts';
import type { Data } from '../../knowledge/talos-api/common/common.ts';
import { MachineService } from '../../knowledge/talos-api/machine/machine.ts';
import type { SnapshotOutcome, EtcdSnapshotSink } from '../../ports/node-host.ts';
import { only } from './machine-calls.ts';
import type { Collector, TalosChannel } from './talos-channel.ts';

export interface EtcdPeer {
  /** Hexadecimal, as etcdctl shows it. */
  readonly id: string;
  readonly hostname: string;
  readonly peerUrls: readonly string[];
  readonly learner: boolean;
}

export interface EtcdStatus {
  readonly id: string;
  /** Undefined when it has none. */
  readonly leader: string | undefined;
  readonly learner: boolean;
  readonly raftIndex: bigint;
  readonly dbBytes: number;
  readonly errors: readonly string[];
}

const SNAPSHOT_MS = 30 * 60_000;
const IDLE_MS = 60_000;
const DIGEST_BYTES = 32;
/** Pages of bbolt, to a multiple of which the database is written. */
const PAGE_BYTES = 512;

export async function etcdMembers(
  channel: TalosChannel,
  node: string | undefined,
): Promise<readonly EtcdPeer[]> {
  const what = `list the etcd members${node === undefined ? '' : ` from ${node}`}`;
  const method = MachineService.method.etcdMemberList;
  const answer = await channel.unary(method, {}, { node, what, isRead: true });
  return only(answer.messages, what).members.map((member) => ({
    id: member.id.toString(16),
    hostname: member.hostname,
    peerUrls: member.peerUrls,
    learner: member.isLearner,
  }));
}

export async function etcdStatus(channel: TalosChannel, node: string): Promise<EtcdStatus> {
  const what = `ask etcd of ${node} for its status`;
  const method = MachineService.method.etcdStatus;
  const answer = await channel.unary(method, create(EmptySchema), { node, what, isRead: true });
  const status = only(answer.messages, what).memberStatus;
  if (status === undefined) throw new RegaugeError('refused', `cannot ${what}: it gave none`);
  return {
    id: status.memberId.toString(16),
    leader: status.leader === 0n ? undefined : status.leader.toString(16),
    learner: status.isLearner,
    raftIndex: status.raftIndex,
    dbBytes: Number(status.dbSize),
    errors: status.errors,
  };
}

/** Needs os:operator or os:etcd:backup. Rejects unless all of it came and its digest is right. */
export function etcdSnapshot(
  channel: TalosChannel,
  node: string,
  sink: EtcdSnapshotSink,
): Promise<SnapshotOutcome> {
  const what = `take an etcd snapshot from ${node}`;
  const call = { node, what, isRead: true, deadlineMs: SNAPSHOT_MS, idleMs: IDLE_MS };
  return channel.collect(
    MachineService.method.etcdSnapshot,
    {},
    call,
    () => new Snapshot(what, sink),
  );
}

class Snapshot implements Collector<Data, SnapshotOutcome> {
  private readonly content = createHash('sha256');
  private readonly whole = createHash('sha256');
  /** The last bytes seen, which may be the digest. */
  private tail = Buffer.alloc(0);
  private bytes = 0;
  private begun = false;
  private readonly what: string;
  private readonly sink: EtcdSnapshotSink;

  constructor(what: string, sink: EtcdSnapshotSink) {
    this.what = what;
    this.sink = sink;
  }

  async take({ bytes, metadata }: Data): Promise<void> {
    const error = metadata?.error ?? '';
    if (error !== '') throw new RegaugeError('refused', `cannot ${this.what}: ${error}`);
    if (!this.begun) await this.sink.begin();
    this.begun = true;
    this.bytes += bytes.length;
    this.whole.update(bytes);
    const seen = Buffer.concat([this.tail, bytes]);
    const known = Math.max(0, seen.length - DIGEST_BYTES);
    this.content.update(seen.subarray(0, known));
    this.tail = seen.subarray(known);
    await this.sink.write(bytes);
  }

  done(): SnapshotOutcome {
    const isWhole =
      this.bytes % PAGE_BYTES === DIGEST_BYTES && this.content.digest().equals(this.tail);
    if (isWhole) return { bytes: this.bytes, sha256: this.whole.digest('hex') };
    throw new RegaugeError(
      'unreachable',
      `cannot ${this.what}: the digest at its end is missing or wrong after ${this.bytes} bytes`,
      { hint: 'what was written is no backup; take the snapshot again' },
    );
  }
}
