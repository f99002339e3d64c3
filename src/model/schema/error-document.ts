/** The published schema of Error: what a failed command says with `-o json`. */
import { z } from 'zod';

export const errorDocument = z.object({
  apiVersion: z.literal('regauge.dev/v1'),
  kind: z.literal('Error'),
  code: z.string(),
  message: z.string(),
  hint: z.string().exactOptional(),
  source: z
    .object({
      file: z.string().exactOptional(),
      line: z.int().positive().exactOptional(),
      column: z.int().positive().exactOptional(),
    })
    .exactOptional(),
});
