const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|::1|\[::1\])$/;

/** Whether only this machine can reach the host: a name or an address, without a port. */
export function isLoopback(host: string): boolean {
  return LOOPBACK.test(host);
}
