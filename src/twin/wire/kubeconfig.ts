/** A kubeconfig for one user of one cluster, certificates and key inside. */
import { stringify } from 'yaml';
import type { Identity } from './certificates.ts';

export interface KubeconfigParts {
  readonly cluster: string;
  readonly url: string;
  /** PEM of the authority that issued the server's certificate. */
  readonly authority: string;
  readonly user: string;
  readonly identity: Identity;
}

export function kubeconfigText({
  cluster,
  url,
  authority,
  user,
  identity,
}: KubeconfigParts): string {
  const context = `${user}@${cluster}`;
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      { name: cluster, cluster: { server: url, 'certificate-authority-data': base64(authority) } },
    ],
    users: [
      {
        name: context,
        user: {
          'client-certificate-data': base64(identity.certificate),
          'client-key-data': base64(identity.key),
        },
      },
    ],
    contexts: [{ name: context, context: { cluster, user: context, namespace: 'default' } }],
    'current-context': context,
  });
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}
