import { readFileSync } from "node:fs";
import { unwrap } from "@earshot/core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { findDefaultGateway, gatewayOfBsd, gatewayOfProc, gatewayOfWindows } from "./default-gateway.ts";
import { hasRestarted } from "./gateway-epoch.ts";
import { decodeNatPmpAnswer, encodeAddressRequest, encodeMapRequest } from "./nat-pmp.ts";
import { decodePcpMapAnswer, encodePcpMap } from "./pcp.ts";

const hex = (text: string) => Uint8Array.from(Buffer.from(text.replaceAll(" ", ""), "hex"));
const text = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

describe("NAT-PMP, byte for byte as RFC 6886 has it", () => {
  test("asks", () => {
    expect(text(encodeAddressRequest())).toBe("0000");
    const wanted = { protocol: "udp", internalPort: 0x1234, externalPort: 0x1234, lifetimeSeconds: 3_600 } as const;
    expect(text(encodeMapRequest(wanted))).toBe("00010000" + "12341234" + "00000e10");
    expect(text(encodeMapRequest({ ...wanted, protocol: "tcp", externalPort: 0, lifetimeSeconds: 0 }))).toBe(
      "00020000" + "12340000" + "00000000",
    );
  });
  test("reads answers", () => {
    expect(unwrap(decodeNatPmpAnswer(hex("0080 0000 00000064 c0000201")))).toEqual({
      type: "address",
      epochSeconds: 100,
      address: "192.0.2.1",
    });
    expect(unwrap(decodeNatPmpAnswer(hex("0082 0000 00000064 1234 5678 00000e10")))).toEqual({
      type: "mapping",
      epochSeconds: 100,
      protocol: "tcp",
      internalPort: 0x1234,
      externalPort: 0x5678,
      lifetimeSeconds: 3_600,
    });
    // Not authorized, with and without the fields of a mapping.
    for (const rest of ["", "1234 0000 00000000"])
      expect(unwrap(decodeNatPmpAnswer(hex(`0081 0002 00000064 ${rest}`)))).toEqual({
        type: "failed",
        about: "udp",
        result: 2,
        epochSeconds: 100,
      });
  });
  test.each([
    ["", "bad-frame"],
    ["00", "bad-frame"],
    ["02810000", "unknown-version"],
    ["0001 0000 00000064", "unknown-type"],
    ["0083 0000 00000064 1234 5678 00000e10", "unknown-type"],
    ["0080 0000 00000064 c00002", "bad-frame"],
    ["0080 0000 00000064 c0000201 00", "bad-frame"],
    ["0081 0000 00000064", "bad-frame"],
  ])("refuses %s", (bytes, code) => {
    expect(decodeNatPmpAnswer(hex(bytes))).toMatchObject({ ok: false, code });
  });
});

describe("PCP, byte for byte as RFC 6887 has it", () => {
  const NONCE = "000102030405060708090a0b";
  const head = "02 81 00 00 00000e10 00000064 000000000000000000000000";
  const map = `${NONCE} 11 000000 1234 5678 00000000000000000000ffffc0000201`;
  test("asks for a mapping", () => {
    const request = encodePcpMap({
      nonce: hex(NONCE),
      clientAddress: "192.168.1.20",
      protocol: "tcp",
      internalPort: 443,
      externalPort: 443,
      lifetimeSeconds: 3_600,
    });
    expect(text(request)).toBe(
      "02010000" +
        "00000e10" +
        "00000000000000000000ffffc0a80114" +
        NONCE +
        "06000000" +
        "01bb01bb" +
        "00000000000000000000ffff00000000",
    );
  });
  test("reads answers, with options and with an IPv6 address", () => {
    const answer = {
      nonce: hex(NONCE),
      protocol: "udp",
      internalPort: 0x1234,
      externalPort: 0x5678,
      externalAddress: "192.0.2.1",
      result: 0,
      lifetimeSeconds: 3_600,
      epochSeconds: 100,
    };
    expect(unwrap(decodePcpMapAnswer(hex(head + map)))).toEqual(answer);
    expect(unwrap(decodePcpMapAnswer(hex(`${head}${map}02000000`)))).toEqual(answer);
    const six = map.replace("00000000000000000000ffff", "20010db80000000000000001");
    expect(unwrap(decodePcpMapAnswer(hex(head + six)))).toEqual({ ...answer, externalAddress: "" });
    expect(unwrap(decodePcpMapAnswer(hex(head.replace("00 00 00000e10", "00 02 00000e10") + map)))).toMatchObject({
      result: 2,
    });
  });
  test.each([
    ["", "bad-frame"],
    ["0081", "unknown-version"],
    ["0281", "bad-frame"],
    [head, "bad-frame"],
    [head.replace("81", "01") + map, "unknown-type"],
    [head + map.replace(" 11 ", " 12 "), "unknown-type"],
    [`${head}${map}0000`, "bad-frame"],
    [head + map + "00".repeat(1_044), "too-large"],
  ])("refuses %s", (bytes, code) => {
    expect(decodePcpMapAnswer(hex(bytes))).toMatchObject({ ok: false, code });
  });
});

