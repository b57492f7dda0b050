import { unwrap } from "@earshot/core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { describeIgd } from "../../testing/fake-igd.ts";
import { type GatewayPath, gatewayPath } from "./gateway-url.ts";
import { addPortMapping, decodeSoap, encodeSoap, getMapping } from "./igd-actions.ts";
import { decodeDescription } from "./igd-description.ts";
import { decodeSearchAnswer, encodeSearch, SEARCH_TARGETS } from "./ssdp.ts";
import { MAX_XML_BYTES, parseXml } from "./xml.ts";

const GATEWAY = "192.168.1.1";
const HERE: GatewayPath = { port: 5_000, path: "/rootDesc.xml" };
const IP_V1 = "urn:schemas-upnp-org:service:WANIPConnection:1";
const IP_V2 = "urn:schemas-upnp-org:service:WANIPConnection:2";
const PPP = "urn:schemas-upnp-org:service:WANPPPConnection:1";
const bytes = (text: string) => Buffer.from(text);

describe("SSDP", () => {
  test("asks as UPnP's architecture has it", () => {
    expect(Buffer.from(encodeSearch(SEARCH_TARGETS[0])).toString()).toBe(
      'M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: "ssdp:discover"\r\nMX: 1\r\nST: urn:schemas-upnp-org:device:InternetGatewayDevice:1\r\n\r\n',
    );
  });
  test.each<[string, object]>([
    [
      "HTTP/1.1 200 OK\r\nST: urn:schemas-upnp-org:device:InternetGatewayDevice:2\r\nLocation : http://192.168.1.1:5000/a\r\n\r\n",
      { ok: true, value: { location: "http://192.168.1.1:5000/a", isGateway: true } },
    ],
    [
      "HTTP/1.0 200\nST: upnp:rootdevice\nLOCATION:http://192.168.1.1/",
      { ok: true, value: { location: "http://192.168.1.1/", isGateway: false } },
    ],
    ["", { code: "unknown-type" }],
    ["NOTIFY * HTTP/1.1\r\nLOCATION: http://192.168.1.1/\r\n\r\n", { code: "unknown-type" }],
    ["HTTP/1.1 404 No\r\nLOCATION: http://192.168.1.1/\r\n\r\n", { code: "unknown-type" }],
    ["HTTP/1.1 200 OK\r\nST: upnp:rootdevice\r\n\r\n", { code: "bad-frame" }],
    ["HTTP/1.1 200 OK\r\nLOCATION: a\r\nLOCATION: b\r\n\r\n", { code: "bad-frame" }],
    [`HTTP/1.1 200 OK\r\nLOCATION: a\r\n${"X: y\r\n".repeat(60)}\r\n`, { code: "bad-frame" }],
    [`HTTP/1.1 200 OK\r\nLOCATION: ${"a".repeat(2_048)}\r\n\r\n`, { code: "too-large" }],
  ])("reads %j", (text, expected) => {
    expect(decodeSearchAnswer(bytes(text))).toMatchObject(expected);
  });
});

test.each<[string, GatewayPath | undefined]>([
  ["http://192.168.1.1:5000/a?b=c#d", { port: 5_000, path: "/a?b=c" }],
  ["http://192.168.1.1", { port: 80, path: "/" }],
  ["/ctl/IPConn", { port: 5_000, path: "/ctl/IPConn" }],
  ["ctl", { port: 5_000, path: "/ctl" }],
  ["http://192.168.1.2:5000/", undefined],
  ["http://192.168.1.1.example:5000/", undefined],
  ["http://192.168.1.1@10.0.0.1/", undefined],
  ["http://a:b@192.168.1.1/", undefined],
  ["//169.254.169.254/latest", undefined],
  ["https://192.168.1.1/", undefined],
  ["file:///etc/passwd", undefined],
  ["http://localhost/", undefined],
  ["http://[::ffff:192.168.1.1]/", undefined],
  ["http://192.168.1.1:0/", undefined],
  ["http://192.168.1.1:99999/", undefined],
  [`/${"a".repeat(600)}`, undefined],
])("of the gateway itself, or nowhere: %s", (text, expected) => {
  expect(gatewayPath(text, GATEWAY, HERE)).toEqual(expected);
});

