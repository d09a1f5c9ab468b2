/** `struct ifreq` (netdevice(7)): what is asked of a network device, and the answer, behind its name. */

const IFREQ_BYTES = 40;

/** Where the value begins. */
export const IFREQ_VALUE_AT = 16;

/** @param name of the device; what is longer than a name can be is cut off */
export function interfaceRequest(name: string): { readonly bytes: Uint8Array; readonly view: DataView } {
  const bytes = new Uint8Array(IFREQ_BYTES);
  bytes.set(new TextEncoder().encode(name).subarray(0, IFREQ_VALUE_AT - 1));
  return { bytes, view: new DataView(bytes.buffer) };
}
