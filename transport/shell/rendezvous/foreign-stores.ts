/** Stores that the user has: by what their common clients can do, so that none of those clients comes with this package. */
import { CcparkError } from "../../../core/errors.ts";
import type { RendezvousStore, StoreEntry } from "../../rendezvous/store.ts";

/** A store as promises. */
export interface PromisedStore {
  /** undefined: there is none of that key */
  get(key: string): Promise<StoreEntry | undefined>;
  /** Only if the revision is still that one; undefined: if there is none of that key. @returns whether it was */
  swap(key: string, revision: string | undefined, value: Uint8Array): Promise<boolean>;
}

function answered<T>(promise: Promise<T>, done: (answer: T | CcparkError) => void): void {
  promise.then(done, (cause: unknown) => {
    if (cause instanceof CcparkError) {
      done(cause);
      return;
    }
    const why = cause instanceof Error ? cause.message : String(cause);
    done(new CcparkError("unavailable", `[transport] store: ${why}`, { cause }));
  });
}

export function promisedStore({ get, swap }: PromisedStore): RendezvousStore {
  return {
    get: (key, done) => answered(get(key), done),
    swap: (key, revision, value, done) => answered(swap(key, revision, value), done),
  };
}

/** Of the client `redis` (node-redis, 4 or later): one call is enough. */
export interface RedisClient {
  eval(script: string, options: { keys: string[]; arguments: string[] }): Promise<unknown>;
}

const REDIS_GET = "return redis.call('HMGET', KEYS[1], 'value', 'revision')";
/** Scripts of Redis run one at a time. */
const REDIS_SWAP = `local revision = redis.call('HGET', KEYS[1], 'revision') or ''
if revision ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'value', ARGV[2], 'revision', (tonumber(revision) or 0) + 1)
return 1`;

/** Redis: a hash of value (base64) and revision for each key. */
export function redisStore(client: RedisClient): RendezvousStore {
  return promisedStore({
    get: async (key) => {
      const answer = await client.eval(REDIS_GET, { keys: [key], arguments: [] });
      const [value, revision] = answer as readonly (string | null)[];
      if (value == null || revision == null) return undefined;
      return { value: new Uint8Array(Buffer.from(value, "base64")), revision };
    },
    swap: async (key, revision = "", value) => {
      const values = [revision, Buffer.from(value).toString("base64")];
      return (await client.eval(REDIS_SWAP, { keys: [key], arguments: values })) === 1;
    },
  });
}

/** Of the client `etcd3`: what is used of it. */
export interface EtcdClient {
  get(key: string): {
    exec(): Promise<{ kvs: readonly { readonly value: Uint8Array; readonly mod_revision: string }[] }>;
  };
  if(
    key: string,
    what: "Mod",
    is: "==",
    value: string,
  ): {
    then(put: unknown): { commit(): Promise<{ succeeded: boolean }> };
  };
  put(key: string): { value(value: Buffer): unknown };
}

/** etcd: the revision is that of the key's last change. */
export function etcdStore(client: EtcdClient): RendezvousStore {
  return promisedStore({
    get: async (key) => {
      const [found] = (await client.get(key).exec()).kvs;
      return found && { value: new Uint8Array(found.value), revision: found.mod_revision };
    },
    swap: async (key, revision = "0", value) => {
      const put = client.put(key).value(Buffer.from(value));
      return (await client.if(key, "Mod", "==", revision).then(put).commit()).succeeded;
    },
  });
}
