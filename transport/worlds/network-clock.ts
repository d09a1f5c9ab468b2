/** A network's time for stacks. */
import { type Micros, NANOS_PER_MICRO, type Nanos } from "../../core/units.ts";
import type { Timer } from "../chunnel.ts";

interface NetworkTime {
  readonly nowNs: Nanos;
  schedule(atNs: Nanos, run: () => void): void;
}

/** As `seededSurroundings` takes it; calls come before the packets of their instant. */
export function networkClock(network: NetworkTime): {
  readonly nowUs: Micros;
  wakeAt(atUs: Micros, run: () => void): Timer;
} {
  return {
    get nowUs(): Micros {
      return network.nowNs / NANOS_PER_MICRO;
    },
    wakeAt(atUs, run): Timer {
      let isWanted = true;
      let atNs = Math.ceil(atUs * NANOS_PER_MICRO);
      // rounding must not call before the time: who waits would ask again, for the same instant
      if (atNs / NANOS_PER_MICRO < atUs) atNs++;
      network.schedule(Math.max(network.nowNs, atNs), () => {
        if (isWanted) run();
      });
      return {
        cancel: () => {
          isWanted = false;
        },
      };
    },
  };
}
