/** The ends that answer and the store, in a process of their own: `processWorld` starts it and asks it one thing at a time. */
import { type EchoEnd, echoEnd, type StackName, type WayName } from "./echoes.ts";
import { loopbackWorld } from "./worlds.ts";

/** What it is asked. */
export type EchoQuestion =
  | { readonly kind: "store" }
  | { readonly kind: "start"; readonly way: WayName; readonly stack: StackName }
  | { readonly kind: "meet"; readonly key: string }
  | { readonly kind: "part" };

const world = await loopbackWorld(Number(process.argv[2]));
let end: EchoEnd | undefined;

async function answer(question: EchoQuestion): Promise<string> {
  switch (question.kind) {
    case "store":
      return world.storeAddress;
    case "start":
      end = await echoEnd(question.way, world, question.stack);
      return end.address;
    case "meet":
      await end!.meet(question.key);
      return "";
    case "part":
      await end!.part();
      return "";
  }
}

process.on("message", (question: EchoQuestion) => {
  void answer(question).then((text) => process.send!(text));
});
// its sockets, which would keep it alive, are of no use without the other end
process.on("disconnect", () => process.exit());
