/**
 * Questions about who one is and what one may do. The twin has no RBAC: whoever its authority let in
 * may do everything, and the answers say so.
 */
import type { World } from '../../world.ts';
import { badRequest, noSuchPath } from './api-error.ts';
import { mapOf, textOf, type Tree, valueAt } from '../../../base/json-tree.ts';

export interface User {
  readonly name: string;
  readonly groups: readonly string[];
}

const ALLOWED = { allowed: true, reason: 'a twin served by regauge has no RBAC' };

export function answerReview(plural: string, sent: Tree, user: User, tokens: Tokens): Tree {
  switch (plural) {
    case 'selfsubjectaccessreviews':
    case 'subjectaccessreviews':
    case 'localsubjectaccessreviews':
      return { ...sent, status: ALLOWED };
    case 'selfsubjectrulesreviews':
      return {
        ...sent,
        status: {
          resourceRules: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }],
          nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['*'] }],
          incomplete: false,
        },
      };
    case 'selfsubjectreviews':
      return { ...sent, status: { userInfo: { username: user.name, groups: user.groups } } };
    case 'tokenreviews':
      return { ...sent, status: tokens.review(textOf(valueAt(sent, 'spec', 'token'))) };
    default:
      throw noSuchPath();
  }
}

const DEFAULT_TOKEN_SECONDS = 3_600;

/** Tokens of service accounts that clients asked for (`kubectl create token`); good while the twin runs. */
export class Tokens {
  private readonly world: World;
  private readonly random: () => string;
  private readonly issued = new Map<
    string,
    {
      readonly user: User;
      readonly until: number;
      readonly uid: string;
      readonly namespace: string;
      readonly account: string;
    }
  >();

  constructor(world: World, random: () => string) {
    this.world = world;
    this.random = random;
  }

  issue(namespace: string, account: string, sent: Tree): Tree {
    const { store, kernel } = this.world;
    const uid = store.get<string>('ServiceAccount', namespace, account)?.metadata.uid ?? '';
    const spec = mapOf(sent['spec']);
    const asked = spec['expirationSeconds'];
    const seconds = typeof asked === 'number' ? asked : DEFAULT_TOKEN_SECONDS;
    if (seconds < 600)
      throw badRequest('spec.expirationSeconds: may not specify a duration less than 10 minutes');
    const token = this.random();
    const until = kernel.now() + seconds * 1000;
    const user = {
      name: `system:serviceaccount:${namespace}:${account}`,
      groups: [
        'system:serviceaccounts',
        `system:serviceaccounts:${namespace}`,
        'system:authenticated',
      ],
    };
    this.issued.set(token, { user, until, uid, namespace, account });
    const expirationTimestamp = new Date(kernel.epochMs + until)
      .toISOString()
      .replace(/\.\d+Z/, 'Z');
    return { ...sent, status: { token, expirationTimestamp } };
  }

  /** Undefined for a token that is none, has expired, or whose account is gone or another. */
  userOf(token: string): User | undefined {
    const found = this.issued.get(token);
    if (found === undefined || found.until < this.world.kernel.now()) return undefined;
    const { store } = this.world;
    const account = store.get<string>('ServiceAccount', found.namespace, found.account);
    return account?.metadata.uid === found.uid ? found.user : undefined;
  }

  review(token: string): Tree {
    const user = this.userOf(token);
    if (user === undefined) return { authenticated: false, error: 'invalid bearer token' };
    return { authenticated: true, user: { username: user.name, groups: user.groups } };
  }
}
