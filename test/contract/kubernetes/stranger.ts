/** A request that no API server knows the sender of. */
import { strict as assert } from 'node:assert';
import { request } from 'node:https';

export async function askAsStranger(server: string): Promise<void> {
  const status = await new Promise<number | undefined>((resolve, reject) => {
    const headers = { Authorization: 'Bearer nobody-issued-this' };
    // Whose certificate it has is no matter: it is handed nothing that is worth anything.
    const options = { headers, rejectUnauthorized: false, agent: false };
    request(`${server}/api/v1/namespaces/default/pods`, options, (answer) => {
      answer.resume();
      answer.on('end', () => resolve(answer.statusCode));
    })
      .on('error', reject)
      .end();
  });
  assert.equal(status, 401);
}
