/**
 * apid: who calls, and which node is meant. Roles come from the organisations of the client's
 * certificate; `node` goes to one machine, `nodes` to several with the answers merged; only control
 * planes forward. Source: talos:internal/app/apid/pkg/director/director.go,
 * talos:internal/app/apid/pkg/backend/apid.go@v1.13.9 (knowledge talos-and-cni-selection.md 4.12).
 */
import type {
  DescMessage,
  DescMethodServerStreaming,
  DescMethodUnary,
  MessageInitShape,
  MessageShape,
} from '@bufbuild/protobuf';
import {
  Code,
  ConnectError,
  type ConnectRouter,
  createContextKey,
  type HandlerContext,
} from '@connectrpc/connect';
import { isTalosRole, rolesFor, type TalosRole } from '../../../knowledge/talos-roles.ts';
import type { TalosSystem } from '../../machine/systems.ts';
import type { TwinNode, World } from '../../world.ts';

/** Virtual time between requests; see `Pace`. */
export interface TwinTime {
  catchUp(): void;
  schedule(): void;
}

/** Who calls, and over whose port. */
export interface Peer {
  readonly roles: readonly TalosRole[];
  readonly endpoint: TwinNode;
}

/** One call, at the machine it is for. */
export interface Call {
  readonly node: TwinNode;
  readonly talos: TalosSystem;
  readonly roles: readonly TalosRole[];
  readonly signal: AbortSignal;
}

export const PEER = createContextKey<Peer | undefined>(undefined);

/** `os:impersonator`, and what Talos does not know, count for nothing. */
export function rolesOf(
  organizations: string | readonly string[] | undefined,
): readonly TalosRole[] {
  const all = typeof organizations === 'string' ? [organizations] : (organizations ?? []);
  return all.filter(isTalosRole);
}

/** Of those that are played (apid.go: one-to-many is for these, and never for COSI). */
const FANS_OUT = new Set(['machine.MachineService', 'cluster.ClusterService']);

interface Answers {
  messages?: object[] | undefined;
}

export class Apid {
  readonly world: World;
  private readonly time: TwinTime;
  private readonly byName = new Map<string, TwinNode>();

  /** `places`: where nodes listen, besides the addresses they have in the cluster. */
  constructor(world: World, time: TwinTime, places: ReadonlyMap<string, string> = new Map()) {
    this.world = world;
    this.time = time;
    for (const node of world.nodes.values()) {
      this.byName.set(node.name, node);
      this.byName.set(node.address, node);
      const place = places.get(node.name);
      if (place !== undefined) this.byName.set(place, node);
    }
  }

  unary<I extends DescMessage, O extends DescMessage>(
    router: ConnectRouter,
    method: DescMethodUnary<I, O>,
    act: (call: Call, request: MessageShape<I>) => MessageInitShape<O>,
  ): void {
    router.rpc(method, (request, context) => {
      const { service, targets, isFanOut } = this.routed(context);
      const answers = targets.map((target) =>
        this.attempt(isFanOut, target, () => {
          const call = this.callAt(target, context);
          this.authorize(call, service, method.name);
          return this.now(() => act(call, request));
        }),
      );
      const merged: unknown = isFanOut
        ? { messages: answers.flatMap((answer) => (answer as Answers).messages ?? []) }
        : answers[0];
      // One answer as its method made it, or many lists of messages as one, which is of the same shape.
      return merged as MessageInitShape<O>;
    });
  }

  stream<I extends DescMessage, O extends DescMessage>(
    router: ConnectRouter,
    method: DescMethodServerStreaming<I, O>,
    act: (call: Call, request: MessageShape<I>) => AsyncIterable<MessageInitShape<O>>,
  ): void {
    const all = this.streamAll.bind(this);
    router.rpc(method, (request, context) => all(method, act, request, context));
  }

  /** Something is done in the twin now, and what it schedules is not forgotten. */
  now<T>(action: () => T): T {
    this.time.catchUp();
    try {
      return action();
    } finally {
      this.time.schedule();
    }
  }

