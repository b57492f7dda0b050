/** Prometheus gauges that are read when they are asked for. */
import { Gauge, type Registry } from "prom-client";

/** Adds one to `registry` with each call. */
export function gaugesIn(registry: Registry): (name: string, help: string, read: () => number) => void {
  const registers = [registry];
  return (name, help, read) => {
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(read());
      },
    });
  };
}
