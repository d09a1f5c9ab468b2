/** Messages made of others. All have one shape: a copy by spreading costs ten times as much, for each datagram and each layer. */
import type { Message } from "../chunnel.ts";

/** `message` with other data, towards the same. @param cause the messages of the layer above that it carries; absent: as `message` has it */
export function withData<D>(message: Message, data: D, cause: Message["cause"] = message.cause): Message<D> {
  const { to, from, key, priority, attempt, hops, isLocal } = message;
  return { data, to, from, key, priority, attempt, hops, isLocal, cause } as Message<D>;
}
