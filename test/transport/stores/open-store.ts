/** Stores by kind and address, as any process opens them. */
import { createClient } from "@redis/client";
import { Etcd3 } from "etcd3";
import {
  connectStore,
  etcdStore,
  fileStore,
  type RendezvousStore,
  redisStore,
} from "../../../transport/index.ts";

export type StoreKind = "served" | "file" | "redis" | "etcd";

export interface OpenedStore {
  readonly store: RendezvousStore;
  close(): void;
}

/** @param address `host:port` or the path of a unix socket; of files: their folder */
export async function openStore(kind: StoreKind, address: string): Promise<OpenedStore> {
  switch (kind) {
    case "served": {
      const store = connectStore(address);
      return { store, close: () => store.close() };
    }
    case "file":
      return { store: fileStore(address), close: () => {} };
    case "redis": {
      let isOpen = false;
      // where there is none it fails; one that is away it finds again
      const reconnectStrategy = (): number | false => (isOpen ? 50 : false);
      const client = createClient({
        socket: { path: address, tls: false, reconnectStrategy },
        disableOfflineQueue: true,
      });
      // it tells of each attempt; questions meanwhile fail by themselves
      client.on("error", () => {});
      await client.connect();
      isOpen = true;
      return { store: redisStore(client), close: () => client.destroy() };
    }
    case "etcd": {
      const client = new Etcd3({ hosts: address, dialTimeout: 2_000 });
      return { store: etcdStore(client), close: () => client.close() };
    }
  }
}