describe("a description", () => {
  const read = (text: string) => decodeDescription(bytes(text), GATEWAY, HERE);
  test("names the services that map ports, the newest first, at the gateway alone", () => {
    const services = [
      { type: PPP, controlUrl: "/ppp" },
      { type: "urn:schemas-upnp-org:service:Layer3Forwarding:1", controlUrl: "/l3f" },
      { type: IP_V1, controlUrl: "http://10.9.9.9/elsewhere" },
      { type: IP_V1, controlUrl: "ip1?a=1&amp;b=2" },
      { type: IP_V2, controlUrl: "http://192.168.1.1:49152/ip2" },
      { type: IP_V1, controlUrl: "" },
    ];
    expect(unwrap(read(describeIgd(services)))).toEqual([
      { type: IP_V2, control: { port: 49_152, path: "/ip2" } },
      { type: IP_V1, control: { port: 5_000, path: "/ip1?a=1&b=2" } },
      { type: PPP, control: { port: 5_000, path: "/ppp" } },
    ]);
    const many = Array.from({ length: 50 }, (_, at) => ({ type: IP_V1, controlUrl: `/${at}` }));
    expect(unwrap(read(describeIgd(many)))).toHaveLength(4);
  });
  test("may say what its addresses are relative to, if that is the gateway", () => {
    const at = (base: string) =>
      unwrap(read(describeIgd([{ type: IP_V1, controlUrl: "ctl" }], `<URLBase>${base}</URLBase>`)))[0]?.control;
    expect(at("http://192.168.1.1:2828/upnp/")).toEqual({ port: 2_828, path: "/upnp/ctl" });
    expect(at("http://10.0.0.1:2828/upnp/")).toEqual({ port: 5_000, path: "/ctl" });
    expect(at("")).toEqual({ port: 5_000, path: "/ctl" });
  });
  test("without any is none", () => {
    expect(read(describeIgd([]))).toMatchObject({ code: "unknown-type" });
    expect(read("<html><body>Log in</body></html>")).toMatchObject({ code: "unknown-type" });
  });
});

describe("SOAP", () => {
  test("asks for a port as WANIPConnection has it", () => {
    const request = addPortMapping(
      { protocol: "udp", port: 4_000 },
      { client: "192.168.1.20", label: "Earshot 1" },
      3_600,
    );
    const { action, body } = encodeSoap(request, IP_V1);
    expect(action).toBe(`"${IP_V1}#AddPortMapping"`);
    expect(body).toContain(
      `<u:AddPortMapping xmlns:u="${IP_V1}"><NewRemoteHost></NewRemoteHost><NewExternalPort>4000</NewExternalPort><NewProtocol>UDP</NewProtocol><NewInternalPort>4000</NewInternalPort><NewInternalClient>192.168.1.20</NewInternalClient><NewEnabled>1</NewEnabled><NewPortMappingDescription>Earshot 1</NewPortMappingDescription><NewLeaseDuration>3600</NewLeaseDuration></u:AddPortMapping>`,
    );
    expect(parseXml(bytes(body)).ok).toBe(true);
    expect(encodeSoap(getMapping({ protocol: "tcp", port: 443 }), IP_V1).body).toContain(
      "<NewExternalPort>443</NewExternalPort><NewProtocol>TCP</NewProtocol></u:GetSpecificPortMappingEntry>",
    );
  });
  const envelope = (inside: string) =>
    `<SOAP-ENV:Envelope xmlns:SOAP-ENV="x"><SOAP-ENV:Body>${inside}</SOAP-ENV:Body></SOAP-ENV:Envelope>`;
  const read = (inside: string) => decodeSoap(bytes(envelope(inside)), "GetExternalIPAddress");
  test("reads answers and faults", () => {
    const done = unwrap(
      read(
        "<m:GetExternalIPAddressResponse><NewExternalIPAddress> 8.8.4.4\n</NewExternalIPAddress></m:GetExternalIPAddressResponse>",
      ),
    );
    expect(done.type === "done" && [done.value("NewExternalIPAddress"), done.value("NewOther")]).toEqual([
      "8.8.4.4",
      "",
    ]);
    const fault = (detail: string) =>
      read(`<s:Fault><faultcode>s:Client</faultcode><detail>${detail}</detail></s:Fault>`);
    expect(unwrap(fault("<UPnPError><errorCode>725</errorCode></UPnPError>"))).toEqual({ type: "fault", code: 725 });
    for (const detail of ["", "<errorCode>-1</errorCode>", "<errorCode>7e5</errorCode>"])
      expect(unwrap(fault(detail))).toEqual({ type: "fault", code: 0 });
  });
  test("takes no answer to something else for one", () => {
    expect(read("<u:AddPortMappingResponse/>")).toMatchObject({ code: "unknown-type" });
    expect(decodeSoap(bytes("<GetExternalIPAddressResponse/>"), "GetExternalIPAddress")).toMatchObject({ ok: false });
  });
});

