/** The published schema of Run: one event a line, held to the type by the compiler. */
import { z } from 'zod';
import { PATH_CLASSES } from '../rehearsal.ts';
import type { RunEvent } from '../run-event.ts';
import { list, seconds } from './parts.ts';

const at = seconds;
const message = z.string();

export const runEvent = z.discriminatedUnion('type', [
  z.object({
    at,
    type: z.literal('step'),
    step: z.string(),
    phase: z.string(),
    state: z.enum(['started', 'done', 'already-done', 'failed']),
    title: z.string(),
    nodes: list(z.string()),
    message: message.exactOptional(),
  }),
  z.object({
    at,
    type: z.literal('gate'),
    step: z.string(),
    gate: z.string(),
    state: z.enum(['holds', 'waiting', 'failed']),
    message,
  }),
  z.object({
    at,
    type: z.literal('probe'),
    message,
    class: z.enum([...PATH_CLASSES, 'moving']).exactOptional(),
    node: z.string().exactOptional(),
    ms: z.number().nonnegative().exactOptional(),
    step: z.string().exactOptional(),
  }),
  z.object({ at, type: z.enum(['health', 'finding']), message, node: z.string().exactOptional() }),
  z.object({ at, type: z.enum(['pause', 'resume', 'undo', 'done']), message }),
]) satisfies z.ZodType<RunEvent>;