  private async *streamAll<I extends DescMessage, O extends DescMessage>(
    method: DescMethodServerStreaming<I, O>,
    act: (call: Call, request: MessageShape<I>) => AsyncIterable<MessageInitShape<O>>,
    request: MessageShape<I>,
    context: HandlerContext,
  ): AsyncGenerator<MessageInitShape<O>> {
    const { service, targets, isFanOut } = this.routed(context);
    for (const target of targets) {
      const call = this.callAt(target, context);
      this.authorize(call, service, method.name);
      this.time.catchUp();
      for await (const message of act(call, request)) {
        yield isFanOut ? { ...message, metadata: { hostname: target } } : message;
      }
      this.time.schedule();
    }
  }

  private routed(context: HandlerContext): {
    readonly service: string;
    readonly targets: readonly string[];
    readonly isFanOut: boolean;
  } {
    const service = context.service.typeName;
    const { endpoint } = peerOf(context);
    const node = context.requestHeader.get('node');
    const nodes = listOf(context.requestHeader.get('nodes'));
    if (node !== null && node.includes(',')) {
      throw new ConnectError('node metadata must be single-valued', Code.InvalidArgument);
    }
    const isFanOut = nodes.length > 0;
    if (isFanOut && !FANS_OUT.has(service)) {
      const method = `/${service}/${context.method.name}`;
      throw new ConnectError(
        `one-2-many proxying is not supported for method ${method}`,
        Code.InvalidArgument,
      );
    }
    const targets = isFanOut ? nodes : [node ?? endpoint.name];
    if (endpoint.role === 'worker' && targets.some((each) => this.byName.get(each) !== endpoint)) {
      throw new ConnectError('no request forwarding', Code.PermissionDenied);
    }
    return { service, targets, isFanOut };
  }

  private callAt(target: string, context: HandlerContext): Call {
    const { roles } = peerOf(context);
    const node = this.byName.get(target);
    if (node === undefined) throw unreachable(`lookup ${target} on 127.0.0.53:53: no such host`);
    if (!node.machine.up) throw unreachable(`dial tcp ${node.address}:50000: i/o timeout`);
    const { talos } = node.machine;
    if (talos === undefined)
      throw unreachable(`dial tcp ${node.address}:50000: connection refused`);
    return { node, talos, roles, signal: context.signal };
  }

  private authorize(call: Call, service: string, method: string): void {
    if (rolesFor(service, method).some((role) => call.roles.includes(role))) return;
    throw new ConnectError('not authorized', Code.PermissionDenied);
  }

  /** With `nodes`, a node's error is a message among the others. */
  private attempt(isFanOut: boolean, target: string, act: () => object): object {
    if (!isFanOut) return act();
    try {
      const { messages = [] } = act() as Answers;
      return { messages: messages.map((each) => ({ ...each, metadata: { hostname: target } })) };
    } catch (error) {
      const { code, rawMessage } = ConnectError.from(error);
      const text = `rpc error: code = ${Code[code]} desc = ${rawMessage}`;
      const status = { code, message: rawMessage };
      return { messages: [{ metadata: { hostname: target, error: text, status } }] };
    }
  }
}

/** Go's errors without a status. */
export function unknown(message: string): ConnectError {
  return new ConnectError(message, Code.Unknown);
}

function unreachable(why: string): ConnectError {
  const text = `connection error: desc = "transport: Error while dialing: ${why}"`;
  return new ConnectError(text, Code.Unavailable);
}

function peerOf(context: HandlerContext): Peer {
  const peer = context.values.get(PEER);
  if (peer === undefined) throw new ConnectError('no peer', Code.Unauthenticated);
  return peer;
}

function listOf(header: string | null): readonly string[] {
  return (header ?? '')
    .split(',')
    .map((each) => each.trim())
    .filter((each) => each !== '');
}