test("no datagram makes a decoder throw", () => {
  const versioned = fc.tuple(
    fc.constantFrom(0, 2),
    fc.constantFrom(128, 129, 130),
    fc.uint8Array({ maxLength: 1_200 }),
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.uint8Array({ maxLength: 80 }),
        versioned.map(([v, op, rest]) => Uint8Array.of(v, op, ...rest)),
      ),
      (bytes) => {
        decodeNatPmpAnswer(bytes);
        decodePcpMapAnswer(bytes);
      },
    ),
  );
});

test("a gateway's clock tells that it was restarted, and drift does not", () => {
  const before = { epochSeconds: 10_000, atMs: 0 };
  const after = (epochSeconds: number, seconds: number) =>
    hasRestarted(before, { epochSeconds, atMs: seconds * 1_000 });
  expect(after(10_300, 300)).toBe(false);
  expect(after(10_265, 300)).toBe(false);
  expect(after(10_335, 300)).toBe(false);
  expect(after(9_999, 0)).toBe(false);
  expect(after(10_200, 300)).toBe(true);
  expect(after(0, 300)).toBe(true);
  expect(after(10_000, -5)).toBe(false);
  expect(hasRestarted(undefined, before)).toBe(false);
});

describe("the default gateway", () => {
  test("is the one of lowest metric on Linux", () => {
    const table = [
      "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT",
      "tun0\t00000000\t0100000A\t0003\t0\t0\t600\t00000000\t0\t0\t0",
      "eth0\t00000000\t0101A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0",
      "eth0\t0001A8C0\t00000000\t0001\t0\t0\t100\t00FFFFFF\t0\t0\t0",
    ].join("\n");
    expect(gatewayOfProc(table)).toBe("192.168.1.1");
    expect(gatewayOfProc(table.split("\n").slice(0, 1).join())).toBeUndefined();
    // A half of the Internet each, as some VPNs have it, and a route without a gateway.
    expect(gatewayOfProc("tun0\t00000000\t0100000A\t0003\t0\t0\t0\t00000080\t0\t0\t0")).toBeUndefined();
    expect(gatewayOfProc("ppp0\t00000000\t00000000\t0001\t0\t0\t0\t00000000\t0\t0\t0")).toBeUndefined();
  });
  test("is read from what macOS and Windows print", () => {
    expect(
      gatewayOfBsd("   route to: default\ndestination: default\n    gateway: 192.168.1.1\n  interface: en0\n"),
    ).toBe("192.168.1.1");
    expect(gatewayOfBsd("    gateway: fe80::1%en0\n")).toBeUndefined();
    const printed = [
      "IPv4-Routentabelle",
      "     Netzwerkziel    Netzwerkmaske          Gateway    Schnittstelle Metrik",
      "          0.0.0.0          0.0.0.0      192.168.2.1     192.168.2.20     50",
      "          0.0.0.0          0.0.0.0      192.168.1.1     192.168.1.20     25",
      "          0.0.0.0          0.0.0.0   Auf Verbindung         10.0.0.2      5",
    ].join("\r\n");
    expect(gatewayOfWindows(printed)).toBe("192.168.1.1");
    expect(gatewayOfWindows("")).toBeUndefined();
  });
  test("of this machine is found as its table has it", async () => {
    if (process.platform !== "linux") return;
    expect(await findDefaultGateway()).toBe(gatewayOfProc(readFileSync("/proc/net/route", "latin1")));
    expect(await findDefaultGateway("sunos")).toBeUndefined();
  });
});
