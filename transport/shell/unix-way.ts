/** A way by unix datagram sockets inside this host, in a folder that only this user can write to. */
import { randomBytes } from "node:crypto";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { openUnixDatagram } from "../../ccp-bridge/ipc/unix-datagram.ts";
import { CcparkError } from "../../core/errors.ts";
import type { OpenWay, Way } from "../live/way.ts";
import { MAX_DATAGRAM_BYTES } from "./udp-socket.ts";

export const UNIX_FOLDER: string = join(tmpdir(), `ccpark-transport-${userInfo().uid}`);
/** A peer may name no other sockets. */
const NAME = /^[0-9a-f]{16}\.sock$/;

function isOurs(address: string): boolean {
  return address.startsWith(`${UNIX_FOLDER}/`) && NAME.test(address.slice(UNIX_FOLDER.length + 1));
}

export const openUnixWay: OpenWay = (base, onDatagram, done) => {
  if (base !== "unix") {
    done(new CcparkError("failed-precondition", `[transport] this end has no way by \`${base}\``));
    return;
  }
  const path = join(UNIX_FOLDER, `${randomBytes(8).toString("hex")}.sock`);
  openUnixDatagram({
    path,
    onMessage: (bytes, from) => onDatagram(new Uint8Array(bytes), String(from)),
  }).then(
    (socket) => {
      const way: Way = {
        port: {
          self: path,
          maxBytes: MAX_DATAGRAM_BYTES,
          // a full queue is a loss: whoever needs the datagram sends it again
          send: (datagram, to) => {
            if (isOurs(to)) socket.send(datagram, to);
          },
          room: () => Number.POSITIVE_INFINITY,
        },
        close: () => socket.close(),
      };
      done(way);
    },
    (error: unknown) => {
      if (error instanceof CcparkError) done(error);
      else throw error;
    },
  );
};
