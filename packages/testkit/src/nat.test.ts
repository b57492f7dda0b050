import { describe, expect, it } from "vitest";
import { chain, type Datagram, DatagramNetwork, delay, loss } from "./datagram-network.ts";
import { FULL_CONE, Nat, type NatBehaviour, PORT_RESTRICTED, SYMMETRIC } from "./nat.ts";
import { SeededRandom } from "./seeded-random.ts";
import { VirtualClock } from "./virtual-clock.ts";

const payload = Uint8Array.of(1);

/** Two hosts learn their outside addresses from a third and send to each other: does a datagram get through? */
function punches(a: NatBehaviour, b: NatBehaviour): boolean {
  const network = new DatagramNetwork();
  const seen = new Map<string, string>();
  network.attach("9.9.9.9", (d) => seen.set(d.from.startsWith("1.") ? "a" : "b", d.from));
  const natA = new Nat(network, "1.1.1.1", a);
  const natB = new Nat(network, "2.2.2.2", b);
  let through = false;
  natA.attach("10.0.0.1", () => {
    through = true;
  });
  natB.attach("10.0.0.2", () => {
    through = true;
  });
  natA.send({ from: "10.0.0.1:5", to: "9.9.9.9:3478", payload });
  natB.send({ from: "10.0.0.2:5", to: "9.9.9.9:3478", payload });
  for (let i = 0; i < 2; i++) {
    natA.send({ from: "10.0.0.1:5", to: seen.get("b") as string, payload });
    natB.send({ from: "10.0.0.2:5", to: seen.get("a") as string, payload });
  }
  return through;
}

describe("Nat", () => {
  it("lets hole punching succeed and fail where real ones do", () => {
    expect(punches(PORT_RESTRICTED, PORT_RESTRICTED)).toBe(true);
    expect(punches(FULL_CONE, SYMMETRIC)).toBe(true);
    expect(punches(PORT_RESTRICTED, SYMMETRIC)).toBe(false);
    expect(punches(SYMMETRIC, SYMMETRIC)).toBe(false);
  });
});

describe("hops", () => {
  it("lose and delay as told, the same for the same seed", async () => {
    const run = async () => {
      const clock = new VirtualClock(0);
      const hop = chain(loss(new SeededRandom(7), 0.2), delay(clock, 30));
      const arrived: [number, number][] = [];
      for (let i = 0; i < 1000; i++) {
        const datagram: Datagram = { from: "a:1", to: "b:1", payload: Uint8Array.of(i & 0xff) };
        hop(datagram, (d) => arrived.push([clock.now(), d.payload[0] as number]));
      }
      clock.advanceSync(30);
      return arrived;
    };
    const first = await run();
    expect(first.length).toBeGreaterThan(750);
    expect(first.length).toBeLessThan(850);
    expect(first.every(([at]) => at === 30)).toBe(true);
    expect(await run()).toEqual(first);
  });
});
