/**
 * Reboot, both upgrade paths, and the events by which a client follows them. Source:
 * talos:internal/app/machined/internal/server/v1alpha1/v1alpha1_server.go,
 * talos:internal/app/lifecycle/lifecycle.go@v1.13.9 (knowledge talos-and-cni-selection.md 4.10).
 */
import { type DescMessage, create, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { Code, ConnectError, type ConnectRouter } from '@connectrpc/connect';
import { atLeast } from '../../../base/versions.ts';
import {
  MachineStatusEvent_MachineStage as Stage,
  MachineStatusEventSchema,
  SequenceEvent_Action as Action,
  SequenceEventSchema,
} from '../../../knowledge/talos-api/machine/events.ts';
import { ImageService } from '../../../knowledge/talos-api/machine/image.ts';
import { LifecycleService } from '../../../knowledge/talos-api/machine/lifecycle.ts';
import { MachineService } from '../../../knowledge/talos-api/machine/machine.ts';
import type { Occurrence } from '../../../model/occurrence.ts';
import type { Apid, Call } from './apid.ts';
import type { News } from './news.ts';

export function addPowerRoutes(apid: Apid, router: ConnectRouter, news: News): void {
  const { method } = MachineService;
  apid.unary(router, method.reboot, ({ node }) => {
    node.machine.reboot();
    return { messages: [{ actorId: actorOf(apid) }] };
  });
  apid.unary(router, method.upgrade, ({ node }, { image, preserve }) => {
    node.machine.upgrade(image, { preserve });
    return { messages: [{ ack: 'Upgrade request received', actorId: actorOf(apid) }] };
  });
  apid.stream(router, method.events, async function* (call, { tailEvents }) {
    // An empty event says that the stream has begun.
    yield {};
    yield* eventsOf(apid, call, news, tailEvents);
  });
  apid.stream(router, ImageService.method.pull, async function* ({ talos }, { imageRef }) {
    requireLifecycle(talos.version(), 'machine.ImageService');
    yield { response: { case: 'name', value: imageRef } } as const;
  });
  apid.stream(router, LifecycleService.method.upgrade, async function* (call, { source }) {
    requireLifecycle(call.talos.version(), 'machine.LifecycleService');
    if (call.talos.stage() !== 'running') {
      const message = 'another installation/upgrade is already in progress';
      throw new ConnectError(message, Code.FailedPrecondition);
    }
    const image = source?.imageName ?? '';
    yield progress({ case: 'message', value: `installing ${image}` });
    await new Promise<void>((resolve) => {
      call.signal.addEventListener('abort', () => resolve());
      apid.now(() => call.talos.install(image, resolve));
    });
    yield progress({ case: 'exitCode', value: 0 });
  });
}

type Response =
  | { readonly case: 'message'; readonly value: string }
  | { readonly case: 'exitCode'; readonly value: number };

function progress(response: Response): { progress: { response: Response } } {
  return { progress: { response } };
}

function requireLifecycle(version: string, service: string): void {
  if (atLeast(version, '1.13.0')) return;
  throw new ConnectError(`unknown service ${service}`, Code.Unimplemented);
}

function actorOf({ world }: Apid): string {
  const count = world.kernel.occurrences.length.toString(16).padStart(12, '0');
  return `00000000-0000-4000-8000-${count}`;
}

interface EventShape {
  id: string;
  data: { typeUrl: string; value: Uint8Array };
}

async function* eventsOf(
  { world }: Apid,
  call: Call,
  news: News,
  tail: number,
): AsyncGenerator<EventShape> {
  const { occurrences } = world.kernel;
  const mine = (each: Occurrence): EventShape[] =>
    each.node === call.node.name ? [...told(each)] : [];
  const before = tail === 0 ? [] : occurrences.flatMap(mine);
  let seen = occurrences.length;
  yield* tail < 0 ? before : before.slice(-tail || before.length);
  if (tail < 0 && call.talos.stage() === 'running') yield stageEvent(seen, Stage.RUNNING);
  while (!call.signal.aborted) {
    await news.next(call.signal);
    const fresh = occurrences.slice(seen).flatMap(mine);
    seen = occurrences.length;
    yield* fresh;
  }
}

/** What Talos would tell of an occurrence. */
function* told({ id, kind }: Occurrence): Generator<EventShape> {
  switch (kind) {
    case 'talos.reboot-started':
      yield event(id, SequenceEventSchema, { sequence: 'reboot', action: Action.START });
      yield stageEvent(id, Stage.REBOOTING);
      break;
    case 'talos.upgrade-started':
      yield event(id, SequenceEventSchema, { sequence: 'upgrade', action: Action.START });
      yield stageEvent(id, Stage.UPGRADING);
      break;
    case 'talos.rebooted':
    case 'talos.os-upgraded':
      yield stageEvent(id, Stage.RUNNING);
      break;
    default:
  }
}

function stageEvent(id: number, stage: Stage): EventShape {
  const status = { ready: stage === Stage.RUNNING };
  return event(id, MachineStatusEventSchema, { stage, status });
}

function event<S extends DescMessage>(
  id: number,
  schema: S,
  value: MessageInitShape<S>,
): EventShape {
  const typeUrl = `talos/runtime/${schema.typeName}`;
  return { id: `${id}`, data: { typeUrl, value: toBinary(schema, create(schema, value)) } };
}