describe("XML", () => {
  const parse = (text: string) => parseXml(bytes(text));
  test("elements, text and what stands for a character", () => {
    const text = `\uFEFF<?xml version="1.0"?>\n<!-- <a> -->\n<r:a b="c > d" e='"'>1 &lt;<b/><c x='y'/>&#65;&#x42;<b>2</b >\n</r:a>\n`;
    expect(unwrap(parse(text))).toEqual({
      name: "a",
      text: "1 <AB",
      children: [
        { name: "b", text: "", children: [] },
        { name: "c", text: "", children: [] },
        { name: "b", text: "2", children: [] },
      ],
    });
  });
  test.each([
    ["nothing", ""],
    ["text", "hello"],
    ["no end", "<a>"],
    ["two roots", "<a/><b/>"],
    ["text beside the root", "<a/>b"],
    ["crossed", "<a><b></a></b>"],
    ["another prefix at its end", "<s:a></a>"],
    ["an end alone", "</a>"],
    ["a document type", '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'],
    ["an entity of its own", "<a>&b;</a>"],
    ["a reference without end", "<a>&amp</a>"],
    ["no character", "<a>&#0;</a>"],
    ["no character, beyond Unicode", "<a>&#x110000;</a>"],
    ["CDATA", "<a><![CDATA[b]]></a>"],
    ["a comment without end", "<a><!-- </a>"],
    ["a quote without end", "<a b='></a>"],
    ["a name that is none", "<1/>"],
    ["a name without end", `<${"a".repeat(100)}/>`],
    ["too many", `<a>${"<b/>".repeat(2_000)}</a>`],
    ["too deep", "<a>".repeat(30) + "</a>".repeat(30)],
  ])("refuses %s", (_, text) => {
    expect(parse(text)).toMatchObject({ ok: false, code: "bad-frame" });
  });
  test("refuses what is too large", () => {
    expect(parse(`<a>${" ".repeat(MAX_XML_BYTES)}</a>`)).toMatchObject({ code: "too-large" });
  });
  // Each would take seconds, where a step backwards cost as much as all before it.
  test.each(["<a ", "<a b='c' ", "<a '", '<a "" ', "<!--", "<?", "<a>&", "<a/>", "</a>", "<a><b c=", "&amp;", "<"])(
    "is done with %j, however often, in time that grows with its length alone",
    (piece) => {
      const started = performance.now();
      parse(piece.repeat(MAX_XML_BYTES / piece.length));
      parse(`<a>${piece.repeat((MAX_XML_BYTES - 8) / piece.length)}</a>`);
      expect(performance.now() - started).toBeLessThan(3_000);
    },
  );
});

test("nothing makes a decoder throw, and what it gives is at the gateway", () => {
  const word = fc.constantFrom(
    ...[
      "<a>",
      "</a>",
      "<service>",
      "</service>",
      "<serviceType>",
      "</serviceType>",
      IP_V1,
      "<controlURL>",
      "</controlURL>",
    ],
    ...[
      "http://10.0.0.1/",
      "/ctl",
      "&amp;",
      "&x;",
      "<!--",
      "-->",
      "<s:Envelope>",
      "<s:Body>",
      "<s:Fault>",
      "'",
      '"',
      "/>",
    ],
    ...["HTTP/1.1 200 OK\r\n", "LOCATION: ", "\r\n", "ST: "],
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.uint8Array({ maxLength: 300 }),
        fc.array(word, { maxLength: 40 }).map((words) => bytes(words.join(""))),
      ),
      fc.ipV4().filter((host) => host !== GATEWAY),
      (input, host) => {
        decodeSearchAnswer(input);
        decodeSoap(input, "AddPortMapping");
        const services = decodeDescription(input, GATEWAY, HERE);
        for (const { control } of services.ok ? services.value : []) expect(control.path[0]).toBe("/");
        expect(gatewayPath(`http://${host}/`, GATEWAY, HERE)).toBeUndefined();
      },
    ),
  );
});
